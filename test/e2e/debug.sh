#!/bin/sh
# BSD-3-Clause; see LICENSE.
# debug.sh: the debug tool against our daemons: what it prints, its errors and
# exit codes, and who may ask the web server of debug browse for what.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

# t EXIT STDOUT FIRST-ERROR-LINE debug-arguments…
t() {
    want=$1
    printf '%s' "$2" >want
    printf '%s' "$3" >want-err
    [ -n "$3" ] && echo >>want-err
    shift 3
    timeout 30 debug "$@" >out 2>err
    rc=$?
    head -1 err >first
    if [ "$rc" = "$want" ] && cmp -s out want && cmp -s first want-err; then
        good
        return
    fi
    bad "debug $*: exit $rc, want $want"
    diff want out
    diff want-err first
}
nl='
'

# ---- a small network --------------------------------------------------------

principal create --with-passphrase=false root root || die "principal create"
export V23_CREDENTIALS="$tmp/root"
daemon table '^NAME=' mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
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
t 2 '' 'ERROR: discovery scan: this build cannot discover services; name the server, or find it with debug glob' discovery scan
t 2 '' 'ERROR: got 2 arguments, expected at most 1' discovery scan a b
t 1 '[]' '[: syntax error in pattern' stats read -json '['
# What nobody serves: no value to read, no log to be sized.
t 0 '' '' stats read no/such/name
check "every command has help" [ "$(debug help -style=full ... 2>&1 |
    grep -c '^   debug .*\[flags\]')" -ge 16 ]

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
url=$(said browse 'Visit ' | sed 's/ and Ctrl-C to quit//')
at=${url#http://}
port=${at#*:} port=${port%%/*}
path=/${at#*/}
# get TARGET [HEADER…]: a request as it stands, its answer into `got`.
get() {
    target=$1
    shift
    [ $# -gt 0 ] || set -- "Host: 127.0.0.1:$port"
    {
        printf '%s HTTP/1.1\r\nConnection: close\r\n' "$target"
        [ -z "$1" ] || printf '%s\r\n' "$@"
        printf '\r\n'
    } >request
    # shellcheck disable=SC2016 # for bash
    timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/$1 && cat request >&3 &&
        cat <&3' x "$port" >got 2>get.log
}
# answers STATUS PATTERN TARGET [HEADER…]
answers() {
    status=$1 pattern=$2
    shift 2
    get "$@"
    if head -1 got | grep -q "^HTTP/1.1 $status " && grep -q -e "$pattern" got
    then
        good
    else
        bad "$*: want $status and $pattern, got $(head -c 600 got)"
    fi
}
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
answers 200 'u003cimg src=x onerror=alert(1)\\u003e' "GET ${path}api/signature?n=%3Cimg%20src=x%20onerror=alert(1)%3E"
check "it is still there" kill -0 "$pid"
kill "$pid"
wait "$pid"
check "an end by signal is a good one" [ $? = 0 ]

logs
summary
