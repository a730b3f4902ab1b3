#!/bin/sh
# BSD-3-Clause; see LICENSE.
# The vrpc tool against a mount table, fortuned and, when the test programs are
# built, the echo server: exact output, errors and exit codes.
. "$(dirname "$0")/../shell.sh"
echo_server=$build/test/echo-server
cd "$tmp" || exit 1

wait_name() { # NAME
    wait_for namespace resolve "$1" ||
        die "$1 did not appear in the name space"
}

# t EXIT STDOUT FIRST-ERROR-LINE vrpc-arguments…
: >items # on standard input
t() {
    want=$1 want_out=$2 want_err=$3
    shift 3
    timeout 30 vrpc "$@" <items >out 2>err
    rc=$?
    came "vrpc $*" "$want" "$want_out" "$want_err"
}
tab='	'

# ---- a small network --------------------------------------------------------

principal create --with-passphrase=false root root || die "principal create"
export V23_CREDENTIALS="$tmp/root"
daemon table '^NAME=' mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
daemon sub '^NAME=' mounttabled --name=sub $on_loopback
daemon fortuned '' fortuned --name=tell/fortune $on_loopback
wait_name tell/fortune
wait_for namespace resolve -s sub || die "sub did not appear in the name space"

# ---- signature --------------------------------------------------------------

t 0 "// Fortune tells fortunes and learns new ones.
type \"v.io/x/ref/examples/fortune\".Fortune interface {
${tab}// Add remembers a fortune.
${tab}Add(fortune string) error
${tab}// Get returns a fortune chosen at random.
${tab}Get() (fortune string | error)
${tab}// Has returns whether a fortune is known.
${tab}Has(fortune string) (bool | error)
}
" "" signature tell/fortune
t 0 "// Has returns whether a fortune is known.
Has(fortune string) (bool | error)
" "" signature tell/fortune Has
t 0 "// Get returns a fortune chosen at random.
Get() (fortune string | error)
" "" -s signature -insecure tell/fortune Get
t 0 "// Glob returns all entries matching the pattern.
Glob(pattern string) stream<any, any> error
" "" signature -show-reserved tell/fortune __Glob
t 1 "" "ERROR: MethodSignature failed: fortuned:tell/fortune.__MethodSignature: method does not exist: None" \
    signature tell/fortune None
t 1 "" "ERROR: Signature failed: vrpc:<rpc.Client>\"nope\".__Signature: no usable servers found for: nope: mounttabled:/nope.ResolveStep: name nope doesn't exist" \
    -timeout=1s signature nope
t 2 "" "ERROR: wrong number of arguments" signature
t 2 "" "ERROR: wrong number of arguments" signature a b c

# Without the documentation: the recorded text of a mount table's signature.
stripped() {
    timeout 30 vrpc "$@" >out 2>err
    rc=$?
    grep -v '^[[:space:]]*//' out >stripped
    if [ $rc -eq 0 ] && cmp -s stripped want; then
        good
    else
        bad "vrpc $*: exit $rc"
        cat err
        diff want stripped
    fi
}
cat >want <<'END'
type "v.io/v23/services/mounttable".MountTable interface {
	"v.io/v23/services/permissions".Object
	Delete(deleteSubtree bool) error
	Mount(server string, ttl uint32, flags "v.io/v23/naming".MountFlag) error
	ResolveStep() ("v.io/v23/naming".MountEntry | error)
	Unmount(server string) error
}

type "v.io/v23/services/permissions".Object interface {
	GetPermissions() (perms "v.io/v23/security/access".Permissions, version string | error) {"v.io/v23/security/access".Tag("Admin")}
	SetPermissions(perms "v.io/v23/security/access".Permissions, version string) error {"v.io/v23/security/access".Tag("Admin")}
}

type "time".Duration struct {
	Seconds int64
	Nanos int32
}

type "time".WireDeadline struct {
	FromNow "time".Duration
}

type "v.io/v23/naming".MountEntry struct {
	Name string
	Servers []"v.io/v23/naming".MountedServer
	ServesMountTable bool
	IsLeaf bool
}

type "v.io/v23/naming".MountFlag uint32

type "v.io/v23/naming".MountedServer struct {
	Server string
	Deadline "time".WireDeadline
}

type "v.io/v23/security".BlessingPattern string

type "v.io/v23/security/access".AccessList struct {
	In []"v.io/v23/security".BlessingPattern
	NotIn []string
}

type "v.io/v23/security/access".Permissions map[string]"v.io/v23/security/access".AccessList

