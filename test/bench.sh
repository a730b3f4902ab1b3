#!/bin/sh
# BSD-3-Clause; see LICENSE.
# bench.sh: the figures by which the project is judged, beside their targets.
# Absolute times depend on the machine and on what else it does, so a figure
# stands beside its floor, measured in turns with it: what two processes can do
# at best. Each is the median of several runs. Takes two minutes or three, and
# never fails because a figure is bad. With the argument "naming" or "wspr":
# only what concerns mount tables, or web pages.
. "$(dirname "$0")/shell.sh"
cd "$tmp" || exit 1
ulimit -n "$(ulimit -Hn)" 2>/dev/null
times=5 # that each thing is measured

# ---- figures ----------------------------------------------------------------

# load CLIENT ARGUMENT…: one line of JSON of the echo client, in $json.
load() {
    who=$1
    shift
    json=$(V23_CREDENTIALS=$tmp/$who timeout 60 echo-client \
        --server="$server" "$@" 2>client.log) || die "echo-client $*"
}
floor() { json=$(pingpong "$@") || die "pingpong $*"; }
field() { printf '%s\n' "$json" | sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
# calc FORMAT EXPRESSION, of numbers and arithmetic
calc() { awk "BEGIN { printf \"%.$1f\", $2 }"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# both "FLOOR ARGUMENTS" FIELD CLIENT ARGUMENT…: that field of the floor, if
# any, and of the load in turns; the medians in $bare and $ours.
both() {
    args=$1 f=$2 i=0
    shift 2
    used=$(cpu "$server_pid")
    : >bare.txt
    : >ours.txt
    : >cpus.txt
    while [ $i -lt $times ]; do
        [ -z "$args" ] || floor $args
        field "$f" >>bare.txt
        load "$@"
        field "$f" >>ours.txt
        field cpu_s >>cpus.txt
        i=$((i + 1))
    done
    bare=$(median <bare.txt) ours=$(median <ours.txt)
}
# row TEXT FIGURE UNIT TARGET most|least
row() {
    awk -v text="$1" -v v="$2" -v unit="$3" -v target="$4" -v rule="$5" '
        BEGIN {
            good = rule == "least" ? v + 0 >= target : v + 0 <= target
            printf "%-52s %10s %-8s %2s %-7s %s\n", text, v, unit,
                rule == "least" ? ">=" : "<=", target, good ? "" : "missed"
        }'
}
note() { printf '    %s\n' "$*"; }
rss() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }
# Seconds of CPU time that a process has used; nothing where nobody knows.
cpu() {
    awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' \
        "/proc/$1/stat" 2>/dev/null
}
# allowed CALLS WARMUP WORTH UNIT: what the busier side's CPU time would allow,
# had it a core for itself all the time; the calls of one run of both().
allowed() {
    [ -n "$used" ] || return
    used=$(calc 3 "($(cpu "$server_pid") - $used) / $times / (1 + $2 / $1)")
    note "CPU time would allow $(awk -v n="$1" -v s="$used" -v worth="$3" '
        { c += $1 }
        END {
            c /= NR
            printf "%.0f", n * worth / (c > s ? c : s)
        }' cpus.txt) $4 (client $(calc 2 "$(median <cpus.txt) / $1 * 1e6")," \
        "server $(calc 2 "$used / $1 * 1e6") us each)"
}
# until_said DAEMON TEXT: however slow the machine is
until_said() {
    for i in 1 2 3 4 5 6; do
        wait_for grep -q "$2" "$1.out" && return
    done
    die "$1 did not print $2"
}
# serve NAME FLAG…: an echo server with the principal NAME; $server,
# $server_pid.
serve() {
    owner=$1
    shift
    daemon "$owner" '^READY' env V23_CREDENTIALS="$tmp/$owner" echo-server \
        --auth=all --quiet "$@"
    server_pid=$pid
    server=$(sed -n 's/^ENDPOINT [a-z]* //p' "$owner.out")
}
end() { # PID
    kill "$1"
    wait "$1" 2>/dev/null
}
unserve() { end "$server_pid"; }

# ---- mount table -------------------------------------------------------------

# table FLAG…: start one; $table_pid, and the root of the names from here on.
table() {
    daemon table '^NAME=' mounttabled $on_loopback --mounttable-logging=0 "$@"
    table_pid=$pid
    V23_NAMESPACE=$(said table NAME=)
    export V23_NAMESPACE
}
# stress WHAT ARGUMENT…: how many a second, in $rate
stress() {
    what=$1
    shift
    mtstress -rate=0 "$@" >stress.out 2>stress.log || die "mtstress $*"
    rate=$(sed -n "s/^$what: *\([0-9.]*\).*/\1/p" stress.out)
}
mounts() { stress 'RPCs\/sec sent' "$@" 1h; }
resolves() { stress 'RPCs\/sec sent' -duration=2s "$@"; }
# alone TEXT TARGET STRESS…: what one worker does, beside a ping-pong of the same
# minute, and with table and worker on one core, which then never sleeps.
alone() {
    text=$1 target=$2
    shift 2
    "$@"
    row "    $text, one worker" "$(calc 0 "$rate")" per_s "$target" least
    floor 1 5000
    note "a round trip of plain TCP $(field p50_us) us, one of these" \
        "$(calc 1 "1e6 / $rate") us"
    cores=$(taskset -p "$table_pid" 2>/dev/null) || return
    taskset -pc 0 "$table_pid" >/dev/null && mine=$(taskset -p $$) &&
        taskset -pc 0 $$ >/dev/null
    "$@"
    note "both on one core: $(calc 0 "$rate") /s"
    taskset -p "${cores##* }" "$table_pid" >/dev/null
    taskset -p "${mine##* }" $$ >/dev/null
}
# with_names TEXT FLAG…: the figures of a table with 100,000 names
with_names() {
    echo "$1"
    shift
    table "$@"
    mounts -workers=16 -names=100000 mount many
    row "    mounts, 16 workers" "$(calc 0 "$rate")" per_s 12000 least
    resolves -workers=16 -names=100000 resolve many
    row "    resolves, 16 workers" "$(calc 0 "$rate")" per_s 29000 least
    alone mounts 6000 mounts -workers=1 -names=10000 mount more
    alone resolves 22000 resolves -workers=1 -names=100000 resolve many
    stress 'Entries\/sec' -workers=1 -duration=2s glob '' 'many/*/*'
    row "    entries of globs" "$(calc 0 "$rate")" per_s 650000 least
    end "$table_pid"
}
naming() {
    echo "-- mount table"
    export V23_CREDENTIALS="$tmp/table"
    table
    row "mounttabled at rest, resident" "$(calc 1 "$(rss "$pid") / 1024")" MiB 6 \
        most
    end "$table_pid"

    with_names "mount table with 100,000 names, no quota" --max-nodes-per-user=0
    with_names "the same, with a quota" --max-nodes-per-user=1000000

    table --max-nodes-per-user=0
    mounts -workers=16 -names=1000 mount few
    resolves -workers=16 -names=1000 resolve few
    few=$rate
    before=$(rss "$table_pid")
    mounts -workers=16 -names=1000000 mount many
    after=$(rss "$table_pid")
    resolves -workers=16 -names=1000000 resolve many
    row "resolves with a million names, time beside a thousand" \
        "$(calc 2 "$few / $rate")" times 3 most
    # Of the strings: the server's name in mtstress and the last element.
    row "memory of each of a million names beside its strings" \
        "$(calc 0 "($after - $before) * 1024 / 1e6 - 31")" bytes 300 most
    end "$table_pid"
    tablebench || die tablebench
    if have_etcd; then
        over_etcd
    else
        note "left out: tables over etcd, which is not installed (make deps)"
    fi
}
# A table over etcd beside one in memory: what is read is as fast, what is
# written waits for etcd.
over_etcd() {
    echo "mount table over etcd, 20,000 names"
    start_etcd yes || die etcd
    table --max-nodes-per-user=0
    mounts -workers=16 -names=20000 mount many
    memory=$rate
    resolves -workers=16 -names=20000 resolve many
    memory_resolves=$rate
    end "$table_pid"
    place=--store=etcd://127.0.0.1:$etcd_port/bench
    table --max-nodes-per-user=0 $place
    for workers in 1 16 64; do
        mounts -workers=$workers -names=$((2000 + workers * 100)) \
            mount "some$workers"
        note "mounts, $workers at a time: $(calc 0 "$rate") /s," \
            "$(calc 3 "$rate / $memory") of a table in memory with 16"
    done
    mounts -workers=64 -names=20000 mount many
    resolves -workers=16 -names=20000 resolve many
    row "    resolves, 16 workers, beside memory" \
        "$(calc 2 "$rate / $memory_resolves")" times 0.9 least
    end "$table_pid"
    since=$(date +%s%N)
    table --max-nodes-per-user=0 $place
    note "names read at the start: $(calc 0 \
        "30000 / (($(date +%s%N) - $since) / 1e9)") /s"
    end "$table_pid"
    end "$etcd_pid"
}

# ---- web pages ---------------------------------------------------------------

# proxy: a wsprd; $wspr_pid, $wspr
proxy() {
    daemon wspr '^Listening' env V23_CREDENTIALS="$tmp/wspr" wsprd --port=0 \
        $on_loopback
    wspr_pid=$pid
    wspr=$(sed -n 's/^Listening on host: \(.*\) port: /\1:/p' wspr.out)
}
page() { # MODE ARGUMENT…
    mode=$1
    shift
    json=$(V23_CREDENTIALS=$tmp/page timeout 60 $core wsprclient "$mode" \
        "$wspr" "$@" 2>page.log) || die "wsprclient $mode"
}
# pinned: calls of a page and direct ones, with all on one core. Else both are
# what it happens to cost the kernel to wake another core, or not.
pinned() {
    core=
    taskset -pc 0 "$wspr_pid" >/dev/null && taskset -pc 0 "$server_pid" \
        >/dev/null && core="taskset -c 0"
    : >bare.txt
    : >ours.txt
    i=0
    while [ $i -lt $times ]; do
        page bench "$server" 5000
        field direct_us >>bare.txt
        field wspr_us >>ours.txt
        i=$((i + 1))
    done
    core=
    bare=$(median <bare.txt) ours=$(median <ours.txt)
    row "call of a page, p50, beside that of a program" \
        "$(calc 2 "$ours / $bare")" times 2.2 most
    note "$ours us, $bare us, all on one core"
}
# crowded CONNECTIONS [NAME METHOD RESULTS]: KiB of wsprd for each of so many
# that rest, in $each
crowded() {
    n=$1
    proxy
    page crowd 10 </dev/null
    sleep 1
    before=$(rss "$wspr_pid")
    mkfifo hold
    V23_CREDENTIALS=$tmp/page wsprclient crowd "$wspr" "$@" <hold >crowd.out \
        2>crowd.log &
    crowd=$!
    exec 3>hold
    until_said crowd ready
    sleep 3
    each=$(calc 1 "($(rss "$wspr_pid") - $before) / $n")
    exec 3>&-
    wait "$crowd"
    rm hold
    end "$wspr_pid"
}
web() {
    echo "-- wsprd"
    people webroot webserver page ed25519
    cp -r page wspr # a page is who its proxy is
    serve webserver $tcp
    proxy
    i=0
    : >ours.txt
    while [ $i -lt $times ]; do
        page stream "$server" 5000 10240
        field mb_s >>ours.txt
        i=$((i + 1))
    done
    row "stream of 10 KB items to a page" "$(median <ours.txt)" MB/s 50 least
    page bench "$server" 5000
    note "a call of a page $(field wspr_us) us, of a program" \
        "$(field direct_us) us, where the kernel puts them"
    pinned
    end "$wspr_pid"
    unserve
    serve webserver $tcp
    crowded 1000
    row "wsprd, each of 1,000 idle websockets" "$each" KiB 24 most
    crowded 1000 "$server" Nothing 0
    row "    the same after a call" "$each" KiB 24 most
    unserve
}

tcp=--listen=tcp@127.0.0.1:0

principal create --with-passphrase=false --key-type=ed25519 table table ||
    die "principal create"
# people ROOT SERVER CLIENT TYPE: principals with keys of a type
people() {
    principal create --with-passphrase=false --key-type="$4" root root ||
        die "principal create"
    blessed "$2" server --key-type="$4"
    blessed "$3" client --key-type="$4"
    mv root "$1"
}
case $1 in
naming) naming; exit 0 ;;
wspr) web; exit 0 ;;
esac

