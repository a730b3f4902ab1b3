#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Traces over several daemons: collected where they begin, by rate, by regular
# expression, only from servers that let the caller read them, and printed at
# the end.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

# start NAME PATTERN COMMAND…: a daemon as the principal of its name.
start() {
    name=$1 pattern=$2
    shift 2
    daemon "$name" "$pattern" env V23_CREDENTIALS="$tmp/$name" "$@"
}

# ---- principals, two mount tables, a server ---------------------------------

principal create --with-passphrase=false root root || die "principal create"
for p in table sub server alice; do blessed $p $p; done
start table '^NAME=' mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
start sub '^NAME=' mounttabled --name=sub $on_loopback
wait_for as root namespace resolve -s sub || die "sub did not appear"
start server '' fortuned --name=sub/fortune $on_loopback
wait_for as root namespace resolve sub/fortune || die "fortuned did not appear"

# traced PRINCIPAL FLAG…: call fortuned with these flags. In err: what was
# printed on standard error, without what differs from run to run.
traced() {
    who=$1
    shift
    V23_CREDENTIALS=$tmp/$who timeout 30 vrpc "$@" call sub/fortune Has \
        '"x"' >out 2>raw
    rc=$?
    same_each_time <raw >err
}
same_each_time() {
    sed -E -e 's/\[id: [0-9a-f]{8} parent [0-9a-f]{8}\]/[]/' \
        -e 's/ \([^()]*: [^()]*\)$//' -e 's/0x[0-9a-f]{32} \(.*/ID/' \
        -e 's/@[0-9.]+[nmµ]?s /@ /' -e 's,/@6@.*@@,/EP,g'
}
# is FILE: it has the lines of standard input.
is() {
    cat >want
    if cmp -s want "$1"; then
        good
    else
        bad "$what"
        diff want "$1"
    fi
}
no_trace() {
    ! grep -q Trace raw
}

# ---- three servers, one trace ------------------------------------------------

what="a sampled call"
traced root --v23.vtrace.sample-rate=1 --v23.vtrace.root-span-name=main
[ $rc -eq 0 ] || bad "$what: exit code $rc"
is err <<'END'
Vtrace traces:
Trace - ID
    Span - <rpc.Client>"sub/fortune".__MethodSignature []
        Span - <rpc.Client>"sub/fortune".ResolveStep []
            Span - <rpc.Client>tryConnectToServer []
                @ /EP/sub/fortune
            Span - /sub/fortune.ResolveStep []
        Span - <rpc.Client>"fortune".ResolveStep []
            Span - <rpc.Client>tryConnectToServer []
                @ /EP/fortune
            Span - sub/fortune.ResolveStep []
        Span - <rpc.Client>tryConnectToServer []
            @ /EP
        Span - sub/fortune.__MethodSignature []
    Span - <rpc.Client>"sub/fortune".Has []
        Span - <rpc.Client>tryConnectToServer []
            @ /EP
        Span - sub/fortune.Has []
END

what="a regular expression"
traced root --v23.vtrace.collect-regexp='^sub/[a-z]+\.Has$|"\.Has$'
is err <<'END'
Vtrace traces:
Trace - ID
    Span - <rpc.Client>"sub/fortune".Has []
        Span - <rpc.Client>tryConnectToServer []
            @ /EP
        Span - sub/fortune.Has []
END

# ---- what is not printed, or not collected -----------------------------------

traced root
check "nothing is collected unless asked for" no_trace
traced root --v23.vtrace.sample-rate=1 --v23.vtrace.dump-on-shutdown=false
check "no dump" no_trace
traced root --v23.vtrace.sample-rate=1 --v23.vtrace.cache-size=0
check "no store" no_trace

# alice may not call fortuned, nor learn what the servers do for her.
what="a stranger"
traced alice --v23.vtrace.sample-rate=1
sed 1d err >rest
is rest <<'END'
Vtrace traces:
Trace - ID
    Span - <rpc.Client>"sub/fortune".__MethodSignature []
        Span - <rpc.Client>"sub/fortune".ResolveStep []
            Span - <rpc.Client>tryConnectToServer []
                @ /EP/sub/fortune
        Span - <rpc.Client>"fortune".ResolveStep []
            Span - <rpc.Client>tryConnectToServer []
                @ /EP/fortune
        Span - <rpc.Client>tryConnectToServer []
            @ /EP
    Span - <rpc.Client>"sub/fortune".Has []
        Span - <rpc.Client>tryConnectToServer []
            @ /EP
END

# ---- what the servers keep: the three that root has had collected -------------

what="traces of fortuned"
as root debug vtrace sub/fortune/__debug/vtrace >out 2>raw
same_each_time <out >err
is err <<'END'
Trace - ID
    Span - Missing Data []
        Span - sub/fortune.__MethodSignature []
    Span - Missing Data []
        Span - sub/fortune.Has []
Trace - ID
    Span - Missing Data []
        Span - sub/fortune.Has []
Trace - ID
    Span - Missing Data []
        Span - sub/fortune.__MethodSignature []
    Span - Missing Data []
        Span - sub/fortune.Has []
END
as alice debug vtrace sub/fortune/__debug/vtrace >out 2>raw &&
    bad "a stranger reads traces"
check "a stranger is refused" grep -q 'not authorized' raw

# ---- flags that are wrong -----------------------------------------------------

# refused FLAG TEXT: what is said about it.
refused() {
    timeout 30 vrpc "$1" identify x >out 2>raw
    [ $? -ne 0 ] || bad "$1: accepted"
    check "$1: $(cat raw)" grep -q "$2" raw
}
refused --v23.vtrace.enable-aws-xray "AWS X-Ray is not supported"
refused --v23.vtrace.collect-regexp='a(b' v23.vtrace.collect-regexp:
refused --v23.vtrace.sample-rate=1.5 "not a number from 0 to 1"

summary