type "v.io/v23/security/access".Tag string
END
stripped -s signature sub
cat >want <<'END'
type "v.io/x/ref/examples/fortune".Fortune interface {
	Add(fortune string) error
	Get() (fortune string | error)
	Has(fortune string) (bool | error)
}

type __Reserved interface {
	__Glob(pattern string) stream<any, any> error
	__MethodSignature(method string) ("signature".Method | error)
	__Signature() ([]"signature".Interface | error)
}

type "signature".Arg struct {
	Name string
	Doc string
	Type typeobject
}

type "signature".Embed struct {
	Name string
	PkgPath string
	Doc string
}

type "signature".Interface struct {
	Name string
	PkgPath string
	Doc string
	Embeds []"signature".Embed
	Methods []"signature".Method
}

type "signature".Method struct {
	Name string
	Doc string
	InArgs []"signature".Arg
	OutArgs []"signature".Arg
	InStream ?"signature".Arg
	OutStream ?"signature".Arg
	Tags []any
}
END
stripped signature -show-reserved tell/fortune

# ---- call -------------------------------------------------------------------

t 0 "$nl" "" call tell/fortune Add '"Small programs age well."'
t 0 "true$nl" "" call tell/fortune Has '"Small programs age well."'
t 0 "false$nl" "" -json call tell/fortune Has '  "no such fortune" '
t 0 "true$nl" "" -s call tell/fortune Has '"Small programs age well."'
t 1 "" "ERROR: got 2 args, want 1" call tell/fortune Has '"a"' '"b"'
t 1 "" "ERROR: got 0 args, want 1" call tell/fortune Has
t 1 "" "ERROR: can't parse in-args:" call tell/fortune Has 7
t 1 "" "ERROR: MethodSignature failed: fortuned:tell/fortune.__MethodSignature: method does not exist: NoMethod" \
    call tell/fortune NoMethod
t 1 "" "ERROR: MethodSignature failed: vrpc:<rpc.Client>\"nope\".__MethodSignature: no usable servers found for: nope: mounttabled:/nope.ResolveStep: name nope doesn't exist" \
    -timeout=1s call nope Get
t 2 "" "ERROR: must specify <server> and <method>" call tell/fortune

# ---- identify ---------------------------------------------------------------

t 0 "PRESENTED: root
VALID:     [root]
PUBLICKEY: $(principal get publickey --pretty)
           $(principal get publickey)
" "" identify tell/fortune
t 1 "" "ERROR: client.StartCall(\"nope\", \"\", nil) failed with vrpc:<rpc.Client>\"nope\".: no usable servers found for: nope: mounttabled:/nope.ResolveStep: name nope doesn't exist" \
    -timeout=1s identify nope
t 2 "" "ERROR: wrong number of arguments" identify
t 2 "" "ERROR: vrpc: unknown command \"frob\"" frob
t 2 "" "ERROR: vrpc: no command specified"
t 2 "" "ERROR: vrpc call: flag provided but not defined: -insecure" \
    call -insecure tell/fortune Get

# Who is not blessed by anybody known learns nothing, unless it asks for it.
principal create --with-passphrase=false mallory mallory || die "principal"
V23_CREDENTIALS=$tmp/mallory vrpc -timeout=1s identify tell/fortune >out 2>err
rc=$?
if [ $rc -eq 1 ] && [ ! -s out ]; then
    good
else
    bad "identify of a server that is not trusted: exit $rc"
    cat out err
