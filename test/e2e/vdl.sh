#!/bin/sh
# BSD-3-Clause; see LICENSE.
# The VDL compiler: the cases of test/vdl/*.tsv and the commands of the tool.
: "${BUILD:=build}"
here=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
case $BUILD in
/*) ;;
*) BUILD=$here/$BUILD ;;
esac
vdl=$BUILD/host/vdl
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
pass=0 fail=0
tab=$(printf '\t')
unset VDLROOT

ok() { pass=$((pass + 1)); }
bad() {
    fail=$((fail + 1))
    printf 'FAIL %s\n' "$*"
}

# ---- cases ------------------------------------------------------------------

# Write each case of a .tsv as a source tree below $tmp/cases/NUMBER.
unpack() {
    awk -F '\t' -v dir="$tmp/cases" '
        /^#/ || NF < 2 { next }
        {
            at = dir "/" ++n
            system("mkdir -p " at "/p.kg/a " at "/p.kg/b")
            print $1 > (at "/want")
            for (i = 2; i <= NF; i++) {
                name = i == 2 ? "a" : "b"
                text = $i
                gsub(/⏎/, "\n", text)
                file = at "/p.kg/" name "/" name ".vdl"
                if (text ~ /^@/)
                    printf "%s", substr(text, 2) > file
                else
                    printf "package %s\n%s", name, text > file
                close(file)
            }
            close(at "/want")
        }
        END { print n }' "$1"
}

# NUMBER TSV
run_case() {
    at=$tmp/cases/$1
    read -r want <"$at/want"
    last=a
    [ -s "$at/p.kg/b/b.vdl" ] && last=b
    VDLPATH=$at "$vdl" -v compile -status=false "$at/..." \
        >"$at/out" 2>"$at/err"
    rc=$?
    text=${want#??}
    case $want in
    ok) [ $rc -eq 0 ] ;;
    '= '*)
        [ $rc -eq 0 ] && grep -Fqx -e "const p.kg/$last.Res = $text" "$at/err"
        ;;
    '! '*)
        [ $rc -eq 1 ] && grep -Fq -e "$text" "$at/err"
        ;;
    *) false ;;
    esac
    if [ $? -eq 0 ]; then
        ok
    else
        bad "$2 case $1: want: $want"
        cat "$at/p.kg/"*/*.vdl
        grep -v -e ': package' -e ': compiling' -e 'bad package dir' "$at/err"
    fi
}

for f in "$here"/test/vdl/*.tsv; do
    rm -rf "$tmp/cases"
    count=$(unpack "$f")
    i=0
    while [ $i -lt "$count" ]; do
        i=$((i + 1))
        run_case $i "$(basename "$f")"
    done
done

echo "$pass passed, $fail failed"
[ $fail -eq 0 ]
