#!/bin/sh
# BSD-3-Clause; see LICENSE.
# mounttabled with a journal: permissions outlive the daemon, the directory
# belongs to one daemon at a time.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

args="$on_loopback --persist-dir=journal"
start() {
    daemon table '^NAME=' mounttabled $args
    V23_NAMESPACE=$(said table NAME=)
    export V23_NAMESPACE
}
stop() {
    kill "$pid" && wait "$pid"
}
permissions_are_there() {
    namespace permissions get a/b >got 2>&1 && grep -q '"Resolve"' got
}
second_is_refused() {
    ! timeout 20 mounttabled $args >second.out 2>second.log </dev/null &&
        [ "$(wc -l <second.log)" -eq 1 ] &&
        grep -q 'another process' second.log && ! grep -q NAME= second.out
}

principal create --with-passphrase=false root root && mkdir journal ||
    die "principal create"
export V23_CREDENTIALS="$tmp/root"
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
[ $fail -eq 0 ] || logs
summary
