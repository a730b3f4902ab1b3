#!/bin/sh
# BSD-3-Clause; see LICENSE.
# debug.sh: the debug tool against our daemons: what it prints, its errors and
# exit codes, and who may ask the web server of debug browse for what.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

# t EXIT STDOUT FIRST-ERROR-LINE debug-arguments…
t() {
    want=$1 want_out=$2 want_err=$3
    shift 3
    timeout 30 debug "$@" >out 2>err
    rc=$?
    came "debug $*" "$want" "$want_out" "$want_err"
}

# ---- a small network --------------------------------------------------------

principal create --with-passphrase=false root root || die "principal create"
export V23_CREDENTIALS="$tmp/root"
mkdir logs
printf 'I1 first\nE1 <script>\n  third \n' >logs/some.INFO
daemon table '^NAME=' mounttabled $on_loopback --log_dir="$tmp/logs" \
    --v23.vtrace.sample-rate=1 --max-nodes-per-user=0
table=$pid
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
D=$V23_NAMESPACE/__debug
daemon fortuned '' fortuned --name=tell/fortune $on_loopback
wait_for namespace resolve tell/fortune || die "no tell/fortune"
namespace mount dead /127.0.0.1:1 0s >/dev/null || die "namespace mount"

# ---- glob -------------------------------------------------------------------

t 0 "tell$nl" '' glob tell
t 0 '' '' glob no/such/name
debug glob 'tell/*' >out 2>err
check "glob shows servers and deadlines: $(cat out)" grep -Eqx \
    'tell/fortune @6@tcp@127.*@@ \(Deadline 20[0-9-]* [0-9:.]* \+0000 UTC\)' out
debug -timeout=1s glob dead tell >out 2>err
check "several patterns: $(cat out)" [ "$(sort out | cut -d' ' -f1)" = "dead${nl}tell" ]
t 1 "tell$nl" 'Error: [: syntax error in pattern' glob tell '['
check "the last error comes again" grep -qx 'ERROR: \[: syntax error in pattern' err
t 0 '' 'Error: /127.0.0.1:1: debug:<rpc.Client>"".__Glob: no usable servers found for  [/127.0.0.1:1:.__Glob: debug:<rpc.Client>"".__Glob: Connection refused]' -timeout=500ms glob '/127.0.0.1:1/*'

# ---- errors -----------------------------------------------------------------

t 2 '' 'ERROR: debug: no command specified'
t 2 '' 'ERROR: debug: unknown command "bogus"' bogus
t 2 '' 'ERROR: glob: incorrect number of arguments, got 0, want >=1' glob
t 2 '' 'ERROR: vtrace: incorrect number of arguments, got 0 want >= 1' vtrace
t 2 '' 'ERROR: debug logs: no command specified' logs
t 2 '' 'ERROR: read: incorrect number of arguments, got 0, want 1' logs read
t 2 '' 'ERROR: read: incorrect number of arguments, got 2, want 1' logs read a b
t 2 '' 'ERROR: -n=99999999999 is out of range' logs read -n=99999999999 a
t 2 '' 'ERROR: size: incorrect number of arguments, got 0, want 1' logs size
t 2 '' 'ERROR: read: incorrect number of arguments, got 0, want >=1' stats read
t 2 '' 'ERROR: watch: incorrect number of arguments, got 0, want >=1' stats watch
t 2 '' 'ERROR: pprof: incorrect number of arguments, got 0, want >=1' pprof run
t 2 '' 'ERROR: proxy: incorrect number of arguments, got 0, want 1' pprof proxy
t 1 '' 'ERROR: zz is not an id in hexadecimal digits' vtrace tell/fortune zz
t 1 '' 'ERROR: cannot convert 00 to Id, size mismatch' vtrace tell/fortune 00
t 1 '' 'Error: [: syntax error in pattern' stats watch '['
t 1 '' '[: syntax error in pattern' stats read '['
t 2 '' 'ERROR: debug discovery: no command specified' discovery
t 1 '' "ERROR: invalid query: offset 2: v has InterfaceName, Attributes and Addresses" discovery scan 'v.Name = 1'
t 2 '' 'ERROR: got 2 arguments, expected at most 1' discovery scan a b
t 2 '' 'ERROR: got 2 arguments, expected at most 1' discovery scan a b
t 1 '[]' '[: syntax error in pattern' stats read -json '['
# What nobody serves: no value to read, no log to be sized.
t 0 '' '' stats read no/such/name
check "every command has help" [ "$(debug help -style=full ... 2>&1 |
    grep -c '^   debug .*\[flags\]')" -ge 16 ]

