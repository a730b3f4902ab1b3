/* BSD-3-Clause; see LICENSE. */
/*
 * Flow 1: one VOM stream per direction that tells the peer blessings and
 * discharges under keys, which Auth and OpenFlow then name (spec/rpc.md 8).
 * What arrives is kept undecoded until a key that is not known yet is named.
 *
 * Encoder and decoder know some twenty types, which takes 10 KiB, for two or
 * three messages in the life of a connection. So they are freed at rest. Ids
 * of types sent depend on nothing but the order of encoding: a new encoder
 * that encodes an empty message into the void has the same. A new decoder is
 * fed what the old one read, which is kept as long as it is short.
 */
#include <v23/vdl/v.io/x/ref/runtime/internal/flow/conn/conn.vdl.h>

#include "conn_int.h"

/* Decoded forms of one message may need so much more than its bytes. */
#define EXPANSION 8u

struct vrpc_blessenc_ {
    struct vom_typeenc types;
    struct vom_enc enc;
};

struct vrpc_blessdec_ {
    struct vom_typedec *types;
    struct vom_dec dec;
};

void vrpc_blessflow_init_(struct vrpc_conn *c)
{
    v23_buf_init(&c->bf.out, c->al, SIZE_MAX);
    v23_buf_init(&c->bf.in, c->al, c->limits.blessings_bytes);
    v23_buf_init(&c->bf.kept, c->al, VRPC_KEPT_MAX_);
    c->bf.keep = true;
}

/* ---- coders -------------------------------------------------------------- */

static void free_encoder(struct vrpc_conn *c)
{
    struct vrpc_blessenc_ *e = c->bf.enc;

    if (e == NULL)
        return;
    vom_enc_fini(&e->enc);
    vom_typeenc_fini(&e->types);
    v23_put(c->al, e);
    c->bf.enc = NULL;
}

static int make_encoder(struct vrpc_conn *c)
{
    v23_conn_blessings_flow_message empty;
    struct vrpc_blessenc_ *e;
    size_t before = c->bf.out.n;
    int rc = 0;

    if (c->bf.enc != NULL)
        return 0;
    e = v23_new(c->al, struct vrpc_blessenc_);
    if (e == NULL)
        return V23_ENOMEM;
    vom_typeenc_init(&e->types, c->al, &c->bf.out);
    vom_enc_init(&e->enc, &e->types, &c->bf.out);
    c->bf.enc = e;
    if (!c->bf.enc_used)
        return 0;
    memset(&empty, 0, sizeof(empty));
    rc = vom_encode(&e->enc, &v23_conn_blessings_flow_message_desc, &empty);
    v23_buf_cut(&c->bf.out, before);
    if (rc != 0)
        free_encoder(c);
    return rc;
}

static void free_decoder(struct vrpc_conn *c)
{
    struct vrpc_blessdec_ *d = c->bf.dec;

    if (d == NULL)
        return;
    vom_dec_fini(&d->dec);
    vom_typedec_unref(d->types);
    v23_put(c->al, d);
    c->bf.dec = NULL;
}

/* Read again what was read before. */
static int replay(struct vrpc_conn *c)
{
    const struct v23_buf *k = &c->bf.kept;
    struct vom_msg msg;
    size_t off, used;
    int rc = 0;

    for (off = 0; off < k->n && rc == 0; off += used) {
        used = 0;
        rc = vom_dec_next(&c->bf.dec->dec, k->p + off, k->n - off, &used,
            &msg);
    }
    return rc;
}

static int make_decoder(struct vrpc_conn *c)
{
    struct vom_options opt = vom_options_host;
    struct vrpc_blessdec_ *d;
    int rc;

    if (c->bf.dec != NULL)
        return 0;
    if (c->known != NULL)
        opt.known = *c->known;
    d = v23_new(c->al, struct vrpc_blessdec_);
    if (d == NULL)
        return V23_ENOMEM;
    rc = vom_typedec_new(c->al, &opt, &d->types);
    if (rc != 0) {
        v23_put(c->al, d);
        return rc;
    }
    vom_dec_init(&d->dec, c->al, d->types, false);
    c->bf.dec = d;
    rc = replay(c);
    if (rc != 0)
        free_decoder(c);
    return rc;
}

/* n bytes were decoded. */
static void keep_read(struct vrpc_conn *c, const uint8_t *p, size_t n)
{
    struct vrpc_blessflow_ *bf = &c->bf;

    if (!bf->keep)
        return;
    v23_buf_put(&bf->kept, p, n);
    if (bf->kept.err != 0) { /* too long, or no memory: keep the decoder */
        v23_buf_fini(&bf->kept);
        bf->keep = false;
    }
}

