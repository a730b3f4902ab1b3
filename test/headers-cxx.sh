#!/bin/sh
# BSD-3-Clause; see LICENSE.
# headers-cxx.sh: every public header, hand-written and generated, compiles
# alone as C++ and as C.
: "${BUILD:=build}" "${CXX:=g++}"
inc=
for l in libvom libsecurity librpc libnaming libwspr; do
    inc="$inc -I$l/include -I$BUILD/gen/$l"
done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
pass=0 fail=0
for h in lib*/include/*/*.h $(find "$BUILD"/gen/lib* -name '*.h' | sort); do
    [ -e "$h" ] || continue
    # A source of one declaration: a header of macros alone is no program.
    case $h in /*) at=$h ;; *) at=$PWD/$h ;; esac
    printf '#include "%s"\nextern int headers_cxx;\n' "$at" >"$tmp/h.c"
    if $CXX -std=c++11 -fsyntax-only -Wall -Wextra -Werror -Wno-pragma-once-outside-header \
        $inc -x c++ "$tmp/h.c" &&
        ${CC:-gcc} -std=c11 -D_POSIX_C_SOURCE=200809L -fsyntax-only -Wall \
            -Wextra -Werror -pedantic $inc -x c "$tmp/h.c"; then
        pass=$((pass + 1))
    else
        echo "FAIL $h"
        fail=$((fail + 1))
    fi
done
echo "$pass passed, $fail failed"
[ $fail -eq 0 ]