echo "-- libvom"
vombench || die "vombench"
echo "-- libsecurity"
secbench || die "secbench"
echo "-- calls"
people root25519 server client ed25519
people root256 server256 client256 ecdsa256
printf '%-52s %10s %-8s %s\n' figure measured unit target

# ---- latency and rates -------------------------------------------------------

serve server $tcp
both "1 5000" p50_us client --mode=load --calls=5000 --warmup=500
row "echo of 1 byte, one caller, p50" "$ours" us \
    "$(calc 1 "1.5 * $bare + 10")" most
note "plain TCP ping-pong $bare us; $(calc 2 "$ours / $bare") times as long"

both "" per_s client --mode=load --clients=64 \
    --own-conn=false --calls=1000 --warmup=50
row "calls, 64 at a time on one connection" "$(calc 0 "$ours")" per_s 100000 \
    least
allowed 64000 3200 1 /s

both "conns 64 1000" per_s client --mode=load --clients=64 --calls=1000 \
    --warmup=50
row "calls, one on each of 64 connections" "$(calc 0 "$ours")" per_s 90000 \
    least
row "    of what plain TCP does" "$(calc 0 "100 * $ours / $bare")" % 55 least
note "plain TCP, 64 connections: $bare /s"
allowed 64000 3200 1 /s

