#!/bin/sh
# BSD-3-Clause; see LICENSE.
# layers.sh: a library includes headers and uses symbols only of itself and of
# the libraries below it; only *_ev.c touches libevent; no malloc in libraries.
: "${BUILD:=build}"
bad=0
say() { echo "layers: $*"; bad=1; }

# Include directories of each layer, lowest first.
dirs_of() {
    case $1 in
    libvom) echo "v23 vom" ;;
    libsecurity) echo vsec ;;
    librpc) echo vrpc ;;
    libnaming) echo vname ;;
    libwspr) echo wspr ;;
    esac
}
order="libvom libsecurity librpc libnaming libwspr"

# Generated headers <v23/vdl/PATH/…> belong to the layer whose vdl/ has PATH.
owner_of_vdl() {
    for l in $order; do
        [ -d "$l/vdl/$1" ] && { echo "$l"; return; }
    done
}

below=
for lib in $order; do
    below="$below $lib"
    for f in "$lib"/src/*.c "$lib"/src/*.h "$lib"/include/*/*.h \
        "$lib"/boot/*.c "$lib"/std/*.c "$lib"/mbedtls/*.c \
        "$lib"/openssl/*.c "$lib"/sodium/*.c "$lib"/avahi/*.[ch]; do
        [ -e "$f" ] || continue
        for inc in $(sed -n 's/^ *# *include *<\([^>]*\)>.*/\1/p' "$f"); do
            case $inc in
            v23/vdl/*)
                path=${inc#v23/vdl/}
                own=$(owner_of_vdl "${path%/*}") ;;
            *)
                own=
                for l in $order; do
                    for d in $(dirs_of "$l"); do
                        case $inc in "$d"/*) own=$l ;; esac
                    done
                done ;;
            esac
            case " $below " in
            *" $own "*) ;;
            *) [ -n "$own" ] && say "$f includes <$inc> of the higher $own" ;;
            esac
            case $inc:$f in
            event*:*_ev.c | event*:*/ev_int.h) ;;
            avahi*:libnaming/avahi/*) ;;
            avahi*:*) say "$f includes <$inc>, which is for libnaming/avahi" ;;
            wslay/*:*_ev.c) ;;
            wslay/*:*) say "$f includes <$inc>, but is not named *_ev.c" ;;
            event*:*) say "$f includes <$inc>, but is not named *_ev.c" ;;
            esac
        done
    done
done

# No heap but through struct v23_alloc.
grep -nE '\b(malloc|calloc|realloc|strdup|strndup|free)\(' \
    lib*/src/*.c lib*/std/*.c libvom/boot/*.c lib*/avahi/*.c 2>/dev/null |
    grep -v '^libvom/src/alloc_libc.c:' | grep -vE ':[0-9]+: *(\*|/\*|//)' |
    sed 's/^/layers: direct heap call: /' | { grep . && exit 1; exit 0; } ||
    bad=1

# Undefined symbols: ours must be defined in this archive or one below.
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
: >"$tmp/defined"
for lib in $order; do
    for a in "$BUILD/lib/$lib.a" "$BUILD/lib/$lib"-*.a; do
        [ -e "$a" ] || continue
        nm -g --defined-only "$a" 2>/dev/null | awk 'NF == 3 {print $3}' \
            >>"$tmp/defined"
    done
    sort -u "$tmp/defined" >"$tmp/have"
    for a in "$BUILD/lib/$lib.a" "$BUILD/lib/$lib"-*.a; do
        [ -e "$a" ] || continue
        nm -g --undefined-only "$a" 2>/dev/null | awk 'NF == 2 {print $2}' |
            grep -E '^(v23|vdl|vom|vsec|vrpc|vname|wspr)_' | sort -u |
            comm -23 - "$tmp/have" >"$tmp/missing"
        while read -r s; do
            say "$a needs $s, which no layer up to $lib defines"
        done <"$tmp/missing"
        case $lib in
        libvom)
            nm -g --undefined-only "$a" | awk 'NF == 2 {print $2}' |
                grep -E '^(event_|evbuffer_|mbedtls_|sodium_|crypto_|EVP_|cJSON_)' |
                sed "s/^/layers: libvom needs /" | { grep . && exit 1; exit 0; } ||
                bad=1 ;;
        esac
    done
done
[ $bad -eq 0 ] && echo "layers: every include and symbol points downwards"
exit $bad
