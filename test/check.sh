#!/bin/sh
# BSD-3-Clause; see LICENSE.
# check.sh UNIT-PROGRAM…: every test of the project, what each stage took, one
# summary line at the end. BUILD and VECTORS come from the Makefile.
#
# Most stages wait for processes and timers, so several run at once; each is
# reported as a whole, in the order below.
. "$(dirname "$0")/shell.sh"
cd "$here" || exit 1
: "${VECTORS:=test/vectors}"
export BUILD
begin=$(date +%s)
[ -t 1 ] && exec 3>&1 # where a stage may show how far it is
# A line for each stage that may run; whoever starts one takes it away.
: "${AT_ONCE:=$(($(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1))}"
mkfifo "$tmp/free" && exec 4<>"$tmp/free" || exit 1
i=0
while [ $i -lt "$AT_ONCE" ]; do
    echo >&4
    i=$((i + 1))
done
started=0 reported=0

# counts OUTPUT EXIT-CODE SECONDS: add up the "N passed, M failed" line of a
# stage; one without it counts as one test.
counts() {
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
report() { # KEY NAME
    [ -t 1 ] && printf '\r\033[K'
    printf '== %s\n' "$2"
    counts "$tmp/$1.out" $(cat "$tmp/$1.end")
}
# The stages that have ended, up to the first that has not.
report_all() {
    while [ -e "$tmp/$((reported + 1)).end" ]; do
        reported=$((reported + 1))
        report $reported "$(cat "$tmp/$reported.name")"
    done
}
# run KEY COMMAND…: in a process of its own, until the command has ended.
run() {
    key=$1
    shift
    trap - EXIT INT HUP
    since=$(date +%s)
    timeout 900 "$@" >"$tmp/$key.out" 2>&1 </dev/null 4>&- &
    command=$!
    trap 'kill $command; exit 143' TERM
    wait $command
    echo "$? $(($(date +%s) - since))" >"$tmp/$key.was"
    mv "$tmp/$key.was" "$tmp/$key.end"
}
# stage NAME COMMAND…: beside those that run, as soon as there is room.
stage() {
    report_all
    read -r line <&4
    started=$((started + 1))
    echo "$1" >"$tmp/$started.name"
    shift
    (
        run $started "$@"
        echo >&4
    ) &
    pids="$pids $!"
}

# The recorded command lines wait for a minute's time-outs: beside the others.
(run cli sh test/e2e/cli.sh) &
cli=$!
pids=$cli

stage "unit tests" sh test/run-units.sh "$@"
stage "vectors" env CLI_APART=1 "$BUILD/test/runner" -bin "$BUILD/bin" \
    -companions test/vectors "$VECTORS"
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
stage "simulation, 30 s" "$BUILD/test/sim" -seeds=1000000 -time=30s
for t in test/e2e/*.sh; do
    [ "${t##*/}" = cli.sh ] || stage "$t" sh "$t"
done
stage "demo" sh test/demo.sh
for p in ${pids#$cli}; do
    wait "$p"
    report_all
done
pids=$cli
echo "== left out: JavaScript, the page of debug browse (make deps-ci web)"
wait $cli
report cli test/e2e/cli.sh
pids=
echo "took $(($(date +%s) - begin)) s"
summary
