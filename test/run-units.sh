#!/bin/sh
# BSD-3-Clause; see LICENSE.
# run-units.sh PROGRAM…: run unit test programs, JOBS at once (as many as there
# are processors); one summary line at the end. EXEC is a prefix for running
# them, such as an emulator. On a terminal, or if the caller gives one as file
# descriptor 3, what has run is shown there.
if [ "$1" = -one ]; then # RESULTS PROGRAM
    name=${3##*/}
    $EXEC "$3" >"$2/$name.out" 2>&1 </dev/null 3>&-
    echo $? >"$2/$name.rc"
    printf '\r\033[K%s' "$name" >&3
    exit 0
fi
if [ -t 1 ]; then
    exec 3>&1
elif ! [ -t 3 ]; then
    exec 3>/dev/null
fi
: "${JOBS:=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}"
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
pass=0 fail=0
begin=$(date +%s)
printf '%s\n' "$@" | xargs -P "$JOBS" -n 1 sh "$0" -one "$tmp"
printf '\r\033[K' >&3
for t in "$@"; do
    name=${t##*/}
    rc=$(cat "$tmp/$name.rc" 2>/dev/null) || rc="without an end"
    n=$(sed -n 's/.*: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' "$tmp/$name.out" | awk '{c+=$1; f+=$2+$3} END {print c+0, f+0}')
    checks=${n% *} bad=${n#* }
    if [ "$rc" != 0 ] || [ "$checks" -eq 0 ]; then
        [ "$bad" -eq 0 ] && bad=1
        printf 'FAIL %s (exit %s)\n' "$name" "$rc"
        cat "$tmp/$name.out"
    else
        printf 'ok   %-28s %s checks\n' "$name" "$checks"
    fi
    good=$((checks - bad)); [ $good -lt 0 ] && good=0
    pass=$((pass + good)) fail=$((fail + bad))
done
echo "took $(($(date +%s) - begin)) s"
echo "$pass passed, $fail failed"
[ $fail -eq 0 ]
