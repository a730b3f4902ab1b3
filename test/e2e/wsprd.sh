#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Pages (of test/wsprclient) against wsprd: calls of a mount table, of fortuned
# and of the echo server; a thousand websockets at once; pages that come and go,
# also in the midst of calls, leave nothing behind; who may connect; accounts
# that outlive the program; bad flags; the end.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1
ulimit -n "$(ulimit -Hn)" 2>/dev/null
# What a sanitizer holds back of freed memory is no leak; of those it tells.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1
export ASAN_OPTIONS

principal create --with-passphrase=false --key-type=ed25519 root root || die "principal create"
for p in table server wspr; do blessed $p $p --key-type=ed25519; done

daemon table '^NAME=' env V23_CREDENTIALS="$tmp/table" mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
daemon fortune '' env V23_CREDENTIALS="$tmp/wspr" fortuned \
    --name=fortune $on_loopback
daemon echo '^READY' env V23_CREDENTIALS="$tmp/server" echo-server --auth=all \
    --quiet --name=echo $on_loopback
check "the servers are mounted" wait_for as wspr sh -c \
    'namespace resolve fortune && namespace resolve echo'

# proxy NAME FLAG…: a wsprd, $wspr and $wspr_pid
proxy() {
    title=$1
    shift
    daemon "$title" '^Listening on host: ' env V23_CREDENTIALS="$tmp/wspr" \
        wsprd --port=0 $on_loopback "$@"
    wspr_pid=$pid
    wspr=$(sed -n 's/^Listening on host: \(.*\) port: /\1:/p' "$title.out")
}
page() { # MODE ARGUMENT…
    mode=$1
    shift
    timeout 60 wsprclient "$mode" "$wspr" "$@"
}
# fetch PATH [CURL ARGUMENT…]: status and body
fetch() {
    at=$1
    shift
    curl -sS -m 10 -w '\n%{http_code}' "$@" "http://$wspr$at"
}
is() { # TEXT WANT GOT
    if [ "$2" = "$3" ]; then good; else bad "$1: \"$3\" instead of \"$2\""; fi
}

proxy wspr
is "roots of the name space" "[]string{\"$V23_NAMESPACE\"}" \
    "$(page call __namespace Roots 1)"
is "a call of the echo server" '"over the web"' \
    "$(page call echo EchoString 1 'over the web')"
check "a fortune" sh -c "timeout 20 wsprclient call $wspr fortune Get 1 |
    grep -q '^\".*\"\$'"
is "names of the mount table, as a stream" 2 \
    "$(page call __namespace Glob +0 '*' | grep -c 'Entry: ')"
check "an error comes as it is" sh -c "
    timeout 20 wsprclient call $wspr echo Fail 0 custom 2>&1 |
    grep -q 'ERROR: example.org/oracle/echo.Custom: '"
check "so does that of the end point of JavaScript's first calls" sh -c "
    timeout 20 wsprclient call $wspr __controller Nothing 0 2>&1 |
    grep -q '^ERROR: v.io/v23/verror'"

# ---- many, and for long -------------------------------------------------------

# On the page: connections beside that of the reader, pipes, calls.
busy() { fetch /debug | sed -n \
    's/^<p>\([0-9]*\) connections, \([0-9]*\) pipes, \([0-9]*\) ending, \([0-9]*\) calls.*/\1 \2 \3 \4/p'; }
at_rest() { [ "$(busy)" = "1 0 0 0" ]; }
rss() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$wspr_pid/status"; }
descriptors() { ls "/proc/$wspr_pid/fd" | wc -l; }

mkfifo hold
wsprclient crowd "$wspr" 1000 <hold >crowd.out 2>crowd.log &
crowd=$!
exec 3>hold
wait_for printed_or_ended crowd.out ready $crowd
is "a thousand pages at once" "ready 1000" "$(cat crowd.out)"
is "all of them are there" "1001 1000 0 0" "$(busy)"
is "others are served beside them" '"x"' "$(page call echo EchoString 1 x)"
exec 3>&-
wait $crowd
check "all of them go" wait_for at_rest

page reload 20 echo Nothing 0 || bad "pages that come and go"
check "they are gone" wait_for at_rest
before=$(rss) files=$(descriptors)
page reload 100 echo Nothing 0 || bad "pages that come and go"
check "nothing of them is left" wait_for at_rest
is "descriptors after 100 pages" "$files" "$(descriptors)"
grown=$(($(rss) - before))
[ $grown -lt 2000 ] && good || bad "100 pages have left $grown KiB"

wsprclient call "$wspr" echo Sleep 1 2>/dev/null >&2 # wrong arguments: an error
wsprclient crowd "$wspr" 20 echo Nothing 0 <hold >crowd.out 2>crowd.log &
crowd=$!
exec 3>hold
wait_for printed_or_ended crowd.out ready $crowd
# To the mount table and the two servers; more while old ones are left.
shared=$(fetch /debug/stats | sed -n 's,^wspr/shared-rpc-connections: ,,p')
[ "$shared" -ge 1 ] && [ "$shared" -le 6 ] && good ||
    bad "twenty pages that are one principal have $shared connections"
kill -9 $crowd
exec 3>&-
check "pages that are killed leave nothing" wait_for at_rest

# ---- who may -------------------------------------------------------------------

