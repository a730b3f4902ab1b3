#!/bin/sh
# BSD-3-Clause; see LICENSE.
# mounttabled with a journal: permissions outlive the daemon, also one that is
# killed while they are changed; the directory belongs to one daemon at a time;
# a journal that makes no sense is refused.
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

# Killed at any moment, it has lost nothing that it acknowledged. A small
# journal is rewritten often: each start does it, too.
killed() { # ROUND
    daemon load '^LOADING' permload "$V23_NAMESPACE/load" state
    load=$pid
    sleep "0.0$1"
    kill -9 "$table"
    wait "$table" 2>/dev/null
    wait "$load"
}
i=1
while [ $i -le 8 ]; do
    start
    table=$pid
    check "round $i: nothing is lost" killed $i
    i=$((i + 1))
done
start
table=$pid
check "nothing is lost at the end" killed 9
[ $fail -eq 0 ] || cat load.log

printf 'no record\n{}\n' >>journal/persistent.permslog
bad_journal_is_refused() {
    timeout 20 mounttabled $args >bad.out 2>bad.log </dev/null
    [ $? = 255 ] && [ "$(grep -c 'ERROR: mounttablelib.StartServers failed: .*: line [0-9]* is not a record' bad.log)" = 1 ] &&
        grep -q 'no record' journal/persistent.permslog
}
check "a journal that makes no sense is refused" bad_journal_is_refused
[ $fail -eq 0 ] || logs
summary
