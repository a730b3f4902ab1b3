#!/bin/sh
# BSD-3-Clause; see LICENSE.
# SIGTERM: a server listens no more, lets calls end and connections go for the
# time of --v23.server.lame-duck, and ends with 0. Every server program does.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

principal create --with-passphrase=false --key-type=ed25519 me me ||
    die "principal create"
export V23_CREDENTIALS="$tmp/me"

# port_of NAME: where a daemon listens, from what it prints or mounts.
port_of() {
    { cat "$1.out"; [ "$1" != fortuned ] || namespace resolve tell/fortune
    } 2>/dev/null | sed -n 's/.*@127\.0\.0\.1:\([0-9]*\)@.*/\1/p' | head -1
}
has_port() { [ -n "$(port_of "$1")" ]; }
# deaf NAME: a peer that is connected to a daemon and acknowledges nothing.
deaf() {
    daemon "deaf-$1" '^connected' hostile mute 127.0.0.1 "$(port_of "$1")"
    deaf=$pid
}
# starts NAME COMMAND…
starts() {
    name=$1
    shift
    daemon "$name" "" "$@" $on_loopback
    wait_for has_port "$name" || die "$name does not say where it listens"
}
refuses() { ! hostile garbage 127.0.0.1 "$1" >/dev/null 2>&1; }

# each NAME COMMAND…: does what all do.
each() {
    name=$1
    shift
    starts "$name" "$@" --v23.server.lame-duck=1h
    server=$pid port=$(port_of "$name")
    deaf "$name"
    kill -TERM "$server"
    check "$name listens no more" wait_for refuses "$port"
    check "$name waits for its connections" kill -0 "$server"
    kill "$deaf"
    wait "$server"
    check "$name ends with 0" [ $? -eq 0 ]

    starts "$name" "$@" --v23.server.lame-duck=10ms
    server=$pid
    deaf "$name"
    kill -TERM "$server"
    wait "$server"
    check "$name does not wait longer than it is told" [ $? -eq 0 ]
    kill "$deaf" 2>/dev/null
}

daemon table '^NAME=' mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
each mounttabled mounttabled
each fortuned fortuned --name=tell/fortune
each dischargerd dischargerd

# Whoever starts a program may stop it as soon as it says that it is there.
mkfifo word || die "mkfifo"
stopped_at_its_word() { # COMMAND…
    for i in 1 2 3 4 5 6; do
        "$@" >word 2>word.log &
        server=$!
        exec 3<word
        read -r word <&3
        kill -TERM $server
        wait $server || return 1
        exec 3<&-
    done
    [ -n "$word" ]
}
for d in mounttabled helloserver xproxyd; do
    check "$d ends with 0 as soon as it is there" \
        stopped_at_its_word $d $on_loopback
done
check "wsprd ends with 0 as soon as it is there" \
    stopped_at_its_word wsprd --port=0

# A call that runs when the signal comes may end.
daemon echo '^READY' echo-server --listen=tcp@127.0.0.1:0 --lame-duck=100s
server=$pid
at=$(said echo 'ENDPOINT tcp ')
vrpc -timeout=60s call "$at" Sleep 700 >call.out 2>call.log &
call=$!
wait_for grep -q Sleep echo.log echo.out || die "the call does not come"
kill -TERM "$server"
wait "$call"
check "the call ends well" [ $? -eq 0 ]
wait "$server"
check "and then the server" [ $? -eq 0 ]

# Without patience it is cancelled.
daemon echo '^READY' echo-server --listen=tcp@127.0.0.1:0 --lame-duck=0s
server=$pid
at=$(said echo 'ENDPOINT tcp ')
vrpc -timeout=60s call "$at" Sleep 50000 >call.out 2>call.log &
call=$!
wait_for grep -q Sleep echo.log echo.out || die "the call does not come"
kill -TERM "$server"
wait "$server"
check "an impatient server ends" [ $? -eq 0 ]
kill "$call" 2>/dev/null
wait "$call" 2>/dev/null
summary
