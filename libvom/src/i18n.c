/* BSD-3-Clause; see LICENSE. */
/*
 * Message catalogues. Messages are kept in one array, sorted by language and
 * id; a merge appends to it and sorts once at its end.
 */
#include <v23/i18n.h>

#include <stdlib.h>

#include <vom/parse.h>
#include <vom/value.h>

struct message {
    struct vdl_str language, id, format;
    size_t order; /* of two with the same id, the later one counts */
};

struct v23_i18n {
    const struct v23_alloc *al;
    struct v23_arena arena; /* texts; those of replaced messages stay */
    struct message *v;
    size_t n, cap;
};

int v23_i18n_new(const struct v23_alloc *al, struct v23_i18n **out)
{
    struct v23_i18n *c = v23_new(al, struct v23_i18n);

    if (c == NULL)
        return V23_ENOMEM;
    c->al = al;
    v23_arena_init(&c->arena, al, V23_I18N_MAX_BYTES);
    *out = c;
    return 0;
}

void v23_i18n_free(struct v23_i18n *c)
{
    if (c == NULL)
        return;
    v23_arena_fini(&c->arena);
    v23_put(c->al, c->v);
    v23_put(c->al, c);
}

/* ---- merging ------------------------------------------------------------- */

static int by_name(const struct message *a, const struct message *b)
{
    int d = vdl_str_cmp(a->language, b->language);

    return d != 0 ? d : vdl_str_cmp(a->id, b->id);
}

static int by_name_and_order(const void *va, const void *vb)
{
    const struct message *a = va, *b = vb;
    int d = by_name(a, b);

    return d != 0 ? d : a->order < b->order ? -1 : a->order > b->order;
}

static void sort(struct v23_i18n *c)
{
    size_t i, k = 0;

    if (c->n == 0)
        return;
    for (i = 0; i < c->n; i++)
        c->v[i].order = i; /* what was there before comes first */
    qsort(c->v, c->n, sizeof(*c->v), by_name_and_order);
    for (i = 1; i < c->n; i++) {
        if (by_name(&c->v[k], &c->v[i]) != 0)
            k++;
        c->v[k] = c->v[i];
    }
    c->n = k + 1;
}

/* Memory that ran out: of the machine, or of what a catalogue may have? */
static int full(const struct v23_i18n *c, size_t wanted)
{
    return c->arena.limit - c->arena.used <= wanted ? V23_ELIMIT : V23_ENOMEM;
}

static int keep(struct v23_i18n *c, struct vdl_str *s)
{
    const char *p = v23_arena_dup(&c->arena, s->p, s->n);

    if (p == NULL)
        return full(c, s->n);
    s->p = p;
    return 0;
}

