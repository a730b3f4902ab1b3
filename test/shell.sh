# BSD-3-Clause; see LICENSE.
# shell.sh: what the shell tests, their driver, the demo and the benchmark
# share. Sourced, it gives them
#   $here     top of the source tree
#   $build    the build directory, absolute; its programs come first in PATH
#   $tmp      an empty directory
# and an environment without the variables that our programs read. At the end,
# also when interrupted, the daemons are stopped and $tmp is removed.
me=${0##*/}
here=$(cd "$(dirname "$0")" && until [ -e test/shell.sh ]; do cd ..; done &&
    pwd) || exit 1
case ${BUILD:=build} in
/*) build=$BUILD ;;
*) build=$here/$BUILD ;;
esac
[ -d "$build/lib" ] || {
    echo "$me: nothing is built in $build; run make" >&2
    exit 1
}
PATH=$build/bin:$build/test:$PATH
for v in $(env | sed -nE 's/^((V23_|VDL|CMDLINE_)[A-Za-z0-9_]*)=.*/\1/p'); do
    unset "$v"
done
tmp=$(mktemp -d) || exit 1
pids=
clean() {
    trap - EXIT INT TERM HUP
    [ -n "$pids" ] && kill $pids 2>/dev/null
    for p in $pids; do wait "$p" 2>/dev/null; done
    rm -rf "$tmp"
}
trap clean EXIT
trap 'clean; exit 130' INT
trap 'clean; exit 143' TERM HUP

# ---- counting ---------------------------------------------------------------

pass=0 fail=0
good() { pass=$((pass + 1)); }
bad() { # TEXT
    fail=$((fail + 1))
    printf 'FAIL %s\n' "$*"
}
check() { # TEXT COMMAND…
    what=$1
    shift
    if "$@"; then good; else bad "$what"; fi
}
nl='
'
# came NAME EXIT STDOUT FIRST-ERROR-LINE: is that what a command gave, of which
# the exit code is $rc, and output and errors are $tmp/out and $tmp/err?
came() {
    printf '%s' "$3" >"$tmp/want"
    printf '%s' "${4:+$4$nl}" >"$tmp/want-err"
    head -1 "$tmp/err" >"$tmp/first"
    if [ "$rc" = "$2" ] && cmp -s "$tmp/out" "$tmp/want" &&
        cmp -s "$tmp/first" "$tmp/want-err"; then
        good
        return
    fi
    bad "$1: exit $rc, want $2"
    diff "$tmp/want" "$tmp/out"
    diff "$tmp/want-err" "$tmp/first"
}
# The last line of a test, and its exit status.
summary() {
    echo "$pass passed, $fail failed"
    [ $fail -eq 0 ]
}
# The ends of the logs in the current directory, which may say what went wrong.
logs() {
    for f in *.log; do
        [ -s "$f" ] && printf -- '--- %s\n' "$f" && tail -5 "$f"
    done
}
# die TEXT: no use in going on.
die() {
    printf '%s: %s\n' "$me" "$*" >&2
    logs >&2
    [ $((pass + fail)) -gt 0 ] && echo "$pass passed, $((fail + 1)) failed"
    exit 1
}

# ---- daemons ----------------------------------------------------------------

# wait_for COMMAND…: until it succeeds; 20 seconds at most. Its messages are
# among the logs.
wait_for() {
    tries=400
    until "$@" >"$tmp/wait.log" 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.05
    done
}
ended() { # PID
    ! kill -0 "$1" 2>/dev/null
}
printed_or_ended() { # FILE PATTERN PID
    grep -qs -e "$2" "$1" || ended "$3"
}
# daemon NAME PATTERN COMMAND…: start it with its output in NAME.out and
# NAME.log, and wait until it has printed a line with PATTERN; if that is empty,
# do not wait. Sets $pid.
daemon() {
    title=$1 pattern=$2
    shift 2
    : >"$title.out" # else what an earlier one has printed may be found
    "$@" >"$title.out" 2>"$title.log" &
    pid=$!
    pids="$pids $pid"
    [ -n "$pattern" ] || return 0
    wait_for printed_or_ended "$title.out" "$pattern" $pid ||
        die "$title did not print $pattern"
    grep -q -e "$pattern" "$title.out" || die "$title did not start"
}
# said NAME TEXT: what follows TEXT in the line of a daemon's output that
# begins with it.
said() { sed -n "s/^$2//p" "$1.out"; }
on_loopback="--v23.tcp.protocol=tcp --v23.tcp.address=127.0.0.1:0"

# ---- etcd -------------------------------------------------------------------

have_etcd() {
    command -v etcd >/dev/null && command -v etcdctl >/dev/null
}
etcd_ctl() {
    ETCDCTL_API=3 etcdctl --endpoints "127.0.0.1:$etcd_port" \
        --command-timeout 2s "$@"
}
# etcd has to be told its port: one that the kernel has just given to somebody
# else, who is gone.
free_port() {
    daemon probe '^NAME=' mounttabled $on_loopback
    kill "$pid" && wait "$pid"
    etcd_port=$(sed -nE 's/^NAME=.*127\.0\.0\.1:([0-9]+)@.*/\1/p' probe.out)
}
etcd_answers_or_ended() { # PID
    etcd_ctl get x >/dev/null 2>&1 || ended "$1"
}
# start_etcd yes|no: with its data in ./data; may it have another port than the
# last time? If somebody has taken its port meanwhile it tries again. Sets
# $etcd_pid and $etcd_port.
start_etcd() {
    for try in 1 2 3 4 5 6 7 8 9 10; do
        [ "$1" = no ] || free_port
        daemon etcd '' etcd --data-dir data --log-level error \
            --listen-client-urls "http://127.0.0.1:$etcd_port" \
            --advertise-client-urls "http://127.0.0.1:$etcd_port" \
            --listen-peer-urls unix://localhost:1
        etcd_pid=$pid
        wait_for etcd_answers_or_ended $etcd_pid && ! ended $etcd_pid &&
            return
        sleep 0.2
    done
    return 1
}

# ---- principals -------------------------------------------------------------

# as NAME COMMAND…: with the principal in $tmp/NAME.
as() {
    who=$1
    shift
    env V23_CREDENTIALS="$tmp/$who" "$@"
}
# blessed NAME EXTENSION [FLAG…]: create a principal with these flags, whom the
# principal "root" blesses, and who shows that blessing to everybody.
blessed() {
    principal=$1 extension=$2
    shift 2
    principal create --with-passphrase=false "$@" "$principal" &&
        as root principal bless --require-caveats=false "$tmp/$principal" \
            "$extension" >blessing 2>bless.log || die "principal bless"
    principal --v23.credentials="$tmp/$principal" set default blessing &&
        principal --v23.credentials="$tmp/$principal" set forpeer blessing \
            ... || die "principal set"
}
