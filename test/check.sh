#!/bin/sh
# BSD-3-Clause; see LICENSE.
# check.sh UNIT-PROGRAM…: every test of the project, one summary line at the
# end. BUILD, MAKE and VECTORS come from the Makefile.
: "${BUILD:=build}" "${MAKE:=make}" "${VECTORS:=test/vectors}"
export BUILD
pass=0 fail=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# stage NAME COMMAND…: run, add up its "N passed, M failed" line; a stage
# without one counts as one test.
stage() {
    name=$1
    shift
    printf '== %s\n' "$name"
    timeout 900 "$@" >"$tmp/out" 2>&1 </dev/null
    rc=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$tmp/out" | tail -1)
    if [ -n "$line" ]; then
        p=${line%% *}
        f=${line#*, }
        f=${f%% *}
    else
        p=1 f=0
        [ $rc -eq 0 ] || p=0 f=1
    fi
    [ $rc -ne 0 ] && [ "$f" -eq 0 ] && f=1
    if [ "$f" -ne 0 ]; then
        cat "$tmp/out"
    else
        grep -E '^(left|skip) ' "$tmp/out"
    fi
    pass=$((pass + p)) fail=$((fail + f))
    printf '   %s passed, %s failed\n' "$p" "$f"
}

stage "unit tests" sh test/run-units.sh "$@"
stage "vectors" "$BUILD/test/runner" -companions test/vectors "$VECTORS"
stage "VDL language" "$BUILD/test/vdl" test/vdl/*.tsv
for f in test/fuzz/fuzz_*.c; do
    f=${f##*/fuzz_} f=${f%.c}
    stage "stored inputs of fuzz_$f" "$BUILD/test/fuzz_$f" test/fuzz/corpus/"$f"/*
done
stage "layers" sh test/layers.sh
stage "symbols" sh test/symbols.sh
stage "headers as C++" sh test/headers-cxx.sh
for t in test/e2e/*.sh; do
    [ -e "$t" ] && stage "$t" sh "$t"
done
stage "demo" sh test/demo.sh
echo "$pass passed, $fail failed"
[ $fail -eq 0 ]
