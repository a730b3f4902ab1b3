/* BSD-3-Clause; see LICENSE. */
/*
 * C names. A VDL name becomes snake case: '_' goes before every capital that
 * follows a lower-case letter or a digit. Everything at file scope starts
 * with the package's prefix, so only members and parameters can meet a
 * keyword or a macro; these get a '_' behind.
 *
 * Prefixes: a user's package `sensor` has "sensor_"; packages of the project
 * have "v23_<pkg>_". Where two of these share their last name, the one that
 * is not below v.io/v23 (or is a service) has its parent's name in front:
 * v.io/x/ref/lib/security is "v23_lib_security_". The list is fixed, so that
 * a prefix never depends on what else is compiled.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gen_int.h"

struct gen_ident {
    const char *name, *what;
};

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char *snake(struct gen *g, const char *name)
{
    size_t i, n = 0, len = strlen(name);
    char *s = v23_arena_get(&g->mem, 2 * len + 1, 1);

    if (s == NULL) {
        g->rc = V23_ENOMEM;
        return NULL;
    }
    for (i = 0; i < len; i++) {
        if (i > 0 && is_upper(name[i]) &&
            (is_lower(name[i - 1]) || is_digit(name[i - 1])))
            s[n++] = '_';
        s[n++] = is_upper(name[i]) ? (char)(name[i] - 'A' + 'a') : name[i];
    }
    s[n] = '\0';
    return s;
}

const char *gen_snake(struct gen *g, const char *name)
{
    const char *s = snake(g, name);

    return s == NULL ? "" : s;
}

const char *gen_upper(struct gen *g, const char *name)
{
    char *s = snake(g, name);
    size_t i;

    if (s == NULL)
        return "";
    for (i = 0; s[i] != '\0'; i++) {
        if (is_lower(s[i]))
            s[i] = (char)(s[i] - 'a' + 'A');
    }
    return s;
}

/* Keywords of C and C++, and lower-case macros of the standard headers. */
static const char *const reserved[] = { "alignas", "alignof", "and", "and_eq",
    "asm", "assert", "atomic", "auto", "bitand", "bitor", "bool", "break",
    "case", "catch", "char", "class", "compl", "complex", "concept", "const",
    "const_cast", "consteval", "constexpr", "constinit", "continue",
    "co_await", "co_return", "co_yield", "decltype", "default", "delete",
    "do", "double", "dynamic_cast", "else", "enum", "errno", "explicit",
    "export", "extern", "false", "float", "for", "fortran", "friend", "getc",
    "goto", "i386", "if", "imaginary", "inline", "int", "isfinite", "isinf",
    "isnan", "isnormal", "linux", "long", "mutable", "namespace", "new",
    "noexcept", "noreturn", "not", "not_eq", "nullptr", "offsetof",
    "operator", "or", "or_eq", "private", "protected", "public", "putc",
    "register", "reinterpret_cast", "requires", "restrict", "return",
    "setjmp", "short", "signbit", "signed", "sizeof", "static",
    "static_assert", "static_cast", "stderr", "stdin", "stdout", "struct",
    "switch", "template", "this", "thread_local", "throw", "true", "try",
    "typedef", "typeid", "typename", "typeof", "union", "unix", "unsigned",
    "using", "va_arg", "va_copy", "va_end", "va_start", "virtual", "void",
    "volatile", "wchar_t", "while", "xor", "xor_eq" };

static int compare_name(const void *key, const void *elem)
{
    return strcmp(key, *(const char *const *)elem);
}

const char *gen_member(struct gen *g, const char *name)
{
    const char *s = gen_snake(g, name);

    if (bsearch(s, reserved, sizeof(reserved) / sizeof(reserved[0]),
            sizeof(reserved[0]), compare_name) != NULL)
        return gen_str(g, "%s_", s);
    return s;
}

/* ---- packages ------------------------------------------------------------ */

/* Shipped packages whose last name another one has. */
static const char *const with_parent[] = { "v.io/v23/services/vtrace",
    "v.io/x/ref/lib/discovery", "v.io/x/ref/lib/security",
    "v.io/x/ref/runtime/internal/rpc", "v.io/x/ref/services/stats" };

