#!/bin/sh
# BSD-3-Clause; see LICENSE.
# etcd.sh: three mount tables over one etcd are the same tree, and nothing that
# was acknowledged is lost when one of them, or etcd, dies.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1
if ! have_etcd; then
    echo "skip etcd.sh: there is no etcd or no etcdctl (make deps)"
    echo "0 passed, 0 failed"
    exit 0
fi
etcd_has() { # KEY PATTERN
    etcd_ctl get "$1" --prefix 2>&1 | grep -q -e "$2"
}
etcd_has_no() {
    ! etcd_has "$@"
}

# ---- mount tables -----------------------------------------------------------

start_table() { # NAME
    daemon "$1" '^NAME=' mounttabled $on_loopback \
        --store="etcd://127.0.0.1:1,127.0.0.1:$etcd_port/fleet"
}
at() { # TABLE COMMAND…
    table=$1
    shift
    V23_NAMESPACE=$(said "$table" NAME=) "$@"
}
quietly() {
    "$@" >/dev/null
}
resolves() { # TABLE NAME SERVER
    [ "$(at "$1" namespace resolve "$2" 2>&1)" = "$3" ]
}
is_unknown() { # TABLE NAME
    at "$1" namespace resolve "$2" 2>&1 | grep -q "doesn't exist"
}
everywhere() { # COMMAND ARG…: at each table
    command=$1
    shift
    for t in $tables; do
        wait_for "$command" "$t" "$@" || return
    done
}
# Mount one name after the other until told to stop; those that were
# acknowledged are in the file.
mount_many() { # TABLE DIR FILE
    i=0
    while [ ! -e enough ]; do
        i=$((i + 1))
        at "$1" timeout 20 namespace mount "$2/$i" "/$2:$i" 1h \
            >/dev/null 2>>many.log && echo "$2/$i" >>"$3"
    done
}
many_are_in() { # FILE COUNT
    [ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}
has_all_of() { # TABLE FILE PATTERN
    at "$1" namespace glob "$3" 2>/dev/null | sort >seen
    sort "$2" | comm -23 - seen >missing
    [ ! -s missing ]
}

principal create --with-passphrase=false root root || die "principal create"
export V23_CREDENTIALS="$tmp/root"
echo '{"Admin":{"In":["root"]},"Resolve":{"In":["..."]}}' >perms

check "etcd starts" start_etcd yes
tables="a b c"
for t in $tables; do
    start_table $t
    [ $t = a ] && victim=$pid
done

check "a name is mounted at one table" \
    quietly at a namespace mount site/1/boiler /h:1 1h
check "and known to all" everywhere resolves site/1/boiler /h:1
check "another server too" quietly at b namespace mount site/1/boiler /h:2 1h
check "everywhere" everywhere resolves site/1/boiler "/h:2
/h:1"
check "one is taken away" quietly at c namespace unmount site/1/boiler /h:1
check "everywhere" everywhere resolves site/1/boiler /h:2
check "what expires" quietly at c namespace mount short/lived /h:9 1s
check "is known before" resolves c short/lived /h:9
check "and then unknown everywhere" everywhere is_unknown short/lived

# Each of these reads the version and sets the next one until that succeeds.
racers=
for i in 1 2 3 4; do
    for t in $tables; do
        at $t namespace permissions set site perms 2>>race.log &
        racers="$racers $!"
    done
done
raced=0
for p in $racers; do
    wait "$p" || raced=1
done
check "who loses a race for permissions tries again" [ $raced = 0 ]
check "so every version was set once" \
    etcd_has fleet/n/site '"V":{"V":12,.*"E":true'
check "a subtree is deleted" at b namespace delete -r site
check "everywhere" everywhere is_unknown site/1/boiler
check "also in etcd" etcd_has_no fleet/n/site .
check "what has expired is removed there, too" \
    wait_for etcd_has_no fleet/n/short .

etcd_ctl put fleet/n/odd '{"C":1' >/dev/null
etcd_ctl put fleet/else x >/dev/null
check "a malformed value is logged with its key" \
    wait_for grep -q 'key "fleet/n/odd" has a malformed value' a.log
check "so is a key of somebody else" \
    wait_for grep -q 'key "fleet/else" is none of a mount table' b.log
odd_is_shut() {
    at a namespace mount odd/x /h:1 1h 2>&1 | grep -q 'access denied'
}
check "nobody gets past the malformed one" odd_is_shut

# A table dies while it works, then etcd does, then it is back.
mount_many a many list.a &
pids="$pids $!"
mount_many b more list.b &
pids="$pids $!" last=$!
check "names are mounted" wait_for many_are_in list.a 10
kill -9 $victim
check "names are mounted elsewhere" wait_for many_are_in list.b 10
kill -9 $etcd_pid
wait $etcd_pid 2>/dev/null
check "without etcd names are known" resolves c "$(head -1 list.b)" /more:1
before=$(wc -l <list.b)
check "etcd starts again" start_etcd no
check "names are mounted again" wait_for many_are_in list.b $((before + 5))
: >enough
wait $last
tables="b c d"
start_table d
for t in $tables; do
    check "table $t has all that was acknowledged by a" \
        wait_for has_all_of $t list.a 'many/*'
    check "table $t has all that was acknowledged by b" \
        wait_for has_all_of $t list.b 'more/*'
done
age_is_known() {
    at c debug stats read "$(said c NAME=)/__debug/stats/mounttable/store/*" \
        >stats 2>&1
    grep -q 'store/state: live' stats && grep -q 'store/age: [0-9]' stats
}
check "statistics tell how the store is" age_is_known

check "a bad place is refused" [ "$(mounttabled --store=etcd://x 2>&1 |
    head -1)" = 'ERROR: mounttablelib.StartServers failed: bad -store: an end '\
'point is host:port: "x"' ]
check "a password is not repeated" \
    sh -c '! mounttabled --store=etcd://me:secret@h:1/x 2>&1 | grep secret'
[ $fail -eq 0 ] || logs
summary
