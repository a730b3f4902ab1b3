#!/bin/sh
# BSD-3-Clause; see LICENSE.
# principal seekblessings against a provider of the tests' own: the page that
# sends the browser back, and the blesser behind it.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

echo sesame >word
for who in idp alice bob other; do
    principal create --with-passphrase=false $who $who || die "create $who"
done
V23_CREDENTIALS=$tmp/idp
export V23_CREDENTIALS
daemon blesser '^NAME=' idp serve $on_loopback
blesser=$(said blesser NAME=)
root=$(principal get publickey)

# seek WHO [FLAG…]: start it and wait for its URL, $url.
seek() {
    who=$1
    shift
    daemon seeker seekblessings? as "$who" sh -c 'exec "$@" <word' - \
        principal $on_loopback seekblessings --browser=false \
        --from=http://id.example/x "$@"
    url=$(grep seekblessings? seeker.out)
}
# back A=B…: the browser comes back; then the command ends: $rc, $page.
back() {
    idp visit "$url" "$@" >page 2>&1
    wait "$pid"
    rc=$?
}
# got RC CODE OUT ERR: exit code, code of the page, last line of each output.
got() {
    check "exit $rc, want $1" [ "$rc" = "$1" ]
    check "page $(sed -n 1p page), want $2" grep -q "^HTTP/1.1 $2 " page
    check "out $(tail -1 seeker.out), want $3" \
        [ "$(tail -1 seeker.out)" = "$3" ]
    check "err $(cat seeker.log), want $4" [ "$(tail -1 seeker.log)" = "$4" ]
}
none() { # RC CODE ERR
    got "$1" "$2" "$url" "$3"
}

# ---- blessings ----------------------------------------------------------------

seek alice
check "the URL: $url" expr "$url" : \
    'http://id.example/x/seekblessings?public_key=MFk[^&]*%3D%3D&redirect_url=http%3A%2F%2F127.0.0.1%3A[0-9]*%2Fmacaroon&state=[A-Za-z0-9_-]*%3D$' \
    >/dev/null
back macaroon=pass object_name="$blesser" root_key="$root"
got 0 200 'Received blessings: idp:user' ''
check "the page names the blessings" grep -q 'idp:user' page
as alice principal dump >dump
check "default" grep -q '^Default Blessings : idp:user' dump
check "for all peers" grep -q '^\.\.\.  *idp:user' dump
check "recognized" grep -q '\[idp\]' dump

seek bob --set-default=false --for-peer=x --add-to-roots=false
back macaroon=pass object_name="$blesser" root_key="$root"
got 0 200 'Received blessings: idp:user' ''
as bob principal dump >dump
check "default is as before" grep -q '^Default Blessings : bob' dump
check "for one peer" grep -q '^x  *idp:user' dump
check "not recognized" [ "$(grep -c '\[idp\]' dump)" = 0 ]

# A name that a mount table resolves, which alice does not know.
daemon root '^NAME=' mounttabled $on_loopback
V23_NAMESPACE=$(said root NAME=)
export V23_NAMESPACE
daemon named '^NAME=' idp serve --name=blesser $on_loopback
wait_for namespace resolve blesser || die "blesser is not mounted"
seek alice
back macaroon=pass object_name=blesser root_key="$root"
got 0 200 'Received blessings: idp:user' ''

# An encrypted key: it is asked for at the start, and signs.
principal create secret secret <word
seek secret
back macaroon=pass object_name="$blesser" root_key="$root"
got 0 200 'Received blessings: idp:user' ''

# ---- what goes wrong ----------------------------------------------------------

seek alice
idp visit "$url" state=guess macaroon=pass >page
check "a wrong state is refused" grep -q '^HTTP/1.1 400 .*' page
check "and the command waits on" kill -0 "$pid"
back macaroon=pass object_name="$blesser" root_key="$root"
got 0 200 'Received blessings: idp:user' ''
seek alice
back error=bm8gPGI-d2F5
none 1 400 'ERROR: failed to get blessings: no <b>way'
check "texts are escaped" grep -q 'no &lt;b&gt;way' page
for form in "macaroon=pass root_key=$root|no object name of a blesser" \
    "object_name=$blesser root_key=$root|no macaroon" \
    "macaroon=pass object_name=$blesser root_key=???|failed to decode root key" \
    "macaroon=pass object_name=$blesser root_key=AAAA|failed to unmarshal root key"; do
    seek alice
    # shellcheck disable=SC2086
    back ${form%%|*}
    none 1 400 "ERROR: ${form#*|}"
done
seek alice
back macaroon=forged object_name="$blesser" root_key="$root"
check "exit $rc" [ $rc = 1 ]
check "the blesser's reason: $(cat seeker.log)" \
    grep -q 'failed to get blessing from .*the macaroon is not mine' seeker.log
seek alice
back macaroon=pass object_name="$blesser" \
    root_key="$(as other principal get publickey)"
check "a blesser with another key: $rc $(cat seeker.log)" [ $rc = 1 ]
check "says why" grep -q 'failed to get blessing from' seeker.log
for url in ftp://x x http:///x 'http://x/?a=b'; do
    as alice principal seekblessings --browser=false --from="$url" >out 2>err
    check "--from=$url" [ $? = 1 ]
    check "--from=$url: $(cat err)" grep -q 'is not a URL of http' err
done

# The browser is started with the URL.
mkdir bin
printf '#!/bin/sh\necho "$*" >%s/shown.new && mv %s/shown.new %s/shown\n' \
    "$tmp" "$tmp" "$tmp" >bin/xdg-open
chmod +x bin/xdg-open
PATH=$tmp/bin:$PATH
daemon seeker seekblessings? as alice env V23_OAUTH_IDENTITY_PROVIDER=http://env \
    principal seekblessings
url=$(grep ^http://env/seekblessings? seeker.out)
wait_for [ -e shown ] || bad "no browser"
check "the environment names the provider, the browser gets its URL" \
    [ "$(cat shown)" = "$url" ]
back error=YWdhaW4=
none 1 400 'ERROR: failed to get blessings: again'
summary
