#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Peers that break rules against a real daemon: each loses its own connection,
# the log says why, others are served meanwhile, and the daemon is as large as
# before.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

principal create --with-passphrase=false --key-type=ed25519 root root ||
    die "principal create"
for p in server client; do blessed $p $p --key-type=ed25519; done
daemon server '^READY' env V23_CREDENTIALS="$tmp/server" echo-server \
    --auth=all --quiet --listen=wsh@127.0.0.1:0 --logtostderr --v=1
server=$(sed -n 's/^ENDPOINT [^ ]* //p' server.out | head -1)
serverpid=$pid
port=$(echo "$server" | sed 's/.*@127\.0\.0\.1:\([0-9]*\)@.*/\1/')

# calls COUNT: 8 callers at the same time, all calls succeed.
calls() {
    as client echo-client --server="$server" --mode=load --clients=8 \
        --calls="$1" >calls.out 2>calls.log
}
size() { awk '/^VmRSS:/ { print $2 }' "/proc/$serverpid/status" 2>/dev/null; }

# attack NAME REASON: the connection ends, and the log has the reason.
attack() {
    lines=$(wc -l <server.log)
    check "$1 ends" timeout 60 hostile "$1" 127.0.0.1 "$port" >"$1.out" \
        2>"$1.log"
    [ -z "$2" ] || check "$1 is explained: $2" \
        wait_for logged $((lines + 1)) "$2"
    check "calls after $1" calls 20
}
logged() { tail -n "+$1" server.log | grep -q -e "$2"; }

calls 200 || die "no calls: $(tail -1 calls.log)"
# Somebody who works all the time, and some who never say what they want.
as client echo-client --server="$server" --mode=stream-echo --calls=20000 \
    >stream.out 2>stream.log &
stream=$!
pids="$pids $stream"
for i in 1 2 3 4 5; do
    hostile silent 127.0.0.1 "$port" >silent.log 2>&1 &
    pids="$pids $!"
done
before=$(size)

attack garbage "too long"
attack version "version"
attack oversized "too long"
attack unsealed "does not open"
attack early-flow "closed: "
attack binding "invalid channel binding"
attack replay "does not open"
attack after "too long"
attack reuse "invalid flow id"
attack overdraft "overflow"
attack twice "closed: "
attack dribble ""

if wait "$stream"; then good; else
    bad "the stream beside them: $(tail -1 stream.log)"
fi
calls 200 || bad "calls at the end: $(tail -1 calls.log)"
after=$(size)
# Sanitizers keep what is freed.
if [ -n "$before" ] && ! nm "$build/test/echo-server" | grep -q __asan_init
then
    check "the daemon grew from $before to $after KiB" \
        test $((after - before)) -lt 8192
fi
check "the daemon lives" kill -0 "$serverpid"
summary
