#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Agents: programs whose principal's key is in agentd, vbecome or behind vrun.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

keys=$here/test/vectors/security/keys
# The private key of alice.pkcs8.enc.pem, and the beginning of its public key.
secret=0ee47e3ef8da7ab7161678ce0427d71cf7211c93b8aeecca0b35a52d5bb5df35
public=03ac62b8f8041bc225055b04f276006d4cc3875ca381530496d05f7e53d8db78

stdin=
# t RC PATTERN COMMAND…: exit code, and a line of what it prints (if not
# empty).
t() {
    want=$1 pattern=$2
    shift 2
    timeout 30 "$@" >out 2>&1 <"${stdin:-/dev/null}"
    rc=$?
    check "$*: exit $rc, want $want: $(head -3 out)" [ "$rc" = "$want" ]
    [ -z "$pattern" ] ||
        check "$*: no '$pattern' in $(head -3 out)" grep -qe "$pattern" out
}
from() { # FILE t …: what it reads
    stdin=$1
    shift
    "$@"
    stdin=
}
# ---- an encrypted key -------------------------------------------------------

mkdir -m 700 alice
cp "$keys/alice.pkcs8.enc.pem" alice/privatekey.pem
cp "$keys/alice.pub.pem" alice/publickey.pem
echo "correct horse battery staple" >pass
echo guess >guess
from guess t 1 'passphrase incorrect' agentd --v23.credentials=alice true
t 1 'the key is encrypted' agentd --no-passphrase --v23.credentials=alice true
t 1 'the key is encrypted' agentd --with-passphrase=false \
    --v23.credentials=alice true
check "no lock is left" [ ! -e alice/agent.lock ]
from pass t 0 "^V23_AGENT_PATH=$tmp/alice/agent.sock$" \
    env V23_AGENT_ENDPOINT=x agentd --v23.credentials=alice env
check "V23_CREDENTIALS is not set" sh -c '! grep ^V23_CREDENTIALS= out'
check "V23_AGENT_ENDPOINT is not set" sh -c '! grep ^V23_AGENT_ENDPOINT= out'
check "the socket is removed" [ ! -e alice/agent.sock ]
check "the lock is removed" [ ! -e alice/agent.lock ]

# ---- bad starts -------------------------------------------------------------

t 2 'must name the directory' agentd true
t 2 'no command to run' agentd --v23.credentials=alice
t 2 'neither N nor !N' agentd --v23.credentials=alice \
    --restart-exit-code=x true
mkdir -m 755 open
t 1 'mode 0700' agentd --no-passphrase --v23.credentials=open true
t 127 'No such file' agentd --no-passphrase --v23.credentials=new ./nothing
t 1 'agent at .*nothing' env V23_AGENT_PATH="$tmp/nothing" principal dump
t 1 'agent at .*nothing' env V23_AGENT_PATH="$tmp/nothing" vrpc identify x

# ---- exit codes, restarts, signals ------------------------------------------

t 5 "" agentd --no-passphrase --v23.credentials=new sh -c 'exit 5'
t 137 "" agentd --no-passphrase --v23.credentials=new sh -c 'kill -9 $$'
cat >count.sh <<'END'
n=$(cat count 2>/dev/null || echo 0)
echo $((n + 1)) >count
[ "$n" -lt 2 ] && exit 3
exit 0
END
t 0 "" agentd --no-passphrase --v23.credentials=new --restart-exit-code=3 \
    sh count.sh
check "restarted twice" [ "$(cat count)" = 3 ]
rm count
t 0 "" agentd --no-passphrase --v23.credentials=new '--restart-exit-code=!0' \
    sh count.sh
check "restarted twice" [ "$(cat count)" = 3 ]
rm count
t 3 "" agentd --no-passphrase --v23.credentials=new '--restart-exit-code=!3' \
    sh count.sh
check "not restarted" [ "$(cat count)" = 1 ]
daemon trap READY agentd --no-passphrase --v23.credentials=new \
    --restart-exit-code=7 sh -c \
    'trap "exit 7" TERM; echo READY; while :; do sleep 0.05; done'
kill -TERM "$pid"
wait "$pid"
check "SIGTERM goes to the command" [ $? = 7 ]

# ---- one agent for a directory ----------------------------------------------

daemon first READY agentd --no-passphrase --v23.credentials=new \
    sh -c 'echo READY; exec sleep 1000'
first=$pid
t 1 'already running' agentd --no-passphrase --v23.credentials=new true
kill -9 "$first"
wait "$first" 2>/dev/null
check "a lock is left" [ -e new/agent.lock ]
t 0 agent_principal agentd --no-passphrase --v23.credentials=new \
    principal get default --names
check "the stale lock is gone" [ ! -e new/agent.lock ]
check "nothing else is left" sh -c '! ls new | grep templock'

# ---- working through an agent -----------------------------------------------

daemon agent READY env V23_CREDENTIALS_RELOAD_INTERVAL=50ms sh -c "exec agentd --v23.credentials=alice \
    --additional-principals='$tmp/more' sh -c 'echo READY; exec sleep 1000' \
    <pass"
agent=$pid
alice="env V23_AGENT_PATH=$tmp/alice/agent.sock"
$alice principal blessself alice >b || die "blessself"
t 0 "" $alice principal set default b
t 0 "" $alice principal set forpeer b ...
t 0 "" $alice principal recognize b
t 0 '^alice$' $alice principal get default --names
$alice principal dump >through 2>&1
principal --v23.credentials=alice dump >direct 2>&1
check "dump is the same as of the directory" cmp through direct
t 1 'invalid BlessingPattern' $alice principal set forpeer b 'a/b'
principal create --with-passphrase=false bob bob || die "create"
$alice principal bless --require-caveats=false bob friend >c ||
    die "bless"
