#!/bin/sh
# BSD-3-Clause; see LICENSE.
# headers-cxx.sh: every public header, hand-written and generated, compiles
# alone as C++ and as C.
. "$(dirname "$0")/shell.sh"
: "${CXX:=g++}"
cd "$here" || exit 1
inc=
for l in libvom libsecurity librpc libnaming libwspr; do
    inc="$inc -I$l/include -I$build/gen/$l"
done
for h in lib*/include/*/*.h $(find "$build"/gen/lib* -name '*.h' | sort); do
    [ -e "$h" ] || continue
    # A source of one declaration: a header of macros alone is no program.
    case $h in /*) at=$h ;; *) at=$PWD/$h ;; esac
    printf '#include "%s"\nextern int headers_cxx;\n' "$at" >"$tmp/h.c"
    if $CXX -std=c++11 -fsyntax-only -Wall -Wextra -Werror -Wno-pragma-once-outside-header \
        $inc -x c++ "$tmp/h.c" &&
        ${CC:-gcc} -std=c11 -D_POSIX_C_SOURCE=200809L -fsyntax-only -Wall \
            -Wextra -Werror -pedantic $inc -x c "$tmp/h.c"; then
        good
    else
        bad "$h"
    fi
done
summary
