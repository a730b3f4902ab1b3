#!/bin/sh
# BSD-3-Clause; see LICENSE.
# vdl_c.sh: the VDL compiler's C for the packages in test/e2e/vdl compiles
# everywhere, lies in read-only memory, and does on the wire what
# docs/spec/vdl.md 13.9 says.
. "$(dirname "$0")/../shell.sh"
: "${CC:=gcc}" "${CXX:=g++}"
vdl=$build/host/vdl
cd "$here" || exit 1

# ok NAME COMMAND…: the command succeeds and prints nothing.
ok() {
    name=$1
    shift
    if "$@" >"$tmp/out" 2>&1 && [ ! -s "$tmp/out" ]; then
        good
    else
        bad "$name"
        cat "$tmp/out"
    fi
}
generate() {
    VDLPATH=test/e2e/vdl:libvom/vdl:libsecurity/vdl $vdl generate -lang=C \
        -status=false -deps=false -c-out-dir="$1" vx/sensor vx/odd
}
no_writable_data() {
    for o in "$tmp"/gcc/*.o; do
        nm "$o" | grep -E ' [BbDdGgSs] '
    done
    return 0
}

# collides NAME TEXT: the package cannot be generated, and the message says why.
collides() {
    mkdir -p "$tmp/bad/vx/bad"
    printf 'package bad\n%s\n' "$2" >"$tmp/bad/vx/bad/bad.vdl"
    if VDLPATH=$tmp/bad $vdl generate -lang=C -c-out-dir="$tmp/bad/gen" \
        vx/bad >"$tmp/out" 2>&1 || ! grep -q collide "$tmp/out" ||
        [ -e "$tmp/bad/gen" ]; then
        bad "$1 collide"
        cat "$tmp/out"
    else
        good
    fi
}

ok "generate" generate "$tmp/gen"
ok "generate again" generate "$tmp/again"
ok "same output" diff -r "$tmp/gen" "$tmp/again"
collides "types" 'type FooBar string
type Foo_bar string'
collides "fields" 'type T struct { FooBar, Foo_bar bool }'
collides "list and type" 'type Node struct {}
type NodeList struct {}
type B struct { X []Node }'
collides "const and label" 'type Unit enum { Hpa; Other }
const UnitHpa = true'
collides "type and function" 'type Node struct {}
type NodeEncode struct {}'
collides "methods" 'type I interface {
FooBar() error
Foo_bar() error
}'
inc="-I$tmp/gen -Ilibvom/include -Ilibsecurity/include -Ilibrpc/include"
for l in libvom libsecurity librpc; do
    inc="$inc -I$build/gen/$l"
done
strict="-Wall -Wextra -Werror -pedantic -Wshadow -Wconversion -Wcast-qual"
for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    mkdir "$tmp/$cc"
    for c in "$tmp"/gen/vx/*/*.c; do
        ok "$cc $(basename "$c")" $cc -std=c11 $strict -Wstrict-prototypes \
            -Wmissing-prototypes -fno-pic -Os $inc -c \
            -o "$tmp/$cc/$(basename "$c" .c).o" "$c"
    done
done
for h in "$tmp"/gen/vx/*/*.h; do
    ok "C++ $(basename "$h")" $CXX -std=c++11 -Wall -Wextra -Werror -pedantic \
        $inc -fsyntax-only -x c++ "$h"
done
ok "no writable data" no_writable_data
ok "no docs" gcc -std=c11 $strict -DV23_NO_DOC=1 $inc -c -o "$tmp/nodoc.o" \
    "$tmp/gen/vx/sensor/sensor.rpc.c"
ok "link" $CC $SANFLAGS -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -g $inc \
    -o "$tmp/vdl_c" test/e2e/vdl_c.c "$tmp"/gen/vx/*/*.c \
    "$build/lib/libsecurity.a" "$build/lib/libvom.a" -lm
if [ -x "$tmp/vdl_c" ]; then
    "$tmp/vdl_c" >"$tmp/out"
    grep -v ' passed, ' "$tmp/out"
    line=$(grep ' passed, ' "$tmp/out" || echo "0 passed, 1 failed")
    pass=$((pass + ${line%% *}))
    n=${line#*, }
    fail=$((fail + ${n%% *}))
fi
summary
