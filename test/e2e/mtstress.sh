#!/bin/sh
# BSD-3-Clause; see LICENSE.
# mtstress.sh: mtstress mounts, resolves and globs, and says what went wrong.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1
principal create --with-passphrase=false root root || die "principal create"
export V23_CREDENTIALS="$tmp/root"
daemon table '^NAME=' mounttabled --max-nodes-per-user=0 $on_loopback
name=$(said table 'NAME=')
export V23_NAMESPACE="$name"

mtstress -rate=0 -names=3000 -workers=8 mount many 1h >out 2>err
check "every name is mounted once" [ "$? $(grep -c '^#RPCs sent:  *3000$' out)" \
    = "0 1" ]
check "they are all there" [ "$(namespace glob 'many/*/*' | wc -l)" = 3000 ]
mtstress -rate=0 -names=3000 -duration=300ms resolve many >out 2>err
check "names are resolved" [ "$? $(grep -c '^RPCs/sec sent: ' out)" = "0 1" ]
mtstress -rate=0 -workers=2 -duration=300ms glob '' 'many/*/*' >out 2>err
check "entries are counted" [ "$? $(grep -c '^Entries/sec: ' out)" = "0 1" ]
mtstress -rate=100 -duration=500ms -reauthenticate resolve "$name/many" \
    >out 2>err
# A busy machine makes fewer calls than wanted: an error, after the report.
check "connections of their own" grep -q 'of the desired rate of 100)$' out
check "a name that does not exist is an answer" mtstress -rate=0 -workers=1 \
    -duration=100ms resolve nowhere >out
mtstress -rate=0 -duration=100ms resolve /127.0.0.1:1/x >out 2>err
check "a table that is not there is an error" [ "$? $(grep -c \
    '^ERROR: no call succeeded: .*refused' err)" = "1 1" ]
mtstress -rate=-1 resolve x >out 2>err
check "a bad rate is a usage error" [ "$? $(head -1 err)" = \
    "2 ERROR: -rate must be between 0 and 1000000" ]
mtstress mount x 10 >out 2>err
check "a bad time to live is a usage error" [ "$? $(head -1 err)" = \
    '2 ERROR: invalid TTL: time: missing unit in duration "10"' ]
summary
