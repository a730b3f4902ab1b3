#!/bin/sh
# BSD-3-Clause; see LICENSE.
# commands.sh: commands, arguments, flags and defaults of the programs are
# those of test/vectors/naming/cli_commands.jsonl.
. "$(dirname "$0")/../shell.sh"
"$build/test/cli" -bin "$build/bin" -dir "$tmp" \
    "$here/test/vectors/naming/cli_commands.jsonl" commands
