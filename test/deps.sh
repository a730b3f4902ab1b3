#!/bin/sh
# BSD-3-Clause; see LICENSE.
# deps.sh build|ci: install the Debian packages that building, the demo and
# the tests need (build), or that only the heavy CI stages need (ci), which need
# what test/web/package.json lists in the build directory, too. On other systems
# print the list.
build="gcc g++ make pkg-config flex bison libevent-dev libmbedtls-dev
    libsodium-dev libwslay-dev libcjson-dev zlib1g-dev libavahi-core-dev check
    binutils openssh-client procps iproute2 util-linux curl etcd-server
    etcd-client"
ci="clang libssl-dev qemu-user gcc-s390x-linux-gnu libc6-dev-s390x-cross
    gcc-i686-linux-gnu libc6-dev-i386-cross
    gcc-arm-none-eabi libnewlib-arm-none-eabi
    libprotobuf-c-dev protobuf-c-compiler libmsgpack-dev chromium fonts-dejavu-core"
# Node comes from other places, too, with its npm.
command -v node >/dev/null || ci="$ci nodejs"
command -v npm >/dev/null || ci="$ci npm"
case $1 in
build) want=$build ;;
ci) want=$ci ;;
*) echo "usage: deps.sh build|ci" >&2; exit 2 ;;
esac

if ! command -v apt-get >/dev/null; then
    echo "This is not a Debian system. Install the counterparts of:"
    echo $want
    exit 1
fi
log=${TMPDIR:-/tmp}/vanadium-deps.$$
trap 'rm -f "$log"' EXIT

# The packages of node that test/web needs, where it looks for them.
web_modules() {
    dir=${BUILD:-build}/web
    mkdir -p "$dir"
    if cmp -s test/web/package.json "$dir/package.json" &&
        [ -d "$dir/node_modules" ]; then
        return 0
    fi
    cp test/web/package.json "$dir/package.json"
    if ! (cd "$dir" && npm install --no-package-lock --ignore-scripts \
        --no-audit --no-fund) >"$log" 2>&1 </dev/null; then
        rm -f "$dir/package.json"
        tail -20 "$log" >&2
        echo "deps: npm install failed" >&2
        return 1
    fi
}

missing=
for p in $want; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
        grep -q "ok installed" || missing="$missing $p"
done
if [ -z "$missing" ]; then
    echo "All packages are installed."
    [ "$1" = build ] || web_modules
    exit
fi
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# An index that is just being replaced fails the update; the installation
# tells whether that matters.
$sudo apt-get update -q >"$log" 2>&1 </dev/null || true
if ! $sudo apt-get install -y -q --no-install-recommends $missing \
    >>"$log" 2>&1 </dev/null; then
    tail -20 "$log" >&2
    echo "deps: installing failed" >&2
    exit 1
fi
[ "$1" = build ] || web_modules
