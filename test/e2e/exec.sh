#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Processes that another one starts, tells about flags, and asks to end; and
# what a second signal does.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

principal create --with-passphrase=false root root || die "principal create"
export V23_CREDENTIALS="$tmp/root"
export V23_NAMESPACE=/127.0.0.1:1 # nobody is there
local="-set v23.tcp.protocol=tcp -set v23.tcp.address=127.0.0.1:0"
name_of() { said "$1" MGMT_APP_CYCLE_MANAGER_NAME=; }
is_up() { timeout 20 mounttable glob "$1" '*'; }
says() { grep -qx "$2" "$1.out"; }

# ---- an end in order --------------------------------------------------------

# The command line wants what cannot be had; the configuration beats it.
daemon one '^NAME=' parent $local -set "v23.credentials=$tmp/root" \
    -appcycle -pattern=root mounttabled -v23.credentials=/nothing
check "the flag of the configuration counts" is_up "$(said one NAME=)"
timeout 20 vrpc -timeout=10s call "$(name_of one)" Stop >out 2>err
check "Stop is answered" [ $? -eq 0 ]
check "it ends well" wait_for says one 'END 0'

daemon two '^READY' parent -form=pipes $local -appcycle -pattern=root \
    mounttabled
timeout 20 vrpc -timeout=10s call "$(name_of two)" ForceStop >out 2>err
check "ForceStop is not answered" [ $? -ne 0 ]
check "it ends at once" wait_for says two 'END 1'

daemon three '^READY' parent $local -appcycle -pattern=somebody mounttabled
parents=$pid
timeout 20 vrpc -timeout=10s call "$(name_of three)" Stop >out 2>err
check "who does not match the pattern is refused" grep -q access err
timeout 20 vrpc -timeout=10s call "$(name_of three)" ForceStop >out 2>err
check "nor may it force" says three 'READY'

# ---- what may go wrong ------------------------------------------------------

timeout 20 parent -set v23.tcp.protocol=pigeon mounttabled >out 2>err
check "a bad flag is an error" grep -qx 'END 1' out
check "and named" grep -q 'flag v23.tcp.protocol: not one of' err
timeout 20 parent -set v23.credentials=/nothing mounttabled >out 2>err
check "the parent learns why" grep -q '^FAILED the child failed to start: failed to initialize' out
timeout 20 parent -set MGMT_PARENT_PROCESS_NAME=/127.0.0.1:1 \
    -set MGMT_PARENT_BLESSING_PEER_PATTERN=x mounttabled >out 2>err
check "no address" grep -q '^FAILED .*MGMT_CHILD_PROCESS_ADDRESS is not there' out
timeout 20 parent true >out 2>err
check "no report" grep -q '^FAILED ' out

# ---- the environment --------------------------------------------------------

daemon four '^NAME=' parent -form=environment $local mounttabled
parents=$parents,$pid
check "no report is expected" says four 'FAILED the child was started without the exec protocol'
check "its flags are taken" is_up "$(said four NAME=)"
V23_EXEC_CONFIG=nonsense timeout 20 mounttabled $on_loopback >out 2>err
check "a bad environment is an error" grep -q '^ERROR: what the parent sent is no configuration' err

# ---- signals ----------------------------------------------------------------

# The server waits for a call that does not end; a second signal ends it.
daemon echo '^READY' echo-server --listen=tcp@127.0.0.1:0 \
    --lame-duck=100s
echo_pid=$pid
at=$(said echo 'ENDPOINT tcp ')
vrpc -timeout=100s call "$at" Sleep 90000 >call.out 2>&1 &
pids="$pids $!"
wait_for grep -q Sleep echo.log echo.out || die "the call does not come"
refused() { ! timeout 20 vrpc -timeout=2s identify "$at" >/dev/null; }
kill -TERM $echo_pid
wait_for refused || bad "it goes on listening after SIGTERM"
kill -TERM $echo_pid
wait $echo_pid
check "a second signal ends it" [ $? -eq 1 ]

pkill -P "$parents" # their children would outlive them
summary