/* Below it, packages have names that others have, too. */
#define WSPR_PACKAGES "v.io/x/ref/services/wspr/internal/"

/* Prefixes of the libraries, which a user's package cannot have. */
static const char *const libraries[] = { "v23", "vdl", "vom", "vsec", "vrpc",
    "vname", "wspr" };

static bool in_list(const char *s, const char *const *v, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (strcmp(s, v[i]) == 0)
            return true;
    }
    return false;
}

bool gen_shipped(const struct ir_package *p)
{
    static const char *const standard[] = { "math", "signature", "time",
        "vdltool" };

    return p->builtin || strncmp(p->path, "v.io/", 5) == 0 ||
        (in_list(p->path, standard, 4) && strcmp(p->path, p->gen_path) != 0);
}

/* The path element before the last, as an identifier. */
static const char *parent(struct gen *g, const char *path)
{
    const char *end = strrchr(path, '/'), *p;
    char *s;
    size_t i, n;

    if (end == NULL)
        return "";
    for (p = end; p > path && p[-1] != '/'; p--)
        ;
    n = (size_t)(end - p);
    s = v23_arena_dup(&g->mem, p, n);
    if (s == NULL) {
        g->rc = V23_ENOMEM;
        return "";
    }
    for (i = 0; i < n; i++) {
        if (!is_upper(s[i]) && !is_lower(s[i]) && !is_digit(s[i]))
            s[i] = '_';
    }
    return s;
}

const char *gen_prefix(struct gen *g, const struct ir_package *p)
{
    const char *name = gen_snake(g, p->name);

    if (gen_config(p)->prefix[0] != '\0')
        return gen_config(p)->prefix;
    if (gen_shipped(p)) {
        if (strncmp(p->path, WSPR_PACKAGES, strlen(WSPR_PACKAGES)) == 0)
            return gen_str(g, "v23_wspr_%s_", name);
        if (strcmp(p->name, "internal") == 0 ||
            in_list(p->path, with_parent,
                sizeof(with_parent) / sizeof(with_parent[0])))
            return gen_str(g, "v23_%s_%s_", parent(g, p->path), name);
        return gen_str(g, "v23_%s_", name);
    }
    if (in_list(name, libraries, sizeof(libraries) / sizeof(libraries[0])))
        return gen_str(g, "pkg_%s_", name);
    return gen_str(g, "%s_", name);
}

const char *gen_include(struct gen *g, const struct ir_package *p,
    const char *ext)
{
    if (gen_shipped(p))
        return gen_str(g, "<v23/vdl/%s/%s.%s>", p->path, p->name, ext);
    return gen_str(g, "\"%s/%s.%s\"", p->path, p->name, ext);
}

const char *gen_guard(struct gen *g, const char *ext)
{
    const char *in = gen_str(g, "%s%s/%s/%s",
        gen_shipped(g->p) ? "v23/vdl/" : "", g->p->path, g->p->name, ext);
    char *s = v23_arena_dup(&g->mem, in, strlen(in));
    size_t i;

    if (s == NULL) {
        g->rc = V23_ENOMEM;
        return "";
    }
    for (i = 0; s[i] != '\0'; i++) {
        if (is_lower(s[i]))
            s[i] = (char)(s[i] - 'a' + 'A');
        else if (!is_upper(s[i]) && !is_digit(s[i]))
            s[i] = '_';
    }
    return is_digit(s[0]) ? gen_str(g, "P%s", s) : s;
}

const char *gen_renamed(struct gen *g, const struct ir_package *p,
    const char *key)
{
    const struct gen_config *c = gen_config(p);
    size_t i;

    (void)g;
    for (i = 0; i < c->nrenames; i++) {
        if (strcmp(c->renames[i].key, key) == 0)
            return c->renames[i].name;
    }
    return NULL;
}

/* ---- scopes -------------------------------------------------------------- */

