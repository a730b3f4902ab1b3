/* BSD-3-Clause; see LICENSE. */
/** A device that only checks who calls it: what the profiles share. */
#ifndef SIZE_VERIFY_H
#define SIZE_VERIFY_H

#include <vsec/crypto.h>

/** What the device was given, and what a peer of it would send. */
struct verify_data {
    struct v23_bytes root;  /* key that it recognizes as "idp" */
    struct v23_bytes local; /* its own blessings, "idp:server" */
    struct v23_bytes peer;  /* "idp:alice:phone" */
};
/** All keys of one kind. */
extern const struct verify_data verify_p256, verify_ed25519;

/** Accept the peer, and refuse it when anything is wrong; 0 = all was so. */
int verify(const struct vsec_crypto *crypto, const struct verify_data *d);

#endif