static int add(struct v23_i18n *c, struct message m)
{
    void *v = c->v;
    int rc = v23_reserve(c->al, &v, &c->cap, c->n + 1, V23_I18N_MAX_MESSAGES,
        sizeof(*c->v));

    if (rc != 0)
        return rc;
    c->v = v;
    rc = keep(c, &m.language);
    if (rc == 0)
        rc = keep(c, &m.id);
    if (rc == 0)
        c->v[c->n++] = m;
    return rc;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The next word of a line, and the blanks around it. */
static struct vdl_str word(const char **p, const char *end)
{
    const char *start;
    struct vdl_str out;

    while (*p < end && blank(**p))
        (*p)++;
    start = *p;
    while (*p < end && !blank(**p))
        (*p)++;
    out = vdl_strn(start, (size_t)(*p - start));
    while (*p < end && blank(**p))
        (*p)++;
    return out;
}

/* The literal at p, with its quotes; false: it is none, or has no end. */
static bool literal(const char *p, const char *end, struct vdl_str *out)
{
    const char *q = p + 1;

    if (p == end || (*p != '"' && *p != '`'))
        return false;
    for (; q < end && *q != *p; q++)
        if (*q == '\\' && *p == '"' && q + 1 < end)
            q++;
    *out = vdl_strn(p, (size_t)(q - p) + 1);
    return q < end;
}

/* 0; V23_ETEXT with *why; V23_ELIMIT, V23_ENOMEM. */
static int line(struct v23_i18n *c, const char *p, const char *end,
    const char **why)
{
    static const struct vdl_type *const string = &vdl_string_desc;
    struct vdl_parse_error err;
    struct vdl_str text;
    struct message m;
    const void *value;
    size_t got;
    int rc;

    m.language = word(&p, end);
    if (m.language.n == 0 || m.language.p[0] == '#')
        return 0;
    m.id = word(&p, end);
    *why = m.id.n == 0 ? "no message id" : "no format in quotes";
    if (m.id.n == 0 || !literal(p, end, &text))
        return V23_ETEXT;
    *why = "bad escape in the format";
    rc = vdl_parse_values(text, NULL, &c->arena, &string, 1, &value, &got,
        &err);
    if (rc != 0)
        return rc == V23_ENOMEM ? full(c, text.n) : V23_ETEXT;
    m.format = *(const struct vdl_str *)value;
    return add(c, m);
}

int v23_i18n_merge(struct v23_i18n *c, struct v23_bytes text,
    struct v23_buf *why)
{
    const char *p = (const char *)text.p, *end = p + text.n, *stop, *what;
    size_t number;
    bool bad = false;
    int rc = 0;

    for (number = 1; text.n != 0 && p < end && rc == 0; number++) {
        stop = memchr(p, '\n', (size_t)(end - p));
        if (stop == NULL)
            stop = end;
        rc = line(c, p, stop, &what);
        if (rc == V23_ETEXT) {
            bad = true;
            rc = 0;
            if (why != NULL && why->n < V23_I18N_WHY)
                v23_buf_printf(why, "line %zu: %s\n", number, what);
        }
        p = stop + 1;
    }
    sort(c);
    return rc != 0 ? rc : bad ? V23_ETEXT : 0;
}

/* ---- use ----------------------------------------------------------------- */

void v23_i18n_print(const struct v23_i18n *c, struct v23_buf *out)
{
    size_t i;

    for (i = 0; i < c->n; i++) {
        v23_buf_put_str(out, c->v[i].language);
        v23_buf_put_byte(out, ' ');
        v23_buf_put_str(out, c->v[i].id);
        v23_buf_put_byte(out, ' ');
        vdl_format_quoted(out, c->v[i].format.p, c->v[i].format.n);
        v23_buf_put_byte(out, '\n');
    }
}

/* The first message not before this one. */
static size_t lower_bound(const struct v23_i18n *c, const struct message *m)
{
    size_t lo = 0, hi = c->n, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (by_name(&c->v[mid], m) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static const struct message *find(const struct v23_i18n *c,
    struct vdl_str language, struct vdl_str id)
{
    struct message m;
    size_t i;

    m.language = language;
    m.id = id;
    i = lower_bound(c, &m);
    return i < c->n && by_name(&c->v[i], &m) == 0 ? &c->v[i] : NULL;
}

static struct vdl_str base_of(struct vdl_str language)
{
    const char *dash = language.n == 0 ? NULL
                                       : memchr(language.p, '-', language.n);

    if (dash != NULL)
        language.n = (uint32_t)(dash - language.p);
    return language;
}

/* Languages that share a base are neighbours, but for odd names. */
static const struct message *find_relative(const struct v23_i18n *c,
    struct vdl_str base, struct vdl_str id)
{
    struct message m = { base, { NULL, 0 }, { NULL, 0 }, 0 };
    size_t i;

    for (i = lower_bound(c, &m); i < c->n; i++) {
        const struct message *at = &c->v[i];

        if (at->language.n < base.n
            || memcmp(at->language.p, base.p, base.n) != 0)
            break;
        if (vdl_str_eq(base_of(at->language), base)
            && vdl_str_eq(at->id, id))
            return at;
    }
    return NULL;
}

bool v23_i18n_lookup(const struct v23_i18n *c, struct vdl_str language,
    struct vdl_str id, struct vdl_str *format)
{
    struct vdl_str base = base_of(language);
    const struct message *m;

    if (base.n == 0)
        return false;
    m = find(c, language, id);
    if (m == NULL && base.n != language.n)
        m = find(c, base, id);
    if (m == NULL)
        m = find_relative(c, base, id);
    if (m == NULL)
        return false;
    *format = m->format;
    return true;
}

void v23_i18n_error(const struct v23_i18n *c, struct vdl_str language,
    const struct v23_verror *e, struct v23_buf *out)
{
    struct vdl_str format;

    if (c != NULL && v23_i18n_lookup(c, language, e->id, &format))
        v23_verror_format(e, format, out);
    else
        v23_buf_put_str(out, e->msg);
}

struct vdl_str v23_i18n_language(const char *lang, char out[32])
{
    size_t n = 0;

    if (lang == NULL || strcmp(lang, "C") == 0 || strcmp(lang, "POSIX") == 0
        || strncmp(lang, "C.", 2) == 0)
        lang = "";
    for (; n < 31 && lang[n] != 0 && lang[n] != '.' && lang[n] != '@'; n++)
        out[n] = lang[n] == '_' ? '-' : lang[n];
    out[n] = 0;
    return vdl_strn(out, n);
}
