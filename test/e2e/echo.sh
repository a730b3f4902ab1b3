#!/bin/sh
# BSD-3-Clause; see LICENSE.
# The echo server and client against each other: every check of the client,
# directly and by name through a mount table, with real principals; access
# lists; shutting down; and bad starts, each of which must be one line on
# standard error and an exit code, never a hang.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

# start NAME PRINCIPAL PATTERN COMMAND…: a daemon as this principal.
start() {
    name=$1 who=$2 pattern=$3
    shift 3
    daemon "$name" "$pattern" env V23_CREDENTIALS="$tmp/$who" "$@"
}
# client PRINCIPAL NAME ARGUMENT…: run the client in check mode, add up.
client() {
    who=$1 what=$2
    shift 2
    V23_CREDENTIALS=$tmp/$who timeout 120 echo-client "$@" >out 2>client.log
    rc=$?
    grep '^FAIL' out | sed "s/^FAIL /FAIL $what: /"
    line=$(grep -E '^RESULT pass=[0-9]+ fail=[0-9]+$' out)
    if [ -z "$line" ]; then
        bad "$what: no result (exit code $rc): $(tail -1 client.log)"
        return
    fi
    p=${line#*pass=} f=${line#*fail=}
    pass=$((pass + ${p%% *})) fail=$((fail + f))
    [ "${p%% *}" -gt 0 ] || bad "$what: nothing was checked"
    [ "$(tail -1 out)" = "${p%% *} passed, $f failed" ] ||
        bad "$what: last line"
    [ $((f == 0)) -eq $((rc == 0)) ] || bad "$what: exit code $rc"
}
# refused NAME PATTERN COMMAND…: must soon end with exit code 1 and one line on
# standard error that matches the pattern.
refused() {
    what=$1 pattern=$2
    shift 2
    timeout 20 "$@" >out 2>err </dev/null
    rc=$?
    if [ $rc -ne 1 ]; then
        bad "$what: exit code $rc, want 1"
    elif [ "$(wc -l <err)" -ne 1 ]; then
        bad "$what: $(wc -l <err) lines on standard error, want 1"
    elif ! grep -Eq "$pattern" err; then
        bad "$what: $(cat err)"
    else
        good
    fi
}

# ---- principals, mount table, server ----------------------------------------

principal create --with-passphrase=false root root || die "principal create"
principal create --with-passphrase=false mallory mallory ||
    die "principal create"
for p in table server alice bob; do blessed $p $p; done

start table table '^NAME=' mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
start server server '^READY' echo-server --listen=tcp@127.0.0.1:0 \
    --name=interop/echo --auth=all
server=$pid
direct=$(said server 'ENDPOINT tcp ')
port=$(echo "$direct" | sed 's/.*@127\.0\.0\.1:\([0-9]*\)@.*/\1/')
wait_for as alice namespace resolve interop/echo ||
    die "the server did not appear in the name space"

# ---- the checks -------------------------------------------------------------

client alice direct --server="$direct"
client alice "by name" --server=interop/echo
client alice "any server" --server="$direct" --allow-any-server \
    --run=value/string,security
grep -q '^\.Nothing from root:alice$' server.log && good ||
    bad "calls are not logged"
echo-client --list >out && [ "$(sort out | uniq -d | wc -l)" -eq 0 ] && good ||
    bad "two checks have one name"

for mode in load connrate stream-echo stream-down stream-up; do
    V23_CREDENTIALS=$tmp/alice timeout 60 echo-client --server=interop/echo \
        --mode=$mode --clients=3 --calls=20 --payload=100 --warmup=2 \
        >out 2>err
    if [ $? -eq 0 ] && grep -q "^{\"mode\":\"$mode\",.*\"errors\":0,.*}\$" out
    then good; else bad "mode $mode: $(cat out err)"; fi
done

# ---- access lists -----------------------------------------------------------

start perms server '^READY' echo-server --listen=tcp@127.0.0.1:0 \
    --auth=perms --v23.permissions.literal='{
        "Read": {"In": ["root:alice"]}, "Debug": {"In": ["root:alice"]},
        "Admin": {"In": ["root:bob"]}}'
perms=$(said perms 'ENDPOINT tcp ')
client alice "as reader" --server="$perms" --run=bytes/1,call/admin-only
refused "not a reader" 'access denied' env V23_CREDENTIALS="$tmp/bob" \
    echo-client --server="$perms"
start default server '^READY' echo-server --listen=tcp@127.0.0.1:0
refused "default authorizer" 'access denied' \
    env V23_CREDENTIALS="$tmp/alice" echo-client \
    --server="$(said default 'ENDPOINT tcp ')"
refused "untrusted server" 'not trust' env V23_CREDENTIALS="$tmp/mallory" \
    echo-client --server="$direct"

# ---- bad starts -------------------------------------------------------------

alice() { V23_CREDENTIALS=$tmp/alice refused "$@"; }
alice "used port" 'cannot serve: .*127\.0\.0\.1' \
    echo-server --listen=tcp@127.0.0.1:"$port"
alice "used port of a mount table" '127\.0\.0\.1' \
    mounttabled --v23.tcp.protocol=tcp --v23.tcp.address=127.0.0.1:"$port"
alice "unknown protocol" 'cannot serve: ' echo-server --listen=pigeon@roof:1
alice "malformed list" 'proto@host:port' echo-server --listen=127.0.0.1:0
alice "bad address" 'cannot serve: ' echo-server --listen=tcp@nowhere
alice "no permissions" 'permissions' echo-server --auth=perms
alice "unknown authorizer" 'auth=no' echo-server --auth=no
for prog in "echo-server --listen=tcp@127.0.0.1:0" mounttabled \
    "echo-client --server=$direct"; do
    refused "no credentials directory: ${prog%% *}" 'credentials' \
        $prog --v23.credentials="$tmp/missing"
done
mkdir empty
refused "empty credentials directory" 'credentials' \
    echo-server --listen=tcp@127.0.0.1:0 --v23.credentials="$tmp/empty"
alice "unknown mode" 'no such mode' \
    echo-client --server="$direct" --mode=none
alice "no such name" 'interop/nothing' \
    echo-client --server=interop/nothing --timeout=3s
# A port that nobody listens on any more: that of a server that has ended.
start gone server '^READY' echo-server --listen=tcp@127.0.0.1:0
gone=$(said gone 'ENDPOINT tcp ')
kill "$pid"
wait "$pid" || bad "a server told to stop ends with $?"
alice "unreachable server" 'ERROR' echo-client --server="$gone" --timeout=3s
V23_NAMESPACE=$gone alice "unreachable mount table" 'ERROR' \
    echo-client --server=interop/echo --timeout=3s

# ---- the end ----------------------------------------------------------------

# A call under way may finish; then the server is gone and its name too.
sleeps=$(grep -c 'Sleep from' server.log)
V23_CREDENTIALS=$tmp/alice echo-client --server="$direct" \
    --run=call/sleep-in-time >out 2>client.log &
client=$!
sleeps_more_or_ended() {
    [ "$(grep -c 'Sleep from' server.log)" -gt "$sleeps" ] || ended $client
}
wait_for sleeps_more_or_ended
kill -TERM $server
wait $client && good || bad "a call was lost when the server stopped"
wait_for ended $server
wait $server && good || bad "the server ended with $?"
V23_CREDENTIALS=$tmp/alice namespace resolve interop/echo >out 2>&1 &&
    bad "the name is still there" || good

summary