static const struct gen_ident *find_ident(const struct gen *g,
    const char *name)
{
    const struct gen_ident *id;
    size_t i;

    for (i = 0; i < g->idents.n; i++) {
        id = g->idents.v[i];
        if (strcmp(id->name, name) == 0)
            return id;
    }
    return NULL;
}

bool gen_taken(const struct gen *g, const char *name)
{
    return find_ident(g, name) != NULL;
}

const char *gen_ident(struct gen *g, const char *name, const char *what)
{
    const struct gen_ident *old = find_ident(g, name);
    struct gen_ident *id;

    if (old != NULL) {
        gen_fail(g, "C names of %s and %s collide: %s (Rename one in "
            "vdl.c.config)", old->what, what, name);
        return name;
    }
    id = v23_arena_new(&g->mem, struct gen_ident);
    if (id == NULL) {
        g->rc = V23_ENOMEM;
        return name;
    }
    id->name = name;
    id->what = what;
    gen_add(g, &g->idents, id);
    return name;
}

void gen_check_scope(struct gen *g, const char *const *names, size_t n,
    const char *what)
{
    size_t i, j;

    for (i = 1; i < n; i++) {
        for (j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0)
                gen_fail(g, "C names in %s collide: %s (Rename one in "
                    "vdl.c.config)", what, names[i]);
        }
    }
}

/* ---- types --------------------------------------------------------------- */

bool gen_is_error(const struct vdl_type *t)
{
    return t == &vdl_error_desc ||
        (t->kind == VDL_OPTIONAL && t->elem == &v23_verror_desc);
}

const struct ir_package *gen_type_package(struct gen *g,
    const struct vdl_type *t)
{
    const struct ir_package *p;
    uint32_t n = t->name.n;

    if (n == 0 || t == &v23_verror_desc || t == &v23_retry_desc)
        return NULL;
    while (n > 0 && t->name.p[n - 1] != '.')
        n--;
    if (n > 0)
        n--;
    p = g->opt->package(g->opt->ud, vdl_strn(t->name.p, n));
    if (p == NULL)
        gen_fail(g, "package of type %.*s is not known", (int)t->name.n,
            t->name.p);
    return p;
}

const char *gen_type_base(struct gen *g, const struct vdl_type *t)
{
    uint32_t n = t->name.n;

    while (n > 0 && t->name.p[n - 1] != '.')
        n--;
    return gen_str(g, "%.*s", (int)(t->name.n - n), t->name.p + n);
}

static const char *named(struct gen *g, const struct vdl_type *t)
{
    const struct ir_package *p;
    const char *name;

    if (t == &v23_verror_desc)
        return "v23_verror";
    if (t == &v23_retry_desc)
        return "v23_retry";
    p = gen_type_package(g, t);
    if (p == NULL)
        return "";
    name = gen_renamed(g, p, gen_type_base(g, t));
    return name != NULL ? name : gen_str(g, "%s%s", gen_prefix(g, p),
        gen_snake(g, gen_type_base(g, t)));
}

struct scalar {
    const char *tname, *ctype;
};

static const struct scalar scalars[VDL_KINDS] = {
    [VDL_ANY] = { "vdl_any", "struct vdl_any" },
    [VDL_BOOL] = { "vdl_bool", "bool" },
    [VDL_BYTE] = { "vdl_byte", "uint8_t" },
    [VDL_UINT16] = { "vdl_uint16", "uint16_t" },
    [VDL_UINT32] = { "vdl_uint32", "uint32_t" },
    [VDL_UINT64] = { "vdl_uint64", "uint64_t" },
    [VDL_INT8] = { "vdl_int8", "int8_t" },
    [VDL_INT16] = { "vdl_int16", "int16_t" },
    [VDL_INT32] = { "vdl_int32", "int32_t" },
    [VDL_INT64] = { "vdl_int64", "int64_t" },
    [VDL_FLOAT32] = { "vdl_float32", "float" },
    [VDL_FLOAT64] = { "vdl_float64", "double" },
    [VDL_STRING] = { "vdl_str", "struct vdl_str" },
    [VDL_TYPEOBJECT] = { "vdl_typeobject", "const struct vdl_type *" },
};

