#!/bin/sh
# BSD-3-Clause; see LICENSE.
# install.sh: libraries, headers (also generated ones), VDL files, pkg-config
# files, programs and their manual pages below $DESTDIR$PREFIX.
set -e
: "${BUILD:=build}" "${PREFIX:=/usr/local}" "${CRYPTO:=mbedtls}"
to=$DESTDIR$PREFIX
mkdir -p "$to/lib/pkgconfig" "$to/include" "$to/bin" "$to/share/vanadium/vdl"
case $CRYPTO in
mbedtls) crypto="-lmbedx509 -lmbedcrypto -lsodium" ;;
openssl) crypto="-lcrypto -lsodium" ;;
*) echo "install.sh: unknown provider $CRYPTO" >&2; exit 2 ;;
esac
requires=
for l in vom security rpc naming wspr; do
    lib=lib$l
    [ -e "$BUILD/lib/$lib.a" ] || continue
    install -m 644 "$BUILD/lib/$lib.a" "$to/lib/$lib.a"
    cp -R "$lib"/include/. "$to/include/"
    [ -d "$BUILD/gen/$lib" ] && (cd "$BUILD/gen/$lib" &&
        find . -name '*.h' -exec sh -c '
            mkdir -p "$1/${2%/*}" && install -m 644 "$2" "$1/$2"' _ \
            "$(cd "$OLDPWD" && cd "$to/include" && pwd)" {} \;)
    [ -n "$(ls "$lib/vdl" 2>/dev/null)" ] &&
        cp -R "$lib"/vdl/. "$to/share/vanadium/vdl/"
    libs="-l$l" private=
    case $l in
    vom) private="-lm" ;;
    security) libs="-lsecurity -lsecurity-$CRYPTO"
        private="$crypto -lcjson" ;;
    rpc) private="-levent_core -levent_extra -lwslay" ;;
    naming) private="-lz" ;;
    esac
    {
        echo "prefix=$PREFIX"
        echo "Name: lib$l"
        echo "Description: Vanadium in C: lib$l"
        echo "Version: 0.1"
        [ -n "$requires" ] && echo "Requires: $requires"
        echo "Cflags: -I\${prefix}/include"
        echo "Libs: -L\${prefix}/lib $libs"
        echo "Libs.private: $private"
    } >"$to/lib/pkgconfig/vanadium-$l.pc"
    requires=vanadium-$l
done
install -m 644 "$BUILD/lib/libsecurity-$CRYPTO.a" "$to/lib/"
# What speaks mDNS, with the library it needs.
if [ -e "$BUILD/lib/libnaming-avahi.a" ]; then
    install -m 644 "$BUILD/lib/libnaming-avahi.a" "$to/lib/"
    {
        echo "prefix=$PREFIX"
        echo "Name: libnaming-avahi"
        echo "Description: Vanadium in C: DNS-SD over multicast DNS"
        echo "Version: 0.1"
        echo "Requires: vanadium-naming"
        echo "Requires.private: avahi-core"
        echo "Libs: -L\${prefix}/lib -lnaming-avahi"
    } >"$to/lib/pkgconfig/vanadium-naming-avahi.pc"
fi

# The manual page of a program is what it says about itself.
manual() {
    brief=$(CMDLINE_STYLE=shortonly "$1" -help 2>&1) || return 1
    name=${1##*/}
    printf '.TH %s 1\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n.nf\n' \
        "$name" "$name" "$brief"
    {
        CMDLINE_STYLE=full CMDLINE_WIDTH=76 "$1" help ... 2>/dev/null ||
            CMDLINE_STYLE=full CMDLINE_WIDTH=76 "$1" -help
    } | sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^[.']/\\\\\&&/"
    printf '.fi\n'
}
mkdir -p "$to/share/man/man1"
for p in "$BUILD"/bin/*; do
    install -m 755 "$p" "$to/bin/"
    page=$to/share/man/man1/${p##*/}.1
    manual "$p" >"$page" 2>/dev/null || {
        rm -f "$page"
        echo "No manual page of ${p##*/}: it does not run on this machine."
    }
done
echo "Installed below $to."