# ---- logs -------------------------------------------------------------------

t 0 "30$nl" '' logs size "$D/logs/some.INFO"
t 0 "I1 first${nl}E1 <script>${nl}third$nl" '' logs read "$D/logs/some.INFO"
t 0 "[0] I1 first${nl}Offset: 9$nl" '' logs read -v -n 1 "$D/logs/some.INFO"
t 0 "[9] E1 <script>${nl}[21] third${nl}Offset: 30$nl" '' \
    logs read -v -o=9 "$D/logs/some.INFO"
debug logs read -o 30 "$D/logs/some.INFO" >out 2>err
check "nothing to read: $(cat out err)" grep -q 'ReadLog: end of file$' err
debug logs size "$D/logs/none" >out 2>err
check "no such log: $(cat err)" grep -q "^ERROR: .*Size: does not exist: $tmp/logs/none$" err
debug logs read "$D/logs/../../etc/passwd" >out 2>err
check "no way out of the logs" [ $? = 1 ]
t 0 "$D/logs/some.INFO$nl" '' glob "$D/logs/so*"
daemon follow '' debug logs read -f "$D/logs/some.INFO"
wait_for grep -q third follow.out
echo "I2 fourth" >>logs/some.INFO
check "new lines are followed" wait_for grep -q fourth follow.out
kill "$pid"

# ---- stats ------------------------------------------------------------------

S=$D/stats/system
t 0 "$S/pid: $table$nl" '' stats read "$S/pid"
t 0 "$S/pid: int64: $table$nl" '' stats read -type "$S/p*d"
t 0 "$S/pid: int64($table)$nl" '' stats read -raw "$S/pid"
t 0 "[{\"Name\":\"$S/pid\",\"Type\":\"\",\"Value\":$table}]" '' stats read -json "$S/pid"
t 0 "[{\"Name\":\"$S/pid\",\"Type\":\"int64\",\"Value\":$table},{\"Name\":\"$S/hostname\",\"Type\":\"string\",\"Value\":\"$(hostname)\"}]" '' \
    stats read -json -type "$S/pid" "$S/hostname"
t 0 '' '' stats read "$S/none"
debug stats read "$D/stats/rpc/server/routing-id/*/methods/Value/latency-ms" >out 2>err
check "histograms are drawn: $(head -3 out err)" [ "$(grep -c -e ': Count: [0-9]*  Min: ' \
    -e '^-\{60\}$' -e '^\[ *0, *1).*#' out)" = 3 ]
debug stats read -raw "$D/stats/rpc/server/routing-id/*/methods/Value/latency-ms" >out 2>err
check "or not" grep -q 'latency-ms: v.io/x/ref/services/stats.HistogramValue struct{.*}{Count: ' out
debug stats read -json "$D/stats/rpc/server/routing-id/*/methods/Value/latency-ms" >out 2>err
check "or as JSON" grep -q '"Value":{"Count":[0-9]*,"Sum":[0-9]*,"Min":[0-9]*,"Max":[0-9]*,"Buckets":\[{"LowBound":0,' out
debug stats read "$D/stats/..." >out 2>err
check "everything at once" [ "$(grep -c "^$D/stats/.*: " out)" -gt 40 ]
daemon watch '' debug stats watch -type "$S/{pid,hostname}" "$S/pid" "$D/stats/none/*"
check "values are watched" wait_for grep -qx "$S/pid: int64: $table" watch.out
check "what cannot be watched is told" wait_for grep -q \
    "^Error: $D/stats/none: .*WatchGlob: does not exist: none$" watch.log
kill "$pid"

# ---- values of every kind ---------------------------------------------------