from() { # ORIGIN: what a page of it gets
    timeout 20 wsprclient --origin="$1" call "$wspr" __namespace Roots 1 2>&1
}
refused='ERROR: the websocket has ended: websocket upgrade refused'
roots="[]string{\"$V23_NAMESPACE\"}"
is "accounts cannot be made" \
    "Error getting blessing for access token: an identd server must be set
400" "$(fetch /create-account -d '{"access_token":"x"}' | sed '/^$/d')"
is "no page of another site makes accounts" "403" \
    "$(fetch /create-account -d '{}' -H 'Origin: http://evil' | tail -1)"
is "there is no demonstration" "404" "$(fetch / | tail -1)"

# Which protocol it is, a path may say, or a subprotocol that is offered. What
# came is known when wsprd has ended.
opens() { # NAME PATH [SUBPROTOCOLS]: what comes on a websocket
    daemon "$1" '' curl -sS -i -N -m 60 -H 'Connection: Upgrade' \
        -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
        -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
        ${3:+-H "Sec-WebSocket-Protocol: $3"} "http://$wspr$2"
    opened="$opened $pid"
}
greeted() { # NAME SUBPROTOCOL
    [ "$(sed -n 's/^Sec-WebSocket-Protocol: \(.*\)./\1/p' "$1.out")" = "$2" ] &&
        grep -aq mounttableRoot "$1.out"
}
silent() {
    [ "$(sed -n 's/^Sec-WebSocket-Protocol: \(.*\)./\1/p' "$1.out")" = "$2" ] &&
        ! grep -aq mounttableRoot "$1.out"
}
is "the path of 2016" "$roots" \
    "$(timeout 20 wsprclient --path=/vom/ws call "$wspr" __namespace Roots 1)"
check "its page goes" wait_for at_rest
opens path /json/ws
opens old /ws 'x, veyron.wspr.json'
opens new /ws 'vanadium.wspr.v81, x'
opens none /ws x
all_open() { [ "$(busy)" = "5 4 0 0" ]; }
check "websockets of every kind" wait_for all_open
kill -TERM "$wspr_pid"
check "wsprd ends" wait_for ended "$wspr_pid"
wait "$wspr_pid"
is "exit code" 0 $?
# shellcheck disable=SC2086 # numbers
wait $opened
check "the path of 2014 is greeted" greeted path ''
check "so is its subprotocol" greeted old veyron.wspr.json
check "that of 2016 is not" silent new vanadium.wspr.v81
check "others are none" silent none ''

proxy strict --allowed-origins='http://good, https://*.good:1' \
    --require-origin --demo
is "an origin that is allowed" "$roots" "$(from http://good)"
is "one by its pattern" "$roots" "$(from https://a.good:1)"
is "another one" "$refused" "$(from http://bad)"
is "none" "$refused" "$(from '')"
is "the demonstration" "200" "$(fetch / | tail -1)"
is "its head" "200" "$(fetch / -I | tail -1)"
kill -TERM "$wspr_pid"
wait "$wspr_pid"

proxy accounts --require-account --state-dir="$tmp/state" --protocol=json
is "an origin without account" "$refused" "$(from http://good)"
is "an account that is not there" 400 "$(fetch /assoc-account -d \
    '{"name":"a","origin":"http://good"}' | tail -1)"
kill -TERM "$wspr_pid"
wait "$wspr_pid"

# Accounts outlive the program. The identity provider is one for tests.
daemon bed '^{' env V23_CREDENTIALS="$tmp/root" servicerunner --port=0
V23_NAMESPACE=$(sed -n 's/.*"MT_NAME":"\([^"]*\)".*/\1/p' bed.out)
roots="[]string{\"$V23_NAMESPACE\"}"
kept() { proxy "$1" --require-account --state-dir="$tmp/kept" \
    --identd=test/identd; }
kept first
made() {
    account=$(fetch /create-account -d '{"access_token":"x"}' |
        sed -n 's/^{"names":\["\(.*\)"\]}$/\1/p')
    [ -n "$account" ]
}
check "an account" wait_for made
is "it is an origin's" 200 "$(fetch /assoc-account -d \
    "{\"name\":\"$account\",\"origin\":\"http://good\"}" | tail -1)"
kill -TERM "$wspr_pid"
wait "$wspr_pid"
kept second
is "the origin still has its account" "$roots" "$(from http://good)"
is "others have none" "$refused" "$(from http://bad)"
kill -TERM "$wspr_pid"
wait "$wspr_pid"

# ---- flags ---------------------------------------------------------------------

refuses() { # CODE TEXT FLAG…
    code=$1 text=$2
    shift 2
    timeout 10 wsprd "$@" >refused.out 2>&1
    is "exit code of $*" "$code" $?
    grep -q "$text" refused.out || bad "$*: $(head -1 refused.out)"
}
refuses 2 'is not auto, vom or json' --protocol=x
refuses 2 'bad value for --port' --port=65536
refuses 2 'bad value for --max-message-size' --max-message-size=1
refuses 1 'not an address' --address=nowhere --port=0
refuses 1 'needs credentials' --state-dir="$tmp/state" --port=0
V23_CREDENTIALS=$tmp/wspr
export V23_CREDENTIALS
refuses 1 'Not a directory' --state-dir="$tmp/bed.out" --port=0
echo changed >>kept/principalData.data
refuses 1 'cannot read the accounts in' --state-dir="$tmp/kept" --port=0
summary
