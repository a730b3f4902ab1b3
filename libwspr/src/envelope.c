/* BSD-3-Clause; see LICENSE. */
/*
 * The JSON around each message of the page, and whose protocol it is
 * (spec/wspr.md 3.1, 16.1, 17.2).
 */
#include "wspr_int.h"

#include <stdio.h>
#include <string.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/json/json.vdl.h>
#include <wspr/json.h>

#define WHY 160
/* What JavaScript counts exactly; ids of 2014 are of 64 bits (16.1). */
#define JS_INT_MAX 9007199254740991.0

/* ---- the form that JavaScript gives -------------------------------------- */

struct scan {
    const char *p, *end;
};

static bool word(struct scan *s, const char *w)
{
    size_t n = strlen(w);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* A number of one to nine digits. */
static bool digits(struct scan *s, int64_t *out)
{
    const char *start = s->p;

    for (*out = 0; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
        if (s->p - start == 9)
            return false;
        *out = *out * 10 + (*s->p - '0');
    }
    return s->p > start && (*start != '0' || s->p == start + 1);
}

/* What stands before the next quote, if nothing of it is escaped. */
static bool plain(struct scan *s, struct vdl_str *out)
{
    size_t n = (size_t)(s->end - s->p);
    const char *quote = memchr(s->p, '"', n);

    if (quote == NULL)
        return false;
    *out = vdl_strn(s->p, (size_t)(quote - s->p));
    s->p = quote;
    return memchr(out->p, '\\', out->n) == NULL;
}

/* Is it {"id":7,"data":"81...","type":3}? Messages of 2016 are: they need not
 * be copied, and big ones are most of what a proxy has to do. */
static bool is_plain_frame(const char *text, size_t n, struct wspr_frame_ *f)
{
    struct scan s = {text, text + n};

    memset(f, 0, sizeof(*f));
    return word(&s, "{\"id\":") && digits(&s, &f->id) &&
        word(&s, ",\"data\":\"") && plain(&s, &f->data) &&
        word(&s, "\",\"type\":") && digits(&s, &f->type) && word(&s, "}") &&
        s.p == s.end;
}

/* ---- whose protocol ------------------------------------------------------ */

static bool is_hex(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++)
        if (strchr("0123456789abcdefABCDEF", s.p[i]) == NULL || s.p[i] == 0)
            return false;
    return s.n % 2 == 0;
}

static const struct wspr_era_ *era_of(const struct wspr_frame_ *f)
{
    bool vom = f->data.n >= 2 && f->data.p[0] == '8' &&
               (f->data.p[1] == '0' || f->data.p[1] == '1') &&
               is_hex(f->data);

    return f->type == 23 || (f->type == 0 && vom) ? &wspr_era_vom_
                                                  : &wspr_era_json_;
}

/* ---- everything else ----------------------------------------------------- */

static bool number(struct vdl_any v, const char *name, double limit,
    int64_t *out, char *why)
{
    double d = 0;

    if (v.type == NULL)
        return true;
    if (v.type->kind == VDL_FLOAT64)
        d = *(const double *)v.val;
    if (v.type->kind == VDL_FLOAT64 && d >= -limit - 1 && d <= limit &&
        d == (double)(int64_t)d) {
        *out = (int64_t)d;
        return true;
    }
    snprintf(why, WHY, "%s is not a number of type %s", name,
        limit > INT32_MAX ? "int64" : "int32");
    return false;
}

static bool members(const struct wspr_ctl *c, const v23_wspr_json_frame *j,
    struct wspr_frame_ *f, char *why)
{
    const struct wspr_era_ *era = c->era;

    if (!number(j->type, "type", INT32_MAX, &f->type, why))
        return false;
    if (j->data.type != NULL && j->data.type->kind != VDL_STRING) {
        snprintf(why, WHY, "data is not a string");
        return false;
    }
    if (j->data.type != NULL)
        f->data = *(const struct vdl_str *)j->data.val;
    if (era == NULL)
        era = era_of(f);
    return number(j->id, "id",
        era == &wspr_era_json_ ? JS_INT_MAX : INT32_MAX, &f->id, why);
}

/* False, and `why` says why. The frame lives in c->scratch. */
static bool parse(struct wspr_ctl *c, const char *text, size_t n,
    struct wspr_frame_ *f, char *why)
{
    struct wspr_json_options opt = WSPR_JSON_OPTIONS_INIT;
    v23_wspr_json_frame j;
    struct v23_buf b;
    int rc;

    memset(f, 0, sizeof(*f));
    opt.lax = true;
    opt.bytes = SIZE_MAX;
    v23_buf_init_fixed(&b, why, WHY - 1);
    rc = wspr_json_decode(v23_bytes(text, n), &opt, &c->scratch,
        &v23_wspr_json_frame_desc, &j, &b);
    why[b.n] = 0;
    if (rc == 0)
        return members(c, &j, f, why);
    if (b.n == 0)
        snprintf(why, WHY, "%s", rc == V23_EEOF ? "EOF" : v23_strerror(rc));
    return false;
}

/* ---- messages ------------------------------------------------------------ */

int wspr_ctl_use_(struct wspr_ctl *c, const struct wspr_era_ *e)
{
    int rc;

    c->era = e;
    c->next_id = e->first_id;
    rc = e->open(c);
    if (rc != 0) {
        e->close(c);
        c->era = NULL;
    }
    return rc;
}

static void dispatch(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    if (c->era == NULL && wspr_ctl_use_(c, era_of(f)) != 0) {
        c->cut = true;
        c->cfg.hooks->close(c->cfg.ud, 1011, "out of memory");
        return;
    }
    c->era->message(c, f);
    v23_arena_reset(&c->scratch);
}

void wspr_ctl_input(struct wspr_ctl *c, const char *text, size_t n,
    const struct v23_now *now)
{
    struct wspr_frame_ f;
    char why[WHY];

    c->now = *now;
    if (c->closing || c->cut)
        return;
    c->messages_in++;
    c->bytes_in += n;
    wspr_ctl_stir_(c);
    if (n > c->cfg.limits.message || n > UINT32_MAX / 2) {
        c->cut = true;
        c->cfg.hooks->close(c->cfg.ud, 1009, "message too long");
        return;
    }
    if (n == 0)
        text = "";
    if (is_plain_frame(text, n, &f) || parse(c, text, n, &f, why)) {
        dispatch(c, &f);
        return;
    }
    wspr_ctl_plain_(c, "can't unmarshall JSONMessage: %s", why);
    v23_arena_reset(&c->scratch);
}
