#!/bin/sh
# BSD-3-Clause; see LICENSE.
# vdl_options.sh: the options of the C generator, spec/vdl.md 13.8: what they do
# to the C, that it compiles, and that wrong ones are refused where they stand.
. "$(dirname "$0")/../shell.sh"
: "${CC:=gcc}" "${CXX:=g++}"
vdl=$build/host/vdl
cd "$here" || exit 1
VDLPATH=$tmp/src
export VDLPATH
src=$tmp/src/vx/fw
mkdir -p "$src" "$tmp/src/vx/user"

cat >"$src/fw.vdl" <<'END'
package fw

type Id string
type Level enum { Low; High }
type Pair struct { A int32; B Id }
type Other Pair
type Sample struct {
	Sensor Id
	Best ?Pair
	Pairs []Pair
	Raw []byte
	Num float64
	At int64
}
type Node struct { Kids []Node; Any any; FooBar bool }
type Set struct { Ids set[string]; Map map[string]int32 }
const Max = int32(5)
error Bad(id Id) {"en": "bad {id}"}
type Dev interface {
	// Set sets.
	Set(s Sample, note string) (Id | error)
	Watch() stream<[]byte, []byte> error
}
END
cat >"$tmp/src/vx/user/user.vdl" <<'END'
package user

import "vx/fw"

type Holder struct { P fw.Pair; N int32 }
type Big interface { fw.Dev }
END

inc="-I$tmp/gen -Ilibvom/include -Ilibsecurity/include -Ilibrpc/include"
for l in libvom libsecurity librpc; do
    inc="$inc -I$build/gen/$l"
done
strict="-Wall -Wextra -Werror -pedantic -Wshadow -Wconversion -Wcast-qual"

# generate CONFIG [ARGUMENT…]: with that file, into an empty directory.
generate() {
    if [ -n "$1" ]; then
        printf '%s\n' "$1" >"$src/vdl.c.config"
    else
        rm -f "$src/vdl.c.config"
    fi
    shift
    rm -rf "$tmp/gen"
    $vdl generate -status=false -c-out-dir="$tmp/gen" "$@" vx/fw \
        >"$tmp/out" 2>&1
}
# refused NAME CONFIG PLACE TEXT [ARGUMENT…]: "line:col" and a sentence.
refused() {
    name=$1 config=$2 place=$3 text=$4
    shift 4
    if generate "$config" "$@" || [ -e "$tmp/gen" ] ||
        ! tr '\n' ' ' <"$tmp/out" | tr -s ' ' | grep -qF -e "$text" ||
        { [ -n "$place" ] &&
            ! grep -qF "vx/fw/vdl.c.config:$place " "$tmp/out"; }; then
        bad "refuses $name"
        cat "$tmp/out"
    else
        good
    fi
}
compiles() {
    for c in "$tmp"/gen/vx/*/*.c; do
        $CC -std=c11 $strict $inc -c -o "$tmp/x.o" "$c" || return 1
    done
    for h in "$tmp"/gen/vx/*/*.h; do
        $CXX -std=c++11 -Wall -Wextra -Werror -pedantic $inc -fsyntax-only \
            -x c++ "$h" || return 1
    done
}
# makes NAME CONFIG [ARGUMENT…]: generates, and the result compiles.
makes() {
    name=$1
    shift
    if generate "$@" && compiles >"$tmp/out" 2>&1; then
        good
    else
        bad "$name"
        cat "$tmp/out"
    fi
}
# has FILE TEXT: the generated file has a line with it.
has() {
    if grep -sqF -e "$2" "$tmp/gen/vx/fw/fw.$1"; then
        good
    else
        bad "$1 has: $2"
    fi
}
hasnt() {
    if grep -sqF -e "$2" "$tmp/gen/vx/fw/fw.$1"; then
        bad "$1 has not: $2"
    else
        good
    fi
}

# ---- wrong files ------------------------------------------------------------

