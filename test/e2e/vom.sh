#!/bin/sh
# BSD-3-Clause; see LICENSE.
# The vom tool: recorded values, forms of input, errors and exit codes.
. "$(dirname "$0")/../shell.sh"
vom=$build/bin/vom
vectors=$here/test/vectors/vom/vom81_dump.jsonl

# gives NAME EXIT STDOUT ERROR-LINE: what the last run() gave. Output is
# compared with its newline, of errors the first line.
gives() {
    printf '%s' "$3" >"$tmp/want"
    [ -n "$3" ] && echo >>"$tmp/want"
    head -1 "$tmp/err" >"$tmp/first"
    printf '%s' "$4" >"$tmp/want-err"
    [ -n "$4" ] && echo >>"$tmp/want-err"
    if [ "$rc" = "$2" ] && cmp -s "$tmp/out" "$tmp/want" &&
        cmp -s "$tmp/first" "$tmp/want-err"; then
        good
        return
    fi
    bad "$1: exit $rc"
    diff "$tmp/want" "$tmp/out"
    diff "$tmp/want-err" "$tmp/first"
}
run() {
    "$vom" "$@" >"$tmp/out" 2>"$tmp/err"
    rc=$?
}

# ---- recorded values --------------------------------------------------------

# hex and text of each record, on two lines.
awk '
function field(name,    at, rest, out, c) {
    at = index($0, "\"" name "\": \"")
    if (at == 0) return ""
    rest = substr($0, at + length(name) + 5)
    out = ""
    while ((c = substr(rest, 1, 1)) != "\"") {
        if (c == "\\") {
            rest = substr(rest, 2)
            c = substr(rest, 1, 1)
            if (c != "\"" && c != "\\") return "?"
        }
        out = out c
        rest = substr(rest, 2)
    }
    return out
}
{
    text = field("decode")
    if (text != "" && text != "?") print field("hex") "\n" text
}' "$vectors" >"$tmp/cases"
while read -r hex && IFS= read -r text; do
    run decode "$hex"
    gives "decode $hex" 0 "$text" ""
done <"$tmp/cases"
[ "$pass" -gt 100 ] || bad "too few recorded values: $pass"

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

summary
