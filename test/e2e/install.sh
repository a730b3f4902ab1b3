#!/bin/sh
# BSD-3-Clause; see LICENSE.
# install.sh: what "make install" leaves is complete: programs with manual
# pages, and a library that a program is compiled with.
. "$(dirname "$0")/../shell.sh"
: "${CC:=gcc}"
cd "$here" || exit 1
root=$tmp/root/usr
check "install" env BUILD="$build" PREFIX=/usr DESTDIR="$tmp/root" \
    sh test/install.sh >"$tmp/log"
for p in "$build"/bin/*; do
    name=${p##*/}
    page=$root/share/man/man1/$name.1
    check "$name is installed" cmp -s "$p" "$root/bin/$name"
    # Its first lines, and the usage of the program.
    check "manual of $name" [ "$(sed -n '1p;2p;4p' "$page")" = ".TH $name 1
.SH NAME
.SH DESCRIPTION" ]
    check "usage in the manual of $name" grep -q "^   $name" "$page"
    # A period or apostrophe in front would be a request.
    check "text of the manual of $name" [ -z "$(sed -n '6,$p' "$page" |
        grep "^[.']" | grep -vx '.fi')" ]
done

mkdir -p "$tmp/src/door"
cat >"$tmp/src/door/door.vdl" <<'EOF'
package door

import "time"

type Opened struct { At time.Time }
EOF
cat >"$tmp/main.c" <<'EOF'
#include "door/door.vdl.h"

int main(void)
{
    door_opened o = { { 63863942400, 0 } };
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, NULL, 1000);
    rc = vom_encode_single(NULL, &door_opened_desc, &o, &b);
    v23_buf_fini(&b);
    return rc;
}
EOF
cd "$tmp" || exit 1
check "installed vdl" env VDLPATH=src "$root/bin/vdl" generate -status=false \
    -c-out-dir=gen door
# shellcheck disable=SC2086 # words
check "compile" $CC $SANFLAGS -std=c11 -Igen -I"$root/include" -o main main.c \
    gen/door/door.vdl.c -L"$root/lib" -lvom -lm
check "run" ./main

# The provider's libraries come with libsecurity.
cat >key.c <<'EOF'
#include <vsec/key.h>

int main(void)
{
    struct vsec_engine *e;
    struct vsec_signer *s;

    if (vsec_engine_new(&e, &vsec_crypto_default, NULL, NULL) != 0 ||
        vsec_signer_generate(e, "ecdsa256", &s) != 0)
        return 1;
    vsec_signer_unref(s);
    vsec_engine_unref(e);
    return 0;
}
EOF
flags=$(PKG_CONFIG_PATH=$root/lib/pkgconfig pkg-config --static --cflags \
    --libs --define-variable=prefix="$root" vanadium-security)
# shellcheck disable=SC2086
check "compile with the flags of pkg-config" $CC $SANFLAGS -std=c11 -o key \
    key.c $flags
check "make a key" ./key

for l in vom security rpc naming; do
    check "pkg-config of $l" grep -q "^Libs: .* -l$l" \
        "$root/lib/pkgconfig/vanadium-$l.pc"
done
summary
