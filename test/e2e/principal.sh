#!/bin/sh
# BSD-3-Clause; see LICENSE.
# The program principal: what its users see. Fingerprints, blessings and keys
# differ in every run and are replaced by FP, B and K before comparing.
. "$(dirname "$0")/../shell.sh"
bin=$build/bin/principal
cd "$tmp" || exit 1

# p [-as NAME] ARGS…: run; standard input is $in, exit status in $rc.
in=
p() {
    cred=
    if [ "$1" = -as ]; then
        cred=--v23.credentials=$2
        shift 2
    fi
    printf '%s' "$in" | timeout 60 "$bin" ${cred:+"$cred"} "$@" >out 2>err
    rc=$?
    in=
}
plain() {
    sed -E 's/([0-9a-f]{2}:){15}[0-9a-f]{2}/FP/g
        s/gV0c[A-Za-z0-9_=-]+/B/g
        s/^M[A-Za-z0-9_=-]{40,}$/K/
        s/20[0-9]{2}-[0-9-]+ [0-9:.]+ \+0000 UTC/TIME/'
}
# want RC OUT [ERR]: of the last p.
want() {
    o=$(plain <out) e=$(plain <err)
    if [ "$rc" = "$1" ] && [ "$o" = "$2" ] && [ "$e" = "${3-}" ]; then
        pass=$((pass + 1))
    else
        fail=$((fail + 1))
        printf 'FAIL exit %s, want %s\n--- out\n%s\n--- want\n%s\n' "$rc" \
            "$1" "$o" "$2"
        printf -- '--- err\n%s\n--- want\n%s\n' "$e" "${3-}"
    fi
}
ok() { want 0 ''; }
head='---------------- BlessingStore ----------------
Default Blessings                '
roots='---------------- BlessingRoots ----------------
Public key                                        Pattern'

# ---- create -----------------------------------------------------------------

p create --with-passphrase=false alice alice; ok
p create --with-passphrase=false alice alice
want 1 '' 'ERROR: failed to create principal: failed to open alice/publickey.pem for writing: open alice/publickey.pem: file exists'
p create --with-passphrase=false --overwrite alice alice; ok
p create --with-passphrase=false --key-type=ecdsa384 bob bob; ok
p create --with-passphrase=false --key-type=ED25519 dave dave; ok
p create --with-passphrase=false empty; ok
p create --with-passphrase=false --key-type=dsa bad x
want 1 '' 'ERROR: failed to create principal: unsupported keytype: dsa is not one of ecdsa256, ecdsa384, ecdsa521, ed25519, rsa2048, rsa4096'
p create --with-passphrase=false badname a/b
want 1 '' 'ERROR: BlessSelf("a/b") failed: invalid blessing extension(a/b) has (/) as a substring)'
p create
want 1 '' 'ERROR: requires one or two arguments: <directory> [and optional <blessing>], provided 0'
in='sesame
'
p create secret secret; ok
grep -q 'BEGIN ENCRYPTED PRIVATE KEY' secret/privatekey.pem; rc=$?
: >out; : >err; ok

# ---- look -------------------------------------------------------------------

p -as alice dump
want 0 "Public key : FP
Default Blessings : alice
${head}alice
Peer pattern                     Blessings
...                              alice
$roots
FP   [alice]"
p -as empty dump
want 0 "Public key : FP
Default Blessings : 
${head}
Peer pattern                     Blessings
$roots"
p -as secret dump -s; want 0 secret
p -as missing dump
want 1 '' "ERROR: runtimeFactory returned: failed to initialize credentials, perhaps you need to create them with 'principal create missing: open missing/dir.lock: no such file or directory"
p -as alice get publickey; want 0 K
cp out alice.key
p -as alice get publickey --pretty; want 0 FP
p -as empty get default; want 1 '' 'ERROR: no blessings found'

# ---- bless ------------------------------------------------------------------

