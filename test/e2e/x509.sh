#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Principals whose names come from X.509 certificates: a server and callers that
# trust the authority by the system's trust anchors, and one that does not.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1
certs=$here/test/vectors/security/x509
SSL_CERT_FILE=$certs/ca.crt
SSL_CERT_DIR=$tmp/none
export SSL_CERT_FILE SSL_CERT_DIR

# holder DIR CERTIFICATE NAME
holder() {
    principal create --with-passphrase=false --ssl-key="$certs/$2.key" \
        --ssl-cert="$certs/$2.crt" "$1" "$3" || die "principal create $1"
}
holder server multi www.example.com
holder worker multi www.example.com:worker
holder guest wildcard a.dev.example.com
holder stranger untrusted www.example.com

# The table knows nobody, but shows names to everyone.
export V23_CREDENTIALS="$tmp/server"
daemon table '^NAME=' mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
daemon fortuned '' fortuned --name=fortune $on_loopback
wait_for namespace resolve fortune || die "fortune did not appear"

# call CREDENTIALS: what a caller gets to know.
call() {
    as "$1" timeout 30 vrpc call fortune Has '"x"' 2>&1
}
has() { # TEXT COMMAND…
    text=$1
    shift
    "$@" >out
    grep -qF "$text" out || { cat out; false; }
}

check "a server is known by its certificate" \
    has 'VALID:     [www.example.com]' as guest vrpc identify fortune
check "a delegate of the server is let in" has false call worker
check "another host is known, but not let in" has a.dev.example.com call guest
check "a certificate of an unknown authority gives no name" \
    has 'unknown authority' call stranger

SSL_CERT_FILE=$tmp/none
check "without the authority the server is not trusted" \
    has 'unknown authority' call worker
summary
