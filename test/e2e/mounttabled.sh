#!/bin/sh
# BSD-3-Clause; see LICENSE.
# mounttabled with a journal: permissions outlive the daemon, the directory
# belongs to one daemon at a time.
: "${BUILD:=build}"
bin=$(cd "$BUILD/bin" && pwd) || exit 1
PATH=$bin:$PATH
tmp=$(mktemp -d) || exit 1
table=
clean() {
    trap - EXIT INT TERM HUP
    [ -n "$table" ] && kill "$table" 2>/dev/null && wait "$table" 2>/dev/null
    rm -rf "$tmp"
}
trap clean EXIT
trap 'clean; exit 130' INT
trap 'clean; exit 143' TERM HUP
unset V23_AGENT_PATH
for v in $(env | sed -n 's/^\(V23_NAMESPACE[^=]*\)=.*/\1/p'); do
    unset "$v"
done
cd "$tmp" || exit 1
pass=0 fail=0

check() { # TEXT COMMAND…
    text=$1
    shift
    if "$@"; then
        pass=$((pass + 1))
    else
        fail=$((fail + 1))
        echo "FAIL $text"
        head -5 table.log second.log 2>/dev/null
    fi
}
args="--v23.tcp.protocol=tcp --v23.tcp.address=127.0.0.1:0"
args="$args --persist-dir=journal"
start() {
    mounttabled $args >table.out 2>table.log &
    table=$!
    i=0
    until grep -q '^NAME=' table.out; do
        i=$((i + 1))
        kill -0 "$table" 2>/dev/null && [ $i -lt 200 ] || return 1
        sleep 0.05
    done
    V23_NAMESPACE=$(sed -n 's/^NAME=//p' table.out)
    export V23_NAMESPACE
}
stop() {
    kill "$table" && wait "$table" && table=
}
permissions_are_there() {
    namespace permissions get a/b >got 2>&1 && grep -q '"Resolve"' got
}
second_is_refused() {
    ! timeout 20 mounttabled $args >second.out 2>second.log </dev/null &&
        [ "$(wc -l <second.log)" -eq 1 ] &&
        grep -q 'another process' second.log && ! grep -q NAME= second.out
}

principal create --with-passphrase=false root root >/dev/null &&
    export V23_CREDENTIALS="$tmp/root" && mkdir journal || exit 1
echo '{"Admin":{"In":["root"]},"Resolve":{"In":["..."]}}' >perms

check "the table starts" start
check "permissions can be set" namespace permissions set a/b perms
check "and read" permissions_are_there
check "a second daemon on the directory is refused" second_is_refused
check "the first one goes on" permissions_are_there
check "it stops in order" stop
check "it starts again" start
check "the permissions are still there" permissions_are_there
check "it stops again" stop
echo "$pass passed, $fail failed"
[ $fail -eq 0 ]
