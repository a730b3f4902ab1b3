#!/bin/sh
# BSD-3-Clause; see LICENSE.
# The vom tool: recorded values, forms of input, errors and exit codes.
. "$(dirname "$0")/../shell.sh"
vom=$build/bin/vom
vectors=$here/test/vectors/vom/vom81_dump.jsonl

# gives NAME EXIT STDOUT ERROR-LINE: what the last run() gave. Output is
# compared with its newline, of errors the first line.
gives() { came "$1" "$2" "${3:+$3$nl}" "$4"; }
run() {
    "$vom" "$@" >"$tmp/out" 2>"$tmp/err"
    rc=$?
}

# ---- recorded values --------------------------------------------------------

# Record N: N.hex, N.text (the value) and N.atoms (lines of the dump).
mkdir "$tmp/c"
awk -v dir="$tmp/c/" '
# A JSON string at the front of `rest`, which is cut off there.
function string(    out, c) {
    out = ""
    rest = substr(rest, 2)
    while ((c = substr(rest, 1, 1)) != "\"") {
        if (c == "") { print "cut off" | "cat >&2"; exit 1 }
        if (c == "\\") {
            rest = substr(rest, 2)
            c = substr(rest, 1, 1)
            if (c == "n") c = "\n"
            else if (c == "t") c = "\t"
            else if (c != "\"" && c != "\\" && c != "/") {
                print "unknown escape " c | "cat >&2"
                exit 1
            }
        }
        out = out c
        rest = substr(rest, 2)
    }
    rest = substr(rest, 2)
    return out
}
function find(name,    at) {
    at = index($0, "\"" name "\": ")
    rest = at == 0 ? "" : substr($0, at + length(name) + 4)
    return at != 0
}
{
    n++
    if (!find("hex")) exit 1
    print string() > (dir n ".hex")
    if (!find("decode")) exit 1
    print string() > (dir n ".text")
    if (!find("atoms")) exit 1
    while (substr(rest, 1, 1) != "]") {
        sub(/^[[, ]+/, "", rest)
        print string() > (dir n ".atoms")
    }
    close(dir n ".hex"); close(dir n ".text"); close(dir n ".atoms")
}
END { print n > (dir "count") }' "$vectors" || {
    bad "cannot read $vectors"
}
read -r count <"$tmp/c/count"
i=0
while [ "$i" -lt "$count" ]; do
    i=$((i + 1))
    read -r hex <"$tmp/c/$i.hex"
    IFS= read -r text <"$tmp/c/$i.text"
    run decode "$hex"
    gives "decode $hex" 0 "$text" ""
    # The atoms in all ways of input; the last status has the value.
    "$vom" dump "$hex" >"$tmp/out1" && sed '$d' "$tmp/out1" >"$tmp/out2" &&
        "$vom" dump <"$tmp/c/$i.hex" >"$tmp/out3" 2>"$tmp/err"
    rc=$?
    grep -v '^DumpStatus{' "$tmp/out2" >"$tmp/out"
    if [ "$rc" = 0 ] && cmp "$tmp/out" "$tmp/c/$i.atoms" &&
        cmp "$tmp/out2" "$tmp/out3" &&
        sed -n '$p' "$tmp/out2" | grep -Fq -e ", Value: $text}"; then
        good
    else
        bad "dump $hex: exit $rc"
        diff "$tmp/out" "$tmp/c/$i.atoms"
    fi
done
[ "$pass" -gt 200 ] || bad "too few recorded values: $pass"

# ---- forms of input ---------------------------------------------------------

run decode '81 10	01
'
gives "blanks" 0 'int32(-1)' ""
run decode "$(printf '8\302\2401\343\200\20010\342\200\20501')"
gives "blanks of Unicode" 0 'int32(-1)' ""
printf '81\n1001\n' >"$tmp/in"
run decode <"$tmp/in"
gives "standard input" 0 'int32(-1)' ""
printf '\201\020\001' >"$tmp/in"
run decode -data=Binary <"$tmp/in"
gives "binary" 0 'int32(-1)' ""
run decode --data binary <"$tmp/in"
gives "flag in two words" 0 'int32(-1)' ""
run decode -data=hex 81060548E9656C6C
gives "upper case" 0 '"H\xe9ell"' ""
run decode 811e000001e0
gives "nil" 0 'any(nil)' ""
printf '81 10 01' | "$vom" decode >"$tmp/out" 2>"$tmp/err"
rc=$?
gives "pipe" 0 'int32(-1)' ""
# What an any says about its length is not compared with what it has.
run decode '815104 03010fe1 52 0108 0109 04 01 000002'
gives "wrong any length" 0 '[]any{int32(1)}' ""
# Four million bytes, binary and as hex in lines, through pipes.
head -c 4000000 /dev/zero | tr '\000' a >"$tmp/many"
printf '\201\116\375\075\011\000' | cat - "$tmp/many" >"$tmp/in"
"$vom" decode -data=Binary <"$tmp/in" 2>"$tmp/err" | wc -c | tr -d ' ' >"$tmp/out"
rc=$?
gives "many bytes" 0 4000011 ""
od -An -v -tx1 <"$tmp/in" | "$vom" decode 2>"$tmp/err" | wc -c | tr -d ' ' >"$tmp/out"
gives "many bytes in hex" 0 4000011 ""
"$vom" dump -data=Binary <"$tmp/in" 2>"$tmp/err" | grep -c . >"$tmp/out"
gives "dump of many bytes" 0 7 ""
"$vom" dump -data=Binary <"$tmp/in" 2>"$tmp/err" | head -1 >"$tmp/out"
gives "broken pipe" 0 \
    '81                   Version                          129 [Version81]' ""

