#!/bin/sh
# BSD-3-Clause; see LICENSE.
# gclogs.sh: gclogs deletes old log files of this user, and nothing else.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1
me=$(id -un)
stamp=20260101-101112

# old NAME…: files that changed two days ago.
old() {
    mkdir -p logs
    for f in "$@"; do
        : >"logs/$f"
        touch -d '2 days ago' "logs/$f"
    done
}
left() { (cd logs && LC_ALL=C ls | tr '\n' ' '); }

old "a.host.$me.log.v.INFO.$stamp.1" "my.prog.host.$me.log.v.INFO.$stamp.22" \
    "a.host.other.log.v.INFO.$stamp.1" "a.host.$me.log.v.INFO.20260230-101112.1" \
    "a.host.$me.log.v.INFO.$stamp.x" "a.host.$me.log.v.INFO.$stamp." \
    "a.host.$me.log.v.INFO.$stamp.4294967296" "host.$me.log.v.INFO.$stamp.1" \
    "a.host.$me.txt.v.INFO.$stamp.1" notes
: >"logs/new.host.$me.log.v.INFO.$stamp.3"
mkdir "logs/dir.host.$me.log.v.INFO.$stamp.4"
ln -s "a.host.$me.log.v.INFO.$stamp.1" logs/a.INFO
ln -s "new.host.$me.log.v.INFO.$stamp.3" logs/new.INFO
ln -s nowhere logs/broken
before=$(left)

gclogs -n logs >out 2>err
check "a dry run says what it would delete" [ "$(LC_ALL=C sort out)" = \
"Number of files deleted: 0
Processing: \"logs\"
Would delete \"logs/a.host.$me.log.v.INFO.$stamp.1\"
Would delete \"logs/my.prog.host.$me.log.v.INFO.$stamp.22\"" ]
check "a dry run deletes nothing" [ "$(left)" = "$before" ]

gclogs -program='^my' logs >out 2>err
check "one program's files" [ "$(cat out)" = 'Processing: "logs"
Number of files deleted: 1' ]
gclogs -cutoff=100h logs >out 2>err
check "files younger than the cut-off stay" [ "$(tail -1 out)" = \
    "Number of files deleted: 0" ]
gclogs -verbose logs >out 2>err
check "the file and the link to it are deleted" [ "$(grep Del out)" = \
"Deleting \"logs/a.host.$me.log.v.INFO.$stamp.1\"
Deleting symlink \"logs/a.INFO\"" ]
check "and counted" [ "$(tail -1 out)" = "Number of files deleted: 2" ]
check "what stays is explained" [ "$(grep -c '^\(Not a\|Skipped\)' out)" = 10 ]
for f in $before; do
    case $f in
    "a.host.$me.log.v.INFO.$stamp.1" | my.prog.* | a.INFO) ;;
    *) printf '%s ' "$f" ;;
    esac
done >stays
check "nothing else is gone" [ "$(left)" = "$(cat stays)" ]
check "silent on standard error" [ ! -s err ]

gclogs missing logs >out 2>err
check "a directory that is not there is named" [ "$? $(cat err)" = \
    "1 ERROR: open missing: no such file or directory" ]
check "the others are looked through" grep -q '"logs"' out
gclogs >out 2>err
check "no directory is a usage error" [ "$? $(head -1 err)" = \
    "2 ERROR: gclogs requires at least one argument" ]
gclogs -program='[' logs >out 2>err
check "a bad expression is a usage error" [ "$?" = 2 ]
check "that names it" grep -q '^ERROR: -program=\[: ' err
summary
