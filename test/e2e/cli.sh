#!/bin/sh
# BSD-3-Clause; see LICENSE.
# The recorded command lines of test/vectors/naming/cli.jsonl against real
# daemons: a root table, a table published as sub, a test server as svc/testd.
: "${BUILD:=build}"
here=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=$(cd "$BUILD" && pwd) || exit 1
PATH=$build/bin:$PATH
TMP=$(mktemp -d) || exit 1
pids=
clean() {
    trap - EXIT INT TERM HUP
    [ -n "$pids" ] && kill $pids 2>/dev/null
    for p in $pids; do wait "$p" 2>/dev/null; done
    rm -rf "$TMP"
}
trap clean EXIT
trap 'clean; exit 130' INT
trap 'clean; exit 143' TERM HUP
unset V23_CREDENTIALS V23_AGENT_PATH CMDLINE_STYLE CMDLINE_PREFIX
for v in $(env | sed -n 's/^\(V23_NAMESPACE[^=]*\)=.*/\1/p'); do
    unset "$v"
done
export TMP CMDLINE_WIDTH=80
cd "$TMP" || exit 1

die() {
    echo "cli.sh: $*"
    tail -5 ./*.log
    echo "0 passed, 1 failed"
    exit 1
}
# Start a daemon and set the variable $1 to its endpoint.
daemon() { # VARIABLE PROGRAM ARGUMENT…
    v=$1
    shift
    "$@" --v23.tcp.protocol=tcp --v23.tcp.address=127.0.0.1:0 \
        >"$v.out" 2>"$v.log" &
    pids="$pids $!"
    i=0
    until grep -qs '^NAME=' "$v.out"; do
        kill -0 $! 2>/dev/null || die "$1 did not start"
        i=$((i + 1))
        [ $i -lt 400 ] || die "$1 printed no name"
        sleep 0.05
    done
    eval "$v=\$(sed -n 's/^NAME=.//p' $v.out); export $v"
}
wait_for() { # COMMAND…
    i=0
    until "$@" >/dev/null 2>&1; do
        i=$((i + 1))
        [ $i -lt 200 ] || die "$* does not succeed"
        sleep 0.05
    done
}

principal create --with-passphrase=false "$TMP/root" root >/dev/null ||
    die "principal create"
export V23_CREDENTIALS="$TMP/root"
daemon ROOT mounttabled
export V23_NAMESPACE="/$ROOT"
daemon SUB mounttabled --name=sub
daemon TESTD "$build/test/testd" --name=svc/testd
wait_for mounttable resolvestep "/$ROOT/sub"
wait_for namespace resolve svc/testd

mkdir work || exit 1
cat >work/p.json <<'EOF'
{"Admin":{"In":["root"]},"Read":{"In":["..."],"NotIn":["x"]}}
EOF
printf '{bad' >work/bad.acl
cat >work/good.acl <<'EOF'
{"":{"Admin":{"In":["root"]},"Read":{"In":["..."]}}}
EOF

# cli-010, cli-011: the programs serve no __debug objects yet. When the cases
# were recorded, mounts of 60 and 90 seconds had expired at cli-045 and cli-071.
"$build/test/cli" -bin "$build/bin" -dir "$TMP/work" \
    -skip cli-010 -skip cli-011 \
    -before "cli-045 namespace unmount x/y /127.0.0.1:1002 >/dev/null" \
    -before "cli-071 namespace unmount sub/q '' >/dev/null" \
    "$here/test/vectors/naming/cli.jsonl" \
    ${GROUPS_OF_CASES:-namespace mounttable mounttabled vrpc}
