/* BSD-3-Clause; see LICENSE. */
/*
 * Everything this provider has. Alone in its object file: a program with a
 * list of its own links only what it names.
 */
#include "provider_int.h"

const struct vsec_crypto vsec_openssl_crypto = EVERYTHING;