refused "an unknown field" 'config = {
	Fields: {"Sample.Senor": {MaxLen: 3}},
}' 2:11 'Fields: "Sample.Senor" is nothing in package vx/fw; the nearest is "Sample.Sensor"'
refused "an unknown name to change" 'config = {Rename: {
	"level.low": "x",
}}' 2:2 'the nearest is "Level.Low"'
refused "an unknown name to skip" 'config = {Skip: {"Dave"}}' 1:18 \
    'the nearest is "Dev"'
refused "an unknown argument" \
    'config = {Fields: {"Dev.Set.nota": {MaxLen: 3}}}' 1:20 \
    'the nearest is "Dev.Set.note"'
refused "a bound on a number" 'config = {Fields: {"Sample.At": {MaxLen: 3}}}' \
    1:20 'Fields: "Sample.At": there is no string or []byte that MaxLen could bound'
refused "a bound on an any" 'config = {Fields: {"Node.Any": {MaxCount: 3}}}' \
    1:20 'any may have any size'
refused "a bound on a struct's field" \
    'config = {Fields: {"Sample.Best": {MaxLen: 3}}}' 1:20 \
    'Pair has options of its own for each field'
refused "bits of a string" \
    'config = {Fields: {"Sample.Sensor": {Float64AsBits: true}}}' 1:20 \
    'there is no float64'
refused "a streamed set" 'config = {Fields: {"Set.Ids": {Stream: true}}}' \
    1:20 'a repeated key must replace the earlier one'
refused "streamed bytes" 'config = {Fields: {"Sample.Raw": {Stream: true}}}' \
    1:20 'bytes cannot be streamed; bound them with MaxLen'
refused "a streamed argument" \
    'config = {Fields: {"Dev.Set.note": {Stream: true}}}' 1:20 \
    'nobody could set the callbacks'
refused "options that set nothing" 'config = {Fields: {"Sample.Raw": {}}}' \
    1:20 'no option is set'
refused "options of a type" 'config = {Fields: {"Sample": {MaxLen: 3}}}' 1:20 \
    'it is no field, argument or stream'
refused "options of a derived type" \
    'config = {Fields: {"Other.B": {MaxLen: 3}}}' 1:20 \
    'give the options of "Pair.B", whose C type this is'
refused "a name that is none" 'config = {Rename: {"Max": "a-b"}}' 1:20 \
    '"a-b" is no C identifier'
refused "a prefix that is none" 'config = {Prefix: "1x"}' 1:19 \
    'Prefix: "1x" is no C identifier'
refused "an include that is none" 'config = {Include: {"<a.h"}}' 1:21 \
    'is no header'
refused "skipping a field" 'config = {Skip: {"Sample.At"}}' 1:18 \
    '"Sample.At" is no type, const, error or interface'
refused "mode heap" 'config = {
	Mode: Heap,
}' 2:8 'mode heap is not offered'
refused "a wrong type" 'config = {Mode: 3}' 1:17 'Mode'
refused "a type in itself" 'config = {Fields: {"Node.Kids": {MaxCount: 3}}}' \
    "" 'type Node cannot be held in place: it would contain itself'
refused "names that collide" 'config = {Rename: {"Pair": "fw_sample"}}' "" \
    'C names of Pair and Sample collide: fw_sample (Rename one in vdl.c.config)'
refused "the flag for heap" "" "" 'mode heap is not offered' -c-mode=heap
refused "an unknown mode" "" "" 'unknown mode "x"' -c-mode=x
refused "an unknown part" "" "" 'unknown part "serve"' -c-parts=types,serve
refused "lack of bounds" "" "" 'these have none: Pair.B (vx/fw.Id string) Sample.Sensor' \
    -c-mode=inline
refused "lack of a bound in a set" 'config = {
	Mode: Inline,
	Fields: {"Set.Ids": {MaxCount: 5}},
	Skip: {"Node", "Pair", "Sample", "Dev"},
}' "" 'Set.Ids'
printf 'package user\nimport "vdlc"\ntype X struct { M vdlc.Mode }\n' \
    >"$tmp/src/vx/user/x.vdl"