unserve
serve server $tcp --v23.server.loops=0
both "" per_s client --mode=load --clients=64 --calls=1000 --warmup=50
note "the same with a loop for each core: $(calc 0 "$ours") /s"
unserve
serve server $tcp

# ---- bytes -------------------------------------------------------------------

both "box-echo 65536 1000" p50_us client --mode=load --payload=65536 \
    --calls=1000 --warmup=100
row "echo of 64 KiB, one caller, each way" "$(calc 0 "65536 / $ours")" MB/s \
    180 least
note "bare boxes to and fro: $(calc 0 "65536 / $bare") MB/s;" \
    "$(calc 0 "100 * $bare / $ours") %"

both "box-stream 10240 20000" mb_s client --mode=stream-down \
    --payload=10240 --calls=20000 --warmup=500
row "stream of 10 KB chunks from the server" "$(calc 0 "$ours")" MB/s 500 least
row "    of a bare stream of boxes" "$(calc 0 "100 * $ours / $bare")" % 70 least
note "bare boxes one way: $bare MB/s"
allowed 20000 500 0.01024 MB/s
unserve

serve server --listen=ws@127.0.0.1:0
both "1 5000" p50_us client --mode=load --calls=5000 --warmup=500
row "echo of 1 byte over a websocket, p50" "$ours" us \
    "$(calc 1 "1.5 * $bare + 15")" most
