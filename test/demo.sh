#!/bin/sh
# BSD-3-Clause; see LICENSE.
# demo.sh: a small Vanadium network on this machine, told as a story: a mount
# table, a server published in it, clients that are let in and one that is not.
# Everything lives in a temporary directory and goes away at the end, also when
# interrupted.
: "${BUILD:=build}"
bin=$(cd "$BUILD/bin" && pwd) || exit 1
PATH=$bin:$PATH
tmp=$(mktemp -d) || exit 1
pids=
clean() {
    trap - EXIT INT TERM HUP
    [ -n "$pids" ] && kill $pids 2>/dev/null
    for p in $pids; do wait "$p" 2>/dev/null; done
    rm -rf "$tmp"
}
trap clean EXIT
trap 'clean; exit 130' INT
trap 'clean; exit 143' TERM HUP
unset V23_CREDENTIALS V23_AGENT_PATH
for v in $(env | sed -n 's/^\(V23_NAMESPACE[^=]*\)=.*/\1/p'); do unset "$v"; done
cd "$tmp" || exit 1

if [ -t 1 ]; then b=$(printf '\033[1m') n=$(printf '\033[0m'); else b= n=; fi
say() { printf '\n%s%s%s\n' "$b" "$*" "$n"; }
die() { echo "demo: $*" >&2; for f in *.log; do [ -s "$f" ] && { echo "--- $f"; tail -5 "$f"; }; done >&2; exit 1; }
show() { # as PRINCIPAL COMMAND…
    who=$1
    shift
    printf '  %s$ %s\n' "$who" "$*"
    V23_CREDENTIALS=$tmp/$who "$@" >out 2>&1
    rc=$?
    sed 's/^/    /' out
    return $rc
}
# Wait for a line in a file that a daemon writes; prints it.
wait_line() { # FILE PATTERN PID
    i=0
    while ! grep -m1 "$2" "$1" 2>/dev/null; do
        kill -0 "$3" 2>/dev/null || return 1
        i=$((i + 1))
        [ $i -lt 200 ] || return 1
        sleep 0.05
    done
}

say "1. Principals: who everybody is"
echo "  root is the identity provider; it blesses the others. Each has its own"
echo "  private key, in its own directory; mallory is blessed by nobody."
for p in root:root mallory:mallory; do
    principal create --with-passphrase=false "${p%:*}" "${p#*:}" || die "principal create"
done
# Everybody has a name under root; alice is a guest of the fortune teller, so
# the teller's default rule (me and my delegates) lets her in.
for p in table:table server:teller alice:teller:alice; do
    name=${p#*:} p=${p%%:*}
    principal create --with-passphrase=false "$p" || die "principal create"
    V23_CREDENTIALS=$tmp/root principal bless --require-caveats=false "$tmp/$p" "$name" \
        >"$p.blessing" 2>err || { cat err; die "principal bless"; }
    principal --v23.credentials="$tmp/$p" set default "$p.blessing" &&
        principal --v23.credentials="$tmp/$p" set forpeer "$p.blessing" ... ||
        die "principal set"
done
show alice principal dump -s || die "principal dump"

say "2. A mount table: the directory of names"
V23_CREDENTIALS=$tmp/table mounttabled --v23.tcp.protocol=tcp \
    --v23.tcp.address=127.0.0.1:0 >table.out 2>table.log &
pids="$pids $!"
root=$(wait_line table.out '^NAME=' $!) || die "mounttabled did not start"
root=${root#NAME=}
echo "  mounttabled serves $root"
export V23_NAMESPACE="$root"

say "3. A server, published as tell/fortune"
V23_CREDENTIALS=$tmp/server fortuned --name=tell/fortune --v23.tcp.protocol=tcp \
    --v23.tcp.address=127.0.0.1:0 >server.out 2>server.log &
pids="$pids $!"
i=0
until V23_CREDENTIALS=$tmp/alice namespace resolve tell/fortune >out 2>&1; do
    i=$((i + 1))
    [ $i -lt 100 ] && kill -0 $! 2>/dev/null || die "fortuned did not appear in the name space"
    sleep 0.05
done
show alice namespace resolve tell/fortune || die "namespace resolve"
show alice namespace glob '...' || die "namespace glob"

say "4. Calls: mutually authenticated, encrypted, by name"
show alice fortune --name=tell/fortune || die "fortune"
show alice fortune --name=tell/fortune --add="Small programs age well." || die "fortune --add"
show alice fortune --name=tell/fortune --has="Small programs age well." || die "fortune --has"
echo "  A generic client knows nothing of fortunes; it asks the server:"
show alice vrpc signature tell/fortune || die "vrpc signature"
show alice vrpc call tell/fortune Has '"Small programs age well."' || die "vrpc call"
show alice vrpc identify tell/fortune || die "vrpc identify"

say "5. Streaming: the glob above was one; here it is again, as it arrives"
show alice mounttable glob "$root" '...' || die "mounttable glob"

say "6. Mallory is refused, and told why"
echo "  Mallory trusts root's names, but nobody whom the teller trusts has"
echo "  blessed Mallory."
V23_CREDENTIALS=$tmp/root principal get default >root.blessing &&
    principal --v23.credentials="$tmp/mallory" recognize root.blessing ||
    die "principal recognize"
show mallory fortune --name=tell/fortune &&
    die "mallory was let in"

say "That was $(ls "$bin" | wc -l) small programs talking Vanadium. Cleaning up."
exit 0
