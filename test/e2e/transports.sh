#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Every check of the echo client over each transport, and what a server prints
# and leaves behind: plain TCP, websockets, both on one port, IPv6, unix
# sockets.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

principal create --with-passphrase=false --key-type=ed25519 root root ||
    die "principal create"
for p in server client; do blessed $p $p --key-type=ed25519; done

# serve NAME ARGUMENT…: an echo server; its first endpoint is $server.
serve() {
    name=$1
    shift
    daemon "$name" '^READY' env V23_CREDENTIALS="$tmp/server" echo-server \
        --auth=all --quiet "$@"
    server=$(sed -n 's/^ENDPOINT [^ ]* //p' "$name.out" | head -1)
}
# calls TEXT SERVER [CHOICE]: the checks pass; without a choice all of those
# that wait for nothing.
calls() {
    V23_CREDENTIALS=$tmp/client timeout 120 echo-client --server="$2" \
        --max-bytes=300000 ${3:---skip=sleep,deadline,slow,time,cancel} \
        >out 2>client.log
    rc=$?
    grep '^FAIL' out | sed "s/^FAIL /FAIL $1: /"
    line=$(tail -1 out)
    case $rc:$line in
    0:[1-9]*" passed, 0 failed") pass=$((pass + ${line%% *})) ;;
    *) bad "$1: exit code $rc: $line $(tail -1 client.log)" ;;
    esac
}
# as_protocol NEW NAME: an object name with another protocol.
as_protocol() { printf '%s\n' "$2" | sed "s|^/@6@[^@]*@|/@6@$1@|"; }

for proto in tcp ws wsh; do
    serve $proto --listen=$proto@127.0.0.1:0
    calls "$proto" "$server"
done
calls "ws on a wsh port" "$(as_protocol ws "$server")" --skip=no-such-check
calls "unknown protocol" "$(as_protocol "" "$server")"
# Another process on the same port, bytes that are nobody's protocol.
port=$(echo "$server" | sed 's/.*@127\.0\.0\.1:\([0-9]*\)@.*/\1/')
timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/$1 &&
    printf "GET / HTTP/1.1\r\nHost: h\r\n\r\n" >&3 && cat <&3' bash "$port" \
    >http 2>http.err
check "a page in a browser is refused" grep -q '^HTTP/1.1 400 ' http

if grep -qs '00000000000000000000000000000001 .* lo$' /proc/net/if_inet6; then
    for proto in tcp6 ws6 wsh6; do
        serve $proto --listen=$proto@[::1]:0
        calls "$proto" "$server"
    done
else
    echo "left out: this machine has no ::1"
fi

serve unix --listen=unix@sock
unix=$pid
case $server in
"/@6@unix@$tmp/sock@"*) good ;;
*) bad "endpoint of a unix socket: $server" ;;
esac
calls unix "$server"
V23_CREDENTIALS=$tmp/server timeout 20 echo-server --listen=unix@sock \
    >out 2>err && bad "two servers on one socket" || good
kill -9 "$unix"
wait "$unix" 2>/dev/null
check "a killed server leaves its socket" test -S sock
serve unix2 --auth=all --v23.tcp.protocol=unix --v23.tcp.address="$tmp/sock"
calls "unix after a crash" "$server"
kill "$pid"
wait "$pid" || bad "the server on a unix socket ended with $?"
check "a stopped server removes its socket" test ! -e sock
if [ "$(uname)" = Linux ]; then
    serve abstract --listen=unix@@vrpc-transports-$$
    calls "abstract unix" "$server"
fi

# All at once, and the name in use by one client.
serve many --listen=tcp@127.0.0.1:0,ws@127.0.0.1:0,wsh@127.0.0.1:0,unix@m
check "an endpoint for each" test "$(grep -c '^ENDPOINT' many.out)" -eq 4
sed -n 's/^ENDPOINT [^ ]* //p' many.out >endpoints
while read -r server; do
    calls "one of many" "$server" --run=bytes </dev/null
done <endpoints

summary
