#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Servers that listen nowhere but through xproxyd: every check of the echo
# client, through one proxy and through two in chain; who may listen; the health
# server; counters; a proxy that is killed and comes back; a stop.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

principal create --with-passphrase=false root root || die "principal create"
for p in table proxy server alice; do blessed $p $p; done
list='{"In":["root:server"]}'

# proxy NAME FLAG…: an xproxyd, whose output is NAME's.
proxy() {
    title=$1
    shift
    daemon "$title" '^Proxy stats listening on: \[' \
        env V23_CREDENTIALS="$tmp/proxy" xproxyd $on_loopback "$@"
}
# echoes NAME PATTERN FLAG…: an echo server that listens nowhere itself.
echoes() {
    title=$1 pattern=$2
    shift 2
    daemon "$title" "$pattern" env V23_CREDENTIALS="$tmp/server" \
        echo-server --auth=all --v23.tcp.address= "$@"
}
calls() { # NAME [FLAG…]
    object=$1
    shift
    V23_CREDENTIALS=$tmp/alice timeout 20 echo-client --server="$object" \
        --run=value/string "$@"
}

daemon table '^NAME=' env V23_CREDENTIALS="$tmp/table" \
    mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE

# ---- one proxy --------------------------------------------------------------

proxy one --name=one --access-list="$list" --stats-access-list='{"In":["..."]}' \
    --healthz-address=127.0.0.1:0 --v=1
one=$pid
name=$(said one NAME=)
case $name in
/@6@tcp@127.0.0.1:*@s@root:proxy@@) good ;;
*) bad "the name that is printed: $(cat one.out)" ;;
esac
stats=$(said one STATS=)
[ "$(said one 'Proxy stats listening on: ')" = "[${stats#/}]" ] && good ||
    bad "the statistics that are printed: $(cat one.out)"
check "both names are mounted" wait_for as alice sh -c \
    'namespace resolve one && namespace resolve one-mon'

echoes server ^READY --proxy=one --name=echo
rid=$(said server 'ENDPOINT tcp ' | sed 's/.*@@\([0-9a-f]\{32\}\)@s@.*/\1/')
check "the server is known at the proxy's address" \
    grep -q "${name%%@@*}@@$rid@s@root:server@@" server.out
as alice echo-client --server="$(said server 'ENDPOINT tcp ')" \
    >all.out 2>client.log &
all=$!
check "by name" wait_for calls echo

# ---- health -----------------------------------------------------------------

port=$(sed -n 's/.*healthz server on port \([0-9]*\)$/\1/p' one.log)
cat >get <<'END'
exec 3<>/dev/tcp/127.0.0.1/$1 &&
    printf 'GET /any HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3 &&
    cat <&3
END
timeout 20 bash get "$port" >health 2>&1
grep -q '^HTTP/1.1 200 ' health && [ "$(tail -1 health)" = ok ] && good ||
    bad "health: $(cat health)"

# ---- who may not ------------------------------------------------------------

refused() { # TEXT PATTERN FLAG…
    what=$1 pattern=$2
    shift 2
    V23_CREDENTIALS=$tmp/proxy timeout 20 xproxyd "$@" >out 2>err </dev/null
    rc=$?
    [ $rc -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && grep -Eq "$pattern" err &&
        good || bad "$what: exit code $rc: $(cat err)"
}
for flag in access-list stats-access-list; do
    refused "--$flag" "failed to parse --$flag" \
        $on_loopback --$flag='{"In":'
done
refused "used port" 'cannot serve: .*listen' \
    --v23.tcp.protocol=tcp --v23.tcp.address=127.0.0.1:"$port"
refused "used port of the health server" 'healthz-address' \
    $on_loopback --healthz-address=127.0.0.1:"$port"

proxy closed --access-list='{"In":["root:nobody"]}'
closed=$pid
echoes shy '' --proxy="/$(said closed 'Proxy listening on ')"
check "who is not in the list may not listen" \
    wait_for grep -q 'does not match the access list' shy.log
kill $pid $closed

# ---- two in chain -----------------------------------------------------------

# The first one's list admits the second: its own names are always there.
proxy two --v23.proxy=one --access-list="$list"
grep -q ^STATS= two.out && bad "STATS without a name" || good
hidden=
at_both() {
    [ -z "$hidden" ] || kill "$hidden"
    echoes hidden ^READY --proxy="/$(said two 'Proxy listening on ')"
    hidden=$pid
    [ "$(grep -c ^ENDPOINT hidden.out)" -eq 2 ]
}
check "a server behind two proxies is known at both" wait_for at_both
routed=$(said hidden 'ENDPOINT tcp ' |
    grep -E "^${name%%@@*}@[0-9a-f]{32}@[0-9a-f]{32}@s@root:server@@$")
check "one endpoint has a route: $(cat hidden.out)" test -n "$routed"
as alice echo-client --server="$routed" \
    --run=bytes,string,stream,stream-down,names >chain.out 2>chain.log
tail -1 chain.out | grep -q ' passed, 0 failed$' && good ||
    bad "two proxies: $(grep ^FAIL chain.out) $(tail -3 chain.log)"
wait $all
tail -1 all.out | grep -q ' passed, 0 failed$' && good ||
    bad "one proxy: $(grep ^FAIL all.out) $(tail -3 client.log)"

# ---- counters ---------------------------------------------------------------

counter() { # NAME: its value, from the first proxy
    as alice debug stats read "$stats/$rid/$1" 2>debug.log |
        sed -n 's/.*: *\([0-9]*\)$/\1/p'
}
for c in requests to/bytes from/bytes to/msgs from/msgs; do
    v=$(counter $c)
    [ "${v:-0}" -gt 0 ] && good || bad "counter $c: $v $(cat debug.log)"
done

# ---- a proxy that is killed -------------------------------------------------

kill -9 "$one"
wait "$one" 2>/dev/null
proxy one --name=one --access-list="$list"
one=$pid
check "the server comes back through the new proxy" wait_for calls echo

# ---- stop -------------------------------------------------------------------

kill "$one"
wait "$one"
[ $? -eq 0 ] && good || bad "a proxy told to stop ends with $?"
# That of the one that was killed stays until its time is over.
as alice namespace resolve one >out 2>&1
address=$(said one NAME= | cut -d@ -f4)
grep -q "$address" out && bad "its name is still there" || good
summary
