#!/bin/sh
# BSD-3-Clause; see LICENSE.
# The commands of the VDL compiler; its language: test/vdl.
. "$(dirname "$0")/../shell.sh"
vdl=$build/bin/vdl
[ -x "$vdl" ] || vdl=$build/host/vdl

# ---- helpers ----------------------------------------------------------------

# file PATH <TEXT: below $tmp/t
file() {
    mkdir -p "$tmp/t/$(dirname "$1")"
    cat >"$tmp/t/$1"
}
fresh() {
    rm -rf "$tmp/t" "$tmp/o"
    mkdir -p "$tmp/t"
    VDLPATH=$tmp/t
    export VDLPATH
}
# run ARGS…: output in $tmp/out and $tmp/err, exit code in $rc
run() {
    timeout 60 "$vdl" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    rc=$?
}
# expect NAME RC: of the last run
expect() {
    if [ $rc -eq "$2" ]; then
        good
    else
        bad "$1: exit code $rc, want $2"
        cat "$tmp/out" "$tmp/err"
    fi
}
# has NAME FILE TEXT: FILE (out, err or a path) has the text
has() {
    case $2 in
    /*) in=$2 ;;
    *) in=$tmp/$2 ;;
    esac
    if grep -Fq -e "$3" "$in"; then
        good
    else
        bad "$1: no \"$3\" in $2:"
        cat "$in"
    fi
}
# same NAME FILE <<TEXT: the whole of FILE
same() {
    if diff - "$tmp/$2"; then
        good
    else
        bad "$1"
    fi
}
many() { awk -v s="$1" -v n="$2" 'BEGIN { while (n-- > 0) printf "%s", s }'; }

# ---- depth ------------------------------------------------------------------

fresh
{
    printf 'package a\nconst Res = '
    many '(' 5000
    printf 1
    many ')' 5000
} | file a/a.vdl
run compile a
expect "deep parentheses" 1
has "deep parentheses" err "nested too deeply"
{
    printf 'package a\nconst Res = int32(1)'
    many ' + 1' 3000
} | file a/a.vdl
run compile a
expect "long sum" 1
has "long sum" err "expression nested too deeply"
{
    printf 'package a\ntype T struct{X []T}\nconst Res = T'
    many '{' 1200
    many '}' 1200
} | file a/a.vdl
run compile a
expect "deep literal" 0

# ---- messages ---------------------------------------------------------------

fresh
printf 'package a\n\ntype A struct {\n\tX, Y Foo // f\n\tZ []bar\n}\n' |
    file a/a.vdl
run compile a
expect "two errors" 1
same "two errors" err <<EOT
ERROR: 
#0 a/a.vdl:4:7 type Foo undefined
        X, Y Foo // f
             ^
#1 a/a.vdl:5:6 type bar undefined
        Z []bar
            ^
   (run with "vdl -v" for verbose logging or "vdl help" for help)
EOT
run -max-errors=1 compile a
expect "max-errors" 1
same "max-errors" err <<EOT
ERROR: 
#0 a/a.vdl:4:7 type Foo undefined
        X, Y Foo // f
             ^
...stopping after 1 error(s)...
   (run with "vdl -v" for verbose logging or "vdl help" for help)
EOT

# ---- files of one package ---------------------------------------------------

fresh
printf '// Copyright\n\n// Package a\npackage a\ntype A []B\nconst X = Y\n' |
    file a/a.vdl
printf '// Copyright\n\npackage a\ntype B []A\nconst Y = true\n' | file a/b.vdl
printf 'no vdl' | file a/_c.vdl
printf 'no vdl' | file a/.d.vdl
printf 'no vdl' | file a/e.txt
run compile a
expect "two files" 0
printf 'package a\n' | file a/c.vdl
run compile a
expect "file doc" 1
has "file doc" err "#0 a/c.vdl:1:1 all files in a package must have the same file doc"
printf '// Copyright\n\npackage c\n' | file a/c.vdl
run compile a
expect "package name" 1
has "package name" err "Files in the same directory must be in the same package; a.vdl has package a, but c.vdl has package c"

# ---- finding packages -------------------------------------------------------

fresh
printf 'package a\ntype T int32\n' | file x.org/a/a.vdl
printf 'package b\nimport "x.org/a"\ntype T a.T\n' | file x.org/a/b/b.vdl
printf 'package c\nimport a "x.org/a/b"\ntype T a.T\n' | file x.org/c/c.vdl
printf 'package bad\n' | file x.org/_d/d.vdl
printf 'package bad\n' | file x.org/.e/e.vdl
run compile x.org/c
same "imports first" out <<EOT
x.org/a
x.org/a/b
x.org/c
EOT
run compile x.org/a/...
same "trailing wildcard" out <<EOT
x.org/a
x.org/a/b
EOT
run compile x.org/...b
same "inner wildcard" out <<EOT
x.org/a
x.org/a/b
EOT
run compile all
same "all" out <<EOT
math
time
signature
vdltool
x.org/a
x.org/a/b
x.org/c
EOT
run compile x.org//a/.../
expect "uncleaned wildcard" 0
same "uncleaned wildcard" out <<EOT
x.org/a
x.org/a/b
EOT
run compile "$tmp/t/x.org/a/..."
expect "directory wildcard" 0
same "directory wildcard" out <<EOT
x.org/a
x.org/a/b
EOT
(cd "$tmp/t/x.org/a" && exec "$vdl" compile) >"$tmp/out" 2>"$tmp/err"
same "present directory" out <<EOT
x.org/a
EOT
(cd "$tmp/t/x.org/a" && exec "$vdl" compile ../c ./b) >"$tmp/out" 2>"$tmp/err"
same "relative directories" out <<EOT
x.org/a
x.org/a/b
x.org/c
EOT
run compile x.org/z
expect "unknown" 1
has "unknown" err "<root>: can't resolve \"x.org/z\" in any of:"
run compile x.org/z/...
expect "no match" 1
has "no match" err "can't resolve \"x.org/z/...\" to any packages"
run -ignore_unknown compile x.org/z x.org/a
expect "ignore_unknown" 0
run compile "$tmp/t/x.org"
expect "no vdl files" 1
has "no vdl files" err "bad package dir (no vdl files)"
run compile /
expect "outside" 1
has "outside" err "/: can't deduce package path (no matching src dirs)"
run compile x.org/_d
has "invalid path" err 'import path "x.org/_d" is invalid'
run compile v.io/v23/vdlroot/time
has "vdlroot" err "packages under vdlroot must be specified without the vdlroot prefix"
VDLPATH= run compile x.org/a
expect "no VDLPATH" 1
has "no VDLPATH" err "No src dirs; set VDLPATH to a valid value"
VDLPATH=:$tmp/none::$tmp/t: run compile x.org/a
expect "empty elements" 0
printf 'package a\n' | file two/x.org/a/a.vdl
VDLPATH=$tmp/t/two:$tmp/t run list x.org/a
has "first root wins" out "Dir:     $tmp/t/two/x.org/a"

# What is not a package, or not a file.
run compile "$tmp/t/a.vdl"
has "no such directory" err "/a.vdl: No such file or directory"
(cd "$tmp/t/x.org/a" && exec "$vdl" compile ./a.vdl) >"$tmp/out" 2>"$tmp/err"
has "a file" err "/a.vdl: package isn't a directory"
mkdir "$tmp/t/x.org/a/dir.vdl"
printf 'package a\n' | file x.org/dir/dir.vdl/a.vdl
run compile x.org/a
expect "a directory named .vdl" 0
run compile "$tmp/t/x.org/dir/dir.vdl"
expect "a package in a directory named .vdl" 0
printf 'package bad' | file x.org/unread/unread.vdl
chmod 0 "$tmp/t/x.org/unread/unread.vdl"
if [ ! -r "$tmp/t/x.org/unread/unread.vdl" ]; then
    run compile "$tmp/t/x.org/unread"
    expect "unreadable file" 1
    has "unreadable file" err "bad package dir (unread.vdl: Permission denied)"
fi
chmod 644 "$tmp/t/x.org/unread/unread.vdl"
: | file x.org/empty/empty.vdl
run compile x.org/empty
expect "empty file" 1
has "empty file" err \
    "x.org/empty/empty.vdl:1:1 vdl file must start with package clause"
ln -s nowhere "$tmp/t/x.org/empty/gone.vdl"
mkfifo "$tmp/t/x.org/c/pipe.vdl"
run compile x.org/c
expect "other packages do not matter" 0
printf 'package u\nimport ("x.org/z"; "x.org/z2"; "x.org/a")\n' |
    file x.org/u/u.vdl
run compile x.org/u
expect "missing imports" 1
has "missing import 1" err "#0 x.org/u/u.vdl: can't resolve \"x.org/z\" in any of:"
has "missing import 2" err "#1 x.org/u/u.vdl: can't resolve \"x.org/z2\" in any"
printf 'package a\nimport "x.org/l2"\n' | file x.org/l1/l1.vdl
printf 'package a\nimport "x.org/l1"\n' | file x.org/l2/l2.vdl
run compile x.org/l1
expect "cycle" 1
has "cycle" err \
    "cyclic package dependency: [x.org/l1 <= x.org/l2 <= x.org/l1]"

# Every broken package is reported when nothing is generated, but not what
# depends on it.
fresh
printf 'package a\ntype T foo\n' | file p/a/a.vdl
printf 'package b\nimport "p/a"\ntype T a.T\n' | file p/b/b.vdl
printf 'package c\ntype T foo\n' | file p/c/c.vdl
printf 'package d\n' | file p/d/d.vdl
run compile p/...
expect "broken packages" 1
same "broken packages" out <<EOT
p/d
EOT
has "broken package a" err "#0 p/a/a.vdl:2:8 type foo undefined"
has "broken package c" err "#1 p/c/c.vdl:2:8 type foo undefined"
check "nothing about p/b" sh -c "! grep -q p/b '$tmp/err'"

# Warnings do not fail a run.
printf 'package a\nerror E(x bool) {"en": "{y}"}\n' | file p/a/a.vdl
run compile p/a
expect "warning" 0
same "warning" err <<EOT
#0 p/a/a.vdl:2:24 Warning: error E unknown param "y"
    error E(x bool) {"en": "{y}"}
                           ^

EOT
run compile -show-warnings=false p/a
expect "no warning" 0
check "no warning" test ! -s "$tmp/err"

# A go.mod puts its module in front of the paths.
fresh
printf '// c\nmodule v.example // x\n\ngo 1.19\n' | file go.mod
printf 'package a\ntype T int32\n' | file p/a/a.vdl
printf 'package b\nimport "v.example/p/a"\ntype T a.T\n' | file p/b/b.vdl
run compile v.example/p/b
same "module" out <<EOT
v.example/p/a
v.example/p/b
EOT
run compile v.example/...
expect "module wildcard" 0
has "module wildcard" out "v.example/p/b"
run compile "$tmp/t/p/a"
same "module directory" out <<EOT
v.example/p/a
EOT
run compile v.../b
same "module wildcard, inner" out <<EOT
v.example/p/a
v.example/p/b
EOT
printf 'module v.io\n' | file go.mod
printf 'package time\ntype Time struct{}\n' | file v23/vdlroot/time/time.vdl
run list "$tmp/t/v23/vdlroot/time"
expect "sources of a standard package" 0
has "sources of a standard package" out "IsRoot:  true"
has "sources of a standard package" out "GenPath: v.io/v23/vdlroot/time"
rm -r "$tmp/t/p/b"
run compile v.io/...
same "vdlroot is skipped" out <<EOT
v.io/p/a
EOT
printf 'go 1.19\n' | file go.mod
run compile v.example/p/b
has "no module" err "failed to find module statement"

# ---- list -------------------------------------------------------------------

fresh
printf 'package b\nimport "time"\ntype T time.Time\n' | file a/b/b.vdl
printf 'package b\n' | file a/b/a.vdl
run list a/b
same "list" out <<EOT
0 ==============================================================================
Name:    time
IsRoot:  true
Path:    time
GenPath: v.io/v23/vdlroot/time
Dir:     time
Files:
   time.vdl
1 ==============================================================================
Name:    b
IsRoot:  false
Path:    a/b
GenPath: a/b
Dir:     $tmp/t/a/b
Files:
   a.vdl
   b.vdl
EOT

# ---- vdl.config -------------------------------------------------------------

# The content is checked by test/vdl; here: the file and the flag.
fresh
printf 'package a\ntype T int32\n' | file a/a.vdl
printf 'config = vdltool.Config{GenLanguages: {Go, vdltool.GenLanguage.Java}}\n' |
    file a/vdl.config
run list a
expect "config" 0
has "config" out 'Config:  vdltool.Config struct{'
has "config" out '{GenLanguages: {Go, Java}, Go: {'
printf 'config = vdltool.Config{Fo: true}\n' | file a/vdl.config
run list a
expect "config error" 1
has "config error" err '#0 a/vdl.config:1:25 unknown field "Fo"'
run -vdl.config=other list a
expect "other config" 0
printf 'config = vdltool.Config{}\n' | file a/other
run -vdl.config=other list a
expect "other config, empty" 0
check "zero config" sh -c "! grep -q ^Config: '$tmp/out'"
rm "$tmp/t/a/vdl.config"
mkdir "$tmp/t/a/vdl.config"
run list a
expect "config is a directory" 0

# ---- generate and audit -----------------------------------------------------

fresh
printf 'package a\ntype T int32\n' | file x/a/a.vdl
printf 'package b\nimport ("x/a"; "time")\ntype T struct{X a.T; Y time.Time}\ntype I interface{M() error}\n' |
    file x/b/b.vdl
run audit -c-out-dir="$tmp/o" x/b
expect "audit of nothing" 10
same "audit of nothing" out <<EOT
x/a
x/b
EOT
check "audit writes nothing" test ! -e "$tmp/o"
run generate -c-out-dir="$tmp/o" x/b
expect "generate" 0
same "generate" out <<EOT
x/a
x/b
EOT
(cd "$tmp/o" && find . -type f | sort) >"$tmp/files"
same "files" files <<EOT
./x/a/a.vdl.c
./x/a/a.vdl.h
./x/b/b.rpc.c
./x/b/b.rpc.h
./x/b/b.vdl.c
./x/b/b.vdl.h
EOT
touch -d '2001-01-01' "$tmp/o/x/a/a.vdl.h"
run generate -c-out-dir="$tmp/o" x/b
expect "generate again" 0
check "nothing changed" test ! -s "$tmp/out"
check "not rewritten" test "$tmp/o/x/a/a.vdl.c" -nt "$tmp/o/x/a/a.vdl.h"
run audit -c-out-dir="$tmp/o" x/b
expect "audit, up to date" 0
printf 'package a\ntype T int32\ntype U bool\n' | file x/a/a.vdl
mkdir -p "$tmp/again"
VDLPATH=$tmp/t/./ run generate -c-out-dir="$tmp/again" x/b x/a
printf 'package a\ntype T int32\n' | file x/a/a.vdl
VDLPATH=$tmp/t/./ run generate -c-out-dir="$tmp/again" x/b x/a
check "output depends on the sources alone" diff -r "$tmp/o" "$tmp/again"
rm -rf "$tmp/again"
printf 'package a\ntype T int32\ntype U bool\n' | file x/a/a.vdl
run audit -c-out-dir="$tmp/o" -status=false x/b
expect "audit, stale" 10
check "silent" test ! -s "$tmp/out"
run generate -c-out-dir="$tmp/o" x/b
same "only what changed" out <<EOT
x/a
EOT
rm -rf "$tmp/o"
run generate -deps=false -c-out-dir="$tmp/o" x/b
same "no dependencies" out <<EOT
x/b
EOT
run generate x/a
check "beside the sources" test -e "$tmp/t/x/a/a.vdl.h"
run generate -c-out-dir="$tmp/t->$tmp/o/p" x/a
check "translation" test -e "$tmp/o/p/x/a/a.vdl.h"
run generate -c-out-dir="none->y,t->SKIP" x/a
expect "SKIP" 0
check "SKIP" test ! -s "$tmp/out"
run generate -c-out-dir="none->y" x/a
expect "no rule" 1
has "no rule" err "package prefix \"$tmp/t\" doesn't match translation rules"
run generate -c-out-dir="a->b->c" x/a
has "bad rule" err "not src->dst format"
run generate -lang=C,C x/a
expect "languages" 0
run generate -lang=C,Go x/a
expect "other language" 2
has "other language" err "this tool generates C only; for Go use"
run audit -lang=Ada x/a
expect "unknown language" 2
has "unknown language" err 'unknown language "Ada" (this tool generates C)'
run generate -lang=Go -lang=C x/a
expect "the last -lang counts" 0
printf 'package a\ntype T int65\n' | file x/a/a.vdl
rm -rf "$tmp/o"
run generate -c-out-dir="$tmp/o" x/b
expect "broken import" 1
check "broken import" test ! -e "$tmp/o"
chmod 555 "$tmp/t/x/b"
if [ ! -w "$tmp/t/x/b" ]; then
    printf 'package a\ntype T int64\n' | file x/a/a.vdl
    run generate x/b
    expect "read-only" 1
    has "read-only" err "Couldn't write file"
fi
chmod 755 "$tmp/t/x/b"

# Packages of the libraries are written only by their own build.
fresh
printf 'package a\ntype T int64\n' | file v.io/a/a.vdl
run generate -c-out-dir="$tmp/o" v.io/a time
expect "shipped" 0
check "shipped, not written" test ! -e "$tmp/o"
VDLPATH=$here/libvom/vdl:$tmp/t run generate -shipped -c-out-dir="$tmp/o" \
    v.io/a time
same "shipped" out <<EOT
v.io/a
time
EOT

# ---- built-in packages are those of the library -----------------------------

fresh
mkdir -p "$tmp/o"
cat <<EOT | file all/all.vdl
package all

import ("math"; "signature"; "time"; "vdltool"; "v.io/v23/vdl")

const (
	A = typeobject(math.Complex64)
	B = typeobject(math.Complex128)
	C = typeobject(signature.Interface)
	D = typeobject(time.Time)
	E = typeobject(time.Duration)
	F = typeobject(time.WireDeadline)
	G = typeobject(vdltool.Config)
	H = typeobject(vdl.WireError)
)
EOT
run -v compile all
expect "built-in" 0
grep '^const' "$tmp/err" >"$tmp/builtin"
cp -R "$here/libvom/vdl" "$tmp/t/root"
VDLROOT=$tmp/t/root VDLPATH=$here/libvom/vdl:$tmp/t run -v compile all
expect "VDLROOT" 0
grep '^const' "$tmp/err" >"$tmp/library"
check "same types" cmp "$tmp/builtin" "$tmp/library"
check "all types" test "$(wc -l <"$tmp/builtin")" -eq 8
for p in math signature time vdltool v.io/v23/vdl; do
    name=$(basename $p)
    sed -n "/^static const char text_$name\[\]/,/;\$/s/^    \"\(.*\)\\\\n\";*\$/\1/p" \
        "$here/cmd/vdl/std.c" | sed 's/\\t/	/g; s/\\"/"/g' >"$tmp/text"
    check "text of $p" cmp "$tmp/text" "$here/libvom/vdl/$p/$name.vdl"
done
VDLROOT=$tmp/none VDLPATH=$tmp/t run compile all
expect "no VDLROOT" 1
has "no VDLROOT" err "doesn't exist"

# ---- interfaces of the project's own programs -------------------------------

libs=$(printf ':%s' "$here"/lib*/vdl)
VDLPATH=$here/test/interop/vdl:$here/cmd/fortune/vdl$libs run compile \
    example.org/oracle/echo v.io/x/ref/examples/fortune
expect "programs" 0
has "programs" out example.org/oracle/echo
has "programs" out v.io/x/ref/examples/fortune

# ---- usage ------------------------------------------------------------------

run
expect "no command" 2
run frobnicate
expect "unknown command" 2
run compile -frobnicate all
expect "unknown flag" 2
for topic in packages vdlpath vdlroot vdl.config generate compile audit list; do
    run help $topic
    expect "help $topic" 0
    check "help $topic" test -s "$tmp/out"
done

run help -style=full
expect "help -style" 0
has "help -style" out "-max-errors"
run help -width=40 packages
expect "help -width" 0
run help ...
expect "help ..." 0
has "help ..." out "Description of VDLROOT environment variable"
run help frobnicate
expect "help of nothing" 2
run -vdl.config= compile time
expect "no name of a config" 0

summary
