#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Passphrases typed at a terminal: not echoed, and the terminal is as before
# however the prompt ends.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

# t RC SEEN PROMPT TYPED COMMAND…: exit code, and what the terminal showed.
t() {
    want=$1 seen=$2 prompt=$3 typed=$4
    shift 4
    got=$(pty "$prompt" "$typed" "$@" 2>&1)
    rc=$?
    check "$*: exit $rc, want $want" [ "$rc" = "$want" ]
    check "$*: saw '$got', want '$seen'" [ "$got" = "$seen" ]
}

new='Enter passphrase (entering nothing will store the principal key unencrypted): '
old='Passphrase required to decrypt alice/privatekey.pem. Enter passphrase: '
t 0 "$new" passphrase 'sesame, open\n' principal create alice alice
principal --v23.credentials=alice get default >alice.b
check "the key is encrypted" grep -q 'BEGIN ENCRYPTED' alice/privatekey.pem
t 0 "$old" passphrase 'sesame, open\n' \
    principal --v23.credentials=alice set default alice.b
t 1 "$old
ERROR: principal: passphrase incorrect for decrypting private key" passphrase \
    'guess\n' principal --v23.credentials=alice blessself
t 130 "$old" passphrase '\003' principal --v23.credentials=alice blessself
t 130 "$old" passphrase 'half\003' principal --v23.credentials=alice blessself
t 0 "$new" passphrase '\n' principal create open open
check "without a passphrase the key is not encrypted" \
    grep -q 'BEGIN PRIVATE' open/privatekey.pem
summary
