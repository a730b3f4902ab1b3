/* BSD-3-Clause; see LICENSE. */
/* What the sources about X.509 certificates share. */
#ifndef VSEC_X509_INT_H
#define VSEC_X509_INT_H

#include <vsec/x509.h>

/* ---- names (x509_names.c) ------------------------------------------------ */

/* Context-specific tags of GeneralName. */
enum {
    VSEC_X509_EMAIL_ = 0x81,
    VSEC_X509_DNS_ = 0x82,
    VSEC_X509_URI_ = 0x86,
    VSEC_X509_IP_ = 0x87
};

/* Take any element with a one-octet tag off *in. 0 or V23_ECERT. */
int vsec_x509_take_any_(struct v23_bytes *in, uint8_t *tag,
    struct v23_bytes *content);
/* A host name, or with `pattern` one whose first label may be "*". */
bool vsec_x509_valid_host_(struct vdl_str s, bool pattern);
/* Does a DNS name of a certificate stand for a blessing name? */
bool vsec_x509_dns_names_(struct vdl_str dns, struct vdl_str name);
/* Check the octets of a name constraint's subtrees; *known: all are of kinds
 * that can be compared. 0 or V23_ECERT. */
int vsec_x509_check_subtrees_(struct v23_bytes trees, bool *known);
/* Do the constraints of `ca` permit all alternative names of `c`? */
bool vsec_x509_permits_(const struct vsec_x509_cert *ca,
    const struct vsec_x509_cert *c);

/* ---- anchors (x509_anchors.c) -------------------------------------------- */

/* Private; `load` fills a set when it is first used. */
struct vsec_anchor_;
enum { VSEC_ANCHORS_SEEN_ = 32 };
struct vsec_anchors {
    struct vsec_x509 base;
    struct vsec_engine *engine; /* a reference */
    int (*load)(struct vsec_anchors *t); /* NULL: nothing to load any more */
    struct vsec_anchor_ *v;
    size_t n, cap;
    /* Leaves whose signature was found good, and by which anchor. */
    struct {
        uint8_t digest[32];
        size_t anchor;
    } seen[VSEC_ANCHORS_SEEN_];
    uint32_t nseen, next_seen;
};

#endif
