#!/bin/bash
# BSD-3-Clause; see LICENSE.
# cross.sh i386|s390x…: build the libraries' cores for another word size or
# byte order and run the unit tests and vectors there under user-mode
# emulation; several beside each other. Debian's packages of the target are
# unpacked into the build folder, so that nothing of another architecture is
# installed on this machine.
set -eu
usage() {
    echo "usage: cross.sh i386|s390x…" >&2
    exit 2
}

# target ARCHITECTURE: its names.
target() {
    arch=$1
    case $arch in
    i386) gnu=i686-linux-gnu lib=i386-linux-gnu emu=qemu-i386 ;;
    s390x) gnu=s390x-linux-gnu lib=s390x-linux-gnu emu=qemu-s390x ;;
    *) usage ;;
    esac
    build=build-$arch
    root=$PWD/$build/sysroot
}

# What its programs are linked with.
fetch() {
    [ ! -e "$root/.complete-2" ] || return 0
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
}

build_and_run() {
    local args=(BUILD="$build" CROSS_COMPILE="$gnu-" HOSTCC=gcc NO_EV=1 OPT=-O1
        CFLAGS="-isystem $root/usr/include -isystem $root/usr/include/$lib"
        LDFLAGS="-L$root/usr/lib/$lib"
        EXEC="$emu -L /usr/$gnu -E LD_LIBRARY_PATH=$root/usr/lib/$lib"
        CHECK_CFLAGS= CHECK_LIBS="-lcheck -lsubunit -lm -lrt -lpthread")
    make -j2 "${args[@]}" cross-programs
    CK_FORK=no make -j2 -Otarget "${args[@]}" unit vectors
}

[ $# -gt 0 ] || usage
for a in "$@"; do # one after the other: they share apt
    target "$a"
    fetch
done
pids=()
trap 'kill "${pids[@]}" 2>/dev/null' INT TERM
for a in "$@"; do
    target "$a"
    build_and_run >"$build/cross.log" 2>&1 </dev/null &
    pids+=($!)
done
rc=0
for a in "$@"; do
    wait "${pids[0]}" || rc=1
    pids=("${pids[@]:1}")
    target "$a"
    printf '== %s\n' "$a"
    cat "$build/cross.log"
done
exit $rc
