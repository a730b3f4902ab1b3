#!/bin/sh
# BSD-3-Clause; see LICENSE.
# loops.sh: a server with several loops: all of them serve on one port and under
# one name, read changed credentials, and stop together when the last call of
# any has ended.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

principal create --with-passphrase=false --key-type=ed25519 root root ||
    die "principal create"
for p in server client; do blessed $p $p --key-type=ed25519; done
client() {
    V23_CREDENTIALS=$tmp/client timeout 60 echo-client --server="$server" "$@"
}
counter() { # KEY
    V23_CREDENTIALS=$tmp/client vrpc call "$server" Counters |
        sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p"
}
threads() { ls "/proc/$1/task" 2>/dev/null | wc -l; }

daemon server '^READY' env V23_CREDENTIALS="$tmp/server" echo-server \
    --listen=tcp@127.0.0.1:0 --auth=all --quiet --v23.server.loops=3
server_pid=$pid
server=$(said server 'ENDPOINT tcp ')
check "one endpoint" [ "$(grep -c '^ENDPOINT' server.out)" = 1 ]
[ -d /proc/self/task ] &&
    check "three threads" [ "$(threads $server_pid)" -ge 3 ]

client --mode=load --clients=64 --calls=20 --warmup=0 >load.out 2>client.log
check "calls on 64 connections" grep -q '"errors":0' load.out
check "all loops have served" [ "$(counter loops)" = 3 ]
check "checks against several loops" client --run=call/,stream,bytes/1 \
    --skip=bytes/10 >checks.out 2>client.log

# New blessings are shown by every loop; what connections already show may be
# either.
as root principal bless --require-caveats=false "$tmp/server" renamed \
    >renamed 2>bless.log && principal --v23.credentials="$tmp/server" \
    set default renamed || die "principal set"
kill -HUP $server_pid
everywhere() { # NAME: ten connections in a row meet it
    for i in 1 2 3 4 5 6 7 8 9 10; do
        V23_CREDENTIALS=$tmp/client vrpc identify "$server" 2>&1 |
            grep -q "$1" || return 1
    done
}
anyone=$(printf '%s\n' "$server" | sed 's/@s@[^@]*@@/@s@root@@/')
server=$anyone
check "new blessings at every loop" wait_for everywhere root:renamed

# A call that runs when the server stops is answered first.
V23_CREDENTIALS=$tmp/client vrpc call "$server" Sleep 500 >slept.out 2>&1 &
sleeper=$!
serving() { [ "$(counter calls)" -gt "$calls" ]; }
calls=$(($(counter calls) + 1))
wait_for serving
kill -TERM $server_pid
check "a running call is answered" wait $sleeper
wait $server_pid
check "the server ends by itself" [ $? = 0 ]

env -u V23_CREDENTIALS echo-server --listen=tcp@127.0.0.1:0 \
    --v23.server.loops=2 >none.out 2>none.log
check "no loops without credentials to open" [ $? != 0 ]
check "and it is said why" grep -q 'several loops need credentials' none.log

daemon table '^NAME=' env V23_CREDENTIALS="$tmp/server" mounttabled \
    $on_loopback --v23.server.loops=2
[ -d /proc/self/task ] &&
    check "a mount table has one loop" [ "$(threads $pid)" = 1 ]
summary
