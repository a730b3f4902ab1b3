#!/bin/bash
# BSD-3-Clause; see LICENSE.
# cross.sh i386|s390x: build the libraries' cores for another word size or byte
# order and run the unit tests and vectors there under user-mode emulation.
# Debian's packages of the target are unpacked into the build folder, so that
# nothing of another architecture is installed on this machine.
set -eu
arch=${1:?usage: cross.sh i386|s390x}
case $arch in
i386) gnu=i686-linux-gnu lib=i386-linux-gnu emu=qemu-i386 ;;
s390x) gnu=s390x-linux-gnu lib=s390x-linux-gnu emu=qemu-s390x ;;
*) echo "cross.sh: unknown architecture $arch" >&2; exit 2 ;;
esac
build=build-$arch
root=$PWD/$build/sysroot
if [ ! -e "$root/.complete-2" ]; then
    rm -rf "$root"
    mkdir -p "$root/deb"
    if ! dpkg --print-foreign-architectures | grep -qx "$arch"; then
        dpkg --add-architecture "$arch"
    fi
    # A mirror in the middle of an update fails part of this; what counts is
    # whether the packages can be had.
    apt-get update -q >/dev/null 2>&1 || true
    (cd "$root/deb" && apt-get download -q "check:$arch" \
        "libsubunit-dev:$arch" "libmbedtls-dev:$arch" "libsodium-dev:$arch" \
        "libmbedcrypto7:$arch" "libmbedx509-1:$arch" "libsodium23:$arch" \
        "libcjson-dev:$arch" "libcjson1:$arch" "libsubunit0:$arch" \
        "zlib1g-dev:$arch" "zlib1g:$arch" \
        >/dev/null 2>&1) ||
        { echo "cross.sh: cannot download packages for $arch" >&2; exit 1; }
    for d in "$root"/deb/*.deb; do dpkg -x "$d" "$root"; done
    touch "$root/.complete-2"
fi
args=(BUILD="$build" CROSS_COMPILE="$gnu-" HOSTCC=gcc NO_EV=1 OPT="-O1 -g"
    CFLAGS="-isystem $root/usr/include -isystem $root/usr/include/$lib"
    LDFLAGS="-L$root/usr/lib/$lib"
    EXEC="$emu -L /usr/$gnu -E LD_LIBRARY_PATH=$root/usr/lib/$lib"
    CHECK_CFLAGS= CHECK_LIBS="-lcheck -lsubunit -lm -lrt -lpthread")
make -j2 "${args[@]}" cross-programs
CK_FORK=no make "${args[@]}" unit vectors
