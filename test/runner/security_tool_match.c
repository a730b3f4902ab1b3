/* BSD-3-Clause; see LICENSE. */
/*
 * The texts of two runs that differ in keys, signatures and times. What is
 * bound to each other has to stay so: a fingerprint that stands for alice's key
 * in one place of a recording stands for it everywhere.
 */
#include "security_tool.h"

#include <ctype.h>
#include <stdlib.h>

#include <cli.h>

enum { LONG = 40 }; /* characters of a text that can be a key or blessings */

/* ---- pairs --------------------------------------------------------------- */

static char *copy(const char *s, size_t n)
{
    char *out = malloc(n + 1);

    if (out == NULL)
        abort();
    memcpy(out, s, n);
    out[n] = 0;
    return out;
}

static bool is(const char *s, const char *text, size_t n)
{
    return strlen(s) == n && memcmp(s, text, n) == 0;
}

bool tool_bind(struct tool_pairs *p, const char *want, size_t nwant,
    const char *got, size_t ngot)
{
    size_t i;

    for (i = 0; i < p->n; i++)
        if (is(p->v[i].want, want, nwant) || is(p->v[i].got, got, ngot))
            return is(p->v[i].want, want, nwant)
                && is(p->v[i].got, got, ngot);
    if (p->n == TOOL_PAIRS)
        return false;
    p->v[p->n].want = copy(want, nwant);
    p->v[p->n++].got = copy(got, ngot);
    return true;
}

void tool_pairs_fini(struct tool_pairs *p)
{
    while (p->n > 0) {
        free(p->v[--p->n].want);
        free(p->v[p->n].got);
    }
}

/* The longest pair whose first text stands at the start of `text`. */
static const struct tool_pair *pair_at(const struct tool_pairs *p,
    const char *text)
{
    const struct tool_pair *best = NULL;
    size_t i, n, most = 0;

    for (i = 0; i < p->n; i++) {
        n = strlen(p->v[i].want);
        if (n > most && strncmp(text, p->v[i].want, n) == 0) {
            best = &p->v[i];
            most = n;
        }
    }
    return best;
}

char *tool_translate(const struct tool_pairs *p, const char *text)
{
    const struct tool_pair *pair;
    struct v23_buf b;
    char *out;

    v23_buf_init(&b, NULL, SIZE_MAX);
    while (*text != 0) {
        pair = pair_at(p, text);
        if (pair == NULL) {
            v23_buf_put_byte(&b, (uint8_t)*text++);
        } else {
            v23_buf_puts(&b, pair->got);
            text += strlen(pair->want);
        }
    }
    out = copy(v23_buf_cstr(&b), b.n);
    v23_buf_fini(&b);
    return out;
}

/* ---- what stands at a place ---------------------------------------------- */

/* 47 if a fingerprint stands there, else 0. */
static size_t fingerprint_length(const char *s)
{
    size_t i;

    for (i = 0; i < VSEC_FINGERPRINT - 1; i++)
        if (i % 3 == 2 ? s[i] != ':' : !isxdigit((unsigned char)s[i]))
            return 0;
    return i;
}

/* Length of a text in the alphabet of base64url, 0 if it is short. */
static size_t base64_length(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || s[n] == '-' || s[n] == '_')
        n++;
    while (s[n] == '=')
        n++;
    return n < LONG ? 0 : n;
}

/* What blessings say, with the fingerprints of their keys. */
static void describe(struct tool_pairs *p, const struct vsec_blessings *b,
    struct v23_buf *out)
{
    const v23_security_certificate *c;
    char print[VSEC_FINGERPRINT];
    uint32_t i, j, k;

