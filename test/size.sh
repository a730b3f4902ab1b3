#!/bin/sh
# BSD-3-Clause; see LICENSE.
# size.sh: text, read-only data, data and bss of each library of this build.
: "${BUILD:=build}"
printf '%-24s %9s %9s %9s %9s\n' library text rodata data bss
for a in "$BUILD"/lib/*.a; do
    ${SIZE:-size} -A "$a" 2>/dev/null | awk -v n="${a##*/}" '
        /^\.text/ {t += $2} /^\.rodata/ {r += $2} /^\.data/ {d += $2}
        /^\.bss/ {b += $2}
        END {printf "%-24s %9d %9d %9d %9d\n", n, t, r, d, b}'
done