bool vrpc_blessflow_is_fat_(const struct vrpc_conn *c)
{
    return c->bf.enc != NULL || (c->bf.dec != NULL && c->bf.keep);
}

void vrpc_blessflow_slim_(struct vrpc_conn *c)
{
    free_encoder(c);
    if (c->bf.keep)
        free_decoder(c);
    v23_buf_fit(&c->bf.kept);
}

/* ---- discharges ---------------------------------------------------------- */

int vrpc_discharges_copy_(const struct v23_alloc *al,
    struct vrpc_discharges_ *dst, struct vsec_discharge *const *v, size_t n)
{
    size_t i;

    dst->v = NULL;
    dst->n = 0;
    if (n == 0)
        return 0;
    dst->v = v23_get0(al, n, sizeof(*dst->v));
    if (dst->v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++)
        dst->v[i] = vsec_discharge_ref(v[i]);
    dst->n = n;
    return 0;
}

void vrpc_discharges_fini_(const struct v23_alloc *al,
    struct vrpc_discharges_ *d)
{
    size_t i;

    for (i = 0; i < d->n; i++)
        vsec_discharge_unref(d->v[i]);
    v23_put(al, d->v);
    d->v = NULL;
    d->n = 0;
}

void vrpc_blessflow_fini_(struct vrpc_conn *c)
{
    struct vrpc_blessflow_ *bf = &c->bf;
    size_t i;

    for (i = 0; i < bf->nsent; i++) {
        vsec_blessings_unref(bf->sent[i].b);
        vrpc_discharges_fini_(c->al, &bf->sent[i].d);
    }
    for (i = 0; i < bf->nrecd; i++) {
        vsec_blessings_unref(bf->recd[i].b);
        vrpc_discharges_fini_(c->al, &bf->recd[i].d);
    }
    v23_put(c->al, bf->sent);
    v23_put(c->al, bf->recd);
    vrpc_idmap_fini_(&bf->index, c->al);
    free_encoder(c);
    free_decoder(c);
    v23_buf_fini(&bf->out);
    v23_buf_fini(&bf->in);
    v23_buf_fini(&bf->kept);
}

/* ---- sending ------------------------------------------------------------- */

struct vsec_blessings *vrpc_nameless_(struct vrpc_conn *c, int *rc)
{
    *rc = 0;
    if (c->nameless == NULL)
        *rc = vsec_blessings_nameless(c->principal->key, &c->nameless);
    return c->nameless;
}

static int encode(struct vrpc_conn *c, const v23_conn_blessings_flow_message *m)
{
    int rc;

    c->bf.out.err = 0;
    rc = make_encoder(c);
    if (rc == 0)
        rc = vom_encode(&c->bf.enc->enc,
            &v23_conn_blessings_flow_message_desc, m);
    if (rc == 0)
        c->bf.enc_used = true;
    return rc;
}

/*
 * Keys are never taken back, and a connection that lives for days may need many
 * for the discharges that are renewed: long before there are none, it makes
 * place for a new one.
 */
static void retire(struct vrpc_conn *c, uint64_t keys)
{
    if (keys > c->limits.blessings_keys / 4 * 3)
        vrpc_conn_enter_lame_duck(c);
}

bool vrpc_blessflow_is_old_(const struct vrpc_conn *c)
{
    return c->bf.next_key > c->limits.blessings_keys / 4 * 3;
}

static int keys_left(const struct vrpc_conn *c)
{
    return c->bf.next_key >= c->limits.blessings_keys ? V23_ELIMIT : 0;
}

/* The entry of b, after telling the peer if it is new. */
static int send_blessings(struct vrpc_conn *c, struct vsec_blessings *b,
    struct vrpc_sent_ **out)
{
    struct vrpc_blessflow_ *bf = &c->bf;
    v23_conn_blessings_flow_message m;
    struct vrpc_sent_ *s;
    void *v = bf->sent;
    size_t i;
    int rc;

    for (i = bf->nsent; i > 0; i--) {
        s = &bf->sent[i - 1];
        if (s->b == b || vsec_blessings_eq(s->b, b)) {
            *out = s;
            return 0;
        }
    }
    rc = keys_left(c);
    if (rc == 0)
        rc = v23_reserve(c->al, &v, &bf->sent_cap, bf->nsent + 1,
            c->limits.blessings_keys, sizeof(*bf->sent));
    bf->sent = v;
    if (rc != 0)
        return rc;
    memset(&m, 0, sizeof(m));
    m.which = V23_CONN_BLESSINGS_FLOW_MESSAGE_BLESSINGS;
    m.u.blessings.blessings = vsec_blessings_wire(b);
    m.u.blessings.bkey = bf->next_key + 1;
    rc = encode(c, &m);
    if (rc != 0)
        return rc;
    s = &bf->sent[bf->nsent++];
    memset(s, 0, sizeof(*s));
    s->b = vsec_blessings_ref(b);
    s->bkey = ++bf->next_key;
    retire(c, bf->next_key);
    *out = s;
    return 0;
}

