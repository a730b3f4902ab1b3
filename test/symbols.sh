#!/bin/sh
# BSD-3-Clause; see LICENSE.
# symbols.sh: an archive exports nothing outside its prefixes (v23_ and V23_ are
# those of the generated wire types and consts of every layer).
: "${BUILD:=build}"
bad=0
check() {
    [ -e "$1" ] || return
    nm -g --defined-only "$1" 2>/dev/null | awk 'NF == 3 {print $3}' |
        grep -vE "^($2)" | grep -vE '^(__asan|__odr_asan|\.L|__x86\.)' | sort -u |
        sed "s|^|symbols: $1 exports |" | { grep . && exit 1; exit 0; } || bad=1
}
check "$BUILD/lib/libvom.a" 'v23_|vdl_|vom_|V23_'
for a in "$BUILD"/lib/libsecurity*.a; do check "$a" 'vsec_|v23_|V23_'; done
check "$BUILD/lib/librpc.a" 'vrpc_|v23_|V23_'
for a in "$BUILD"/lib/libnaming*.a; do check "$a" 'vname_|v23_|V23_'; done
check "$BUILD/lib/libwspr.a" 'wspr_|v23_|V23_'
[ $bad -eq 0 ] && echo "symbols: only the libraries' own prefixes are exported"
exit $bad
