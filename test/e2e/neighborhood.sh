#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Mount tables announce themselves and find each other, in a network of their
# own: a name space of the kernel, which holds no other mDNS.
if [ -z "$NEIGHBORHOOD_APART" ]; then
    unshare -rn true 2>/dev/null || {
        echo "skip neighborhood.sh: unshare cannot make a network name space"
        exit 0
    }
    NEIGHBORHOOD_APART=1 exec unshare -rn sh "$0"
fi
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1
ip link set lo up || die "ip link set lo up"
[ -e "$build/lib/libnaming-avahi.a" ] || {
    echo "skip neighborhood.sh: built without libavahi-core (make deps)"
    exit 0
}

table() { # NAME: announced as that; sets NAME_pid, NAME_nh
    daemon "$1" '^NAME=' mounttabled $on_loopback --neighborhood-name="$2"
    eval "$1_pid=$pid"
    wait_for mounttable resolvestep "$(said "$1" NAME=)/nh" ||
        die "nh is not mounted"
    nh=$(sed 's/.*{\([^ ]*\) .*/\1/' wait.log)
    eval "$1_nh=/$nh"
}
# What a neighborhood lists, asked directly.
lists() { # NH NAME…
    nh=$1
    shift
    mounttable glob "$nh" '*' >list || return 1
    sed 's/ .*//' list | sort >names
    printf '%s\n' "$@" | sort | cmp -s - names
}
engine() { # PID: of the process that speaks mDNS for this one
    ps -o pid= --ppid "$1"
}

principal create --with-passphrase=false root root || die "principal create"
export V23_CREDENTIALS="$tmp/root"

table joe joe
table ann ann
check "they find each other" wait_for lists "$joe_nh" ann joe
check "both ways" wait_for lists "$ann_nh" ann joe
export V23_NAMESPACE="$(said joe NAME=)"
namespace mount x/y /127.0.0.1:1 10m >mount.log 2>&1 || die "namespace mount"
V23_NAMESPACE="$(said ann NAME=)"
resolves_through() {
    [ "$(namespace resolve nh/joe/x/y/z)" = /127.0.0.1:1/z ]
}
check "names lead from one to the other" resolves_through
globs_through() {
    [ "$(namespace glob 'nh/*' | tr '\n' ' ')" = "nh/ann nh/joe " ] &&
        [ "$(namespace glob 'nh/joe/x/*' | tr '\n' ' ')" = "nh/joe/x/y " ]
}
check "and globs" globs_through

refuses() { # TEXT COMMAND…
    text=$1
    shift
    ! "$@" >refused 2>&1 && grep -q "$text" refused
}
check "a name that nobody has does not exist" \
    refuses "name bob doesn't exist" mounttable resolvestep "$joe_nh/bob"
check "nothing can be mounted there" refuses "not implemented" \
    mounttable mount "$joe_nh/bob" /h:1 1m
check "nor be announced with a slash" refuses "may not contain '/': a/b" \
    mounttabled $on_loopback --neighborhood-name=a/b
check "nor without an address" refuses "couldn't determine a port" \
    mounttabled --v23.tcp.protocol=unix --v23.tcp.address="$tmp/sock" \
    --neighborhood-name=bob

table joe2 joe
another() {
    mounttable glob "$joe_nh" '*' >list && [ "$(wc -l <list)" -eq 3 ] &&
        grep -q '^joe()' list
}
check "a name in use gets parentheses" wait_for another
kill "$joe2_pid"
wait "$joe2_pid"

kill -KILL $(engine "$joe_pid")
check "what speaks mDNS may die" wait_for lists "$joe_nh" ann joe
check "the others find it again" wait_for lists "$ann_nh" ann joe

check "a flood is sent" mdnsflood 2000
crowded() {
    mounttable glob "$joe_nh" 'flood*' >list && [ "$(wc -l <list)" -ge 500 ]
}
check "the flood is heard" wait_for crowded
bounded() {
    mounttable glob "$joe_nh" '*' >list && [ "$(wc -l <list)" -le 1024 ] &&
        [ "$(ps -o rss= -p "$joe_pid")" -lt 200000 ] &&
        namespace glob 'x/*' >/dev/null
}
check "and bounded" bounded
check "a wild flood is sent" mdnsflood 500 wild
still_there() {
    mounttable glob "$joe_nh" ann >list && [ "$(wc -l <list)" -eq 1 ] &&
        mounttable glob "$ann_nh" joe >list && [ "$(wc -l <list)" -eq 1 ]
}
check "and survived" wait_for still_there

kill "$ann_pid"
check "a table that ends" wait "$ann_pid"
gone() {
    mounttable glob "$joe_nh" ann >list && [ ! -s list ]
}
check "is gone" wait_for gone
kill "$joe_pid"
check "the other ends, too" wait "$joe_pid"

# Advertisements are on all interfaces but the loopback: on a cable from this
# machine to itself.
if ip link add v0 type veth peer name v1 2>cable.log; then
    ip addr add 192.0.2.1/24 dev v0 && ip link set v0 up && ip link set v1 up ||
        die "the cable"
    debug discovery scan >all.out 2>all.log &
    all=$!
    debug discovery scan 'v.InterfaceName = "v.io/y"' >some.out 2>some.log &
    pids="$pids $all $!"
    daemon x '^ID=' advertise v.io/x /h:1/x b=2 a=1
    x=$pid xid=$(said x ID=)
    daemon y '^ID=' advertise v.io/y /h:2/y
    yid=$(said y ID=)
    check "an advertisement is found" wait_for grep -q "$xid" all.out
    check "another, too" wait_for grep -q "$yid" all.out
    check "those that are asked for" wait_for grep -q "$yid" some.out
    check "and no others" eval '! grep -q v.io/x some.out'
    kill "$x" && wait "$x"
    check "one is lost" wait_for grep -q "^LOST:$xid" all.out
    cat >want <<EOT
FOUND:
Id:            $xid
InterfaceName: v.io/x
Addresses:     {
  /h:1/x
}
Attributes:    {
  "a": "1"
  "b": "2"
}

EOT
    # The cable may get another address meanwhile: then it is found again.
    grep -m 1 -A 9 "^Id:.*$xid" all.out | sed '1i\
FOUND:' >got
    check "and was shown as it is" diff want got
else
    echo "part neighborhood.sh: no virtual cable can be made here, so nothing" \
        "is advertised"
fi
[ $fail -eq 0 ] || logs
summary
