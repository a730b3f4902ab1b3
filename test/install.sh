#!/bin/sh
# BSD-3-Clause; see LICENSE.
# install.sh: libraries, headers (also generated ones), VDL files, pkg-config
# files and programs below $DESTDIR$PREFIX.
set -e
: "${BUILD:=build}" "${PREFIX:=/usr/local}" "${CRYPTO:=mbedtls}"
to=$DESTDIR$PREFIX
mkdir -p "$to/lib/pkgconfig" "$to/include" "$to/bin" "$to/share/vanadium/vdl"
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
        private="-lmbedx509 -lmbedcrypto -lsodium -lcjson" ;;
    rpc) private="-levent_core -levent_extra" ;;
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
for p in "$BUILD"/bin/*; do install -m 755 "$p" "$to/bin/"; done
echo "Installed below $to."
