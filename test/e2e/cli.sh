#!/bin/sh
# BSD-3-Clause; see LICENSE.
# cli.sh [FILE]: the recorded command lines of test/vectors/naming/cli.jsonl, or
# of another such file, against real daemons: a root table, a table published as
# sub, a test server as svc/testd.
case $1 in
'' | /*) file=$1 ;;
*) file=$PWD/$1 ;;
esac
. "$(dirname "$0")/../shell.sh"
TMP=$tmp CMDLINE_WIDTH=80
export TMP CMDLINE_WIDTH
cd "$tmp" || exit 1

# Start a daemon and set the variable $1 to its endpoint.
serve() { # VARIABLE PROGRAM ARGUMENT…
    v=$1
    shift
    daemon "$v" '^NAME=' "$@" $on_loopback
    eval "$v=\$(said $v 'NAME=.'); export $v"
}
until_there() { # COMMAND…
    wait_for "$@" || die "$* does not succeed"
}

principal create --with-passphrase=false "$TMP/root" root >/dev/null ||
    die "principal create"
export V23_CREDENTIALS="$TMP/root"
mkdir logs && LOGDIR=$TMP/logs || exit 1
export LOGDIR
serve ROOT mounttabled --log_dir="$LOGDIR"
export V23_NAMESPACE="/$ROOT"
serve SUB mounttabled --name=sub
serve TESTD "$build/test/testd" --name=svc/testd
until_there mounttable resolvestep "/$ROOT/sub"
until_there namespace resolve svc/testd

mkdir work || exit 1
cat >work/p.json <<'EOF'
{"Admin":{"In":["root"]},"Read":{"In":["..."],"NotIn":["x"]}}
EOF
printf '{bad' >work/bad.acl
cat >work/good.acl <<'EOF'
{"":{"Admin":{"In":["root"]},"Read":{"In":["..."]}}}
EOF

# When the cases were recorded, mounts of 60 and 90 seconds had expired at
# cli-045 and cli-071.
"$build/test/cli" -bin "$build/bin" -dir "$TMP/work" \
    -before "cli-045 namespace unmount x/y /127.0.0.1:1002 >/dev/null" \
    -before "cli-071 namespace unmount sub/q '' >/dev/null" \
    "${file:-$here/test/vectors/naming/cli.jsonl}" \
    ${GROUPS_OF_CASES:-namespace mounttable mounttabled vrpc uniqueid debug xproxyd}