p -as alice bless --require-caveats=false bob friend; want 0 B
cp out friend
p dumpblessings friend
want 0 'Blessings          : alice:friend
PublicKey          : FP
Certificate chains : 1
Chain #0 (2 certificates). Root certificate public key: FP
  Certificate #0: alice with 0 caveats
  Certificate #1: friend with 1 caveat
    (0) 0x00000000000000000000000000000000(bool=true)'
p -as alice bless '--caveat="v.io/v23/security".MethodCaveat={"Get"}' \
    '--caveat="v.io/v23/security".PeerBlessingsCaveat={"alice:server","carol"}' \
    '--caveat="v.io/v23/security/access".AccessTagCaveat={"Read"}' \
    '--caveat={{0x54,0xa6,0x76,0x39,0x81,0x37,0x18,0x7e,0xcd,0xb2,0x6d,0x2d,0x69,0xba,0x0,0x3},typeobject([]string)}={"m"}' \
    --for=87600h bob many
want 0 B
cp out many
in=$(cat many)
p dumpblessings -
want 0 'Blessings          : alice:many
PublicKey          : FP
Certificate chains : 1
Chain #0 (2 certificates). Root certificate public key: FP
  Certificate #0: alice with 0 caveats
  Certificate #1: many with 5 caveats
    (0) 0x0577f8564c8e5ffeff8e2b1f4d6d8000([]security.BlessingPattern=[alice:server carol])
    (1) 0xefcde3751416c73b189ce89ccc938000([]access.Tag=[Read])
    (2) 0x54a676398137187ecdb26d2d69ba0003([]string=[m])
    (3) 0xa64c2d0119fba3348071feeb2f308000(time.Time=TIME)
    (4) 0x54a676398137187ecdb26d2d69ba0003([]string=[Get])'
warning='WARNING: No caveats provided
It is generally dangerous to bless another principal without any caveats as
that gives them unrestricted access to the blesser'\''s credentials.

Caveats can be specified with the --for or --caveat flags.

Do you really wish to bless without caveats? (YES to confirm)'
in='no
'
p -as alice bless bob x
want 1 "$warning " "ERROR: no caveats provided: it is generally dangerous to bless another principal without any caveats as that gives them almost unrestricted access to the blesser's credentials. If you really want to do this, set --require-caveats=false"
in='yes
asked
'
p -as alice bless bob
want 0 "$warning Extension to use for blessing: B"
p -as alice bless --require-caveats=false alice.key pub; want 0 B
p -as bob bless --require-caveats=false --with=friend dave phone
want 0 B
cp out phone
p -as dave bless --require-caveats=false --with=friend empty phone
want 1 '' 'ERROR: Principal with public key FP cannot extend blessing with public key FP'
p -as alice bless --require-caveats=false bob a::b
want 1 '' 'ERROR: invalid blessing extension(a::b) has (::) as a substring)'
p -as secret bless --require-caveats=false bob x
want 1 '' 'ERROR: underlying signer is nil'
p -as alice bless --caveat=nonsense bob x
rc="$rc $(sed -n 1p err)"; : >err
want '2 ERROR: principal bless: invalid value "nonsense" for flag -caveat: incorrect caveat format: nonsense' ''
p -as alice blessself --for=1ns old; want 0 B
cp out old
p dumpblessings old
sed -n 1p out >o1; cp o1 out
want 0 'Blessings          : old [EXPIRED]'
in='not base64!'
p dumpblessings -
want 1 '' 'ERROR: failed to decode provided blessings: failed to decode not base64!: illegal base64 data at input byte 3'
p dumproots phone; want 0 B
p union friend many; want 0 B
cp out both
p union "$(cat friend)" phone
want 1 '' 'ERROR: cannot create union of blessings bound to different public keys'