fi
V23_CREDENTIALS=$tmp/mallory vrpc identify -insecure tell/fortune >out 2>err
rc=$?
if [ $rc -eq 0 ] && [ "$(sed -n 1,2p out)" = "PRESENTED: root
VALID:     []" ]; then
    good
else
    bad "identify -insecure: exit $rc"
    cat out err
fi

# ---- one method for each kind of type ---------------------------------------

typetester=$build/test/typetester
if [ -x "$typetester" ]; then
    daemon typetester '^NAME=' "$typetester" $on_loopback
    s=$(said typetester NAME=)
    t 0 "true$nl" "" call "$s" EchoBool true
    t 0 "float32(1.2)$nl" "" call "$s" EchoFloat32 1.2
    t 0 "float64(-3.4)$nl" "" call "$s" EchoFloat64 -3.4
    t 0 "int32(11)$nl" "" call "$s" EchoInt32 11
    t 0 "int64(-22)$nl" "" call "$s" EchoInt64 -22
    t 0 "\"abc\"$nl" "" call "$s" EchoString '"abc"'
    t 0 "byte(33)$nl" "" call "$s" EchoByte 33
    t 0 "uint32(44)$nl" "" call "$s" EchoUint32 44
    t 0 "uint64(55)$nl" "" call "$s" EchoUint64 55
    t 0 "\"v.io/x/ref/cmd/vrpc/internal\".Array2Int{1, 2}$nl" "" \
        call "$s" XEchoArray '{1,2}'
    t 0 "map[int32]string{1: \"foo\", 2: \"bar\"}$nl" "" \
        call "$s" XEchoMap '{2:"bar", 1:"foo"}'
    t 0 "set[int32]{3, 4}$nl" "" call "$s" XEchoSet '{4,3}'
    t 0 "[]int32{5, 6}$nl" "" call "$s" XEchoSlice '{5,6}'
    t 0 "\"v.io/x/ref/cmd/vrpc/internal\".Struct{X: 7, Y: 8}$nl" "" \
        call "$s" XEchoStruct '{7,8}'
    t 0 "int32(1) int32(2)$nl" "" call "$s" YMultiArg 1,2
    t 0 "$nl" "" call "$s" YNoArgs
    t 0 "<< true
<< true
<< true
$nl" "" call "$s" ZStream 3 true
    t 0 "// Other numbers of arguments.
YMultiArg(I1 int32, I2 int32) (O1 int32, O2 int32 | error)
" "" signature "$s" YMultiArg
else
    echo "left out: calls of typetester, $typetester is not built"
fi

# ---- every kind of value ----------------------------------------------------

if [ -x "$echo_server" ]; then
    daemon echo '^READY' "$echo_server" --name=svc/echo \
        --listen=tcp@127.0.0.1:0 --quiet
    wait_name svc/echo
    s=svc/echo

    t 0 "int64(3) float64(3.5) uint32(2)$nl" "" call $s Sum 1 2 '{1.5,2}'
    t 0 "int64(3) float64(0) uint32(0)$nl" "" call $s Sum 1, 2 ',{}'
    t 0 "int64(-1) float64(0) uint32(0)$nl" "" call $s Sum '1,-2,{}'
    t 0 "\"3\" 3.5 2$nl" "" -json call $s Sum 1 2 '{1.5,2}'
    t 0 "[]byte(\"\\x01\\x02\")$nl" "" call $s EchoBytes '"\x01\x02"'
    t 0 "[1,2]$nl" "" -json call $s EchoBytes '{1, 2}'
    t 0 "nil$nl" "" call $s Echo nil
    t 0 "null$nl" "" -json call $s Echo nil
    t 0 "[]string{\"a\", \"b\"}$nl" "" call $s Echo '[]string{"a","b"}'
    t 0 "map[string]int64{\"a\": 0, \"b\": 1}$nl" "" \
        -s call $s Echo 'map[string]int64{"b": 1, "a": 0}'
    t 0 "{\"a\": \"0\",\"b\": \"1\"}$nl" "" \
        -json call $s Echo 'map[string]int64{"b": 1, "a": 0}'
    t 0 "\"example.org/oracle/echo\".Record{Name: \"x\", Data: \"\\x01\", Flag: true, F: -750, Color: Blue, Fixed: \"abcd\", Tags: {\"a\", \"b\"}, Attrs: {\"k\": int32(5), \"n\": \"s\"}, Choice: {P: {{X: 1}}}, Opt: {Y: 2}, When: {Seconds: 5}, Typ: typeobject([]string), Any: true, Next: {B: 7}}$nl" "" \
        call $s EchoRecord '{Name: "x", Data: "\x01", Flag: true, F: -7.5e2, Color: Blue, Fixed: "abcd", Tags: {"b","a"}, Attrs: {"n": "s", "k": int32(5)}, Choice: {P: {{X: 1}}}, Opt: {Y: 2}, When: {Seconds: 5}, Typ: typeobject([]string), Any: true, Next: {B: 7}}'
    t 0 "{\"name\": \"\",\"data\": [],\"flag\": false,\"b\": 0,\"u16\": 0,\"u64\": \"0\",\"i8\": 0,\"i64\": \"0\",\"f\": 0,\"color\": \"Green\",\"point\": {\"x\": 0,\"y\": 0},\"fixed\": [0,0,0,0],\"list\": [],\"tags\": [],\"attrs\": {},\"choice\": { \"s\": \"t\" },\"opt\": null,\"when\": {\"seconds\": \"0\",\"nanos\": 0},\"dur\": {\"seconds\": \"0\",\"nanos\": 0},\"typ\": any,\"any\": null,\"next\": null}$nl" "" \
        -json call $s EchoRecord '{Color: Green, Choice: {S: "t"}}'
    t 0 "<< int32(0)
<< int32(1)
<< int32(2)
$nl" "" call $s StreamCount 3
    t 0 "$nl" "" call $s StreamCount 0
    t 0 "<< [0,1]
$nl" "" -json call $s StreamBytes 1 2
    t 0 "int64(0) int64(0)$nl" "" call $s StreamSum
    t 1 "<< int32(0)
<< int32(1)
" "ERROR: call.Recv failed: echo-server:svc/echo.StreamFail: exists x" \
        call $s StreamFail 2 '"exist"'
    t 1 "" "ERROR: call.Recv failed: plain go error 42" \
        call $s Fail '"goerror"'
    # Expressions: exact, whatever the size on the way.
    t 0 "int64(1025) float64(0.5) uint32(1)$nl" "" \
        call $s Sum '1<<70 >> 60' '7 % 4 - 2' '{2.0 / 4}'
    t 0 "int64(-6) float64(0) uint32(0)$nl" "" call $s Sum -5 '^0' '{ // none
}'
    t 0 "int8(-3)$nl" "" call $s Echo 'int8(-3)'
    t 0 "true$nl" "" call $s Echo '"a" + "b" == "ab" && 1.5 < 2'
    # Types of the signature, by path.
    t 0 "\"example.org/oracle/echo\".Record{Color: Green, Choice: {P: {{X: 1}}}, Opt: {Y: 2}, When: {Seconds: 1}}$nl" "" \
        call $s EchoRecord '"example.org/oracle/echo".Record{Color: "example.org/oracle/echo".Color.Green, Choice: {P: []"example.org/oracle/echo".Point{{X: 1}}}, Opt: ?"example.org/oracle/echo".Point{Y: 2}, When: "time".Time{Seconds: 1}}'
    t 1 "" "ERROR: can't parse in-args:" call $s Sum 1 'int64(2)' '{}'
    t 1 "" "ERROR: can't parse in-args:" call $s Echo '"no/such".Type{}'
    t 1 "" "ERROR: can't parse in-args:" call $s Sum 1 2 '{'
    t 1 "" "ERROR: got 1 args, want 3" call $s Sum 1
    t 1 "" "ERROR: can't parse in-args:" call $s Sum 1 99999999999 '{}'
    if [ "$(sed -n 2p err)" = "#0 _expr/_expr.vdl:1:3 invalid expression (const 99999999999 overflows int32)" ]; then
        good
    else
        bad "place of a bad argument"
        cat err
    fi
    t 1 "" "ERROR: MethodSignature failed: echo-server:svc/echo/unknown.__MethodSignature: method does not exist: __MethodSignature" \
        call $s/unknown Nothing
    # Streams of the client: an expression a line.
    printf '1\n\n 2 + 3 \n-10' >items
    t 0 "int64(-4) int64(3)$nl" "" call $s StreamSum
    printf '"ab"\n{1, 2}\n' >items
    t 0 "<< []byte(\"ab\")
