#!/bin/sh
# BSD-3-Clause; see LICENSE.
# The load and smoke programs: hello, stress, rpcbench, with little load.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

principal create --with-passphrase=false root root || die "principal create"
export V23_CREDENTIALS="$tmp/root"
export V23_NAMESPACE=/127.0.0.1:1 # nobody is there

# ---- hello ------------------------------------------------------------------

daemon hello '^SERVER_NAME=' helloserver $on_loopback
timeout 20 helloclient -name="$(said hello SERVER_NAME=)" >out 2>err
check "hello is said" [ $? -eq 0 ]
check "without a word" [ ! -s out ]
timeout 20 helloclient -name="$(said hello SERVER_NAME=)/x" >out 2>err
check "by one object only" [ $? -eq 1 ]

# ---- stress -----------------------------------------------------------------

daemon one '^NAME=' stressd $on_loopback
one_pid=$pid
daemon two '^NAME=' stressd $on_loopback
one=$(said one NAME=) two=$(said two NAME=)

# number TITLE: what follows a title in `out`.
number() { sed -n "s/^	number of $1:	*\([0-9]*\)$/\1/p" out; }
timeout 60 stress stress -duration=300ms -workers=4 -max-chunk-count=50 \
    -max-payload-size=100000 "$one" >out 2>err
check "sums are right" [ $? -eq 0 ]
calls=$(number 'non-streaming RPCs') streams=$(number 'streaming RPCs')
received=$(number 'bytes received') sent=$(number 'bytes sent')
check "there were calls and streams" [ "$calls" -gt 0 -a "$streams" -gt 0 ]
timeout 20 stress stats "$one" >out 2>err
check "the server has counted the same" [ "$(number 'non-streaming RPCs') \
$(number 'streaming RPCs') $(number 'bytes received') $(number 'bytes sent')" \
    = "$calls $streams $sent $received" ]
timeout 20 stress stats -format=json "$one" >out 2>err
check "also as JSON" grep -qxF "server stats($one):{\"SumCount\":$calls,\"SumStreamCount\":$streams,\"BytesRecv\":$sent,\"BytesSent\":$received}" out

timeout 60 stress load -duration=200ms -payload-size=70000 "$one" "$two" \
    >out 2>err
check "load" [ $? -eq 0 ]
check "two servers" grep -q '^starting load test against 2 server' out
check "calls per second" grep -q '^	QPS:			[1-9]' out
timeout 60 stress load -duration=0s -format=json "$two" >out 2>err
check "at least one call" grep -q '^load stats:{"Iterations":1,' out

timeout 20 stress load >out 2>err
check "no server is a usage error" [ $? -eq 2 ]
timeout 20 stress load -format=xml "$one" >out 2>err
check "so is another format" [ $? -eq 2 ]
timeout 20 stress stats "$one/x" >out 2>err
check "no such object is an error" [ $? -eq 1 ]
timeout 20 stress stop "$one" >out 2>err
check "stop" [ $? -eq 0 ]
check "the server ends" wait_for ended $one_pid
daemon short '^NAME=' stressd -duration=1ms $on_loopback
check "the server ends after its time" wait_for ended $pid

# ---- rpcbench ---------------------------------------------------------------

daemon bench '^NAME=' rpcbenchd $on_loopback
bench=$(said bench NAME=)
counted() { # ITERATIONS CHUNKS SIZE
    grep -qx "iterations: $1  chunk_count: $2  payload_size: $3" out &&
        grep -q '^elapsed time: [0-9]' out &&
        grep -q "^Count: $1  Min: [0-9]" out
}
timeout 60 rpcbench -server="$bench" -iterations=50 -payload_size=1000 >out
check "calls are timed" counted 50 0 1000
timeout 60 rpcbench -server="$bench" -iterations=3 -chunk_count=40 \
    -payload_size=100000 -randomize-payload-sizes >out
check "streams are timed" counted 3 40 100000
timeout 60 rpcbench -server="$bench" -iterations=20 -mux_chunk_count=1000 \
    -mux_payload_size=10000 >out
check "calls beside a stream are timed" counted 20 0 0
timeout 60 rpcbench -server="$bench" -iterations=0 >out
check "nothing is timed" grep -qx 'Histogram (empty)' out
timeout 60 rpcbench -server="$bench" -iterations=-1 >out 2>err
check "less is an error" [ $? -eq 2 ]

summary
