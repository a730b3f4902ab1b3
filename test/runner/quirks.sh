#!/bin/sh
# BSD-3-Clause; see LICENSE.
# quirks.sh ID: the cases of quirks.jsonl that are about programs. Exit code 0:
# as required; 77: cannot be checked on this machine, "skip" says why.
case $1:$QUIRKS_APART in
quirk-neighborhood-*:)
    unshare -rn true 2>/dev/null || {
        echo "skip unshare cannot make a network name space"
        exit 77
    }
    QUIRKS_APART=1 exec unshare -rn sh "$0" "$1"
    ;;
esac
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1
principal create --with-passphrase=false root root >/dev/null ||
    die "principal create"
export V23_CREDENTIALS="$tmp/root"

with_mdns() {
    [ -e "$build/lib/libnaming-avahi.a" ] || {
        echo "skip built without libavahi-core"
        exit 77
    }
    ip link set lo up || die "ip link"
}
table() { # NAME FLAG…: sets NAME_pid, NAME_nh
    title=$1
    shift
    daemon "$title" '^NAME=' mounttabled --v23.tcp.protocol=tcp "$@" \
        --neighborhood-name="$title"
    eval "${title}_pid=$pid"
    wait_for mounttable resolvestep "$(said "$title" NAME=)/nh" ||
        die "nh is not mounted"
    nh=$(sed 's/.*{\([^ ]*\) .*/\1/' wait.log)
    eval "${title}_nh=/$nh"
}
knows() { # NH NAME
    mounttable glob "$1" "$2" >list && [ -s list ]
}
knows_at() { # NH NAME ADDRESS
    mounttable glob "$1" "$2" >list && grep -q "@$3:" list
}
forgets() { # NH NAME
    mounttable glob "$1" "$2" >list && [ ! -s list ]
}

case $1 in
quirk-neighborhood-goodbye)
    with_mdns
    table joe --v23.tcp.address=127.0.0.1:0
    table ann --v23.tcp.address=127.0.0.1:0
    wait_for knows "$joe_nh" ann || die "ann is not found"
    nh=$(said ann NAME=)/nh
    mounttable resolvestep "$nh" >/dev/null || die "nh is not mounted"
    kill "$ann_pid" && wait "$ann_pid" || die "ann does not end in order"
    ! grep -q unmount ann.log || die "nh was not unmounted"
    # Without a goodbye the record lives two minutes.
    wait_for forgets "$joe_nh" ann || die "ann is still there"
    ;;
quirk-neighborhood-watch)
    with_mdns
    ip link add v0 type veth peer name v1 2>/dev/null || {
        echo "skip no virtual cable can be made here"
        exit 77
    }
    table joe --v23.tcp.address=0.0.0.0:0
    table ann --v23.tcp.address=0.0.0.0:0
    forgets "$joe_nh" ann || die "they meet without a network"
    # Every change of the interfaces is noticed.
    ip addr add 192.0.2.1/24 dev v0 && ip link set v0 up &&
        ip link set v1 up || die "ip addr"
    wait_for knows "$joe_nh" ann || die "not found after the first change"
    ip addr del 192.0.2.1/24 dev v0 && ip link set v0 down &&
        ip link set v1 down || die "ip addr"
    wait_for forgets "$joe_nh" ann || die "not forgotten after the second"
    ip addr add 192.0.2.2/24 dev v0 && ip link set v0 up &&
        ip link set v1 up || die "ip addr"
    wait_for knows_at "$joe_nh" ann 192.0.2.2 ||
        die "not found after the third"
    ;;
quirk-xproxyd-bad-acl)
    timeout 20 xproxyd $on_loopback -access-list=nonsense >out 2>log
    rc=$?
    [ $rc -eq 1 ] && [ ! -s out ] &&
        grep -q '^ERROR: failed to parse --access-list: ' log ||
        die "exit $rc: $(cat log)"
    ;;
quirk-stats-json-struct)
    daemon table '^NAME=' mounttabled $on_loopback
    mt=$(said table NAME=)
    mounttable mount "$mt/{x}" /127.0.0.1:1 1m >/dev/null || die "mount"
    debug stats read -json "$mt/__debug/stats/rpc/server/routing-id/*/methods/Mount/*" ||
        die "debug stats"
    ;;
quirk-logs-prefix)
    mkdir logs logs-other && echo secret >logs-other/f || die "mkdir"
    echo plain >logs/f
    daemon table '^NAME=' mounttabled $on_loopback --log_dir="$tmp/logs"
    mt=$(said table NAME=)
    [ "$(debug logs read "$mt/__debug/logs/f")" = plain ] || die "no logs"
    ! debug logs read "$mt/__debug/logs/../logs-other/f" >out 2>&1 &&
        grep -q 'outside of root directory' out || die "$(cat out)"
    ;;
*) die "unknown case $1" ;;
esac