<< []byte(\"\\x01\\x02\")
int64(4)$nl" "" call $s StreamEchoBytes
    printf '{X: 1}\n' >items
    t 1 "" "ERROR: line 1: can't parse the item:" call $s StreamSum
    printf '1\n2, 3\n' >items
    t 1 "" "ERROR: line 2: can't parse the item:" call $s StreamSum
    seq 20000 >items
    t 0 "int64(200010000) int64(20000)$nl" "" call $s StreamSum
    : >items
    # From a pipe that stays open until the answer has come.
    mkfifo pipe
    timeout 30 vrpc call $s StreamEchoBytes <pipe >out 2>err &
    pids="$pids $!" one=$!
    exec 9>pipe
    echo '"ab"' >&9
    check "an item is sent before the end" wait_for grep -q '^<< ' out
    exec 9>&-
    wait $one
    check "the end is seen" [ $? -eq 0 ]
    # Either side may be the first to see that the time is over.
    timeout 30 vrpc -timeout=1s call $s Sleep 20000 >out 2>err
    rc=$?
    case $rc,$(cat out),$(head -1 err) in
    1,,"ERROR: call.Recv failed: "*"svc/echo"*".Sleep: timeout")
        good ;;
    *)
        bad "vrpc call of Sleep with -timeout: exit $rc"
        cat err ;;
    esac
else
    echo "left out: calls of the echo server, $echo_server is not built"
fi

summary
