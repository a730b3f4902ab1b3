/* BSD-3-Clause; see LICENSE. */
/** Raw values: the part of raw_enc.c that raw.c refers to. */
#ifndef VOM_RAW_INT_H
#define VOM_RAW_INT_H

#include "enc_int.h"

/* A raw value inside another value, and one that is a message (vom_wr_ as
 * left by the encoder). */
uint8_t *vom_raw_enc_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v);
uint8_t *vom_raw_enc_message_(struct vom_wr_ *w, uint8_t *p, const void *v);

#endif
