#!/bin/sh
# BSD-3-Clause; see LICENSE.
# vomtestgen.sh: the example config becomes a VDL file that compiles; each of
# its encodings is decoded to the value beside it; bad configs are refused.
. "$(dirname "$0")/../shell.sh"
: "${CC:=gcc}"
pkg=example.org/vomdata
cp -R "$here/test/e2e/vomdata" "$tmp/src" && cd "$tmp" || exit 1
VDLPATH=$tmp/src
export VDLPATH
dir=src/$pkg
out=$dir/vomdata.vdl

gen() {
    vomtestgen "$@" >"$tmp/out" 2>"$tmp/err"
    rc=$?
}
# same NAME FILE TEXT
same() {
    if printf '%s\n' "$3" | diff - "$2" >"$tmp/diff"; then
        good
    else
        bad "$1"
        cat "$tmp/diff"
    fi
}
# refused NAME EXIT TEXT: what the last gen() said, and that it wrote nothing.
refused() {
    if [ "$rc" = "$2" ] && grep -Fq -e "$3" "$tmp/err" && [ ! -e "$out" ]; then
        good
    else
        bad "$1: exit $rc"
        cat "$tmp/err"
    fi
}

# ---- the example ------------------------------------------------------------

gen "$dir/vomdata.vdl.config"
check "generate" [ $rc -eq 0 ]
same "output" "$tmp/out" "Wrote output file $out"
check "package compiles" vdl compile -status=false $pkg
cp "$out" first
# The old output is no part of the package that the config imports.
echo 'no VDL at all' >"$out"
gen "$dir/vomdata.vdl.config"
check "generate again" cmp "$out" first
(cd $dir && vomtestgen ./vomdata.vdl.config) >"$tmp/out" 2>&1
check "generate in the directory" cmp "$out" first

vdl generate -status=false -c-out-dir=gen $pkg || bad "generate C"
# shellcheck disable=SC2086 # words
if $CC $SANFLAGS -std=c11 -Igen -I"$here/libvom/include" -I"$build/gen/libvom" \
    -o values "$here/test/e2e/vomtestgen.c" gen/$pkg/vomdata.vdl.c \
    gen/$pkg/more/more.vdl.c "$build/lib/libvom.a" -lm; then
    good
else
    bad "C does not compile"
fi
./values >lines || bad "values: exit $?"
count=0
while read -r hex && IFS= read -r type && IFS= read -r text; do
    count=$((count + 1))
    [ "$(vom decode "$hex")" = "$text" ] || bad "decode $hex, of type $type"
done <lines
check "all values ($count)" [ $count -eq "$(grep -c '^		"81", ' "$out")" ]
check "enough values" [ $count -gt 55 ]

# A config that is a list, in the default place.
mkdir -p src/v.io/v23/vom/testdata
cp "$dir/types.vdl" src/v.io/v23/vom/testdata/
cat >src/v.io/v23/vom/testdata/vomdata.vdl.config <<'EOF'
config = map[byte][]any{0x80: {Own.A}, 0x81: {int8(1)}, 0x82: {true}}
EOF
sed -i.orig -e 's/^package .*/package testdata/' \
    src/v.io/v23/vom/testdata/types.vdl
rm src/v.io/v23/vom/testdata/*.orig
gen
check "types need an import" [ $rc -eq 1 ]
sed -i.orig -e 's/Own.A/t.Id(1)/' -e '1a\
import t "v.io/v23/vom/testdata"' src/v.io/v23/vom/testdata/vomdata.vdl.config
rm src/v.io/v23/vom/testdata/*.orig
gen
check "default place" [ $rc -eq 0 ]
same "values by version" src/v.io/v23/vom/testdata/vomdata.vdl \
    '// BSD-3-Clause; see LICENSE.

// Made by vomtestgen from vomdata.vdl.config; change that instead.
package testdata

// Tests has values and their encodings in version 81 of vom.
const Tests = []TestCase{
	{
		"Id(1)",
		Id(1),
		"v.io/v23/vom/testdata.Id uint16",
		"81511e000018762e696f2f7632332f766f6d2f74657374646174612e49640104e15201",
		"81", "511e000018762e696f2f7632332f766f6d2f74657374646174612e49640104e1", "5201",
	},
	{
		"int8(1)",
		int8(1),
		"int8",
		"812002",
		"81", "", "2002",
	},
}'

# ---- refusals ---------------------------------------------------------------

config=$dir/vomdata.vdl.config
cp "$config" good.config
rm -f "$out"
sed 's/int8(-128)/int8(-129)/' good.config >"$config"
gen "$config"
refused "value out of range" 1 "$config:26:2 invalid"
sed 's/t.Command{SetHz: 50}/t.Command{SetHz: 50/' good.config >"$config"
gen "$config"
refused "syntax error" 1 "$config:"
sed 's/"math"/"math"; "nowhere"/' good.config >"$config"
gen "$config"
refused "unknown import" 1 'import path "nowhere" not found'
sed 's/^config = .*/config = t.Reading{/' good.config >"$config"
gen "$config"
refused "wrong fields" 1 "unknown field \"EncodeDecodeData\""
printf 'config = int32(1)\n' >"$config"
gen "$config"
refused "not a list" 1 "$config:1:10 invalid config (int32 is neither"
printf 'config = []any{true}\n' >"$config"
mv "$dir/types.vdl" hidden
gen "$config"
refused "no TestCase" 1 "$config:1:15 package of the directory has no type"
mv hidden "$dir/types.vdl"
printf 'config = t.Tree{}\nimport t "example.org/vomdata"\n' >"$config"
gen "$config"
refused "struct of something else" 1 "$config:1:16 invalid config (field Value"
gen -max-errors=1 "$config"
refused "one error only" 1 "...stopping after 1 error(s)..."
gen "$dir/types.vdl"
refused "wrong name" 2 "vomdata file doesn't end in \".vdl.config\""
gen a b
refused "two files" 2 "too many args"
gen missing.vdl.config
refused "no file" 1 "couldn't open"
rm -r src/v.io
gen
refused "no default" 2 "couldn't find vomdata file"
mv "$dir/types.vdl" "$dir/types.idl"
cp good.config "$config"
gen "$config"
refused "no VDL files" 1 "import path \"$pkg\" not found"
gen -exts=.vdl,.idl "$config"
check "two extensions" cmp "$out" first

summary
