#!/bin/sh
# BSD-3-Clause; see LICENSE.
# Principals whose private key is in OpenSSH's ssh-agent.
. "$(dirname "$0")/../shell.sh"
cd "$tmp" || exit 1

SSH_AUTH_SOCK=$tmp/agent
export SSH_AUTH_SOCK
eval "$(ssh-agent -a "$SSH_AUTH_SOCK")" >/dev/null || die "no ssh-agent"
pids=$SSH_AGENT_PID # clean() ends it
# An agent takes no keys that others could read.
cp "$here"/test/vectors/security/keys/* . && chmod 600 ./*.openssh
cp -r "$here"/test/vectors/security/credentials/sshagent given

# fails TEXT COMMAND…: exit code 1 and this error.
fails() {
    text=$1
    shift
    "$@" >out 2>err
    check "$* exits 1" [ $? = 1 ]
    check "$*: $(cat err), want $text" [ "$(cat err)" = "ERROR: $text" ]
}
# name WHO: type and comment of a public key.
name() { cut -d' ' -f1,3 "$1.openssh.pub"; }

# One principal for each kind of key.
for k in alice bob carol dave eve; do
    fails "failed to create principal: the ssh-agent does not hold the private key $(name $k)" \
        principal create --overwrite --ssh-public-key=$k.openssh.pub p.$k $k
    ssh-add -q $k.openssh || die "ssh-add $k"
    check "create $k" principal create --overwrite \
        --ssh-public-key=$k.openssh.pub p.$k $k
    check "$k is indirect" grep -q sshagent-hosted-key p.$k/privatekey.pem
    check "$k has a store" [ "$(as p.$k principal dump -s)" = $k ]
    as p.$k principal get publickey >$k.key
    check "$k blesses" as p.$k principal bless --for=1h $k.key friend \
        >blessing
    check "$k changes the store" as p.$k principal set forpeer blessing x
    check "$k stored" grep -q "^x *$k:friend" <<EOF
$(as p.$k principal get peermap)
EOF
done

# A directory that the reference tool has made.
check "load" [ "$(as given principal dump -s)" = sshagent ]
check "use" as given principal bless --for=1h alice.key x >/dev/null
check "change" as given principal recognize blessing
# The agent holds the key no more, is gone.
ssh-add -q -D
fails "the ssh-agent does not hold the private key $(name dave)" \
    as given principal blessself x
fails "underlying signer is nil: the ssh-agent does not hold the private key $(name dave)" \
    as given principal bless --for=1h alice.key x
kill "$SSH_AGENT_PID"
wait_for ended "$SSH_AGENT_PID"
fails "the private key is in an ssh-agent that cannot be asked: no such file or directory" \
    as given principal blessself x
unset SSH_AUTH_SOCK
fails "the private key is in an ssh-agent, but SSH_AUTH_SOCK is not set" \
    as given principal blessself x
check "look without agent" [ "$(as given principal dump -s)" = sshagent ]
summary