unserve

# ---- connections -------------------------------------------------------------

serve server $tcp
both "" per_s client --mode=connrate --calls=1000 --warmup=20
row "connections with a call, one after the other" "$(calc 0 "$ours")" per_s \
    1000 least
unserve

# What P-256 costs is what its provider makes of it.
crypto=${CRYPTO:-mbedtls}
serve server256 $tcp
i=0 used=$(cpu "$server_pid")
: >bare.txt
: >ours.txt
while [ $i -lt $times ]; do
    secbench -provider="$crypto" -key=ecdsa256 -time=200ms >p256.txt ||
        die secbench
    awk '$3 == "sign" || $3 == "verify" { us += $4 } END { print us }' \
        p256.txt >>bare.txt
    load client256 --mode=connrate --calls=100 --warmup=1
    field cpu_s >>ours.txt
    i=$((i + 1))
done
keys=$(median <bare.txt)
client_us=$(calc 0 "$(median <ours.txt) / 100 * 1e6")
server_us=$(calc 0 "($(cpu "$server_pid") - ${used:-0}) / (101 * $times) * 1e6")
if [ "$crypto" = openssl ]; then
    # It signs so fast that the rest of a connection is most of the time.
    row "P-256 of openssl, connections one after the other" \
        "$(calc 0 "$(field per_s)")" per_s 1000 least
    note "CPU time of a client $client_us us, of its server $server_us"
else
    row "P-256 of $crypto, CPU time of a connection's client" "$client_us" us \
        "$(calc 0 "1.2 * $keys")" most
    [ -z "$used" ] || row "    and of its server" "$server_us" us \
        "$(calc 0 "1.2 * $keys")" most
fi
note "$crypto signs and verifies in $(calc 0 "$keys") us"
unserve

# Ten thousand at once in one server, then ten calls on each that stay open.
# Half a second after its last call a connection gives back what it does not
# need.
conns=10000 flows=100000
if [ "$(ulimit -n)" -lt $((conns + 200)) ]; then
    conns=$((($(ulimit -n) - 200) / 100 * 100)) flows=$((10 * conns))
    note "only $conns connections: the limit on descriptors is $(ulimit -n)"
fi
serve server $tcp --max-calls=$((flows + 100))
load client --mode=load --clients=100 --calls=1 --warmup=0
sleep 2
before=$(rss "$server_pid")
daemon many '' env V23_CREDENTIALS="$tmp/client" echo-client \
    --server="$server" --mode=flows --clients=$conns --at-once=64 \
    --warmup=1 --calls=10 --pause=6s --hold=1m
many=$pid
until_said many '"pause"'
sleep 2
idle=$(rss "$server_pid")
row "server, each idle connection of $conns" \
    "$(calc 1 "($idle - $before) / $conns")" KiB 12 most
load client --mode=load --calls=5000 --warmup=500
note "echo of 1 byte beside them, p50: $(field p50_us) us"
until_said many '"flows"'
row "server, each of $flows flows on them" \
    "$(calc 1 "($(rss "$server_pid") - $idle) / $flows")" KiB 8 most
load client --mode=load --calls=5000 --warmup=500
note "echo of 1 byte beside them, p50: $(field p50_us) us;" \
    "errors $(sed -n 's/.*"errors":\([0-9]*\).*/\1/p' many.out | tail -1)"
end "$many"
unserve

naming
web
exit 0
