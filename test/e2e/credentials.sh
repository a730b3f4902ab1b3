#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Credentials directories that several processes use: what one writes others
# find, at once, after a while or at SIGHUP, and nothing of it is lost.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

# server NAME PRINCIPAL [VAR=VALUE…]: an echo server; its address is in $where.
server() {
    name=$1 who=$2
    shift 2
    daemon "$name" '^READY' env ${who:+"V23_CREDENTIALS=$tmp/$who"} "$@" \
        echo-server --listen=tcp@127.0.0.1:0 --auth=all
    where=$(said "$name" 'ENDPOINT tcp ')
}
# shows ADDRESS NAME: does the server present this name?
shows() {
    as alice vrpc identify -insecure "$1" >shown 2>&1
    grep -q "$2" shown
}
# rename PRINCIPAL EXTENSION: root gives it another name.
rename() {
    as root principal bless --require-caveats=false "$tmp/$1" "$2" >blessing \
        2>bless.log || die "principal bless"
    principal --v23.credentials="$tmp/$1" set default blessing ||
        die "principal set default"
}

principal create --with-passphrase=false --key-type=ed25519 root root ||
    die "principal create"
for p in alice told timed broken; do blessed $p $p --key-type=ed25519; done

# ---- at SIGHUP --------------------------------------------------------------

server told told
check "first name" shows "$where" root:told
rename told again
check "no new name by itself" shows "$where" root:told
kill -HUP $pid
check "new name after SIGHUP" wait_for shows "$where" root:again
kill -HUP $pid
check "the name stays" shows "$where" root:again

# ---- after a while ----------------------------------------------------------

server timed timed V23_CREDENTIALS_RELOAD_INTERVAL=50ms
check "first name" shows "$where" root:timed
rename timed later
check "new name after a while" wait_for shows "$where" root:later

# ---- a reload that fails ----------------------------------------------------

server broken broken V23_CREDENTIALS_RELOAD_INTERVAL=1h
rename broken mended
mv broken/blessingstore.sig kept
echo junk >broken/blessingstore.sig
kill -HUP $pid
failed() { grep -q 'failed to reload principal: .*broken/blessingstore' \
    broken.log; }
check "a failure is logged" wait_for failed
check "the old name stays" shows "$where" root:broken
mv kept broken/blessingstore.sig
kill -HUP $pid
check "and is changed later" wait_for shows "$where" root:mended

# ---- without a directory ----------------------------------------------------

server none ""
kill -HUP $pid
check "a server without directory survives SIGHUP" shows "$where" anonymous

# ---- two writers ------------------------------------------------------------

principal create --with-passphrase=false --key-type=ed25519 shared shared ||
    die "principal create"
principal --v23.credentials=shared get default >blessing
writer() {
    i=0
    while [ $i -lt 20 ]; do
        i=$((i + 1))
        principal --v23.credentials=shared set forpeer blessing "$1$i" ||
            return 1
        principal --v23.credentials=shared recognize "$1$i" \
            "$rootkey" || return 1
    done
}
rootkey=$(principal --v23.credentials=root get publickey)
writer a 2>a.log &
a=$!
writer b 2>b.log &
b=$!
wait $a && wait $b && good || bad "writers: $(cat a.log b.log)"
principal --v23.credentials=shared dump >dump
i=0 lost=0
while [ $i -lt 20 ]; do
    i=$((i + 1))
    for w in a b; do
        grep -q "^$w$i  " dump || lost=$((lost + 1))
        grep -Eq "[[ ]$w$i[] ]" dump || lost=$((lost + 1))
    done
done
[ $lost -eq 0 ] && good || bad "$lost changes were lost"

# ---- read-only file systems -------------------------------------------------

for v in V23_CREDENTIALS_READONLY_FILESYSTEM V23_CREDENTIALS_NO_LOCK; do
    env $v=1 principal create --with-passphrase=false frozen >out 2>err
    [ $? -eq 1 ] && grep -q 'frozen: credentials cannot be created' err &&
        [ ! -e frozen ] && good || bad "$v: created"
    rm -f alice/*.lock
    check "$v: reading" env $v=1 V23_CREDENTIALS="$tmp/alice" \
        principal dump >/dev/null
    [ ! -e alice/dir.lock ] && good || bad "$v: locked"
done
summary
