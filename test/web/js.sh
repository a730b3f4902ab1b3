#!/bin/sh
# BSD-3-Clause; see LICENSE.
# js.sh: the JavaScript client of wsprd without a proxy (make web): VOM against
# the vectors, the recorded connections, and a proxy that the tests play.
cd "$(dirname "$0")/../.." || exit 1
command -v node >/dev/null ||
    { echo "there is no node; make deps-ci installs it" >&2; exit 1; }
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
node --test --test-reporter=tap libwspr/js/test/*.test.js >"$log" 2>&1
rc=$?
if [ $rc = 0 ]; then
    grep -E '^# (pass|fail)' "$log"
else
    grep -v '^ok ' "$log"
fi
exit $rc
