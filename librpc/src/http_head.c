/* BSD-3-Clause; see LICENSE. */
/*
 * Heads of HTTP/1.1. What is not understood makes the head invalid; fields are
 * looked for when they are asked for, which are few.
 */
#include <vrpc/http_head.h>

#include <string.h>

/* ---- text ---------------------------------------------------------------- */

static bool is(struct vdl_str a, const char *lit)
{
    return vdl_str_eq_nocase(a, vdl_str(lit));
}

static struct vdl_str trim(struct vdl_str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Is `word` an element of a comma-separated list? */
static bool lists(struct vdl_str list, const char *word)
{
    const char *comma;
    struct vdl_str one;

    while (list.n > 0) {
        comma = memchr(list.p, ',', list.n);
        one = vdl_strn(list.p,
            comma == NULL ? list.n : (size_t)(comma - list.p));
        if (is(trim(one), word))
            return true;
        if (comma == NULL)
            break;
        list = vdl_strn(comma + 1, list.n - one.n - 1);
    }
    return false;
}

/* RFC 9110: a token; what a field's name is made of. */
static bool is_token(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++) {
        char c = v23_lower(s.p[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
            return false;
    }
    return s.n > 0;
}

static bool is_text(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') ||
            s.p[i] == 0x7f)
            return false;
    return true;
}

/* ---- lines --------------------------------------------------------------- */

/* Take the line at the beginning of a text; false: it has no end. */
static bool take_line(struct vdl_str *text, struct vdl_str *line)
{
    const char *end = text->n == 0 ? NULL : memchr(text->p, '\r', text->n);

    if (end == NULL || end + 1 == text->p + text->n || end[1] != '\n')
        return false;
    *line = vdl_strn(text->p, (size_t)(end - text->p));
    *text = vdl_strn(end + 2, text->n - line->n - 2);
    return true;
}

/* "name: value" */
static bool split_field(struct vdl_str line, struct vdl_str *name,
    struct vdl_str *value)
{
    const char *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);

    if (colon == NULL)
        return false;
    *name = vdl_strn(line.p, (size_t)(colon - line.p));
    *value = trim(vdl_strn(colon + 1, line.n - name->n - 1));
    return is_token(*name); /* also not a line that continues the one before */
}

/* The next field; false: there is no more. */
static bool next_field(struct vdl_str *text, struct vdl_str *name,
    struct vdl_str *value)
{
    struct vdl_str line;

    return take_line(text, &line) && split_field(line, name, value);
}

int vrpc_http_head_collect(struct v23_buf *head, const uint8_t *p, size_t n,
    size_t *used)
{
    for (*used = 0; *used < n;) {
        v23_buf_put_byte(head, p[(*used)++]);
        if (head->err != 0)
            return head->err;
        if (head->n >= 4 && memcmp(head->p + head->n - 4, "\r\n\r\n", 4) == 0)
            return 0;
    }
    return V23_EAGAIN;
}

/* "METHOD target HTTP/1.1" with exactly these spaces. */
static void split_request(struct vrpc_http_head *h)
{
    static const char tail[] = " HTTP/1.1";
    const size_t n = sizeof(tail) - 1;
    struct vdl_str line = h->first, method, target;
    const char *sp;

    if (line.n <= n || memcmp(line.p + line.n - n, tail, n) != 0)
        return;
    sp = memchr(line.p, ' ', line.n - n);
    if (sp == NULL)
        return;
    method = vdl_strn(line.p, (size_t)(sp - line.p));
    target = vdl_strn(sp + 1, (size_t)(line.p + line.n - n - sp) - 1);
    if (!is_token(method) || target.n == 0 ||
        memchr(target.p, ' ', target.n) != NULL)
        return;
    h->method = method;
    h->target = target;
}

int vrpc_http_head_parse(const struct v23_buf *head,
    struct vrpc_http_head *out)
{
    struct vdl_str text, line, name, value;

    memset(out, 0, sizeof(*out));
    if (head->n < 4)
        return V23_EPROTO;
    text = vdl_strn((const char *)head->p, head->n - 2);
    if (!take_line(&text, &out->first) || !is_text(out->first))
        return V23_EPROTO;
    out->fields = text;
    while (text.n > 0)
        if (!take_line(&text, &line) || !is_text(line) ||
            !split_field(line, &name, &value))
            return V23_EPROTO;
    split_request(out);
    return 0;
}

/* ---- enquiries ----------------------------------------------------------- */

bool vrpc_http_head_is_request(const struct vrpc_http_head *h)
{
    return h->method.n > 0;
}

unsigned vrpc_http_head_get(const struct vrpc_http_head *h, const char *name,
    struct vdl_str *value)
{
    struct vdl_str text = h->fields, key, v;
    unsigned n = 0;

    *value = vdl_strn(NULL, 0);
    while (next_field(&text, &key, &v))
        if (is(key, name)) {
            *value = v;
            n++;
        }
    return n;
}

bool vrpc_http_head_lists(const struct vrpc_http_head *h, const char *name,
    const char *word)
{
    struct vdl_str text = h->fields, key, v;

    while (next_field(&text, &key, &v))
        if (is(key, name) && lists(v, word))
            return true;
    return false;
}
