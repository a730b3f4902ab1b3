#!/bin/sh
# BSD-3-Clause; see LICENSE.
# namespace.sh: name spaces of several tables: roots from the environment and
# from flags, replicas that are gone, servers that publish themselves at each,
# errors of globs; what a table does with input that makes no sense or has no
# end.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1
principal create --with-passphrase=false root root || die "principal create"
export V23_CREDENTIALS="$tmp/root"

mkdir one.logs two.logs
daemon one '^NAME=' mounttabled $on_loopback --mounttable-logging=2 \
    --log_dir=one.logs
one=$(said one NAME=) one_pid=$pid
daemon two '^NAME=' mounttabled $on_loopback --mounttable-logging=0 \
    --log_dir=two.logs
two=$(said two NAME=) two_pid=$pid
gone="/(root)@127.0.0.1:1" # refuses
at() { # ROOT COMMAND…
    root=$1
    shift
    env V23_NAMESPACE="$root" "$@"
}
both() { env V23_NAMESPACE_A="$one" V23_NAMESPACE_B="$two" "$@"; }
is() { [ "$(cat out)" = "$1" ]; }

# ---- roots -------------------------------------------------------------------

both namespace mount a /h:1 1h >out 2>err
check "a mount succeeds" is "Server mounted successfully."
for t in "$one" "$two"; do
    at "$t" namespace resolve a >out 2>&1
    check "it is at each root of the environment" is /h:1
done
both namespace --v23.namespace.root="$one" mount b /h:1 1h >out 2>err
at "$two" namespace resolve b >out 2>&1
check "a root of a flag takes the place of the others" [ $? = 1 ]
namespace --v23.namespace.root="$two" --v23.namespace.root="$one" \
    unmount a /h:1 >out 2>err
for t in "$one" "$two"; do
    at "$t" namespace resolve a >out 2>&1
    check "an unmount goes to each root" [ $? = 1 ]
done
for roots in "$gone $two" "$two $gone"; do
    # shellcheck disable=SC2086 # two
    set -- $roots
    V23_NAMESPACE_A=$1 V23_NAMESPACE_B=$2 timeout 10 namespace mount c /h:2 \
        1h >out 2>err
    check "a root that is gone does not matter" is \
        "Server mounted successfully."
    V23_NAMESPACE_A=$1 V23_NAMESPACE_B=$2 timeout 10 namespace resolve c \
        >out 2>err
    check "nor to a resolution" is /h:2
done
at "$two" namespace unmount c '' >out 2>err
both namespace mount d /h:1 1h >out 2>err
V23_DISABLE_NS_CACHE=1 both namespace resolve d >out 2>err
check "resolving without a cache" is /h:1

# ---- a server at each --------------------------------------------------------

daemon hello '^SERVER_NAME=' env V23_NAMESPACE_A="$one" V23_NAMESPACE_B="$two" \
    helloserver $on_loopback --name=x/hello
server=$(said hello SERVER_NAME=) server_pid=$pid
for t in "$one" "$two"; do
    check "a server publishes itself at each root" wait_for \
        at "$t" helloclient --name=x/hello
done
both debug stats read "$server/__debug/stats/rpc/server/routing-id/*/status/publisher" \
    >out 2>err
check "and says so" grep -q " at x/hello: Mounted @ .* TTL 1m20s" out
check "and nothing of unmounting" [ "$(grep -c Unmounted out)" = 0 ]
kill "$server_pid"
wait "$server_pid"
for t in "$one" "$two"; do
    at "$t" namespace resolve x/hello >out 2>&1
    check "it is unmounted when it ends" grep -q "doesn't exist" out
done

# ---- globs -------------------------------------------------------------------

export V23_NAMESPACE="$one"
for n in z3 y2 x1; do
    mounttable mount "g/${n%?}" "/(root)@127.0.0.1:${n#?}" 1h M >out 2>err || die "mount"