# Whole expressions, with types of the caveat and packages of VDLPATH.
c() { # CAVEAT WANT
    p -as alice blessself "--caveat=$1" x
    if [ "$rc" = 0 ]; then
        cp out self && p dumpblessings self && sed -n '6s/^ *//p' out >o1
        cp o1 out
        want 0 "(0) $2"
    else
        sed -n '2,3!d;s/.*:1:[0-9]* //p' err >e1; cp e1 err
        want 1 '' "$2"
    fi
}
security='"v.io/v23/security"'
mkdir -p vdl/example.org/cav
cat >vdl/example.org/cav/cav.vdl <<'EOF'
package cav
import ("v.io/v23/security"; "v.io/v23/uniqueid")
type Level int32
const Deep = Level(3)
const LevelCaveat = security.CaveatDescriptor{
	Id: uniqueid.Id{1, 2, 3}, ParamType: typeobject(Level),
}
EOF
c "$security.ConstCaveat=1 < 2" '0x00000000000000000000000000000000(bool=true)'
c "$security.PeerBlessingsCaveat={$security.BlessingPattern(\"x\")}" \
    '0x0577f8564c8e5ffeff8e2b1f4d6d8000([]security.BlessingPattern=[x])'
c '{{9},typeobject([]string)}={"m" + "n"}' \
    '0x09000000000000000000000000000000([]string=[mn])'
c '"example.org/cav".LevelCaveat=1' \
    'const "example.org/cav".LevelCaveat invalid ("example.org/cav".LevelCaveat undefined)'
VDLPATH=$PWD/vdl:$here/libsecurity/vdl:$here/libvom/vdl
export VDLPATH
c '"example.org/cav".LevelCaveat="example.org/cav".Deep + 1' \
    '0x01020300000000000000000000000000(*vdl.Value=example.org/cav.Level int32(4))'
c '"example.org/cav".LevelCaveat="no"' \
    "invalid expression (can't convert \"no\" to example.org/cav.Level int32)"
unset VDLPATH

# ---- change -----------------------------------------------------------------

p -as bob set default friend; ok
p -as bob set forpeer many alice:server; ok
p -as bob set forpeer --add-to-roots=false both 'dave:$'; ok
p -as bob set forpeer both a::b
want 1 '' 'ERROR: failed to set blessings alice:friend,alice:many for peers a::b: a::b is an invalid BlessingPattern'
p -as bob set default phone
want 1 '' "ERROR: failed to set blessings alice:friend:phone as default: blessing's public key does not match store's public key"
p -as bob get peermap
want 0 'Default Blessings                alice:friend
Peer pattern                     Blessings
...                              bob
alice:server                     alice:many
dave:$                           alice:friend,alice:many'
p -as bob get recognizedroots
want 0 'Public key                                        Pattern
FP   [alice]
FP   [bob]'
p -as bob get forpeer --names dave; want 0 'bob
alice:friend
alice:many'
p -as bob get forpeer --caveats=alice:many alice:server:x
want 0 'Restricted to peers with blessings [alice:server carol]
0xefcde3751416c73b189ce89ccc938000([]access.Tag=[Read])
Restricted to methods [m]
Expires at TIME
Restricted to methods [Get]'
p -as bob get default --rootkey=alice:friend; want 0 FP
p -as bob get default --rootkey=nope
want 1 '' 'ERROR: no chains of name nope in alice:friend'
p -as dave recognize friend; ok
p -as dave recognize alice:x "$(cat alice.key)"; ok
p -as dave recognize ... "$(cat alice.key)"
want 1 '' "ERROR: a root cannot be recognized for all blessing names (i.e., the pattern '...')"
p -as dave get recognizedroots
want 0 'Public key                                        Pattern
FP   [alice alice:x]
FP   [dave]'
in='wrong
'
p -as secret recognize friend
want 1 '' 'ERROR: principal: passphrase incorrect for decrypting private key'
in='sesame
'
p -as secret recognize friend; ok
p -as alice fork --for=87600h forked child; ok
p -as forked dump -s; want 0 alice:child
p -as alice fork forked2 child
want 1 '' "ERROR: no caveats provided: it is generally dangerous to bless another principal without any caveats as that gives them almost unrestricted access to the blesser's credentials. If you really want to do this, set --require-caveats=false"

# ---- keys of elsewhere ---------------------------------------------------------

