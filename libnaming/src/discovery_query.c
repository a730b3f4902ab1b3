/* BSD-3-Clause; see LICENSE. */
/*
 * Conditions on advertisements: the part of syncQL's where-clause that concerns
 * texts. A tree in an arena, of bounded size and so of bounded depth.
 */
#include <vname/discovery.h>

#include <vom/value.h>

enum { DEPTH_MAX = 100, NODES_MAX = 1000 };

enum op {
    OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE,
    OP_LIKE, OP_NOT_LIKE, OP_NIL, OP_NOT_NIL,
    OP_AND, OP_OR
};

enum operand_kind { ON_TEXT, ON_ID, ON_INTERFACE, ON_ADDRESS, ON_ATTRIBUTE };

struct operand {
    enum operand_kind kind;
    struct vdl_str text; /* of ON_TEXT; key of ON_ATTRIBUTE */
    uint32_t index;      /* of ON_ADDRESS */
};

struct node {
    enum op op;
    struct operand x, y;
    const struct node *left, *right; /* of OP_AND, OP_OR */
};

struct vname_query {
    const struct node *root; /* NULL = everything */
};

/* ---- reading ------------------------------------------------------------- */

enum token {
    T_END, T_WORD, T_TEXT, T_NUMBER, T_SIGN /* a single character */
};

struct parser {
    struct vdl_str text;
    uint32_t at;      /* behind the present token */
    uint32_t start;   /* of the present token */
    enum token token;
    struct vdl_str val; /* the word, the contents of the text, the digits */
    struct v23_arena *a;
    struct v23_buf *why;
    unsigned nodes;
    int err;
};

