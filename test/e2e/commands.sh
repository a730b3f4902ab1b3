#!/bin/sh
# BSD-3-Clause; see LICENSE.
# commands.sh [FILE]: commands, arguments, flags and defaults of the programs are
# those of test/vectors/naming/cli_commands.jsonl, or of another such file.
. "$(dirname "$0")/../shell.sh"
"$build/test/cli" -bin "$build/bin" -dir "$tmp" \
    "${1:-$here/test/vectors/naming/cli_commands.jsonl}" commands
