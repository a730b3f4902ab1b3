/* BSD-3-Clause; see LICENSE. */
/* Texts of the status codes of all libraries. */
#include <v23/err.h>

#include <stddef.h>

struct entry {
    int status;
    const char *text;
};

static const struct entry entries[] = {
    { V23_OK, "success" },
    { V23_ENOMEM, "out of memory" },
    { V23_ENOSPC, "no space left in buffer" },
    { V23_EARG, "invalid argument" },
    { V23_EAGAIN, "not now" },
    { V23_EEOF, "unexpected end of input" },
    { V23_ELIMIT, "limit exceeded" },
    { V23_ESTATE, "not allowed in this state" },
    { V23_ECANCELED, "canceled" },
    { V23_ETIMEOUT, "timeout" },
    { V23_ESYS, "system call failed" },
    { V23_ENOENT, "not found" },
    { V23_EEXIST, "exists already" },
    { V23_ENOSYS, "not supported" },
    { V23_EVERSION, "unsupported VOM version" },
    { V23_ECONTROL, "misplaced VOM control byte" },
    { V23_EINT, "malformed or out-of-range number" },
    { V23_EID, "invalid message or type id" },
    { V23_EWIRETYPE, "malformed type message" },
    { V23_ETYPE, "invalid type" },
    { V23_ELENGTH, "invalid length or leftover bytes" },
    { V23_EINDEX, "index out of range" },
    { V23_ECOMPAT, "types are not compatible" },
    { V23_ECONVERT, "value cannot be converted" },
    { V23_ETEXT, "malformed text" },
    { V23_EKEY, "malformed or unsupported key" },
    { V23_ESIG, "invalid signature" },
    { V23_ECERT, "malformed certificate chain" },
    { V23_EPATTERN, "invalid blessing pattern" },
    { V23_EPASSPHRASE, "passphrase required" },
    { V23_EBADPASSPHRASE, "wrong passphrase" },
    { V23_EUNTRUSTED, "unrecognized root" },
    { V23_EDENIED, "not authorized" },
    { V23_ECAVEAT, "caveat validation failed" },
    { V23_EKEYMISMATCH, "public key mismatch" },
    { V23_ECRYPTO, "cryptographic operation failed" },
    { V23_ETAMPERED, "signed data has been modified" },
    { V23_EAUDIT, "failed to audit the call" },
    { V23_EMSG, "malformed message" },
    { V23_EFRAME, "frame too long" },
    { V23_EBOX, "message authentication failed" },
    { V23_ERPCVERSION, "no common RPC version" },
    { V23_EBINDING, "channel binding mismatch" },
    { V23_ECLOSED, "closed" },
    { V23_EREMOTE, "closed by remote end" },
    { V23_EPROTO, "protocol violation by peer" },
    { V23_EENDPOINT, "malformed endpoint" },
    { V23_EGLOB, "malformed glob pattern" },
    { V23_EWIREERR, "remote error" },
    { V23_ELAMEDUCK, "peer is in lame duck mode" },
    { V23_ENONAME, "name does not exist" },
    { V23_EDEPTH, "resolution depth exceeded" },
    { V23_EBADVERSION, "version is out of date" },
    { V23_EQUOTA, "quota exceeded" },
};

const char *v23_strerror(int status)
{
    size_t i;

    for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        if (entries[i].status == status)
            return entries[i].text;
    return "unknown error";
}