static bool is_bytes(const struct vdl_type *t)
{
    return t->kind == VDL_LIST && t->elem->kind == VDL_BYTE &&
        t->elem->name.n == 0;
}

/* Length of what a map's name leaves out of its elem's: the package when it is
 * that of the key, or "vdl_". */
static size_t common_prefix(struct gen *g, const struct vdl_type *map)
{
    const char *elem = gen_tname(g, map->elem);
    const struct ir_package *p = gen_type_package(g, map->key);

    if (p != NULL && p == gen_type_package(g, map->elem))
        return strlen(gen_prefix(g, p));
    return strncmp(elem, "vdl_", 4) == 0 ? 4 : 0;
}

const char *gen_tname(struct gen *g, const struct vdl_type *t)
{
    const char *key, *elem;

    if (t->name.n > 0)
        return named(g, t);
    if (t->kind == VDL_SPECIAL || t->rep == GEN_REP_BITS ||
        (t->wire != NULL && t->wire->name.n > 0))
        return gen_special_name(g, t);
    if (gen_is_error(t))
        return "vdl_error";
    if (is_bytes(t))
        return "vdl_bytes";
    switch (t->kind) {
    case VDL_OPTIONAL:
        return gen_str(g, "%s_opt", gen_tname(g, t->elem));
    case VDL_LIST:
        return gen_str(g, "%s_list", gen_tname(g, t->elem));
    case VDL_SET:
        return gen_str(g, "%s_set", gen_tname(g, t->key));
    case VDL_MAP:
        key = gen_tname(g, t->key);
        elem = gen_tname(g, t->elem);
        return gen_str(g, "%s_%s_map", key, elem + common_prefix(g, t));
    default:
        if (scalars[t->kind].tname != NULL)
            return scalars[t->kind].tname;
        gen_fail(g, "unnamed %s type has no C form",
            vdl_kind_name((enum vdl_kind)t->kind));
        return "";
    }
}

const char *gen_ctype(struct gen *g, const struct vdl_type *t)
{
    if (t == &v23_verror_desc)
        return "struct v23_verror";
    if (t == &v23_retry_desc)
        return "uint8_t";
    if (t->name.n > 0)
        return named(g, t);
    if (t->rep == GEN_REP_BITS)
        return "uint64_t";
    if (is_bytes(t))
        return "struct vdl_bytes";
    if (t->kind == VDL_OPTIONAL)
        return gen_str(g, "const %s *", gen_is_error(t) ?
            "struct v23_verror" : gen_ctype(g, t->elem));
    if (t->kind < VDL_KINDS && scalars[t->kind].ctype != NULL)
        return scalars[t->kind].ctype;
    return gen_tname(g, t);
}

const char *gen_decl(struct gen *g, const struct vdl_type *t, const char *name)
{
    const char *c = gen_ctype(g, t);
    size_t n = strlen(c);

    return gen_str(g, n > 0 && c[n - 1] == '*' ? "%s%s" : "%s %s", c, name);
}

const char *gen_celem(struct gen *g, const struct vdl_type *t)
{
    const char *c = gen_ctype(g, t);
    size_t n = strlen(c);

    return gen_str(g, n > 0 && c[n - 1] == '*' ? "%sconst" : "const %s", c);
}

const char *gen_entry(struct gen *g, const struct vdl_type *map)
{
    const char *s = gen_tname(g, map);
    size_t n = strlen(s);

    if (map->name.n == 0 && n > 4 && strcmp(s + n - 4, "_map") == 0)
        n -= 4;
    return gen_str(g, "%.*s_entry", (int)n, s);
}

/* A field's name before it becomes a member: VDL's, or the options'. The
 * fields of derived types are those of the type they come from. */
static const char *field_name(struct gen *g, const struct vdl_type *t,
    uint32_t i)
{
    const struct vdl_type *o = gen_origin(g, t);
    const char *name = gen_str(g, "%.*s", (int)t->fields[i].name.n,
        t->fields[i].name.p);
    const char *other = gen_renamed(g, gen_type_package(g, o),
        gen_str(g, "%s.%s", gen_type_base(g, o), name));

    return other != NULL ? other : name;
}

