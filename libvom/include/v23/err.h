/* BSD-3-Clause; see LICENSE. */
/**
 * Status codes of every library.
 *
 * A function that can fail returns 0 or one of these negative numbers. They
 * are local: what travels between processes is struct v23_verror
 * (v23/verror.h), and librpc alone converts between the two.
 *
 * Thread: constants and one pure function.
 */
#ifndef V23_ERR_H
#define V23_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define V23_MUST_USE __attribute__((warn_unused_result))
#define V23_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define V23_FALLTHROUGH __attribute__((fallthrough))
#else
#define V23_MUST_USE
#define V23_PRINTF(f, a)
#define V23_FALLTHROUGH ((void)0)
#endif

enum v23_status {
    V23_OK = 0,

    /* General: -1 .. -99 */
    V23_ENOMEM = -1,    /* the allocator returned NULL */
    V23_ENOSPC = -2,    /* a caller-given buffer is full */
    V23_EARG = -3,      /* the caller broke the function's contract */
    V23_EAGAIN = -4,    /* not now: more input, room, or an answer is needed */
    V23_EEOF = -5,      /* input ended (inside an item, unless documented) */
    V23_ELIMIT = -6,    /* a configured limit was passed */
    V23_ESTATE = -7,    /* not allowed in the object's present state */
    V23_ECANCELED = -8, /* cancelled by the caller or the peer */
    V23_ETIMEOUT = -9,  /* a deadline passed */
    V23_ESYS = -10,     /* a system call failed; errno is kept in the object */
    V23_ENOENT = -11,   /* no such thing */
    V23_EEXIST = -12,   /* exists already */
    V23_ENOSYS = -13,   /* not supported by this build or object */

    /* Foundation and VOM codec: -100 .. -199 (spec/vom.md section 12) */
    V23_EVERSION = -100,  /* first byte of a stream is not 0x81 */
    V23_ECONTROL = -101,  /* control byte where none is allowed */
    V23_EINT = -102,      /* malformed or out-of-range integer or bool */
    V23_EID = -103,       /* message or type id is 0, unknown or reused */
    V23_EWIRETYPE = -104, /* malformed type message */
    V23_ETYPE = -105,     /* type breaks a rule of vom.md 1.2 */
    V23_ELENGTH = -106,   /* length or count wrong, or leftover bytes */
    V23_EINDEX = -107,    /* label, field, type or length index out of range */
    V23_ECOMPAT = -108,   /* types are not compatible (vom.md 11.1) */
    V23_ECONVERT = -109,  /* value does not fit the target (vom.md 11.2/3) */
    V23_ETEXT = -110,     /* malformed text form (hex, VDL text, …) */

    /* libsecurity: -200 .. -299 */
    V23_EKEY = -200,           /* malformed or unsupported key */
    V23_ESIG = -201,           /* signature does not verify */
    V23_ECERT = -202,          /* malformed certificate chain or blessings */
    V23_EPATTERN = -203,       /* invalid blessing pattern or extension */
    V23_EPASSPHRASE = -204,    /* key is encrypted, no passphrase given */
    V23_EBADPASSPHRASE = -205, /* wrong passphrase */
    V23_EUNTRUSTED = -206,     /* root not recognized */
    V23_EDENIED = -207,        /* an authorizer refused */
    V23_ECAVEAT = -208,        /* a caveat did not validate */
    V23_EKEYMISMATCH = -209,   /* bound to different public keys */
    V23_ECRYPTO = -210,        /* the crypto provider failed */
    V23_ETAMPERED = -211,      /* signed data was modified or truncated */
    V23_EAUDIT = -212,         /* done, but withheld: it cannot be recorded */

    /* librpc: -300 .. -399 */
    V23_EMSG = -300,        /* malformed flow-protocol message */
    V23_EFRAME = -301,      /* frame too long for its place */
    V23_EBOX = -302,        /* a sealed message did not open */
    V23_ERPCVERSION = -303, /* no common RPC version */
    V23_EBINDING = -304,    /* channel binding signature is wrong */
    V23_ECLOSED = -305,     /* connection or flow is closed */
    V23_EREMOTE = -306,     /* the peer reported an error and closed */
    V23_EPROTO = -307,      /* the peer broke the protocol */
    V23_EENDPOINT = -308,   /* malformed endpoint */
    V23_EGLOB = -309,       /* malformed glob pattern */
    V23_EWIREERR = -310,    /* failed with a wire error kept in the object */
    V23_ELAMEDUCK = -311,   /* peer accepts no new flows */

    /* libnaming: -400 .. -499 */
    V23_ENONAME = -400,     /* name does not exist */
    V23_EDEPTH = -401,      /* resolution depth exceeded */
    V23_EBADVERSION = -402, /* stale permissions version */
    V23_EQUOTA = -403       /* node quota exceeded */

    /* libwspr: -500 .. -599 */
};

/**
 * Text of a status code.
 *
 * @param status  any int
 * @return        a constant English phrase without full stop, never NULL
 */
const char *v23_strerror(int status);

#ifdef __cplusplus
}
#endif
#endif