if [ -x "$build/test/valuetext" ]; then
    # v VALUE TYPE PRETTY JSON [RAW]: the raw form is the value if none is given.
    v() {
        printf '%s\n' "$2" "${5-$1}" "$3" "$4" >want
        valuetext "$1" >out 2>err
        if cmp -s out want; then good; else
            bad "valuetext $1: $(cat err)"
            diff want out
        fi
    }
    moment='struct{Seconds int64;Nanos int32}'
    v true bool true true
    v 'uint16(7)' uint16 7 7
    v 'uint64(18446744073709551615)' uint64 18446744073709551615 18446744073709551615
    v 'float64(0.1)' float64 0.1 0.1
    v 'float32(0.10000000149011612)' float32 0.1 0.1
    v 'float64(1e+06)' float64 1e+06 1000000
    v 'float64(1.2345675e+06)' float64 1.2345675e+06 1234567.5
    v 'float64(1e+21)' float64 1e+21 1e+21
    v 'float64(-1.5e-07)' float64 -1.5e-07 -1.5e-7
    v 'float64(1.25e-06)' float64 1.25e-06 0.00000125
    v 'float64(0)' float64 0 0
    v 'float64(+Inf)' float64 +Inf null
    v '"<a>\"&"' string '<a>"&' '"\u003ca\u003e\"\u0026"'
    v '[]byte("ab")' '[]byte' '[97 98]' '"YWI="'
    v '[]string{"a", "b"}' '[]string' '[a b]' '["a","b"]'
    v '[][]string{{"a"}, {}}' '[][]string' '[[a] []]' '[["a"],[]]'
    v 'map[string]int64{"a": 1, "b": 2}' 'map[string]int64' 'map[a:1 b:2]' '{"a":1,"b":2}'
    v 'set[string]{"a", "x"}' 'set[string]' 'map[a:{} x:{}]' '{"a":{},"x":{}}'
    v '[]any{int64(1), "x", nil}' '[]any' '[1 x <nil>]' '[1,"x",null]'
    v "time.Time $moment{Seconds: 63835596800, Nanos: 5000000}" "time.Time $moment" \
        '2023-11-14 22:13:20.005 +0000 UTC' '"2023-11-14T22:13:20.005Z"'
    v "[]time.Duration $moment{{Seconds: 90, Nanos: 0}}" "[]time.Duration $moment" \
        '[1m30s]' '[90000000000]'
    # What has a name that nobody knows is shown as it is.
    named() { v "$1" "$2" "$1" "$3"; }
    named 'p.E enum{A;B}(B)' 'p.E enum{A;B}' '"B"'
    named '[]p.N int64{1}' '[]p.N int64' '[1]'
    named 'p.U union{X int64;Y string}{Y: "z"}' 'p.U union{X int64;Y string}' '{"Y":"z"}'
    named 'p.S struct{A int64;B []p.S}{A: 1, B: {{A: 2, B: {}}}}' \
        'p.S struct{A int64;B []p.S}' '{"A":1,"B":[{"A":2,"B":[]}]}'
    # Order is that of the keys' values; what is no text becomes one.
    v 'map[int64]bool{10: true, 9: false}' 'map[int64]bool' 'map[9:false 10:true]' \
        '{"9":false,"10":true}' 'map[int64]bool{10: true, 9: false}'
    v 'set[[2]byte]{"b<", "ab"}' 'set[[2]byte]' 'map[[97 98]:{} [98 60]:{}]' \
        '{"[97 98]":{},"[98 60]":{}}' 'set[[2]byte]{"ab", "b<"}'
    v 'map[string]any{"<\"": nil}' 'map[string]any' 'map[<":<nil>]' \
        '{"\u003c\"":null}'
    v '[2]byte("a\xff")' '[2]byte' '[97 255]' '"Yf8="'
    v '[]set[string]{{}, {"a"}}' '[]set[string]' '[map[] map[a:{}]]' '[{},{"a":{}}]'
    v '[]typeobject{any, []int32}' '[]typeobject' '[any []int32]' '["any","[]int32"]'
    named 'map[p.K struct{Aa int8}]?p.S struct{Bb []byte}{{Aa: 1}: nil, {Aa: 2}: {Bb: "b"}}' \
        'map[p.K struct{Aa int8}]?p.S struct{Bb []byte}' \
        '{"p.K struct{Aa int8}{Aa: 1}":null,"p.K struct{Aa int8}{Aa: 2}":{"Bb":"Yg=="}}'
    named 'p.T struct{M map[string]time.Duration struct{Seconds int64;Nanos int32}}{M: {"k": {Seconds: 1, Nanos: 0}}}' \
        'p.T struct{M map[string]time.Duration struct{Seconds int64;Nanos int32}}' \
        '{"M":{"k":1000000000}}'
    v 'any(nil)' any '<nil>' null
