#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Errors in the language of a message catalogue: only where they are printed,
# and only those that the catalogue has.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

principal create --with-passphrase=false root root || die "principal create"
export V23_CREDENTIALS="$tmp/root"
daemon table '^NAME=' mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE

says() { # TEXT COMMAND…
    want=$1
    shift
    timeout 20 "$@" >out 2>err
    [ "$(tail -1 err)" = "$want" ]
}
cat >messages <<'EOM'
# a catalogue
de v.io/v23/naming.nameDoesntExist "{1:}{2:} {3} gibt es nicht"
EOM
unset LC_ALL LC_MESSAGES
LANG=de_AT.UTF-8
export LANG
english="ERROR: mounttabled:/a/b.ResolveStep: name a/b doesn't exist"
german="ERROR: mounttabled:/a/b.ResolveStep: a/b gibt es nicht"
check "no catalogue" says "$english" mounttable resolvestep \
    "$V23_NAMESPACE/a/b"
check "catalogue by flag" says "$german" mounttable \
    -v23.i18n-catalogue=messages resolvestep "$V23_NAMESPACE/a/b"
export V23_I18N_CATALOGUE=messages
check "catalogue by environment" says "$german" mounttable resolvestep \
    "$V23_NAMESPACE/a/b"
LC_ALL=fr_FR.UTF-8
export LC_ALL
check "another language" says "$english" mounttable resolvestep \
    "$V23_NAMESPACE/a/b"
echo 'de oops' >>messages
LC_ALL=de
check "a bad line" says "$german" mounttable resolvestep "$V23_NAMESPACE/a/b"
check "a bad line is named" grep -q 'messages: line 3: no format in quotes' err
V23_I18N_CATALOGUE=nothing
check "no such file" says "$english" mounttable resolvestep \
    "$V23_NAMESPACE/a/b"
check "no such file is told" grep -q 'message catalogue nothing: ' err

summary
