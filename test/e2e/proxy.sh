#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Servers that are reached through the proxies of a name, by the policies of
# --v23.proxy.policy, with a mount table that is behind a proxy itself: what is
# mounted follows the proxies. xproxyd.sh looks at the proxies themselves.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

principal create --with-passphrase=false root root || die "principal create"
for p in table proxy server alice; do blessed $p $p; done

# proxy NAME FLAG…: an xproxyd, whose output is NAME's.
proxy() {
    title=$1
    shift
    daemon "$title" '^Proxy stats listening on: \[' \
        env V23_CREDENTIALS="$tmp/proxy" xproxyd $on_loopback \
        --access-list='{"In":["root"]}' "$@"
}
# serve NAME FLAG…: an echo server under that name that listens nowhere itself.
serve() {
    title=$1
    shift
    daemon "$title" '^READY' env V23_CREDENTIALS="$tmp/server" echo-server \
        --auth=all --name="$title" --v23.tcp.address= --v23.proxy=proxies "$@"
}
servers() { as alice namespace resolve "$1" 2>resolve.log; }
# are N NAME: N servers are mounted.
are() { [ "$(servers "$2" | wc -l)" -eq "$1" ]; }
calls() {
    V23_CREDENTIALS=$tmp/alice timeout 20 echo-client --server="$1" \
        --run=value/string
}

# ---- names behind a proxy ---------------------------------------------------

proxy one
one=/$(said one 'Proxy listening on ')
daemon table '^NAME=' env V23_CREDENTIALS="$tmp/table" \
    mounttabled --v23.tcp.address= --v23.proxy="$one"
V23_NAMESPACE=$(said table NAME=)
export V23_NAMESPACE
case $V23_NAMESPACE in
"${one%%@@*}"@@*@m@root:table@@) good ;;
*) bad "the mount table is at $V23_NAMESPACE, not at $one" ;;
esac
proxy two --name=proxies
proxy three --name=proxies
three=$pid
check "both proxies are mounted: $(cat two.log three.log)" \
    wait_for are 2 proxies

# ---- policies ---------------------------------------------------------------

serve all --v23.proxy.policy=all
all=$pid
check "all proxies are used: $(cat all.log)" wait_for are 2 all
for p in two three; do
    at=$(said $p 'NAME=')
    servers all | grep -qF "${at%%@@*}@@" && good ||
        bad "not mounted at proxy $p: $(servers all)"
done
check "a call by name: $(cat wait.log)" calls all >out
serve limited --v23.proxy.policy=all --v23.proxy.limit=1
check "a limit of one proxy: $(cat limited.log)" wait_for are 1 limited
serve random
check "by default one proxy: $(cat random.log)" wait_for are 1 random
serve first --v23.proxy.policy=first
check "the first proxy: $(cat first.log)" wait_for are 1 first
as server timeout 20 echo-server --v23.proxy.policy=best >out 2>err
[ $? -ne 0 ] && grep -q 'first, random, all' err && good ||
    bad "an unknown policy: $(cat err)"

# ---- proxies that go and come -----------------------------------------------

kill -9 $three
wait $three 2>/dev/null
check "what a lost proxy knew is not mounted any more" wait_for are 1 all
check "a call through the other one" calls all >out
for s in limited random first; do
    check "$s is reached through the other one" wait_for calls $s
done
proxy four --name=proxies
check "a new proxy is used, too: $(cat all.log)" wait_for are 2 all

# ---- stop -------------------------------------------------------------------

kill $all
wait $all
[ $? -eq 0 ] && good || bad "a server told to stop ends with $?"
servers all >out && bad "its name is still there: $(cat out)" || good
summary