fi

# ---- vtrace -----------------------------------------------------------------

debug vtrace "$D/vtrace" >out 2>err
check "traces: $(head -3 out err)" grep -Eq \
    '^Trace - 0x[0-9a-f]{32} \([0-9-]+ [0-9:.]+ [A-Z]+, ' out
id=$(sed -n 's/^Trace - \(0x[0-9a-f]*\) .*/\1/p' out | head -1)
debug vtrace "$D/vtrace" "$id" "${id#0x}" >out 2>err
check "one of them, twice: $(cat out err)" [ "$(grep -c "^Trace - $id (" out)" = 2 ]

# ---- delegate ---------------------------------------------------------------

t 2 '' 'ERROR: got 1 arguments, expecting 2 or 3' delegate bob
t 2 '' 'ERROR: failed to parse <duration>: time: unknown unit "x" in duration "2x"' delegate bob 2x
t 1 '' 'ERROR: invalid --access: [foo] is not in [Admin Read Write Debug Resolve]' delegate -access=debug,foo bob 1h
t 1 '' 'ERROR: invalid --access: [] is not in [Admin Read Write Debug Resolve]' delegate -access= bob 1h
debug delegate bob 2h my/server >lent 2>err
check "delegate: $(cat err)" grep -qx \
    'Your delegate will be seen as root:bob at your server. Ask them to run:' lent
check "delegate names the server" [ "$(tail -1 lent)" = '  "my/server"' ]
sed -n 's/^  --blessings="\(.*\)".*/\1/p' lent >lent.blessings
principal dumpblessings lent.blessings >dump 2>&1
check "delegate: both caveats: $(cat dump)" [ \
    "$(grep -c -e 'ExpiryCaveat' -e 'Expires' -e 'AccessTag' -e 'access.Tag' dump)" -ge 1 ]
key=$(sed -n 's/^  --key="\(.*\)".*/\1/p' lent)

# get TARGET [HEADER…]: a request to 127.0.0.1:$port as it stands, its answer
# into `got`.
get() {
    target=$1
    shift
    [ $# -gt 0 ] || set -- "Host: 127.0.0.1:$port"
    {
        printf '%s HTTP/1.1\r\nConnection: close\r\n' "$target"
        [ -z "$1" ] || printf '%s\r\n' "$@"
        printf '\r\n%s' "$body"
    } >request
    # shellcheck disable=SC2016 # for bash
    timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/$1 && cat request >&3 &&
        cat <&3' x "$port" >got 2>get.log
}
body=
# answers STATUS PATTERN TARGET [HEADER…]
answers() {
    status=$1 pattern=$2
    shift 2
    get "$@"
    if head -1 got | grep -q "^HTTP/1.1 $status " && grep -aq -e "$pattern" got
    then
        good
    else
        bad "$*: want $status and $pattern, got $(head -c 600 got)"
    fi
}

# ---- pprof ------------------------------------------------------------------

debug pprof run "$D/pprof" >out 2>err
check "profiles are listed: $(cat out err)" [ "$(sed 1q out)" = 'Available profiles:' ]
check "with that of the processor" grep -qx '  profile' out
debug pprof run -pprofcmd='echo tool' "$D/pprof" heap -x "a'b" 'c d' >out 2>err
check "the tool is run: $(cat out err)" grep -Eqx \
    "Running: echo tool '-x' \"a'b\" 'c d' 'http://127.0.0.1:[0-9]+/pprof/heap'" out
check "with these words" grep -Eqx "tool -x a'b c d http://127.0.0.1:[0-9]+/pprof/heap" out
debug pprof run -pprofcmd='false' "$D/pprof" heap >out 2>err
check "its status counts: $(cat err)" grep -qx 'ERROR: exit status 1' err
daemon proxy '^The pprof' debug pprof proxy "$D/pprof"
port=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\)/pprof$|\1|p' proxy.out)
answers 200 '<a href="/pprof/heap?debug=1">heap</a>' "GET /pprof/"
answers 200 'profiles:' "GET /pprof"
answers 307 '^Location: /pprof/' "GET /"
answers 404 'page not found' "GET /other"
answers 200 'mounttabled.--v23' "GET /pprof/cmdline"
answers 200 '^num_symbols: 1' "GET /pprof/symbol?0x1+0x2"
body='0x1+junk+-1+0x2' answers 200 '^num_symbols: 1' "POST /pprof/symbol" "Host: 127.0.0.1:$port" 'Content-Length: 15'
body=
answers 200 'heap' "GET /pprof/heap?debug=1"
answers 503 'profile does not exist: none' "GET /pprof/none"
answers 421 '' "GET /pprof/" 'Host: evil.example'
kill "$pid"

# ---- browse: whom and how ---------------------------------------------------

t 2 '' 'ERROR: must provide at least a single vanadium object name' browse
t 2 '' 'ERROR: either both --key and --blessings should be set, or neither should be' browse -key=x y
t 1 '' 'ERROR: bad value for --key: it is not base64 of URLs' browse -key=! -blessings=x y
t 1 '' 'ERROR: bad value for --key: it is not a private key' browse -key=eHg= -blessings=eHg= y
t 1 '' 'ERROR: bad value for --blessings: it is not base64 of URLs' browse -key="$key" -blessings=! y
timeout 30 debug -timeout=500ms browse /127.0.0.1:1 >out 2>err
check "browse of nobody: $(cat err)" grep -q '^ERROR: failed to contact server: \[.*refused' err
for addr in 0.0.0.0:0 192.0.2.1:80 example.com:80 127.0.0.1 127.0.0.1:x :99999; do
    timeout 30 debug browse -addr=$addr "$V23_NAMESPACE" >out 2>err
    check "-addr=$addr is refused: $(cat err)" grep -q '^ERROR: -addr: "' err
done

# ---- browse: the server -----------------------------------------------------

daemon browse '^Visit ' debug -timeout=1s browse -log=false /127.0.0.1:1 tell/fortune
check "the name that answers is taken" grep -q '^selected tell/fortune from' browse.out
at=$(sed -n 's|^Visit http://127.0.0.1:\(.*\) and Ctrl-C.*|\1|p' browse.out)
port=${at%%/*} path=/${at#*/}
answers 200 '<title>debug browse' "GET $path"
check "nothing from elsewhere" grep -q "^Content-Security-Policy: default-src 'none'; script-src 'self'" got
check "no referrer" grep -q '^Referrer-Policy: no-referrer' got
answers 200 'use strict' "GET ${path}app.js"
answers 200 'color-scheme' "GET ${path}style.css"
answers 200 '<svg' "GET ${path}icon.svg"
answers 308 "^Location: $path" "GET ${path%/}"
answers 404 'no such page' "GET ${path}nothing"
answers 404 'no such page' "GET ${path}../../../../etc/passwd"
answers 404 'no such question' "GET ${path}api/nothing"
answers 200 '"name":"tell/fortune","me":"root"' "GET ${path}api/info" "Host: localhost:$port"
# Who does not know the token, or comes by another name.
answers 403 'needs the address' "GET /"
answers 403 'needs the address' "GET /api/info"
answers 403 'needs the address' "GET $(echo "$path" | tr 'A-Za-z' 'B-ZAb-za')api/info"
answers 403 'needs the address' "GET ${path%?????/}/api/info"
answers 403 'needs the address' "GET ${path%/}xxx/api/info"
answers 421 'only under the names of this machine' "GET $path" "Host: evil.example"
answers 421 'only under the names of this machine' "GET $path" "Host: 127.0.0.1:1"
answers 421 'only under the names of this machine' "GET $path" "Host: 127.0.0.1:$port.evil.example"
answers 421 'only under the names of this machine' "GET $path" ''
# What it does not take.
answers 405 'Nothing can be changed' "POST $path" "Host: 127.0.0.1:$port" 'Content-Length: 0'
answers 501 '' "DELETE $path"
answers 413 '' "POST $path" "Host: 127.0.0.1:$port" 'Content-Length: 999999999'
long=$(head -c 20000 /dev/zero | tr '\0' a)
answers '4..' '' "GET $path$long"
answers '4..' '' "GET $path" "Host: 127.0.0.1:$port" "X: $long"
answers 400 '' "BLA"
check "it is still there" kill -0 "$pid"
# Answers end with a line that says how.
answers 200 '"name":"tell/fortune","mt":false,"leaf":true,"servers":\[{"server":"@6@tcp@127' "GET ${path}api/glob?n=tell/*"
check "the end of an answer" grep -q '^{"end":true}' got
answers 200 '"presented":"root","valid":\["root"\]' "GET ${path}api/identify?n=tell/fortune"
answers 200 '"name":"Fortune","pkg":"v.io/x/ref/examples/fortune"' "GET ${path}api/signature?n=tell/fortune"
answers 200 '"problem":".*refused' "GET ${path}api/glob?n=/127.0.0.1:1/*"
answers 200 '"error":".*syntax error in pattern' "GET ${path}api/glob?n=%5B"
answers 200 '"error":".*"id":"v.io/v23/verror.' "GET ${path}api/value?n=tell/fortune"
answers 200 '"error":".*"id":"v.io/v23/naming.nameDoesntExist"' "GET ${path}api/resolve?n=no/such"
answers 200 '"error":' "GET ${path}api/trace?n=tell/fortune&id=zz"
answers 200 '"name":"dead".*"address":"127.0.0.1:1"' "GET ${path}api/glob?n=dead"
# More names than a page can show.
mtstress -rate=0 -names=6000 mount many 1h >out 2>err || die "mtstress: $(cat err)"
answers 200 '{"end":true,"cut":true}' "GET ${path}api/glob?n=many/*/*"
check "not all of 6,000 names" [ "$(grep -c '^{"name":"many/0' got)" = 5000 ]
answers 200 'u003cimg src=x onerror=alert(1)\\u003e' "GET ${path}api/signature?n=%3Cimg%20src=x%20onerror=alert(1)%3E"
answers 200 "\"type\":\"int64\",\"text\":\"$table\",\"number\":$table,\"end\":true" "GET ${path}api/value?n=$S/pid"
answers 200 '"histogram":{"Count":' "GET ${path}api/value?n=$(debug glob "$D/stats/rpc/server/routing-id/*/methods/Value/latency-ms")"
answers 200 '"id":"v.io/v23/verror.NoExist"' "GET ${path}api/value?n=$S/none"
answers 200 '{"size":40,"end":true}' "GET ${path}api/size?n=$D/logs/some.INFO"
answers 200 '{"pos":9,"line":"E1 .u003cscript.u003e"}' "GET ${path}api/log?n=$D/logs/some.INFO&from=9&max=1"
check "where to go on" grep -q '{"next":21,"end":true}' got
answers 200 "{\"id\":\"${id#0x}\",\"when\":\"20" "GET ${path}api/traces?n=$D/vtrace"
answers 200 '"tree":\[{"name":' "GET ${path}api/trace?n=$D/vtrace&id=${id#0x}"
answers 200 '"list":\[.*"heap"' "GET ${path}api/profiles?n=$D/pprof"
answers 200 '"list":\["mounttabled","--v23' "GET ${path}api/cmdline?n=$D/pprof"
answers 200 'heap' "GET ${path}api/profile?n=$D/pprof&p=heap&debug=1"
check "a profile is no page" grep -q '^Content-Type: text/plain' got
answers 200 '^Content-Disposition: attachment' "GET ${path}api/profile?n=$D/pprof&p=heap"
answers 503 'profile does not exist' "GET ${path}api/profile?n=$D/pprof&p=none"
answers 404 'no such question' "GET ${path}api/profile?p=none"
check "it is still there" kill -0 "$pid"
kill "$pid"
wait "$pid"
check "an end by signal is a good one" [ $? = 0 ]

# ---- browse: with borrowed credentials --------------------------------------

principal create --with-passphrase=false stranger stranger || die "principal"
as stranger debug logs size "$D/logs/some.INFO" >out 2>err
check "a stranger may not look: $(cat out err)" grep -q '^ERROR: .*does not trust server' err
as stranger debug stats read "$S/pid" >out 2>err
check "nor find anything: $(cat out err)" [ ! -s out ]
daemon lent '^Visit ' env V23_CREDENTIALS="$tmp/stranger" debug browse -log=false --key="$key" \
    --blessings="$(cat lent.blessings)" "$V23_NAMESPACE"
at=$(sed -n 's|^Visit http://127.0.0.1:\(.*\) and Ctrl-C.*|\1|p' lent.out)
port=${at%%/*} path=/${at#*/}
answers 200 '"me":"root:bob"' "GET ${path}api/info"
answers 200 "\"number\":$table," "GET ${path}api/value?n=$S/pid"

[ $fail = 0 ] || logs
summary