const char *gen_label(struct gen *g, const struct vdl_type *t, uint32_t i)
{
    const struct ir_package *p = gen_type_package(g, t);
    const char *name, *key;

    if (p == NULL)
        return gen_str(g, "%u", (unsigned)i);
    if (t->kind == VDL_ENUM) {
        name = gen_str(g, "%.*s", (int)t->labels[i].n, t->labels[i].p);
        key = gen_str(g, "%s.%s", gen_type_base(g, t), name);
        if (gen_renamed(g, p, key) != NULL)
            return gen_renamed(g, p, key);
    } else {
        name = field_name(g, t, i);
    }
    return gen_str(g, "%s_%s", gen_upper(g, named(g, t)),
        gen_upper(g, name));
}

const char *gen_field(struct gen *g, const struct vdl_type *t, uint32_t i)
{
    static const char *const verror[] = { "id", "retry", "msg", "params" };

    if (t == &v23_verror_desc && i < 4)
        return verror[i];
    return gen_member(g, field_name(g, t, i));
}

const char *gen_const_name(struct gen *g, const struct ir_const *c)
{
    const char *name = gen_renamed(g, g->p, c->name);

    return name != NULL ? name :
        gen_str(g, "%s%s", g->upper, gen_upper(g, c->name));
}

const char *gen_error_name(struct gen *g, const struct ir_error *e)
{
    const char *name = gen_renamed(g, g->p, e->name);

    return name != NULL ? name :
        gen_str(g, "%serr_%s", g->prefix, gen_snake(g, e->name));
}

const char *gen_error_param(struct gen *g, const struct ir_error *e, size_t i)
{
    const char *name = gen_renamed(g, g->p,
        gen_str(g, "%s.%s", e->name, e->params[i].name));

    return gen_member(g, name != NULL ? name : e->params[i].name);
}

/* ---- parameters ---------------------------------------------------------- */

bool gen_by_pointer(const struct vdl_type *t)
{
    return t->kind == VDL_STRUCT || t->kind == VDL_UNION ||
        t->kind == VDL_ARRAY || t->kind == VDL_SPECIAL;
}

const char *gen_param_name(struct gen *g, const char *name,
    const char *const *fixed)
{
    const char *s = name;

    for (; *fixed != NULL; fixed++) {
        if (strcmp(s, *fixed) == 0)
            return gen_str(g, "%s_", s);
    }
    return s;
}

const char *gen_param(struct gen *g, const struct vdl_type *t,
    const char *name)
{
    if (gen_by_pointer(t))
        return gen_str(g, "%s *%s", gen_celem(g, t), name);
    return gen_decl(g, t, name);
}

/* ---- literals ------------------------------------------------------------ */

const char *gen_literal(struct gen *g, const char *p, size_t n)
{
    char *s = v23_arena_get(&g->mem, 4 * n + 3, 1);
    size_t i, k = 0;
    unsigned char c;

    if (s == NULL) {
        g->rc = V23_ENOMEM;
        return "\"\"";
    }
    s[k++] = '"';
    for (i = 0; i < n; i++) {
        c = (unsigned char)p[i];
        if (c == '"' || c == '\\' || (c == '?' && i > 0 && p[i - 1] == '?')) {
            s[k++] = '\\';
            s[k++] = (char)c;
        } else if (c == '\n' || c == '\t') {
            s[k++] = '\\';
            s[k++] = c == '\n' ? 'n' : 't';
        } else if (c >= 0x20 && c < 0x7f) {
            s[k++] = (char)c;
        } else {
            s[k++] = '\\';
            s[k++] = (char)('0' + (c >> 6));
            s[k++] = (char)('0' + ((c >> 3) & 7));
            s[k++] = (char)('0' + (c & 7));
        }
    }
    s[k++] = '"';
    s[k] = '\0';
    return s;
}

const char *gen_str_init(struct gen *g, const char *p, size_t n)
{
    if (n == 0)
        return "{ NULL, 0 }";
    return gen_str(g, "VDL_STR_INIT(%s)", gen_literal(g, p, n));
}
