#!/bin/sh
# BSD-3-Clause; see LICENSE.
# A server that listens on every interface publishes what the machine's
# addresses are, also when they change. In a network of its own, where that is
# allowed.
. "$(dirname "$0")/../shell.sh"
if [ "${ROAMING_INSIDE:-}" != 1 ]; then
    if command -v unshare >/dev/null && command -v ip >/dev/null &&
        unshare -rn true 2>/dev/null; then
        ROAMING_INSIDE=1 BUILD=$build unshare -rn sh "$0"
        exit
    fi
    echo "left out: needs unshare, ip and leave to make a network namespace"
    echo "0 passed, 0 failed"
    exit 0
fi
cd "$tmp" || exit 1
ip link set lo up && ip addr add 10.9.0.1/24 dev lo || die "ip"

principal create --with-passphrase=false root root || die "principal create"
for p in table server; do blessed $p $p; done
daemon table '^NAME=' env V23_CREDENTIALS="$tmp/table" mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
daemon server '^READY' env V23_CREDENTIALS="$tmp/server" echo-server \
    --listen=wsh@:0 --name=roams --auth=all --quiet
# resolves ADDRESS…: exactly these are in the name space.
resolves() {
    as server namespace resolve roams 2>/dev/null |
        sed 's/.*@6@wsh@\(.*\):[0-9]*@@.*/\1/' | sort >resolved
    [ "$(echo $(cat resolved))" = "$*" ]
}
check "the address of the beginning" wait_for resolves 10.9.0.1
ip addr add 10.9.0.2/24 dev lo
check "one more address" wait_for resolves 10.9.0.1 10.9.0.2
ip addr del 10.9.0.1/24 dev lo
ip addr add 10.9.0.3/16 dev lo
check "other addresses" wait_for resolves 10.9.0.3
summary
