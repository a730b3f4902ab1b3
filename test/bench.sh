#!/bin/sh
# BSD-3-Clause; see LICENSE.
# bench.sh: the figures by which the project is judged, beside their targets.
# Absolute times depend on the machine and on what else it does; a plain TCP
# ping-pong of the same run tells how fast the machine is. Takes a minute, and
# never fails because a figure is bad.
. "$(dirname "$0")/shell.sh"
cd "$tmp" || exit 1
ulimit -n 4096 2>/dev/null

# load ARGUMENT…: one line of JSON of the echo client, in $json.
load() {
    json=$(V23_CREDENTIALS=$tmp/client timeout 30 echo-client \
        --server="$server" "$@" 2>client.log) || die "echo-client $*"
}
field() { printf '%s\n' "$json" | sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
rss() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }
# row TEXT FIGURE UNIT TARGET most|least
row() {
    awk -v text="$1" -v v="$2" -v unit="$3" -v target="$4" -v rule="$5" '
        BEGIN {
            good = rule == "least" ? v + 0 >= target : v + 0 <= target
            printf "%-52s %10s %-8s %2s %-7s %s\n", text, v, unit,
                rule == "least" ? ">=" : "<=", target, good ? "" : "missed"
        }'
}
scale() { awk -v v="$1" -v f="$2" -v d="${3:-1}" \
    'BEGIN { printf "%.*f", d, v * f }'; }

echo "-- libvom"
vombench || die "vombench"
echo "-- libsecurity"
secbench || die "secbench"
echo "-- calls"

# Ed25519 keys: their cost is that of the protocol, not of the provider.
principal create --with-passphrase=false --key-type=ed25519 root root ||
    die "principal create"
for p in table server client; do blessed $p $p --key-type=ed25519; done
daemon table '^NAME=' env V23_CREDENTIALS="$tmp/table" mounttabled $on_loopback
table=$pid
daemon server '^READY' env V23_CREDENTIALS="$tmp/server" echo-server \
    --listen=tcp@127.0.0.1:0 --auth=all --quiet
server_pid=$pid
server=$(said server 'ENDPOINT tcp ')

printf '%-52s %10s %-8s %s\n' figure measured unit target

json=$(pingpong 1 20000) || die "pingpong"
floor=$(field p50_us)
load --mode=load --calls=20000 --warmup=1000
p50=$(field p50_us)
row "echo of 1 byte, one caller, p50" "$p50" us 60 most
printf '    %s\n' "plain TCP ping-pong p50 $floor us; ratio $(scale "$p50" \
    "$(awk -v f="$floor" 'BEGIN { print 1 / f }')")"

load --mode=load --clients=16 --own-conn=false --calls=10000 --warmup=500
row "calls, 16 callers on one connection" "$(scale "$(field per_s)" 1 0)" \
    per_s 40000 least
# Clock ticks of CPU time that a process has used; empty where nobody knows.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat" 2>/dev/null; }
best=0 used=$(ticks "$server_pid")
for i in 1 2 3; do
    load --mode=stream-down --payload=10240 --calls=40000 --warmup=1000
    best=$(printf '%s\n%s\n' "$best" "$(field mb_s)" | sort -n | tail -1)
done
row "stream of 10 KB chunks from the server, best of 3" "$best" MB/s 500 least
if [ -n "$used" ]; then
    used=$(($(ticks "$server_pid") - used))
    printf '    %s\n' "CPU time of the server alone would allow $(awk \
        -v t="$used" -v hz="$(getconf CLK_TCK)" 'BEGIN {
            printf "%.0f", 3 * 41000 * 10240 / 1e6 / (t / hz) }') MB/s"
fi
load --mode=connrate --calls=1000 --warmup=20
row "connection set-up, Ed25519 on both sides, p50" \
    "$(scale "$(field p50_us)" 0.001 3)" ms 1 most

row "mounttabled at rest, resident" "$(scale "$(rss "$table")" 0.0009765625)" \
    MiB 6 most

# What 500 more idle connections add to a server that has had some before. They
# come in groups: a second after its last call a connection gives back what it
# does not need at rest, and the next ones use that.
hold() { # CLIENTS GROUP
    daemon "hold$2" '"errors":0' env V23_CREDENTIALS="$tmp/client" \
        timeout 40 echo-client --server="$server" --mode=load \
        --clients="$1" --calls=1 --warmup=0 --hold=30s
    sleep 2
}
hold 100 0
before=$(rss "$server_pid")
for i in 1 2 3 4 5; do hold 100 $i; done
after=$(rss "$server_pid")
row "server, each idle connection of 500" \
    "$(awk -v a="$after" -v b="$before" \
        'BEGIN { printf "%.1f", (a - b) / 500 }')" KiB 32 most
exit 0
