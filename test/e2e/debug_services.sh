#!/bin/sh
# BSD-3-Clause; see LICENSE.
# debug_services.sh: what every daemon shows below __debug, and to whom.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

principal create --with-passphrase=false root root || die "principal create"
principal create --with-passphrase=false other other || die "principal create"
export V23_CREDENTIALS="$tmp/root"
principal get default >root.blessing &&
    V23_CREDENTIALS="$tmp/other" principal recognize root.blessing ||
    die "principal recognize"
mkdir logs

daemon table '^NAME=' mounttabled $on_loopback
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
daemon fortuned '' fortuned --name=fortune --log_dir="$tmp/logs" --v=1 \
    $on_loopback
fortuned=$pid
wait_for namespace resolve fortune || die "no fortune"
table=$V23_NAMESPACE/__debug

# value NAME REGEXP: what vrpc prints of Value()
value() {
    vrpc call "$1" Value >out 2>&1
    check "$1 is $2: $(cat out)" grep -Eqx "$2" out
}
# fails REGEXP vrpc-arguments…
fails() {
    want=$1
    shift
    if vrpc call "$@" >out 2>&1; then
        bad "vrpc call $*: no error: $(cat out)"
        return
    fi
    check "vrpc call $*: $(cat out)" grep -Eq "$want" out
}

# ---- names ------------------------------------------------------------------

check "services of a daemon" [ "$(namespace glob 'fortune/__debug/*' | tr '\n' ' ')" = \
    "fortune/__debug/http fortune/__debug/logs fortune/__debug/pprof fortune/__debug/stats fortune/__debug/vtrace " ]
check "statistics of the system" [ "$(namespace glob 'fortune/__debug/stats/system/pid')" = \
    fortune/__debug/stats/system/pid ]

# ---- statistics -------------------------------------------------------------

value fortune/__debug/stats/system/cmdline '"fortuned --name=fortune .*"'
value fortune/__debug/stats/system/num-cpu 'int64\([0-9]+\)'
namespace mount a/b /127.0.0.1:1 0s >/dev/null || die "namespace mount"
value "$table/stats/mounttable/num-nodes" 'int64\(4\)'
value "$table/stats/mounttable/num-mounted-servers" 'int64\([0-9]+\)'
value "$table/stats/mounttable/num-nodes-per-user/root" 'int64\(3\)'
value "$table/stats/mounttable/num-nodes-per-user" nil
rid=$(namespace glob "$table/stats/rpc/server/routing-id/*") || die "no routing id"
rid=${rid##*/}
vrpc call "$table/stats/rpc/server/routing-id/$rid/methods/Mount/latency-ms" Value >out 2>&1
check "latencies of Mount: $(cat out)" grep -Eq 'HistogramValue.*Count: [1-9]' out
value "$table/stats/rpc/server/routing-id/$rid/status/endpoints" "\"\\[@6@.*$rid.*\\]\""
fails 'does not exist' "$table/stats/none" Value

# ---- logs -------------------------------------------------------------------

log=$(ls logs | grep 'fortuned\..*\.log\.v23\.INFO\.')
[ -n "$log" ] || die "no log in --log_dir"
check "logs are listed" [ "$(namespace glob 'fortune/__debug/logs/fortuned.INFO')" = \
    fortune/__debug/logs/fortuned.INFO ]
printf 'a line\n  another \nhalf' >logs/mine
vrpc call fortune/__debug/logs/mine Size >out 2>&1
check "size of a log: $(cat out)" grep -qx 'int64(22)' out
vrpc call fortune/__debug/logs/mine ReadLog 0 -1 false >out 2>&1
check "lines of a log: $(cat out)" grep -q '"another"' out
check "the position behind the last line: $(cat out)" grep -q 'int64(18)' out
fails 'end of file' fortune/__debug/logs/mine ReadLog 18 -1 false
fails 'outside of root directory' fortune/__debug/logs/../root/key ReadLog 0 1 false
fails 'does not exist' fortune/__debug/logs/none Size
vrpc call "$table/logs/INFO" Size >out 2>&1
check "without a directory the log is in memory: $(cat out)" grep -q 'int64(' out

# ---- profiles ---------------------------------------------------------------

vrpc call fortune/__debug/pprof CmdLine >out 2>&1
check "command line: $(cat out)" grep -q '"fortuned"' out
vrpc call fortune/__debug/pprof Profiles >out 2>&1
check "profiles: $(cat out)" grep -q '"heap"' out
fails 'invalid number of seconds' fortune/__debug/pprof CpuProfile 0
fails 'profile does not exist' fortune/__debug/pprof Profile '"none"' 0

# ---- who may ----------------------------------------------------------------

refused() { # NAME
    ! V23_CREDENTIALS="$tmp/other" vrpc call "$1" Value >out 2>&1 &&
        grep -Eq 'access denied|not authorized|not trusted' out ||
        { cat out; false; }
}
check "strangers see nothing" refused fortune/__debug/stats/system/pid
daemon closed '^NAME=' mounttabled $on_loopback \
    '--v23.permissions.literal={"Debug":{"In":["nobody"]}}'
fails 'not authorized' "$(said closed NAME=)/__debug/stats/system/pid" Value

# ---- a watcher does not hold up the end -------------------------------------

vrpc call "$(said closed NAME=)/__debug/stats" WatchGlob '{Pattern: "x"}' >out 2>&1
check "watching needs rights, too: $(cat out)" grep -q 'not authorized' out
vrpc call fortune/__debug/logs/mine ReadLog 0 -1 true >follow 2>&1 &
follower=$!
wait_for grep -q another follow || die "nothing followed"
kill $fortuned
wait "$follower"
check "the follower ends properly: $(cat follow)" grep -q 'int64(18)' follow
summary