done
namespace glob 'g/*/*' >out 2>err
check "nothing but errors is an error" [ $? = 1 ]
check "they are in the order of their names" [ "$(sed 's/^ERROR: //; s/:.*//' \
    err | tr '\n' ' ')" = "g/x g/y g/z " ]
namespace glob 'g/...' >out 2>err
check "errors beside entries are none" [ $? = 0 ]
check "the entries are there" [ "$(tr '\n' ' ' <out)" = "g g/x g/y g/z " ]
check "and the errors" [ "$(wc -l <err)" = 3 ]
namespace glob -fail-on-any-error 'g/...' >out 2>err
check "unless any error is to be one" [ $? = 1 ]
namespace glob 'a[' >out 2>err
check "a pattern that makes no sense" [ "$? $(cat err)" = \
    "1 ERROR: syntax error in pattern" ]

# ---- no sense, no end --------------------------------------------------------

element=$(printf '%0513d' 0)
mounttable mount "$one/$element" /h:1 1h >out 2>err
check "an element that is too long" grep -q \
    'path element 00000000000000000000000000000000...: too long' err
mounttable mount "$one/$(printf 'a/%.0s' $(seq 1001))b" /h:1 1h >out 2>err
check "a name that is too deep" grep -q 'more than 1000 elements' err
mounttable mount "$one/s" "$(printf '%05000d' 0)" 1h >out 2>err
check "a server without address" grep -q 'malformed address' err
awk 'BEGIN { printf "{\"Admin\":{\"In\":[\"root\""
    for (i = 0; i < 9000; i++) printf ",\"name-%04d\"", i
    print "]}}" }' >big
namespace permissions set b big >out 2>err
check "permissions that are too large" grep -q 'permissions are too large' err
# Of what is larger than any of them not even the error can be long.
awk 'BEGIN { printf "{\"Admin\":{\"In\":[\"root\""
    for (i = 0; i < 90000; i++) printf ",\"%0100d\"", i
    print "]}}" }' >huge
namespace permissions set b huge >out 2>err
check "a request of nine megabytes" [ "$? $(($(wc -c <err) < 1000))" = "1 1" ]
echo '{"Admin":{"In":"root"}}' >bad
namespace permissions set b bad >out 2>err
check "permissions that make no sense" [ "$? $(wc -l <err)" = "1 1" ]

# A client that mounts and mounts is stopped by its quota; the table goes on.
mtstress -rate=0 -names=3000 -workers=8 mount loop 1h >out 2>err
check "a quota is enforced" grep -q 'user has exceeded their node limit' err
namespace resolve b >out 2>err
check "the table goes on" is /h:1
debug stats read "$one/__debug/stats/mounttable/num-nodes-per-user/root" \
    >out 2>err
check "the user has as many nodes as he may" grep -q ': 1000$' out
namespace delete -r loop >out 2>err
namespace mount more/names /h:1 1h >out 2>err
check "deletion gives them back" is "Server mounted successfully."

i=1
while IFS= read -r text; do
    printf '%s\n' "$text" >acls
    timeout 20 mounttabled $on_loopback --acls=acls >bad.out 2>bad.log
    check "permissions file $i is refused" [ "$? $(grep -c \
        '^ERROR: mounttablelib.StartServers failed: perms file acls invalid: .' \
        bad.log)" = "1 1" ]
    i=$((i + 1))
done <<'EOF'
{"a":{"Admin":{"In":["x"]}}
[]
{"a":7}
{"a":{"Admin":{"In":[7]}}}
{"/a":{"Admin":{"In":["x"]}}}
{"a//b":{"Admin":{"In":["x"]}}}
EOF

check "the log has every operation" grep -q 'ResolveStep a' one.logs/*.INFO
kill "$two_pid"
wait "$two_pid"
check "or none of them" [ "$(cat two.logs/* | grep -c 'Mount ')" = 0 ]
kill "$one_pid"
wait "$one_pid"
check "a table ends in order" [ $? = 0 ]
[ $fail -eq 0 ] || logs
summary