static bool same_discharges(const struct vrpc_discharges_ *a,
    const struct vrpc_discharges_ *b)
{
    size_t i;

    if (a->n != b->n)
        return false;
    for (i = 0; i < a->n; i++)
        if (!vsec_discharge_eq(a->v[i], b->v[i]))
            return false;
    return true;
}

static int send_discharges(struct vrpc_conn *c, struct vrpc_sent_ *s,
    const struct vrpc_discharges_ *d)
{
    v23_conn_blessings_flow_message m;
    struct vrpc_discharges_ copy;
    v23_security_wire_discharge *wire;
    size_t i;
    int rc = keys_left(c);

    if (rc != 0)
        return rc;
    wire = v23_get0(c->al, d->n, sizeof(*wire));
    if (wire == NULL)
        return V23_ENOMEM;
    for (i = 0; i < d->n; i++)
        wire[i] = d->v[i]->wire;
    memset(&m, 0, sizeof(m));
    m.which = V23_CONN_BLESSINGS_FLOW_MESSAGE_DISCHARGES;
    m.u.discharges.discharges.v = wire;
    m.u.discharges.discharges.n = (uint32_t)d->n;
    m.u.discharges.bkey = s->bkey;
    m.u.discharges.dkey = c->bf.next_key + 1;
    rc = vrpc_discharges_copy_(c->al, &copy, d->v, d->n);
    if (rc == 0)
        rc = encode(c, &m);
    v23_put(c->al, wire);
    if (rc != 0) {
        vrpc_discharges_fini_(c->al, &copy);
        return rc;
    }
    vrpc_discharges_fini_(c->al, &s->d);
    s->d = copy;
    s->dkey = ++c->bf.next_key;
    retire(c, c->bf.next_key);
    return 0;
}

int vrpc_blessings_send_(struct vrpc_conn *c, struct vsec_blessings *b,
    const struct vrpc_discharges_ *d, uint64_t *bkey, uint64_t *dkey)
{
    struct vrpc_sent_ *s = NULL;
    int rc = 0;

    if (b == NULL)
        b = vrpc_nameless_(c, &rc);
    if (rc == 0)
        rc = send_blessings(c, b, &s);
    if (rc == 0 && d->n > 0 && (s->dkey == 0 || !same_discharges(&s->d, d)))
        rc = send_discharges(c, s, d);
    if (rc != 0)
        return rc;
    *bkey = s->bkey;
    *dkey = d->n == 0 ? 0 : s->dkey;
    return 0;
}

/* ---- receiving ----------------------------------------------------------- */

int vrpc_blessings_input_(struct vrpc_conn *c, struct v23_bytes b)
{
    v23_buf_put(&c->bf.in, b.p, b.n);
    return c->bf.in.err;
}

const struct vrpc_recd_ *vrpc_blessings_known_(const struct vrpc_conn *c,
    uint64_t key)
{
    union vrpc_idval_ *v = vrpc_idmap_get_(&c->bf.index, key);

    return v == NULL ? NULL : &c->bf.recd[v->n];
}

/* Add an empty entry. */
static int add_entry(struct vrpc_conn *c, uint64_t key,
    struct vrpc_recd_ **out)
{
    struct vrpc_blessflow_ *bf = &c->bf;
    union vrpc_idval_ val;
    void *v = bf->recd;
    int rc;

    if (key == 0 || vrpc_idmap_get_(&bf->index, key) != NULL)
        return V23_EPROTO;
    rc = v23_reserve(c->al, &v, &bf->recd_cap, bf->nrecd + 1,
        c->limits.blessings_keys, sizeof(*bf->recd));
    bf->recd = v;
    if (rc != 0)
        return rc;
    val.n = bf->nrecd;
    rc = vrpc_idmap_put_(&bf->index, c->al, key, val);
    if (rc != 0)
        return rc;
    *out = &bf->recd[bf->nrecd++];
    memset(*out, 0, sizeof(**out));
    (*out)->key = key;
    retire(c, bf->nrecd);
    return 0;
}

