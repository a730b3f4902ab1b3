#!/bin/sh
# BSD-3-Clause; see LICENSE.
# run-units.sh PROGRAM…: run unit test programs; one summary line at the end.
# EXEC is a prefix for running them, such as an emulator.
pass=0 fail=0
for t in "$@"; do
    out=$($EXEC "$t" 2>&1 </dev/null)
    rc=$?
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
echo "$pass passed, $fail failed"
[ $fail -eq 0 ]
