#!/bin/sh
# BSD-3-Clause; see LICENSE.
# docs.sh: what README.md and the guides in docs/ tell the reader to type works
# and prints what they show. A comment <!-- file NAME --> in front of a block
# makes it a file, <!-- run --> a session: lines with "$ " are commands, the
# lines behind each are its output, errors included. What is exported holds to
# the end of the page.
. "$(dirname "$0")/../shell.sh"
: "${CC:=gcc}"

# A tree as the reader has it, and the compiler of this run.
V=$tmp/tree
mkdir "$V" "$tmp/bin"
export V
for l in libvom libsecurity librpc libnaming libwspr; do
    ln -s "$here/$l" "$V/$l"
done
ln -s "$build" "$V/build"
# Its whole path, as it may be called cc, too.
# shellcheck disable=SC2086 # words
set -- $CC
first=$(command -v "$1") || die "no compiler $CC"
shift
cat >"$tmp/bin/cc" <<EOF
#!/bin/sh
PATH='$PATH' exec $first $* $SANFLAGS -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror "\$@"
EOF
chmod +x "$tmp/bin/cc"
PATH=$tmp/bin:$PATH

# blocks PAGE: each marked block as a file N.text, named by a line "N KIND
# NAME" of `index`. A block is fenced, or indented.
blocks() {
    awk '
    function begin(what) {
        n++
        print n, what > "index"
        file = n ".text"
        printf "" > file
        state = "before"
    }
    /^ *<!-- file [^ ]+ -->$/ { begin("file " $3); next }
    /^ *<!-- run -->$/ { begin("run"); next }
    state == "before" && /^ *$/ { next }
    state == "before" && /^ *```/ { state = "fenced"; next }
    state == "before" {
        state = "indented"
        match($0, /^ */)
        indent = RLENGTH
    }
    state == "fenced" && /^ *```/ { state = ""; next }
    state == "fenced" { print > file }
    state == "indented" {
        match($0, /^ */)
        if (NF > 0 && RLENGTH < indent) { state = ""; next }
        held = held substr($0, indent + 1) "\n"
        if (NF > 0) { printf "%s", held > file; held = "" }
    }' "$1"
}

# session FILE: run its commands; what happens goes to `got`.
session() {
    : >got
    while IFS= read -r line; do
        case $line in
        '$ export '*)
            printf '%s\n' "$line" >>got
            eval "${line#??}"
            ;;
        '$ '*)
            printf '%s\n' "$line" >>got
            sh -c "${line#??}" >>got 2>&1 </dev/null
            ;;
        esac
    done <"$1"
}

for page in README.md docs/vom.md docs/vdl.md docs/security.md \
    docs/rpc.md docs/naming.md; do
    dir=$tmp/$(basename $page .md)
    mkdir "$dir" && cd "$dir" || exit 1
    : >index
    blocks "$here/$page"
    check "$page has blocks" [ -s index ]
    while read -r n kind name; do
        case $kind in
        file)
            mkdir -p "$(dirname "$name")"
            mv "$n.text" "$name"
            ;;
        run)
            session "$n.text"
            if diff "$n.text" got >diffs; then
                good
            else
                bad "$page: session $n"
                cat diffs
            fi
            ;;
        esac
    done <index
    unset V23_CREDENTIALS V23_NAMESPACE
    # Where a session went wrong, its daemons may still run.
    for f in *.pid; do
        [ ! -e "$f" ] || kill "$(cat "$f")" 2>/dev/null
    done
done

# The first steps of the README: nothing but sources, and no library.
cd "$tmp/README" || exit 1
cat >main.c <<'EOF'
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>

size_t encode(const char *name, float celsius);

int main(void)
{
    return encode("boiler", 64.5f) == 60 ? 0 : 1;
}
EOF
if VDLPATH=. vdl generate -status=false -c-out-dir=gen sensor &&
    [ "$(ls gen/sensor)" = "sensor.vdl.c
sensor.vdl.h" ] && cc -O0 -I"$V/libvom/include" -Igen -o sensor.out main.c \
    encode.c gen/sensor/sensor.vdl.c "$V"/libvom/src/*.c "$V"/libvom/boot/*.c \
    -lm && ./sensor.out; then
    good
else
    bad "README: the sensor"
fi
# The name of the mount table in docs/wspr.md, but for its port.
cd "$tmp" || exit 1
principal create --with-passphrase=false home alice || die "principal create"
V23_CREDENTIALS=$tmp/home
export V23_CREDENTIALS
daemon table '^NAME=' mounttabled --v23.tcp.address=127.0.0.1:0
port=$(sed -n 's/^NAME=.*@127.0.0.1:\([0-9]*\)@.*/\1/p' table.out)
eval "$(sed -n "s/^ *\(export V23_NAMESPACE=.*:\)8101/\1$port/p" \
    "$here/docs/wspr.md")"
check "docs/wspr.md: names are found" namespace glob '*'
summary