static bool is_bound(const struct vrpc_conn *c, const struct vsec_blessings *b)
{
    return c->peer_key == NULL
        || (b != NULL
            && vsec_pubkey_eq(c->peer_key, vsec_blessings_key(b)));
}

static int take_blessings(struct vrpc_conn *c, const v23_conn_blessings *m)
{
    struct vsec_blessings *b = NULL;
    struct vrpc_recd_ *r;
    int rc;

    rc = vsec_blessings_from_wire(c->principal->engine, c->chains,
        &m->blessings, &b);
    if (rc == 0 && !is_bound(c, b))
        rc = V23_EKEYMISMATCH;
    if (rc == 0)
        rc = add_entry(c, m->bkey, &r);
    if (rc == 0)
        r->b = b;
    else
        vsec_blessings_unref(b);
    return rc;
}

static int take_discharges(struct vrpc_conn *c, const v23_conn_discharges *m)
{
    struct vrpc_discharges_ d = { NULL, 0 };
    struct vrpc_recd_ *r;
    uint32_t i;
    int rc = 0;

    if (m->discharges.n > 0) {
        d.v = v23_get0(c->al, m->discharges.n, sizeof(*d.v));
        if (d.v == NULL)
            return V23_ENOMEM;
    }
    for (i = 0; i < m->discharges.n && rc == 0; i++) {
        rc = vsec_discharge_from_wire(c->al, &m->discharges.v[i], &d.v[i]);
        if (rc == 0)
            d.n++;
    }
    if (rc == 0)
        rc = add_entry(c, m->dkey, &r);
    if (rc == 0)
        r->d = d;
    else
        vrpc_discharges_fini_(c->al, &d);
    return rc;
}

static int take(struct vrpc_conn *c, const v23_conn_blessings_flow_message *m)
{
    static const char private_server[] = "cannot decrypt blessings: "
                                         "they are for some peers only";

    switch (m->which) {
    case V23_CONN_BLESSINGS_FLOW_MESSAGE_BLESSINGS:
        return take_blessings(c, &m->u.blessings);
    case V23_CONN_BLESSINGS_FLOW_MESSAGE_DISCHARGES:
        return take_discharges(c, &m->u.discharges);
    default: /* there is no identity-based encryption here */
        vrpc_set_text_(c, private_server, sizeof(private_server) - 1, "");
        return V23_EUNTRUSTED;
    }
}

/* Decode one message off bf->in, from *off on. */
static int decode_one(struct vrpc_conn *c, size_t *off)
{
    struct vrpc_blessflow_ *bf = &c->bf;
    v23_conn_blessings_flow_message m;
    struct v23_arena a;
    struct vom_msg msg;
    size_t used = 0, budget;
    int rc;

    if (bf->in.n == *off)
        return V23_EPROTO;
    rc = vom_dec_next(&bf->dec->dec, bf->in.p + *off, bf->in.n - *off, &used,
        &msg);
    if (rc != 0)
        return rc == V23_EAGAIN ? V23_EPROTO : rc;
    keep_read(c, bf->in.p + *off, used);
    *off += used;
    if (v23_mul_size(used, EXPANSION, &budget) != 0)
        return V23_ELIMIT;
    v23_arena_init(&a, c->al, budget + 4096);
    rc = vom_dec_value(&bf->dec->dec, &msg, &a,
        &v23_conn_blessings_flow_message_desc, &m);
    if (rc == 0)
        rc = take(c, &m);
    v23_arena_fini(&a);
    return rc;
}

static bool known(const struct vrpc_conn *c, uint64_t bkey, uint64_t dkey)
{
    return vrpc_blessings_known_(c, bkey) != NULL
        && (dkey == 0 || vrpc_blessings_known_(c, dkey) != NULL);
}

int vrpc_blessings_fetch_(struct vrpc_conn *c, uint64_t bkey, uint64_t dkey)
{
    struct vrpc_blessflow_ *bf = &c->bf;
    size_t off = 0;
    int rc;

    if (known(c, bkey, dkey))
        return 0;
    rc = make_decoder(c);
    while (rc == 0 && !known(c, bkey, dkey))
        rc = decode_one(c, &off);
    if (off == bf->in.n)
        v23_buf_fini(&bf->in);
    else
        v23_buf_drop(&bf->in, off);
    return rc;
}

int vrpc_blessings_bind_(struct vrpc_conn *c)
{
    size_t i;

    for (i = 0; i < c->bf.nrecd; i++)
        if (c->bf.recd[i].b != NULL && !is_bound(c, c->bf.recd[i].b))
            return V23_EKEYMISMATCH;
    return 0;
}
