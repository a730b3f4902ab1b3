#!/bin/sh
# BSD-3-Clause; see LICENSE.
# servicerunner: what it prints is there and works; an account and a page of
# its origin; it takes everything with it, and ends when a child does.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1
TMPDIR=$tmp
export TMPDIR

field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" bed.out; }
is() { # TEXT WANT GOT
    if [ "$2" = "$3" ]; then good; else bad "$1: \"$3\" instead of \"$2\""; fi
}

daemon bed '^{' servicerunner --port=0
bed=$pid
children=$(cat /proc/$bed/task/$bed/children 2>/dev/null)
is "the keys" 'MT_NAME PROXY_NAME TEST_IDENTITYD_HTTP_ADDR TEST_IDENTITYD_NAME WSPR_ADDR' \
    "$(tr ',{' '\n\n' <bed.out | sed -n 's/^"\([A-Z_]*\)":.*/\1/p' |
        tr '\n' ' ' | sed 's/ $//')"
wspr=$(field WSPR_ADDR)
is "who the proxy is" "test:child" \
    "$(timeout 20 wsprclient call "$wspr" __controller BlessingStoreDebugString 1 |
        grep -o 'test:child' | head -1)"
is "the provider of identities" '{"names":["test"]' \
    "$(curl -sS -m 10 "http://$(field TEST_IDENTITYD_HTTP_ADDR)/auth/blessing-root" |
        cut -d, -f1)"
account=test:testemail@example.com:test-client-id
made() {
    curl -sS -m 10 -d '{"access_token":"x"}' "http://$wspr/create-account" |
        grep -qx "{\"names\":\[\"$account\"\]}"
}
check "an account" wait_for made
is "a page of that account" 200 "$(curl -sS -m 10 -o /dev/null \
    -w '%{http_code}' \
    -d "{\"name\":\"$account\",\"origin\":\"http://app.example:80\"}" \
    "http://$wspr/assoc-account")"
is "its principal" "$account:http%3A%2F%2Fapp.example%3A80" \
    "$(timeout 20 wsprclient --origin=http://app.example:80 call "$wspr" \
        __controller BlessingStoreDebugString 1 |
        grep -o "$account:[^ \\]*" | head -1)"

# The same where the proxy's key is in an agent: it signs for each page.
cp -r "$tmp"/servicerunner*/wsprd agented
daemon agented '^Listening on host: ' env V23_NAMESPACE="$(field MT_NAME)" \
    agentd --v23.credentials=agented --no-passphrase wsprd --port=0 \
    $on_loopback --identd="$(field TEST_IDENTITYD_NAME)" --state-dir=state
wspr=$(sed -n 's/^Listening on host: \(.*\) port: /\1:/p' agented.out)
check "an account of a key in an agent" wait_for made
curl -sS -m 10 "http://$wspr/assoc-account" \
    -d "{\"name\":\"$account\",\"origin\":\"http://app.example:80\"}"
is "principal of a page" "$account:http%3A%2F%2Fapp.example%3A80" \
    "$(timeout 20 wsprclient --origin=http://app.example:80 call "$wspr" \
        __controller BlessingStoreDebugString 1 |
        grep -o "$account:[^ \\]*" | head -1)"
kill "$pid"
wait "$pid"
kill "$bed"
wait "$bed"
is "exit code" 0 $?
for c in $children; do
    check "child $c has ended" ended "$c"
done
is "credentials that are left" 0 "$(ls -d "$tmp"/servicerunner* 2>/dev/null | wc -l)"

daemon bed '^{' servicerunner --port=0 --identd=other
bed=$pid
is "no provider of its own" "" "$(field TEST_IDENTITYD_NAME)"
for c in $(cat /proc/$bed/task/$bed/children 2>/dev/null | cut -d' ' -f3); do
    kill "$c"
    wait "$bed"
    is "exit code when a child has ended" 1 $?
    check "it says so" grep -q 'ERROR: wsprd has ended' bed.log
done
summary
