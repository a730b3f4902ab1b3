/* BSD-3-Clause; see LICENSE. */
/*
 * A scanner for JSON that keeps nothing but where it is: one bit per level of
 * nesting tells objects from arrays.
 */
#include <vname/json.h>

#define MAX_NESTING 1000

struct scan {
    const uint8_t *p, *end;
    struct v23_buf *why; /* may be NULL */
    uint8_t is_array[MAX_NESTING / 8];
    unsigned depth;
};

static const char begin_value[] = "looking for beginning of value";

/* The character at p does not belong there. */
static int bad(struct scan *s, const char *where)
{
    uint8_t c;

    if (s->why == NULL)
        return V23_ETEXT;
    if (s->p == s->end) {
        v23_buf_puts(s->why, "unexpected EOF");
        return V23_ETEXT;
    }
    c = *s->p;
    v23_buf_puts(s->why, "invalid character '");
    if (c == '\'' || c == '\\')
        v23_buf_printf(s->why, "\\%c", c);
    else if (c == '\n' || c == '\r' || c == '\t')
        v23_buf_puts(s->why, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    else if (c < 0x20 || c == 0x7f)
        v23_buf_printf(s->why, "\\x%02x", c);
    else if (c < 0x80)
        v23_buf_put_byte(s->why, c);
    else if (c < 0xa0)
        v23_buf_printf(s->why, "\\u%04x", c);
    else /* a lone byte is shown as the character of that number */
        v23_buf_printf(s->why, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
    v23_buf_printf(s->why, "' %s", where);
    return V23_ETEXT;
}

static void blanks(struct scan *s)
{
    while (s->p < s->end
        && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool at(const struct scan *s, char c)
{
    return s->p < s->end && *s->p == (uint8_t)c;
}

static bool at_digit(const struct scan *s)
{
    return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static int literal(struct scan *s, const char *word)
{
    char where[64];
    size_t i;

    for (i = 1, s->p++; word[i] != 0; i++, s->p++)
        if (!at(s, word[i])) {
            struct v23_buf b;

            v23_buf_init_fixed(&b, where, sizeof(where) - 1);
            v23_buf_printf(&b, "in literal %s (expecting '%c')", word,
                word[i]);
            where[b.n] = 0;
            return bad(s, where);
        }
    return 0;
}

static int digits(struct scan *s, const char *where)
{
    if (!at_digit(s))
        return bad(s, where);
    while (at_digit(s))
        s->p++;
    return 0;
}

static int number(struct scan *s)
{
    int rc;

    if (at(s, '-'))
        s->p++;
    if (at(s, '0')) {
        s->p++;
    } else {
        rc = digits(s, "in numeric literal");
        if (rc != 0)
            return rc;
    }
    if (at(s, '.')) {
        s->p++;
        rc = digits(s, "after decimal point in numeric literal");
        if (rc != 0)
            return rc;
    }
    if (!at(s, 'e') && !at(s, 'E'))
        return 0;
    s->p++;
    if (at(s, '+') || at(s, '-'))
        s->p++;
    return digits(s, "in exponent of numeric literal");
}

static int escape(struct scan *s)
{
    int i;

    s->p++;
    if (s->p < s->end && memchr("\"\\/bfnrt", *s->p, 8) != NULL) {
        s->p++;
        return 0;
    }
    if (!at(s, 'u'))
        return bad(s, "in string escape code");
    s->p++;
    for (i = 0; i < 4; i++, s->p++)
        if (s->p == s->end
            || memchr("0123456789abcdefABCDEF", *s->p, 22) == NULL)
            return bad(s, "in \\u hexadecimal character escape");
    return 0;
}

static int string(struct scan *s)
{
    int rc;

    for (s->p++; !at(s, '"');) {
        if (s->p == s->end || *s->p < 0x20)
            return bad(s, "in string literal");
        if (*s->p != '\\') {
            s->p++;
            continue;
        }
        rc = escape(s);
        if (rc != 0)
            return rc;
    }
    s->p++;
    return 0;
}

static bool in_array(const struct scan *s)
{
    return s->is_array[(s->depth - 1) / 8] >> ((s->depth - 1) % 8) & 1;
}

static int open(struct scan *s, bool array)
{
    uint8_t bit = (uint8_t)(1 << s->depth % 8);

    if (s->depth == MAX_NESTING) {
        if (s->why != NULL)
            v23_buf_puts(s->why, "exceeded max depth");
        return V23_ETEXT;
    }
    if (array)
        s->is_array[s->depth / 8] |= bit;
    else
        s->is_array[s->depth / 8] &= (uint8_t)~bit;
    s->depth++;
    s->p++;
    return 0;
}

/* A key and its colon, the scanner before the key. */
static int key(struct scan *s)
{
    int rc;

    blanks(s);
    if (!at(s, '"'))
        return bad(s, "looking for beginning of object key string");
    rc = string(s);
    if (rc != 0)
        return rc;
    blanks(s);
    if (!at(s, ':'))
        return bad(s, "after object key");
    s->p++;
    return 0;
}

/* A scalar, or the start of an object or array; *again: a value follows. */
static int value(struct scan *s, bool *again)
{
    int rc;

    *again = false;
    blanks(s);
    if (at(s, '"'))
        return string(s);
    if (at(s, 't'))
        return literal(s, "true");
    if (at(s, 'f'))
        return literal(s, "false");
    if (at(s, 'n'))
        return literal(s, "null");
    if (at(s, '-') || at_digit(s))
        return number(s);
    if (!at(s, '{') && !at(s, '['))
        return bad(s, begin_value);
    rc = open(s, at(s, '['));
    if (rc != 0)
        return rc;
    blanks(s);
    *again = !at(s, in_array(s) ? ']' : '}');
    return *again && !in_array(s) ? key(s) : 0;
}

/* What follows a value: closing brackets, but for `depth`, or a comma
 * (*again). */
static int after(struct scan *s, unsigned depth, bool *again)
{
    bool array;

    *again = false;
    while (s->depth > depth) {
        array = in_array(s);
        blanks(s);
        if (at(s, array ? ']' : '}')) {
            s->p++;
            s->depth--;
            continue;
        }
        if (!at(s, ','))
            return bad(s, array ? "after array element"
                                : "after object key:value pair");
        s->p++;
        *again = true;
        return array ? 0 : key(s);
    }
    return 0;
}

static void begin(struct scan *s, struct v23_bytes text, struct v23_buf *why)
{
    memset(s, 0, sizeof(*s));
    s->p = text.p;
    s->end = text.n == 0 ? text.p : text.p + text.n;
    s->why = why;
    blanks(s);
}

/* From one value to behind it, the brackets around it apart. */
static int whole(struct scan *s)
{
    unsigned depth = s->depth;
    bool again;
    int rc;

    do {
        rc = value(s, &again);
        if (rc == 0 && !again && s->depth > depth)
            rc = after(s, depth, &again);
    } while (rc == 0 && again);
    return rc;
}

int vname_json_check(struct v23_bytes text, size_t *end, struct v23_buf *why)
{
    struct scan s;
    int rc;

    begin(&s, text, why);
    if (s.p == s.end)
        return V23_EEOF;
    rc = whole(&s);
    if (rc == 0 && end != NULL)
        *end = (size_t)(s.p - text.p);
    return rc;
}

int vname_json_members(struct v23_bytes text, vname_member_fn *fn, void *ud)
{
    struct scan s;
    int rc = 0;

    begin(&s, text, NULL);
    if (s.p == s.end)
        return V23_EEOF;
    if (!at(&s, '{')) {
        rc = whole(&s);
        return rc == 0 ? V23_EARG : rc;
    }
    rc = open(&s, false);
    blanks(&s);
    if (at(&s, '}'))
        return 0;
    for (;;) {
        const uint8_t *name, *start;
        struct vdl_str k;

        blanks(&s);
        name = s.p + 1;
        rc = key(&s);
        if (rc != 0)
            return rc;
        for (start = s.p - 1; *start != '"';)
            start--;
        k = vdl_strn((const char *)name, (size_t)(start - name));
        blanks(&s);
        start = s.p;
        rc = whole(&s);
        if (rc == 0)
            rc = fn(ud, k, v23_bytes(start, (size_t)(s.p - start)));
        blanks(&s);
        if (rc != 0 || at(&s, '}'))
            return rc;
        if (!at(&s, ','))
            return V23_ETEXT;
        s.p++;
    }
}
