/* BSD-3-Clause; see LICENSE. */
/* What the files of the benchmark of libsecurity share. */
#ifndef SECBENCH_H
#define SECBENCH_H

#include <measure.h>
#include <vsec/crypto.h>

#define FLOOR "floor of 3 certs"

struct provider {
    const char *name; /* NULL ends the list */
    const struct vsec_crypto *crypto;
};
extern const struct provider providers[];

/* Keys of one kind, and a chain of three certificates made with them. */
struct subject;
/** Make them and check every operation once; NULL: something is wrong. */
struct subject *subject_new(const struct vsec_crypto *crypto, const char *key);
void subject_free(struct subject *s);

/** The operations; `ctx` is a struct subject. A wrong result aborts. */
void op_sign(void *ctx);
void op_verify(void *ctx);
void op_parse(void *ctx);
void op_digest(void *ctx);
void op_bless(void *ctx);
void op_floor(void *ctx);
void op_cold(void *ctx);
void op_cached_vom(void *ctx);
void op_cached_wire(void *ctx);
void op_names(void *ctx);

#endif
