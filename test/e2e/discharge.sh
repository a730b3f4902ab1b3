#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Third-party caveats between real processes: a discharger mounted in a mount
# table, blessings that need it, of clients and of servers; revocation; the
# discharger gone; reports about the call; bad starts.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

# start NAME PRINCIPAL COMMAND…: a daemon that prints NAME=.
start() {
    name=$1 who=$2
    shift 2
    daemon "$name" '^NAME=' env V23_CREDENTIALS="$tmp/$who" "$@" $on_loopback
}
mounted() { # NAME
    wait_for as root namespace resolve "$1" ||
        die "$1 did not appear in the name space"
}
# has PRINCIPAL FLAG…: ask the fortune teller, as this principal.
has() {
    who=$1
    shift
    as "$who" timeout 30 vrpc "$@" call tell/fortune Has '"x"' >out 2>err
}
allowed() { # WHAT PRINCIPAL
    if has "$2" && [ "$(cat out)" = false ]; then good; else
        bad "$1: $(cat out err)"
    fi
}
# refused WHAT PATTERN PRINCIPAL [FLAG…]: the error must match the pattern.
refused() {
    what=$1 pattern=$2
    shift 2
    if has "$@"; then
        bad "$what: is allowed"
    elif grep '^ERROR' err | grep -Eq "$pattern"; then good; else
        bad "$what: $(cat err)"
    fi
}
# given PRINCIPAL CAVEAT: let root bless it so, the id is set.
given() {
    principal create --with-passphrase=false "$1" "$1" >/dev/null &&
        as root principal bless --caveat="$2" "$tmp/$1" "$1" >blessing \
            2>bless.log || die "principal bless $1: $(cat bless.log)"
    principal --v23.credentials="$tmp/$1" set default blessing &&
        principal --v23.credentials="$tmp/$1" set forpeer blessing ... ||
        die "principal set"
    id=$(sed -n 's/^REVOCATION_ID=//p' bless.log)
}

# ---- a small network --------------------------------------------------------

principal create --with-passphrase=false root root || die "principal create"
blessed office office
start table root mounttabled
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
: >revoked
office() {
    start office office dischargerd --name=shop/office --revocations=revoked \
        --duration=2s --v=1
    office=$pid
}
office
key=$(said office PUBLIC_KEY=)
mounted shop/office
teller() { # PRINCIPAL
    daemon teller '' env V23_CREDENTIALS="$tmp/$1" fortuned \
        --name=tell/fortune $on_loopback
    teller=$pid
    mounted tell/fortune
}
teller root

# ---- revocable blessings ----------------------------------------------------

given alice "revocable=$key,shop/office"
alice_id=$id
[ "$(expr "$id" : '[0-9a-f]*$')" = 32 ] && good || bad "the id is \"$id\""
as alice principal get default --caveats root:alice >out 2>err &&
    grep -q "ThirdPartyCaveat: Requires discharge from shop/office" out &&
    good || bad "the caveat: $(cat out err)"
allowed "revocable" alice
printf '%s' "$key" >key
as root principal fork --with-passphrase=false \
    --caveat="revocable=key,shop/office" carol carol >out 2>fork.log || die fork
carol_id=$(sed -n 's/^REVOCATION_ID=//p' fork.log)
allowed "forked, revocable" carol

check "revoke" dischargerd --revocations=revoked revoke --note='lost phone' \
    "$alice_id"
grep -q "^$alice_id  # lost phone\$" revoked && good || bad "$(cat revoked)"
refused "revoked" \
    'access denied.*root:alice.*missing discharge for third party caveat.*shop/office' \
    alice
grep -q "no discharge for .*NotRevoked caveat $alice_id: revoked" \
    office.log && good || bad "the discharger says nothing"
allowed "the other one" carol
echo "nonsense" >>revoked
refused "bad list" 'root:carol.*missing discharge' carol
grep -q 'revoked:2: not an id' office.log && good || bad "line not named"
printf '# %s\n' "$alice_id" >revoked
allowed "revocation taken back" alice

