#!/bin/sh
# BSD-3-Clause; see LICENSE.
# check.sh UNIT-PROGRAM…: every test of the project, what each stage took, one
# summary line at the end. BUILD and VECTORS come from the Makefile.
. "$(dirname "$0")/shell.sh"
cd "$here" || exit 1
: "${VECTORS:=test/vectors}"
export BUILD
begin=$(date +%s)
[ -t 1 ] && exec 3>&1 # where a stage may show how far it is

# report OUTPUT EXIT-CODE SECONDS: add up the "N passed, M failed" line of a
# stage; one without it counts as one test.
report() {
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -1)
    if [ -n "$line" ]; then
        p=${line%% *}
        f=${line#*, }
        f=${f%% *}
    else
        p=1 f=0
        [ "$2" -eq 0 ] || p=0 f=1
    fi
    [ "$2" -ne 0 ] && [ "$f" -eq 0 ] && f=1
    if [ "$f" -ne 0 ]; then
        cat "$1"
    else
        grep -E '^(left|skip|part) ' "$1"
    fi
    pass=$((pass + p)) fail=$((fail + f))
    printf '   %s passed, %s failed (%s s)\n' "$p" "$f" "$3"
}
stage() { # NAME COMMAND…
    printf '== %s\n' "$1"
    shift
    since=$(date +%s)
    timeout 900 "$@" >"$tmp/out" 2>&1 </dev/null
    report "$tmp/out" $? $(($(date +%s) - since))
}

# The recorded command lines wait for a minute's time-outs: beside the others.
timeout 900 sh test/e2e/cli.sh >"$tmp/cli" 2>&1 </dev/null &
cli=$!
pids="$pids $cli"

stage "unit tests" sh test/run-units.sh "$@"
stage "vectors" "$BUILD/test/runner" -bin "$BUILD/bin" \
    -companions test/vectors "$VECTORS"
stage "simulation, 30 s" "$BUILD/test/sim" -seeds=1000000 -time=30s
stage "VDL language" "$BUILD/test/vdl" test/vdl/*.tsv
for f in test/fuzz/fuzz_*.c; do
    f=${f##*/fuzz_} f=${f%.c}
    stage "stored inputs of fuzz_$f" "$BUILD/test/fuzz_$f" test/fuzz/corpus/"$f"/*
done
stage "the benchmark's own checks" "$BUILD/test/vombench" -time=1ms
for k in ecdsa256 ed25519; do
    stage "the benchmark's own checks, $k" "$BUILD/test/secbench" -time=1ms -key=$k
done
for p in encode decode both verify_p256 verify_p256_sha256 verify_ed25519; do
    stage "small program: $p" "$BUILD/size/host/$p.elf"
done
stage "layers" sh test/layers.sh
stage "symbols" sh test/symbols.sh
stage "headers as C++" sh test/headers-cxx.sh
for t in test/e2e/*.sh; do
    [ "${t##*/}" = cli.sh ] || stage "$t" sh "$t"
done
stage "demo" sh test/demo.sh
echo "== left out: JavaScript, the page of debug browse (make deps-ci web)"
echo "== test/e2e/cli.sh"
since=$(date +%s)
wait $cli
report "$tmp/cli" $? $(($(date +%s) - since))
echo "took $(($(date +%s) - begin)) s"
summary