keys=$here/test/vectors/security/keys
p create --with-passphrase=false "--ssh-key=$keys/alice.openssh" ssh ssh; ok
grep -q 'VANADIUM INDIRECT PRIVATE KEY' ssh/privatekey.pem; rc=$?
: >out; : >err; ok
p -as ssh dump -s; want 0 ssh
p create --with-passphrase=false --copy-private-key \
    "--ssh-key=$keys/dave.openssh" copied copied; ok
p create --with-passphrase=false "--ssh-key=$keys/alice.openssh.enc" enc enc
want 1 '' 'ERROR: failed to create principal: passphrase required'
p create --with-passphrase=false --ssl-cert=x bad2 x
want 1 '' 'ERROR: failed to create principal: both an SSL private key and public certificate must be specified'
mkdir old2015 && cp "$keys/alice.sec1.enc.pem" old2015/privatekey.pem
in='correct horse battery staple
'
p update-pkcs8 old2015; ok
p -as old2015 get publickey --pretty
want 0 FP

in='sesame
'
p update-pkcs8 ssh
want 1 '' 'ERROR: ssh/privatekey.pem: the private key is elsewhere'

# ---- files that are not what they should be --------------------------------

for f in missing.b:'open missing.b: no such file or directory' \
    .:'read .: is a directory' :'failed to decode : EOF' \
    alice.key/x:'open alice.key/x: not a directory'; do
    p dumpblessings "${f%%:*}"
    want 1 '' "ERROR: failed to decode provided blessings: ${f#*:}"
done
# Not more of it is shown, for it is a secret.
p dumpblessings "$keys/alice.openssh"
want 1 '' 'ERROR: failed to decode provided blessings: failed to decode -----BEGIN OPENS: illegal base64 data at input byte 10'
p union; want 1 '' 'ERROR: no blessings found'
p create --with-passphrase=false alice.key/x x
want 1 '' 'ERROR: failed to create principal: mkdir alice.key/x: not a directory'
p create --with-passphrase=false --ssh-public-key=alice.key hosted x
want 1 '' 'ERROR: failed to create principal: alice.key: not a public key of ssh that can be used'
p create --with-passphrase=false --overwrite --ssh-key=missing alice x
want 1 '' 'ERROR: failed to create principal: open missing: no such file or directory'
p -as alice dump -s; want 0 alice
p -as alice $on_loopback recvblessings --remote-arg-file=/dev/full
want 1 "$(cat out)" 'ERROR: failed to write recvblessings info to /dev/full: no space left on device'
p scripts x.slang
want 1 '' 'ERROR: scripts: this tool does not have the scripting language of the reference tool; use the other commands from a shell script'
p -as alice fork --with-passphrase=false --for=1h child a/b
want 1 '' 'ERROR: Bless(FP, alice, "a/b", ...) failed: invalid blessing extension(a/b) has (/) as a substring)'

# ---- over the network ---------------------------------------------------------

# receive ARGS…: start recvblessings for `empty`; its output goes to
# received.out.
receive() {
    daemon received waiting "$bin" --v23.credentials=empty \
        --v23.tcp.address=127.0.0.1:0 recvblessings "$@"
}
finish() {
    wait "$pid"
    rc=$?
    tail -1 received.out >out
    : >err
}
receive
cmd=$(sed -n 's/^principal bless //p' received.out)
# shellcheck disable=SC2086
p -as alice bless --for=1h $cmd remote; ok
finish; want 0 'Received blessings: alice:remote'
p -as empty dump -s; want 0 alice:remote
receive --remote-arg-file=args.json
p -as alice bless --for=1h --remote-arg-file=args.json remote2; ok
finish; want 0 'Received blessings: alice:remote2'
receive
set -- $(sed -n 's/^principal bless //p' received.out)
p -as alice bless --for=1h "--remote-key=00:00" "$2" "$3" remote3
rc="$rc $(grep -c 'key mismatch' err)"; : >err
want '1 1' ''
p -as alice bless --for=1h "$1" --remote-token=guess "$3" remote3
rc="$rc $(grep -c 'unexpected sender' err)"; : >err
want '1 1' ''
kill "$pid"; wait "$pid" 2>/dev/null
p -as empty dump -s; want 0 alice:remote2

summary