# ---- a server's own discharge -----------------------------------------------

given teller "revocable=$key,shop/office"
teller_id=$id
kill $teller
wait_for ended $teller
teller teller
allowed "server with a discharge" root
server_refused() { # once the discharge that it has has expired
    ! has root
}
check "revoke a server" dischargerd --revocations=revoked revoke "$teller_id"
wait_for server_refused && good || bad "a revoked server is still accepted"
refused "revoked server" 'root:teller.*missing discharge|discharge failed' root
printf '' >revoked

# ---- the discharger is gone -------------------------------------------------

# What has its discharge goes on: a client, and a server that it has never met.
kill $office
wait_for ended $office
start office office dischargerd --name=shop/office --revocations=revoked
office=$pid
mounted shop/office
daemon echo '^READY' env V23_CREDENTIALS="$tmp/root" echo-server \
    --listen=tcp@127.0.0.1:0
kill $teller
wait_for ended $teller
teller teller
allowed "server with a long discharge" root
as carol timeout 60 echo-client --server="$(said echo 'ENDPOINT tcp ')" \
    --mode=load --clients=1 --calls=4000 --payload=100 >load.out 2>load.log &
load=$!
called() { grep -q 'from root:carol$' echo.log || ended $load; }
wait_for called
kill -KILL $office
wait_for ended $office
allowed "server whose discharger is gone" root
if wait $load && grep -q '"errors":0,' load.out; then good; else
    bad "client whose discharger is gone: $(cat load.out load.log)"
fi
refused "no discharge and no discharger" \
    'root:alice.*missing discharge for third party caveat\(id=.*shop/office' \
    alice --timeout=2s

# ---- what the discharger is told --------------------------------------------

kill $teller
wait_for ended $teller
office
mounted shop/office
teller root
octets() { od -An -v -tx1 | tr -d '\n' | sed 's/ /\\x/g'; }
der=$(printf '%s' "$key" | tr _- /+ | base64 -d | octets)
given dave "\"v.io/v23/security\".PublicKeyThirdPartyCaveat={
    Nonce: {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16},
    Caveats: {{ParamVom: \"\\x81\\x02\\x01\"}}, DischargerKey: \"$der\",
    DischargerLocation: \"shop/office\",
    DischargerRequirements: {ReportServer: true, ReportMethod: true}}"
has dave # two methods: __MethodSignature and Has
allowed "server and method are reported" dave

# ---- bad starts -------------------------------------------------------------

# wrong WHAT PATTERN COMMAND…: exit code 1 or 2, the first line as said.
wrong() {
    what=$1 pattern=$2
    shift 2
    timeout 20 "$@" >out 2>err </dev/null
    rc=$?
    if [ $rc -ne 1 ] && [ $rc -ne 2 ]; then bad "$what: exit code $rc"
    elif head -1 err | grep -Eq "$pattern"; then good
    else bad "$what: $(head -1 err)"; fi
}
office() { V23_CREDENTIALS=$tmp/office wrong "$@"; }
office "no list" 'missing: no such file' dischargerd --revocations=missing
echo x >broken
office "bad list" 'broken:1: not an id' dischargerd --revocations=broken
office "duration" 'duration must be positive' dischargerd --duration=0s
office "argument" 'unknown command' dischargerd x
wrong "bad id" '12 is not an id' dischargerd --revocations=revoked revoke 12
wrong "no id" 'no id given' dischargerd --revocations=revoked revoke
wrong "no file" 'revocations is required' dischargerd revoke "$alice_id"
wrong "no permission" 'no such file' dischargerd --revocations=no/file revoke \
    "$alice_id"
bless() { # WHAT PATTERN CAVEAT
    wrong "$1" "$2" env V23_CREDENTIALS="$tmp/root" principal bless --caveat="$3" "$tmp/alice" x
}
bless "no name" 'want revocable=<key' "revocable=$key"
bless "no key" 'want revocable=<key' "revocable=,shop/office"
bless "bad key" 'no such file' "revocable=abc,shop/office"

summary