t 0 "" principal --v23.credentials=bob set default c
t 0 "" principal --v23.credentials=bob set forpeer c ...
principal --v23.credentials=bob recognize c
t 0 '^alice:friend$' principal --v23.credentials=bob get default --names

# A server and its client, both with the agent.
daemon server READY $alice echo-server $on_loopback
server=$pid
name=$(said server "ENDPOINT tcp ")
t 0 '^RESULT pass=[1-9].* fail=0$' $alice echo-client --server="$name" \
    --run=discharge
t 0 '^RESULT pass=[1-9].* fail=0$' env V23_CREDENTIALS="$tmp/bob" echo-client \
    --server="$name" --run=security
t 0 '"errors":0' $alice echo-client --server="$name" \
    --mode=connrate --clients=4 --calls=5

# The private key is where it belongs.
memscan "$server" $public 2>scan.log
case $? in
0)
    memscan "$server" $secret 2>scan.log
    check "the key is not in the server's memory" [ $? = 1 ]
    memscan "$agent" $secret 2>scan.log
    rc=$?
    [ $rc = 2 ] && rc=0 # nobody may look, which is better still
    check "the key is in the agent's memory" [ $rc = 0 ] ;;
2) echo "left out: looking into memory: $(cat scan.log)" ;;
*) bad "the server does not know its own public key" ;;
esac
# The files of a process that may not be dumped are root's.
[ "$(id -u)" = 0 ] ||
    check "the agent may not be dumped" \
        [ "$(stat -c %u /proc/$agent/mem)" = 0 ]

# A change by one is seen by the other: the server has a new name.
identified() { # NAME
    V23_CREDENTIALS=$tmp/bob vrpc identify --insecure "$name" |
        grep -q "$1"
}
check "the server is alice" identified alice
$alice principal blessself alicia >b2 || die "blessself"
t 0 "" $alice principal set default b2
check "the server has become alicia" wait_for identified alicia
t 0 "" $alice principal set default b

# So is one behind the agent's back.
mkdir -m 700 plain
cp alice/* plain/ 2>/dev/null
rm -f plain/agent.* plain/privatekey.pem
cp "$keys/alice.pkcs8.pem" plain/privatekey.pem
principal --v23.credentials=plain blessself aliza >b3 &&
    principal --v23.credentials=plain set default b3 || die "set default"
cp plain/blessingstore.* alice/
check "the server has become aliza" wait_for identified aliza
t 0 "" $alice principal set default b
check "the server is alice again" wait_for identified alice

# Discharges: made through alice's agent, kept in carol's.
: >revoked
daemon office '^NAME=' $alice dischargerd --revocations=revoked $on_loopback
office=$pid
principal create --with-passphrase=false carol || die "create"
$alice principal bless \
    --caveat="revocable=$(said office PUBLIC_KEY=),$(said office NAME=)" \
    carol carol >c 2>bless.log || die "bless: $(cat bless.log)"
principal --v23.credentials=carol set default c
principal --v23.credentials=carol set forpeer c ...
principal --v23.credentials=carol recognize c
daemon carol READY agentd --no-passphrase --v23.credentials=carol \
    sh -c 'echo READY; exec sleep 1000'
carol="env V23_AGENT_PATH=$tmp/carol/agent.sock"
t 0 'alice:carol' $carol vrpc call "$name" WhoAmI
kill "$office"
wait "$office"
t 0 'alice:carol' $carol vrpc call "$name" WhoAmI # the agent has it

# ---- vbecome and vrun -------------------------------------------------------

t 0 '^alice:principal$' $alice vbecome principal get default --names
t 0 '^alice:guest$' $alice vbecome --name=guest principal get default \
    --names
t 0 'Expires at' $alice vbecome --name=guest --duration=10m \
    principal get default --caveats=alice:guest
t 9 "" $alice vbecome sh -c 'exit 9'
t 1 'duration' $alice vbecome --duration=-1s true
t 0 '^RESULT pass=[1-9].* fail=0$' $alice vbecome --name=guest echo-client \
    --server="$name" --run=security
t 0 '^alice:principal$' $alice vrun principal get default --names
t 0 '^RESULT pass=[1-9].* fail=0$' $alice vrun --name=guest echo-client \
    --server="$name" --run=security
t 127 'No such file' $alice vrun ./nothing
t 1 'V23_AGENT_PATH is not set' vrun true
t 1 'cannot make a principal' env V23_CREDENTIALS="$tmp/bob" vbecome vrun \
    true

# A role is asked for as the new principal, which shows a name for that.
principal create --with-passphrase=false kitchen || die "create"
$alice principal bless --require-caveats=false kitchen kitchen >k ||
    die "bless"
principal --v23.credentials=kitchen set default k
principal --v23.credentials=kitchen set forpeer k ...
principal --v23.credentials=kitchen recognize k
daemon roled '^NAME=' env V23_CREDENTIALS="$tmp/kitchen" roled $on_loopback
role=$(said roled NAME=)
t 0 '^alice:kitchen:cook$' $alice vbecome --role="$role" principal get default \
    --names
t 0 '^alice:kitchen:cook$' $alice vrun --role="$role" principal get default --names
t 1 'ERROR: ' $alice vbecome --role="$name" true
check "keys in memory leave no files" [ -z "$(ls more/keys)" ]

# ---- an agent that is gone --------------------------------------------------

kill -STOP "$agent"
$alice principal blessself x >pending.out 2>pending.log &
pending=$!
kill -9 "$agent"
wait $pending
check "a pending call fails" [ $? = 1 ]
check "it says why: $(cat pending.log)" \
    grep -q '^ERROR: .*agent' pending.log
t 1 'agent at' $alice principal dump
summary