if $vdl compile vx/user >"$tmp/out" 2>&1; then
    bad "package vdlc cannot be imported"
else
    good
fi
rm "$tmp/src/vx/user/x.vdl"

# ---- names, parts -----------------------------------------------------------

makes "renames" 'config = {
	Prefix: "my",
	Rename: {
		"Pair": "pair_t", "Pair.A": "first", "Level.Low": "BOTTOM",
		"Max": "LIMIT", "Bad": "bad_error", "Bad.id": "which",
		"Dev": "device", "Dev.Watch": "look", "Dev.Set.note": "text",
		"Dev.Set.result": "id",
	},
	Include: {"stddef.h", "<stdint.h>"},
}'
has vdl.h '#include "stddef.h"'
has vdl.h '#include <stdint.h>'
has vdl.h '} pair_t;'
has vdl.h 'int32_t first;'
has vdl.h 'int pair_t_encode(struct vom_enc *e,'
has vdl.h 'BOTTOM = 0'
has vdl.h 'MY_LEVEL_HIGH = 1'
has vdl.h '#define LIMIT ((int'
has vdl.h 'bad_error_is('
has vdl.h 'my_id which);'
has rpc.h 'extern const struct vrpc_iface device_iface;'
has rpc.h 'DEVICE_LOOK_METHOD'
has rpc.h 'struct vdl_str text;'
has rpc.h 'my_id id;'
has vdl.c 'VDL_STR_INIT("vx/fw.Pair")'
makes "skipping" 'config = {Skip: {"Node", "Max", "Bad", "Dev"}}'
hasnt vdl.h fw_node
hasnt vdl.h FW_MAX
hasnt vdl.h fw_err
if [ -e "$tmp/gen/vx/fw/fw.rpc.h" ]; then bad "no interface"; else good; fi
makes "the client's part" "" -c-parts=types,client
has rpc.h fw_dev_set_start
hasnt rpc.h fw_dev_vt
hasnt rpc.c Set\ sets
makes "the server's part" 'config = {Parts: {Types, Server, Doc}}'
has rpc.h fw_dev_vt
has rpc.c Set\ sets
hasnt rpc.h fw_dev_set_start
generate "" -c-parts=types
if [ -e "$tmp/gen/vx/fw/fw.rpc.h" ]; then bad "types only"; else good; fi
generate "" -c-parts=client
if [ -e "$tmp/gen/vx/fw/fw.vdl.h" ]; then bad "client only"; else good; fi
mv "$src/vdl.c.config" "$src/other" 2>/dev/null
printf 'config = {Prefix: "oth"}\n' >"$src/other"
generate "" -c-config=other
has vdl.h oth_sample
rm "$src/other"

# ---- fields -----------------------------------------------------------------

bounds='config = {
	Mode: Inline,
	Fields: {
		"Pair.B": {MaxLen: 8}, "Sample.Sensor": {MaxLen: 8},
		"Sample.Pairs": {MaxCount: 300}, "Sample.Raw": {MaxLen: 9},
		"Sample.Num": {Float64AsBits: true}, "Set.Ids": {MaxLen: 4, MaxCount: 5},
		"Set.Map": {MaxLen: 4, MaxCount: 5},
		"Dev.Set.note": {MaxLen: 10}, "Dev.Set.result": {MaxLen: 11},
		"Dev.Watch.->": {MaxLen: 12}, "Dev.Watch.<-": {MaxLen: 13},
	},
	Skip: {"Node"},
}'
makes "mode inline" "$bounds"
has vdl.h 'fw_id_8 sensor;'
has vdl.h 'fw_pair_maybe best;'
has vdl.h 'uint16_t n;'
has vdl.h 'uint64_t num;'
has rpc.h 'vdl_str_10 note;'
has rpc.h 'fw_id_11 result;'
has rpc.h 'const vdl_str_10 *note'
has rpc.h 'const vdl_bytes_12 *item'
has rpc.h 'const vdl_bytes_13 *item'
cp -r "$tmp/gen" "$tmp/first"
generate "$bounds"
if diff -r "$tmp/gen" "$tmp/first" >/dev/null; then good; else bad same; fi
if $vdl audit -c-out-dir="$tmp/gen" vx/fw >"$tmp/out" 2>&1; then
    good