static void fail(struct parser *p, int err, const char *what)
{
    if (p->err != 0)
        return;
    p->err = err;
    if (p->why != NULL && err != V23_ENOMEM) {
        v23_buf_printf(p->why, "offset %u: %s", p->start, what);
        if (p->why->err == V23_ENOMEM)
            p->err = V23_ENOMEM;
    }
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A text between quotes of either kind; `\` before a quote or itself. */
static void next_text(struct parser *p, char quote)
{
    char *out = v23_arena_get(p->a, p->text.n - p->at + 1, 1);
    uint32_t n = 0;

    if (out == NULL) {
        fail(p, V23_ENOMEM, "");
        return;
    }
    for (;;) {
        char c;

        if (p->at >= p->text.n) {
            fail(p, V23_ETEXT, "a text has no end");
            return;
        }
        c = p->text.p[p->at++];
        if (c == quote)
            break;
        if (c == '\\' && p->at < p->text.n
            && (p->text.p[p->at] == quote || p->text.p[p->at] == '\\')) {
            /* An escape of `like` stays as it is written. */
            if (p->text.p[p->at] == '\\')
                out[n++] = '\\';
            c = p->text.p[p->at++];
        }
        out[n++] = c;
    }
    p->token = T_TEXT;
    p->val = vdl_strn(out, n);
}

static void next(struct parser *p)
{
    char c;

    while (p->at < p->text.n
        && (p->text.p[p->at] == ' ' || p->text.p[p->at] == '\t'
            || p->text.p[p->at] == '\n' || p->text.p[p->at] == '\r'))
        p->at++;
    p->start = p->at;
    p->token = T_END;
    p->val = vdl_str("");
    if (p->err != 0 || p->at == p->text.n)
        return;
    c = p->text.p[p->at++];
    if (c == '"' || c == '\'') {
        next_text(p, c);
        return;
    }
    p->token = is_letter(c) ? T_WORD : is_digit(c) ? T_NUMBER : T_SIGN;
    while (p->token != T_SIGN && p->at < p->text.n
        && (is_digit(p->text.p[p->at])
            || (p->token == T_WORD && is_letter(p->text.p[p->at]))))
        p->at++;
    p->val = vdl_strn(p->text.p + p->start, p->at - p->start);
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token == T_WORD && vdl_str_eq_nocase(p->val, vdl_str(word));
}

static bool is_sign(const struct parser *p, char c)
{
    return p->token == T_SIGN && p->val.p[0] == c;
}

static bool take_word(struct parser *p, const char *word)
{
    bool yes = is_word(p, word);

    if (yes)
        next(p);
    return yes;
}

static bool take_sign(struct parser *p, char c)
{
    bool yes = is_sign(p, c);

    if (yes)
        next(p);
    return yes;
}

static void expect_sign(struct parser *p, char c, const char *what)
{
    if (!take_sign(p, c))
        fail(p, V23_ETEXT, what);
}

static uint32_t number(struct parser *p)
{
    uint32_t v = 0, i;

    if (p->token != T_NUMBER || p->val.n > 9) {
        fail(p, V23_ETEXT, "expected a number");
        return 0;
    }
    for (i = 0; i < p->val.n; i++)
        v = v * 10 + (uint32_t)(p->val.p[i] - '0');
    next(p);
    return v;
}

/* What follows `v.`; names of fields are case-sensitive. */
static void field(struct parser *p, struct operand *x)
{
    if (p->token != T_WORD) {
        fail(p, V23_ETEXT, "expected a field of v");
    } else if (vdl_str_is(p->val, "InterfaceName")) {
        next(p);
        x->kind = ON_INTERFACE;
    } else if (vdl_str_is(p->val, "Attributes")) {
        next(p);
        expect_sign(p, '[', "expected '['");
        x->kind = ON_ATTRIBUTE;
        x->text = p->val;
        if (p->token != T_TEXT)
            fail(p, V23_ETEXT, "expected the key of an attribute");
        next(p);
        expect_sign(p, ']', "expected ']'");
    } else if (vdl_str_is(p->val, "Addresses")) {
        next(p);
        expect_sign(p, '[', "expected '['");
        x->kind = ON_ADDRESS;
        x->index = number(p);
        expect_sign(p, ']', "expected ']'");
    } else {
        fail(p, V23_ETEXT,
            vdl_str_is(p->val, "Attachments")
                ? "v.Attachments cannot be queried"
                : "v has InterfaceName, Attributes and Addresses");
    }
}

static void operand(struct parser *p, struct operand *x)
{
    memset(x, 0, sizeof(*x));
    if (p->token == T_TEXT) {
        x->kind = ON_TEXT;
        x->text = p->val;
        next(p);
    } else if (take_word(p, "k")) {
        x->kind = ON_ID;
    } else if (take_word(p, "v")) {
        expect_sign(p, '.', "expected '.'");
        field(p, x);
    } else {
        fail(p, V23_ETEXT, "expected k, v or a text");
    }
}

static enum op operator(struct parser *p)
{
    if (take_sign(p, '='))
        return OP_EQ;
    if (take_sign(p, '<'))
        return take_sign(p, '>') ? OP_NE : take_sign(p, '=') ? OP_LE : OP_LT;
    if (take_sign(p, '>'))
        return take_sign(p, '=') ? OP_GE : OP_GT;
    if (take_word(p, "equal"))
        return OP_EQ;
    if (take_word(p, "like"))
        return OP_LIKE;
    if (take_word(p, "is"))
        return take_word(p, "not") ? OP_NOT_NIL : OP_NIL;
    if (take_word(p, "not")) {
        if (take_word(p, "equal"))
            return OP_NE;
        if (take_word(p, "like"))
            return OP_NOT_LIKE;
        fail(p, V23_ETEXT, "expected 'equal' or 'like'");
        return OP_NE;
    }
    fail(p, V23_ETEXT, "expected an operator");
    return OP_EQ;
}

/* Only wildcards and the escape itself may be escaped. */
static void check_pattern(struct parser *p, const struct operand *x)
{
    uint32_t i;

    if (x->kind != ON_TEXT) {
        fail(p, V23_ETEXT, "expected a pattern");
        return;
    }
    for (i = 0; i < x->text.n; i++)
        if (x->text.p[i] == '\\') {
            if (++i == x->text.n
                || (x->text.p[i] != '%' && x->text.p[i] != '_'
                    && x->text.p[i] != '\\'))
                fail(p, V23_ETEXT,
                    "only '%', '_' and '\\' can be escaped in a pattern");
        }
}

static struct node *new_node(struct parser *p)
{
    struct node *n = v23_arena_new(p->a, struct node);

    if (n == NULL)
        fail(p, V23_ENOMEM, "");
    else if (++p->nodes > NODES_MAX)
        fail(p, V23_ELIMIT, "too long");
    return p->err == 0 ? n : NULL;
}

static const struct node *expression(struct parser *p, unsigned depth);

static const struct node *comparison(struct parser *p, unsigned depth)
{
    struct node *n;

    if (take_sign(p, '(')) {
        const struct node *inner = expression(p, depth + 1);

        expect_sign(p, ')', "expected ')'");
        return inner;
    }
    n = new_node(p);
    if (n == NULL)
        return NULL;
    operand(p, &n->x);
    n->op = operator(p);
    if (n->op == OP_NIL || n->op == OP_NOT_NIL) {
        if (!take_word(p, "nil"))
            fail(p, V23_ETEXT, "expected 'nil'");
    } else {
        operand(p, &n->y);
    }
    if (n->op == OP_LIKE || n->op == OP_NOT_LIKE)
        check_pattern(p, &n->y);
    return n;
}

static const struct node *expression(struct parser *p, unsigned depth)
{
    const struct node *left;

    if (depth > DEPTH_MAX) {
        fail(p, V23_ELIMIT, "nested too deep");
        return NULL;
    }
    left = comparison(p, depth);
    while (p->err == 0 && (is_word(p, "and") || is_word(p, "or"))) {
        struct node *n = new_node(p);

        if (n == NULL)
            return NULL;
        n->op = is_word(p, "and") ? OP_AND : OP_OR;
        next(p);
        n->left = left;
        n->right = comparison(p, depth);
        left = n;
    }
    return left;
}

int vname_query_parse(struct vdl_str text, struct v23_arena *a,
    const struct vname_query **out, struct v23_buf *why)
{
    struct vname_query *q = v23_arena_new(a, struct vname_query);
    struct parser p;

    if (q == NULL)
        return V23_ENOMEM;
    memset(&p, 0, sizeof(p));
    p.text = text;
    p.a = a;
    p.why = why;
    next(&p);
    if (text.n != 0) {
        q->root = expression(&p, 0);
        if (p.token != T_END)
            fail(&p, V23_ETEXT, "expected 'and', 'or' or the end");
    }
    if (p.err == 0)
        *out = q;
    return p.err;
}

/* ---- matching ------------------------------------------------------------ */

struct ad_texts {
    const v23_discovery_advertisement *ad;
    char id[33];
};

/* false: there is no such thing. */
static bool value(const struct operand *x, const struct ad_texts *t,
    struct vdl_str *out)
{
    const v23_discovery_advertisement *ad = t->ad;
    uint32_t i;

    switch (x->kind) {
    case ON_TEXT:
        *out = x->text;
        return true;
    case ON_ID:
        *out = vdl_strn(t->id, 32);
        return true;
    case ON_INTERFACE:
        *out = ad->interface_name;
        return true;
    case ON_ADDRESS:
        if (x->index >= ad->addresses.n)
            return false;
        *out = ad->addresses.v[x->index];
        return true;
    case ON_ATTRIBUTE:
        for (i = 0; i < ad->attributes.n; i++)
            if (vdl_str_eq(ad->attributes.v[i].key, x->text)) {
                *out = ad->attributes.v[i].val;
                return true;
            }
        return false;
    }
    return false;
}

/* `%` stands for any text, `_` for a character. A later `%` never needs that
 * an earlier one is tried again. */
static bool like(struct vdl_str s, struct vdl_str pat)
{
    uint32_t i = 0, j = 0, star = UINT32_MAX, from = 0;

    for (;;) {
        size_t step = i == s.n ? 0 : v23_utf8_next(s.p + i, s.n - i, NULL);
        bool escaped = j + 1 < pat.n && pat.p[j] == '\\';
        char c = j == pat.n ? 0 : pat.p[j + escaped];

        if (step == 0)
            step = 1; /* not UTF-8 */
        if (j < pat.n && !escaped && c == '%') {
            star = ++j;
            from = i;
        } else if (i == s.n && j == pat.n) {
            return true;
        } else if (i < s.n && j < pat.n && !escaped && c == '_') {
            i += (uint32_t)step;
            j++;
        } else if (i < s.n && j < pat.n && s.p[i] == c) {
            i++;
            j += 1u + escaped;
        } else if (star != UINT32_MAX && from < s.n) {
            j = star;
            i = ++from;
        } else {
            return false;
        }
    }
}

static bool compare(const struct node *n, const struct ad_texts *t)
{
    struct vdl_str x, y = vdl_str("");
    bool has = value(&n->x, t, &x);
    int order;

    if (n->op == OP_NIL || n->op == OP_NOT_NIL)
        return has == (n->op == OP_NOT_NIL);
    if (!has || !value(&n->y, t, &y))
        return false;
    if (n->op == OP_LIKE || n->op == OP_NOT_LIKE)
        return like(x, y) == (n->op == OP_LIKE);
    order = vdl_str_cmp(x, y);
    switch (n->op) {
    case OP_EQ:
        return order == 0;
    case OP_NE:
        return order != 0;
    case OP_LT:
        return order < 0;
    case OP_LE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool holds(const struct node *n, const struct ad_texts *t)
{
    if (n->op == OP_AND)
        return holds(n->left, t) && holds(n->right, t);
    if (n->op == OP_OR)
        return holds(n->left, t) || holds(n->right, t);
    return compare(n, t);
}

bool vname_query_match(const struct vname_query *q,
    const v23_discovery_advertisement *ad)
{
    struct ad_texts t;
    struct v23_buf b;

    if (q->root == NULL)
        return true;
    t.ad = ad;
    v23_buf_init_fixed(&b, t.id, sizeof(t.id));
    v23_hex_put(&b, ad->id.v, sizeof(ad->id.v));
    t.id[32] = 0;
    return holds(q->root, &t);
}

static struct vdl_str only_interface(const struct node *n)
{
    struct vdl_str none = vdl_str(""), right;

    if (n->op == OP_EQ) {
        if (n->x.kind == ON_INTERFACE && n->y.kind == ON_TEXT)
            return n->y.text;
        if (n->y.kind == ON_INTERFACE && n->x.kind == ON_TEXT)
            return n->x.text;
        return none;
    }
    if (n->op != OP_AND)
        return none;
    /* One side is enough; `or` would need the same on both. */
    right = only_interface(n->right);
    return right.n != 0 ? right : only_interface(n->left);
}

struct vdl_str vname_query_interface(const struct vname_query *q)
{
    return q->root == NULL ? vdl_str("") : only_interface(q->root);
}
