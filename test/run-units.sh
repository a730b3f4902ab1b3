#!/bin/sh
# BSD-3-Clause; see LICENSE.
# run-units.sh PROGRAM…: run unit test programs; one summary line at the end.
# EXEC is a prefix for running them, such as an emulator. On a terminal, or if
# the caller gives one as file descriptor 3, what runs is shown there.
if [ -t 1 ]; then
    exec 3>&1
elif ! [ -t 3 ]; then
    exec 3>/dev/null
fi
pass=0 fail=0 number=0
begin=$(date +%s)
for t in "$@"; do
    number=$((number + 1))
    printf '%4d of %d: %s' $number $# "${t##*/}" >&3
    out=$($EXEC "$t" 2>&1 </dev/null 3>&-)
    rc=$?
    printf '\r\033[K' >&3
    n=$(printf '%s\n' "$out" | sed -n 's/.*: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' | awk '{c+=$1; f+=$2+$3} END {print c+0, f+0}')
    checks=${n% *} bad=${n#* }
    if [ $rc -ne 0 ] || [ "$checks" -eq 0 ]; then
        [ "$bad" -eq 0 ] && bad=1
        printf 'FAIL %s (exit %s)\n%s\n' "${t##*/}" "$rc" "$out"
    else
        printf 'ok   %-28s %s checks\n' "${t##*/}" "$checks"
    fi
    good=$((checks - bad)); [ $good -lt 0 ] && good=0
    pass=$((pass + good)) fail=$((fail + bad))
done
echo "took $(($(date +%s) - begin)) s"
echo "$pass passed, $fail failed"
[ $fail -eq 0 ]
