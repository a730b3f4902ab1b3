#!/bin/sh
# BSD-3-Clause; see LICENSE.
# size.sh: what this build takes: text, read-only data, data and bss of each
# library, and of the small programs of test/size the flash, the memory and the
# stack, for this machine and for a Cortex-M4. Never fails because a figure is
# bad.
: "${BUILD:=build}"

# sections FILE…: of each the sums of its sections, with the name of FILE.
sections() {
    for a; do
        ${SIZE:-size} -A "$a" 2>/dev/null | awk -v n="${a##*/}" '
            /^\.text/ {t += $2} /^\.rodata/ {r += $2} /^\.data/ {d += $2}
            /^\.bss/ {b += $2}
            END {printf "%-24s %9d %9d %9d %9d\n", n, t, r, d, b}'
    done
}

# parts MAP: what the linker took from the libraries and the generated
# descriptors, and what from everything else: "flash ram flash ram". The stack
# and the heap of the board are nobody's, and so are crypto libraries.
parts() {
    awk '
        /^Linker script and memory map/ { on = 1 }
        !on { next }
        NF == 1 && /^ \./ { name = $1; next }
        /^ \./ { name = $1; sub(/^ [^ ]+/, "") }
        $1 ~ /^0x/ && $2 ~ /^0x/ && NF >= 3 && name != "" {
            n = number($2)
            mine = $3 ~ /lib(vom|security)\.a|\.vdl\.o$/
            if (number($1) != 0 && n != 0 && $3 !~ /board_/) {
                if (name ~ /^\.(text|rodata|data)/) flash[mine] += n
                if (name ~ /^\.(data|bss)/) ram[mine] += n
            }
        }
        { name = "" }
        function number(hex,   i, v) {
            for (i = 3; i <= length(hex); i++)
                v = 16 * v + index("0123456789abcdef", substr(hex, i, 1)) - 1
            return v
        }
        END { print flash[1] + 0, ram[1] + 0, flash[0] + 0, ram[0] + 0 }' "$1"
}

# program NAME MACHINE WANTED-FLASH RUNNER…
program() {
    name=$1 machine=$2 wanted=$3
    shift 3
    elf=$BUILD/size/$machine/$name.elf
    depth=$("$@" "$elf" 2>/dev/null) || depth=failed
    depth=${depth##*
}
    [ "$1" = false ] && depth=-
    set -- $(parts "$elf.map") "$depth"
    printf '%-18s %-5s %8d %8d %10d %8d %8s' "$name" "$machine" "$1" "$2" \
        "$3" "$4" "$5"
    [ "$wanted" -ne 0 ] && {
        printf '  <= %5d' "$wanted"
        [ "$1" -gt "$wanted" ] && printf ' missed'
    }
    printf '\n'
}

printf '%-24s %9s %9s %9s %9s\n' library text rodata data bss
sections "$BUILD"/lib/*.a
printf '\nat -Os\n'
for m in host arm; do
    for l in vom security; do
        [ -e "$BUILD/size/$m/lib$l.a" ] &&
            printf '%-8s %s\n' $m "$(sections "$BUILD/size/$m/lib$l.a")"
    done
done
verify="verify_p256 verify_p256_sha256 verify_ed25519"
printf '\n%-24s %17s %19s %8s\n' "program" "libraries' part" "the rest" ""
printf '%-18s %-5s %8s %8s %10s %8s %8s\n' "" "" flash RAM flash RAM stack
for p in encode decode both $verify; do program $p host 0 env; done
if [ -n "$HAVE_ARM" ]; then
    arm=qemu-arm
    command -v $arm >/dev/null || arm=false
    program encode arm 6144 $arm
    program decode arm 10240 $arm
    program both arm 24576 $arm
    # Without their crypto libraries they cannot run.
    for p in $verify; do program $p arm 20480 false; done
    [ $arm = false ] && echo "left out: stack depth on ARM; needs qemu-arm" \
        "(make deps-ci)"
else
    echo "left out: Cortex-M4; needs arm-none-eabi-gcc with newlib" \
        "(make deps-ci)"
fi
exit 0