else
    bad "audit finds nothing stale"
fi
rm -rf "$tmp/gen"
if $vdl generate -status=false -c-out-dir="$tmp/gen" vx/user >"$tmp/out" 2>&1 &&
    compiles >>"$tmp/out" 2>&1 &&
    grep -A3 'user_holder_desc = ' "$tmp/gen/vx/user/user.vdl.c" |
    grep -q VDL_T_FLAT; then
    good
else
    bad "a package that imports it"
    cat "$tmp/out"
fi
if $vdl generate -status=false -c-parts=types,client -c-out-dir="$tmp/gen2" \
    vx/fw >"$tmp/out" 2>&1; then good; else bad "flag over file"; fi
if grep -q fw_dev_vt "$tmp/gen2/vx/fw/fw.rpc.h"; then bad "flag wins"; else good; fi

# ---- no allocator -----------------------------------------------------------

cat >"$tmp/main.c" <<'END'
#include <vx/fw/fw.vdl.h>

int main(void)
{
    static uint8_t space[512];
    fw_sample x = {.sensor = {2, "ab"}, .best = {true, {7, {1, "c"}}},
        .raw = {3, {1, 2, 3}}, .at = -5}, y;
    struct v23_buf b;

    v23_buf_init_fixed(&b, space, sizeof(space));
    if (fw_sample_encode_single(&x, &b) != 0)
        return 1;
    if (fw_sample_decode_single(v23_bytes(b.p, b.n), NULL, &y, NULL) != 0)
        return 2;
    return y.best.v.a == 7 && y.at == -5 && y.raw.p[2] == 3 ? 0 : 3;
}
END
wrap=
for f in malloc calloc realloc free; do
    wrap="$wrap -Wl,--wrap=$f"
done
# Sanitizers allocate themselves.
[ -n "$SANFLAGS" ] && wrap=
generate "$bounds"
if $CC $SANFLAGS -std=c11 -Os -ffunction-sections -fdata-sections $inc \
    -Wl,--gc-sections $wrap -o "$tmp/main" "$tmp/main.c" \
    "$tmp/gen/vx/fw/fw.vdl.c" "$build/lib/libvom.a" -lm >"$tmp/out" 2>&1 &&
    "$tmp/main"; then
    good
else
    bad "values in place need no malloc"
    cat "$tmp/out"
fi

cat >"$tmp/enc.c" <<'END'
#include <vx/fw/fw.vdl.h>

int main(void)
{
    static uint8_t space[512];
    fw_sample x = {.sensor = {2, "ab"}};
    struct v23_buf b;

    v23_buf_init_fixed(&b, space, sizeof(space));
    return fw_sample_encode_single(&x, &b);
}
END
if $CC $SANFLAGS -std=c11 -Os -ffunction-sections -fdata-sections $inc \
    -DVDL_ENCODE_ONLY=1 -Wl,--gc-sections $wrap -o "$tmp/enc" "$tmp/enc.c" \
    "$tmp/gen/vx/fw/fw.vdl.c" "$build/lib/libvom.a" -lm >"$tmp/out" 2>&1 &&
    "$tmp/enc" && { [ -n "$SANFLAGS" ] ||
        ! nm "$tmp/enc" | grep -E 'vom_dec|vom_rd|vdl_equal'; }; then
    good
else
    bad "an encoder links no decoder"
    cat "$tmp/out"
fi
summary