# ---- errors -----------------------------------------------------------------

run decode 8110010203
gives "leftover bytes" 1 'int32(-1)' "ERROR: 2 leftover bytes: 02 03"
run decode 811
gives "odd length" 1 "" "ERROR: encoding/hex: odd length hex string"
run decode 8z
gives "bad digit" 1 "" "ERROR: encoding/hex: invalid byte: U+007A 'z'"
run decode "$(printf '81\351')"
gives "bad byte" 1 "" "ERROR: encoding/hex: invalid byte: U+00E9"
run decode ''
gives "no data" 1 "" "ERROR: unexpected end of input"
run decode 8110
gives "cut off" 1 "" "ERROR: unexpected end of input"
run decode 80
gives "other version" 1 "" "ERROR: $(sed 's/^ERROR: //' "$tmp/err")"
[ -s "$tmp/err" ] || bad "version: no message"
run decode 81 10
gives "two arguments" 2 "" "ERROR: too many args"
run decode -data=Octal 81
gives "bad representation" 2 "" 'ERROR: vom decode: invalid value "Octal" for flag -data: unknown label "Octal" in main.dataRep'
run
gives "no command" 2 "" "ERROR: vom: no command specified"
run frob
gives "unknown command" 2 "" 'ERROR: vom: unknown command "frob"'

# ---- dump -------------------------------------------------------------------

version='81                   Version                          129 [Version81]'
int='10                   MsgId                              8
                     ValueMsg                           8 [int32]'
one='01                   PrimValue                         -1 [int]
DumpStatus{MsgId: 8, MsgN: 2, Value: int32(-1)}'
run dump 8110 01
gives "dump of two arguments" 2 "" "ERROR: too many args"
run dump '81 10 01'
gives "dump" 0 "$version
DumpStatus{MsgId: 0, MsgN: 1, Buf(2): \"1001\"}
$int
$one
" ""
run dump 8100
gives "dump of a bad stream" 1 "$version
DumpStatus{MsgId: 0, MsgN: 1, Buf(1): \"00\"}
00                   MsgId                              0
DumpStatus{MsgId: 0, MsgN: 1, Debug: \"waiting for message ID or control code\", Err: invalid message or type id}
" "ERROR: invalid message or type id"
run dump 811
gives "dump of half a byte" 1 "" \
    "ERROR: encoding/hex: odd length hex string"
# A command between the digits of a byte acts before that byte.
printf '81 1.0\n.;1001' >"$tmp/in"
run dump <"$tmp/in"
gives "commands" 0 "$version
DumpStatus{MsgId: 0, MsgN: 1}
DumpStatus{MsgId: 0, Debug: \"waiting for message ID or control code\"}
$int
DumpStatus{MsgId: 8, MsgN: 1, Debug: \"waiting for int value\"}
DumpStatus{MsgId: 8, MsgN: 1, Debug: \"waiting for int value\", Err: vom: Dumper flushed}
$int
$one" ""
printf '\201\020\001' >"$tmp/in"
run dump -data=Binary <"$tmp/in"
gives "binary dump" 0 "$version
DumpStatus{MsgId: 0, MsgN: 1, Buf(2): \"1001\"}
$int
$one" ""
printf '8x' >"$tmp/in"
run dump <"$tmp/in"
gives "dump of bad hex" 1 "" "ERROR: encoding/hex: invalid byte: U+0078 'x'"

# A blank of several bytes may be cut in two by a read.
mkfifo "$tmp/fifo"
"$vom" dump <"$tmp/fifo" >"$tmp/out" 2>"$tmp/err" &
exec 9>"$tmp/fifo"
printf '81\342' >&9
# The first byte has been read when its line is there.
wait_for grep -q Version "$tmp/out" || bad "no line of the version byte"
printf '\200\2051001' >&9
exec 9>&-
wait $!
rc=$?
gives "blank in two pieces" 0 "$version
DumpStatus{MsgId: 0, MsgN: 1}
$int
$one" ""
if [ -w /dev/full ]; then
    "$vom" dump 811001 >/dev/full 2>"$tmp/err"
    rc=$?
    : >"$tmp/out"
    gives "full disk" 1 "" "ERROR: cannot write the output"
fi

# ---- help -------------------------------------------------------------------

for c in "" decode dump; do
    # shellcheck disable=SC2086 # no word for none
    run $c -help
    cp "$tmp/out" "$tmp/flag"
    # shellcheck disable=SC2086
    run help $c
    if [ "$rc" = 0 ] && [ -s "$tmp/out" ] && cmp -s "$tmp/flag" "$tmp/out" &&
        ! grep -q '.\{81\}' "$tmp/out"; then
        good
    else
        bad "help $c: exit $rc"
        cat "$tmp/out"
    fi
done

summary
