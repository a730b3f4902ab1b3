#!/bin/sh
# BSD-3-Clause; see LICENSE.
# wspr.sh: the JavaScript client in Node, then the demonstration of wsprd in
# headless Chromium, against real servers (make web). Pictures of the page go
# to the build directory.
. "$(dirname "$0")/../shell.sh"
BROWSER=$(command -v chromium || command -v chromium-browser) ||
    die "there is no chromium; make deps-ci installs it"
command -v node >/dev/null || die "there is no node; make deps-ci installs it"
MODULES=$build/web/node_modules
for m in playwright-core ws; do
    [ -d "$MODULES/$m" ] || die "there is no $m; make deps-ci installs it"
done
OUT=$build/web
rm -f "$OUT"/wspr-*.png
cd "$tmp" || exit 1

principal create --with-passphrase=false root root || die "principal create"
for p in table server wsprd alice; do blessed $p $p; done
daemon table '^NAME=' env V23_CREDENTIALS="$tmp/table" mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
daemon fortune '' env V23_CREDENTIALS="$tmp/root" fortuned $on_loopback \
    -name=fortune
daemon echo "^READY" env V23_CREDENTIALS="$tmp/server" echo-server \
    --listen=tcp@127.0.0.1:0 --auth=all --discharger=false --name=echo
as table namespace mount dir/inner /127.0.0.1:1 0s >/dev/null ||
    die "namespace mount"
wait_for as table namespace resolve fortune || die "fortuned is not mounted"
wait_for as table namespace resolve echo || die "echo-server is not mounted"
daemon wsprd '^Listening on ' env V23_CREDENTIALS="$tmp/wsprd" wsprd \
    $on_loopback -port=0 -demo
WSPR_PID=$pid
WSPR=http://127.0.0.1:$(sed -n 's/^Listening on .*port: //p' wsprd.out)
ALICE=$tmp/alice
export BROWSER MODULES OUT WSPR WSPR_PID ALICE

timeout 120 node --test --test-reporter=tap "$here/test/web/wspr-node.mjs" \
    >node.out 2>&1
if [ $? = 0 ]; then
    grep -E '^# (pass|fail)' node.out
    good
else
    grep -v '^ *ok ' node.out
    bad "wspr-node.mjs"
fi
timeout 200 node "$here/test/web/wspr.mjs" && good || bad "wspr.mjs"
[ $fail = 0 ] || logs
summary
