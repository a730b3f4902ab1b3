/* BSD-3-Clause; see LICENSE. */
/*
 * This provider as the default. Alone in its object file: a program that links
 * several providers and names their lists gets no second default.
 */
#include "provider_int.h"

const struct vsec_crypto vsec_crypto_default = EVERYTHING;
