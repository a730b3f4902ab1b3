#!/bin/sh
# BSD-3-Clause; see LICENSE.
# browse.sh: the page of debug browse in headless Chromium (make web). Pictures
# of what it looks like go to the build directory.
. "$(dirname "$0")/../shell.sh"
BROWSER=$(command -v chromium || command -v chromium-browser) ||
    die "there is no chromium; make deps-ci installs it"
command -v node >/dev/null || die "there is no node; make deps-ci installs it"
MODULES=$build/web/node_modules
[ -d "$MODULES/playwright-core" ] ||
    die "there is no playwright-core; make deps-ci installs it"
OUT=$build/web
rm -f "$OUT"/*.png
cd "$tmp" || exit 1

principal create --with-passphrase=false root root || die "principal create"
blessed table server
export V23_CREDENTIALS="$tmp/root"
mkdir logs
LOG=$tmp/logs/some.INFO
HOSTILE='<img src=x onerror=alert(1)>'
{
    echo "I0102 03:04:05.000000 1 main.c:1] first line"
    echo "E0102 03:04:06.000000 1 main.c:2] <script>alert(1)</script>"
} >"$LOG"
daemon table '^NAME=' env V23_CREDENTIALS="$tmp/table" mounttabled $on_loopback --log_dir="$tmp/logs" \
    --v23.vtrace.sample-rate=1 --max-nodes-per-user=0
SERVER=$(said table NAME=)
V23_NAMESPACE=$SERVER
DEAD=$SERVER/no/such
export V23_NAMESPACE
namespace mount "$HOSTILE/$HOSTILE" /127.0.0.1:1 0s >/dev/null ||
    die "namespace mount"
mtstress -rate=0 -names=6000 mount many 1h >/dev/null 2>stress.log ||
    die "mtstress"
daemon sub '^NAME=' env V23_CREDENTIALS="$tmp/table" mounttabled $on_loopback \
    --name=sub --v23.vtrace.sample-rate=1
SUB=$(said sub NAME=)
daemon slow '^NAME=' env V23_CREDENTIALS="$tmp/table" mounttabled $on_loopback
SLOW=$(said slow NAME=)
slow=$pid
kill -STOP "$slow"
daemon browse '^Visit ' debug -timeout=5s browse -log=false "$SERVER"
URL=$(said browse 'Visit ' | sed 's/ and Ctrl-C to quit//')
export BROWSER MODULES OUT LOG HOSTILE SERVER DEAD SLOW SUB URL
timeout 300 node "$here/test/web/browse.mjs"
rc=$?
kill -CONT "$slow"
[ $rc = 0 ] || logs
exit $rc