    for (i = 0; i < b->nchains; i++)
        for (j = 0; j < b->chains[i].certs.n; j++) {
            c = &b->chains[i].certs.v[j];
            if (vsec_fingerprint(p->engine->crypto, c->public_key, print)
                != 0)
                print[0] = 0;
            v23_buf_printf(out, "chain %u certificate %u: %.*s %s\n",
                (unsigned)i, (unsigned)j, (int)c->extension.n,
                c->extension.n == 0 ? "" : c->extension.p, print);
            for (k = 0; k < c->caveats.n; k++) {
                if (vsec_caveat_format(p->engine, &c->caveats.v[k], out) != 0)
                    v23_buf_puts(out, "?");
                v23_buf_put_byte(out, '\n');
            }
        }
}

/* Explain a long text: a key by its fingerprint, blessings by what they say. */
static bool explain(struct tool_pairs *p, const char *text, size_t n,
    struct v23_buf *out)
{
    char print[VSEC_FINGERPRINT];
    struct vsec_blessings *b = NULL;
    struct vsec_pubkey *k;
    struct v23_buf raw;
    bool ok = false;

    v23_buf_init(&raw, NULL, SIZE_MAX);
    if (v23_base64_parse(text, n, true, &raw) != 0) {
        ok = false;
    } else if (vsec_pubkey_parse(p->engine, vdl_bytes(raw.p, raw.n), &k)
        == 0) {
        ok = vsec_fingerprint(p->engine->crypto, k->der, print) == 0;
        v23_buf_printf(out, "key %s", print);
        vsec_pubkey_unref(k);
    } else if (vsec_blessings_decode(p->engine, NULL,
                   v23_bytes(raw.p, raw.n), &b)
            == 0
        && b != NULL) {
        describe(p, b, out);
        vsec_blessings_unref(b);
        ok = true;
    }
    v23_buf_fini(&raw);
    return ok;
}

/* Keys or blessings that agree are bound. */
static bool same_long(struct tool_pairs *p, const char *want, size_t nwant,
    const char *got, size_t ngot)
{
    struct v23_buf a, b;
    bool ok;

    v23_buf_init(&a, NULL, SIZE_MAX);
    v23_buf_init(&b, NULL, SIZE_MAX);
    ok = explain(p, want, nwant, &a) && explain(p, got, ngot, &b)
        && tool_same(p, v23_buf_cstr(&a), v23_buf_cstr(&b))
        && tool_bind(p, want, nwant, got, ngot);
    v23_buf_fini(&a);
    v23_buf_fini(&b);
    return ok;
}

/* ---- both texts, side by side -------------------------------------------- */

/* Lengths of what stands for each other; 0 for an ordinary character. */
static bool step(struct tool_pairs *p, const char *want, const char *got,
    size_t *nwant, size_t *ngot)
{
    const struct tool_pair *pair = pair_at(p, want);

    *nwant = *ngot = 0;
    if (pair != NULL) {
        *nwant = strlen(pair->want);
        *ngot = strlen(pair->got);
        return strncmp(got, pair->got, *ngot) == 0;
    }
    *nwant = fingerprint_length(want);
    if (*nwant != 0) {
        *ngot = fingerprint_length(got);
        return *ngot != 0 && tool_bind(p, want, *nwant, got, *ngot);
    }
    *nwant = cli_time_length(want);
    if (*nwant != 0) {
        *ngot = cli_time_length(got);
        return *ngot != 0;
    }
    *nwant = base64_length(want);
    *ngot = base64_length(got);
    if (*nwant == 0 || *ngot == 0
        || (*nwant == *ngot && memcmp(want, got, *nwant) == 0)) {
        *nwant = *ngot = 0;
        return true;
    }
    return same_long(p, want, *nwant, got, *ngot);
}

bool tool_same(struct tool_pairs *p, const char *want, const char *got)
{
    size_t nwant, ngot;

    while (*want != 0) {
        if (!step(p, want, got, &nwant, &ngot))
            return false;
        if (nwant == 0 && *want != *got)
            return false;
        want += nwant == 0 ? 1 : nwant;
        got += nwant == 0 ? 1 : ngot;
    }
    return *got == 0;
}
