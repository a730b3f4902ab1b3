#!/bin/sh
# BSD-3-Clause; see LICENSE.
# demo.sh: a small Vanadium network on this machine, told as a story: a mount
# table, a server published in it, clients that are let in and one that is not.
# Everything lives in a temporary directory and goes away at the end, also when
# interrupted.
. "$(dirname "$0")/shell.sh"
cd "$tmp" || exit 1

if [ -t 1 ]; then b=$(printf '\033[1m') n=$(printf '\033[0m'); else b= n=; fi
say() { printf '\n%s%s%s\n' "$b" "$*" "$n"; }
show() { # PRINCIPAL COMMAND…
    who=$1
    shift
    printf '  %s$ %s\n' "$who" "$*"
    as "$who" "$@" >out 2>&1
    rc=$?
    sed 's/^/    /' out
    return $rc
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
    blessed "$p" "$name"
done
show alice principal dump -s || die "principal dump"

say "2. A mount table: the directory of names"
daemon table '^NAME=' env V23_CREDENTIALS="$tmp/table" mounttabled $on_loopback
root=$(said table NAME=)
echo "  mounttabled serves $root"
export V23_NAMESPACE="$root"

say "3. A server, published as tell/fortune"
daemon server '' env V23_CREDENTIALS="$tmp/server" \
    fortuned --name=tell/fortune $on_loopback
wait_for as alice namespace resolve tell/fortune ||
    die "fortuned did not appear in the name space"
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
as root principal get default >root.blessing &&
    principal --v23.credentials="$tmp/mallory" recognize root.blessing ||
    die "principal recognize"
show mallory fortune --name=tell/fortune &&
    die "mallory was let in"

say "That was $(ls "$build/bin" | wc -l) small programs talking Vanadium. Cleaning up."
exit 0
