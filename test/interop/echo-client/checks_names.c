/* BSD-3-Clause; see LICENSE. */
/* Names: suffixes, globs of every shape, signatures. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>

#include <v23/vdl/signature/signature.vdl.h>
#include <v23/vdl/v.io/v23/naming/naming.vdl.h>
#include <vom/value.h>

#define STD "v.io/v23/verror."

/* ---- suffixes ------------------------------------------------------------ */

static const char *const suffixes[] = { "", "a", "a/b", "a/c", "a/c/d", "x",
    "x/y z", "err" };

static const char *suffix_name(size_t i)
{
    return i == 0 ? "empty" : suffixes[i];
}

static void check_suffix(struct echo_test *t, size_t i)
{
    struct echo_reply r;
    echo_who who;

    echo_call(t, &r, suffixes[i], "WhoAmI", NULL, 0);
    if (echo_result(t, &r, 0, &echo_who_desc, &who))
        ECHO_CHECK(t, vdl_str_is(who.suffix, suffixes[i]),
            "the server sees the suffix %.*s", (int)who.suffix.n,
            who.suffix.p);
}

const struct echo_checks echo_name_checks = { "suffix",
    sizeof(suffixes) / sizeof(suffixes[0]), suffix_name, check_suffix };

/* ---- glob ---------------------------------------------------------------- */

/* The object globbed, and what it must answer: names and errors are each in
 * order and end with ';'. An error is its name, '=' and its kind. Leaves of
 * `all` have a '!' behind; whether it lists its own name, the empty one, is
 * not looked at. */
static const struct {
    const char *name, *suffix, *pattern, *names, *errors;
} globs[] = {
    { "itself", "", "", ";", "" },
    { "leaf-itself", "a/b", "", ";", "" },
    { "children", "", "*", "a;err;x;", "" },
    { "name", "", "a", "a;", "" },
    { "path", "", "a/c/d", "a/c/d;", "" },
    { "path-with-space", "", "x/y z", "x/y z;", "" },
    { "missing", "", "nothing", "", "" },
    { "missing-below", "", "a/nothing/c", "", "" },
    { "below-leaf", "", "a/b/*", "", "" },
    { "star-of-name", "", "a/*", "a/b;a/c;", "" },
    { "star-then-name", "", "*/c", "a/c;", "err=NoAccess;" },
    { "two-stars", "", "*/*", "a/b;a/c;x/y z;", "err=NoAccess;" },
    { "three-stars", "", "*/*/*", "a/c/d;", "err=NoAccess;" },
    { "four-stars", "", "*/*/*/*", "", "err=NoAccess;" },
    { "question-mark", "", "?", "a;x;", "" },
    { "question-marks", "", "???", "err;", "" },
    { "class", "", "[ax]", "a;x;", "" },
    { "class-range", "", "[b-z]*", "err;x;", "" },
    { "class-negated", "", "[^a]*", "err;x;", "" },
    { "prefix", "", "e*", "err;", "" },
    { "star-in-middle", "", "x/y*z", "x/y z;", "" },
    { "escaped-star", "", "\\*", "", "" },
    { "escaped-letter", "", "\\a/b", "a/b;", "" },
    { "everything", "", "...", ";a;a/b;a/c;a/c/d;err;x;x/y z;",
        "err=NoAccess;" },
    { "everything-restricted", "", "***", ";a;a/b;a/c;a/c/d;err;x;x/y z;",
        "err=NoAccess;" },
    { "below-name", "", "a/...", "a;a/b;a/c;a/c/d;", "" },
    { "below-star", "", "*/...", "a;a/b;a/c;a/c/d;err;x;x/y z;",
        "err=NoAccess;" },
    { "below-path", "", "a/c/...", "a/c;a/c/d;", "" },
    { "below-leaf-path", "", "a/b/...", "a/b;", "" },
    { "denied-children", "", "err/*", "", "err=NoAccess;" },
    { "denied-itself", "", "err", "err;", "" },
    { "denied-recursive", "", "err/...", "err;", "err=NoAccess;" },
    { "from-suffix", "a", "*", "b;c;", "" },
    { "from-suffix-recursive", "a", "...", ";b;c;c/d;", "" },
    { "from-suffix-path", "a/c", "d", "d;", "" },
    { "from-denied", "err", "*", "", "=NoAccess;" },
    { "not-authorized", "deny", "...", "", "=MatchesOmitted;" },
    { "unknown-suffix", "unknown", "*", "", "=NoExist;" },
    { "all-star", "all", "*", "a;err!;x;", "some/where=NoExist;" },
    { "all-everything", "all", "...", "a;a/b!;a/c;a/c/d!;err!;x;x/y z!;",
        "some/where=NoExist;" },
    { "all-path", "all", "a/c/d", "a/c/d!;", "some/where=NoExist;" },
    { "all-below", "all", "a/...", "a;a/b!;a/c;a/c/d!;",
        "some/where=NoExist;" },
    { "all-two-stars", "all", "*/*", "a/b!;a/c;x/y z!;",
        "some/where=NoExist;" },
    { "all-itself", "all", "", "", "some/where=NoExist;" },
    { "all-missing", "all", "zzz", "", "some/where=NoExist;" },
};

static const char *glob_name(size_t i)
{
    return globs[i].name;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What a reply says, in the notation above without the ';'. With `leaves`
 * those have a '!' behind. */
static const char *describe(struct echo_test *t,
    const v23_naming_glob_reply *reply, bool leaves)
{
    const v23_naming_glob_error *e = &reply->u.error;
    struct vdl_str kind = { "nil", 3 };
    const char *dot;
    struct v23_buf b;
    const char *out;

    v23_buf_init(&b, NULL, 4096);
    if (reply->which == V23_NAMING_GLOB_REPLY_ENTRY) {
        v23_buf_put_str(&b, reply->u.entry.name);
        v23_buf_puts(&b, leaves && reply->u.entry.is_leaf ? "!" : "");
    } else {
        if (e->error != NULL)
            kind = e->error->id;
        dot = kind.p + kind.n;
        while (dot > kind.p && dot[-1] != '.')
            dot--;
        kind = vdl_strn(dot, (size_t)(kind.p + kind.n - dot));
        if (kind.n > 4 && memcmp(kind.p, "Glob", 4) == 0)
            kind = vdl_strn(kind.p + 4, kind.n - 4u);
        v23_buf_put_str(&b, e->name);
        v23_buf_puts(&b, "=");
        v23_buf_put_str(&b, kind);
    }
    out = v23_arena_dup(&t->a, b.p, b.n);
    v23_buf_fini(&b);
    return out == NULL ? "" : out;
}

static const char *join_sorted(struct echo_test *t, const char **v, size_t n)
{
    size_t len = 1, i;
    char *out;

    if (n != 0)
        qsort(v, n, sizeof(*v), by_text);
    for (i = 0; i < n; i++)
        len += strlen(v[i]) + 1;
    out = echo_mem(t, len, 1);
    for (i = 0; i < n; i++) {
        strcat(out, v[i]);
        strcat(out, ";");
    }
    return out;
}

static void check_replies(struct echo_test *t, const struct echo_reply *r,
    const char *names, const char *errors, bool leaves)
{
    const char **entry = ECHO_NEW(t, const char *, r->nitems + 1);
    const char **error = ECHO_NEW(t, const char *, r->nitems + 1);
    size_t nentries = 0, nerrors = 0, i;
    v23_naming_glob_reply reply;
    const char *got, *text;

    for (i = 0; i < r->nitems; i++) {
        ECHO_CHECK(t, r->items[i].type != NULL
                && vdl_convert(&t->a, &v23_naming_glob_reply_desc, &reply,
                       r->items[i].type, r->items[i].val)
                    == 0,
            "item %zu is no GlobReply", i);
        text = describe(t, &reply, leaves);
        if (reply.which == V23_NAMING_GLOB_REPLY_ENTRY) {
            if (!leaves || reply.u.entry.name.n != 0)
                entry[nentries++] = text;
        } else if (strstr(text, "=NotImplemented") == NULL) {
            /* A leaf need not have children to be asked for. */
            error[nerrors++] = text;
        }
    }
    got = join_sorted(t, entry, nentries);
    ECHO_CHECK(t, strcmp(got, names) == 0, "names %s want %s", got, names);
    got = join_sorted(t, error, nerrors);
    ECHO_CHECK(t, strcmp(got, errors) == 0, "errors %s want %s", got,
        errors);
}

static void glob(struct echo_test *t, struct echo_reply *r,
    const char *suffix, const char *pattern)
{
    struct vdl_str text = vdl_str(pattern);
    struct vdl_any arg;

    arg.type = &vdl_string_desc;
    arg.val = &text;
    echo_call(t, r, suffix, "__Glob", &arg, 1);
}

static void check_glob(struct echo_test *t, size_t i)
{
    struct echo_reply r;

    glob(t, &r, globs[i].suffix, globs[i].pattern);
    ECHO_CHECK(t, r.err == NULL, "error %.*s: %.*s", (int)r.err->id.n,
        r.err->id.p, (int)r.err->msg.n, r.err->msg.p);
    check_replies(t, &r, globs[i].names, globs[i].errors,
        strcmp(globs[i].suffix, "all") == 0);
}

const struct echo_checks echo_glob_checks = { "glob",
    sizeof(globs) / sizeof(globs[0]), glob_name, check_glob };

/* ---- more of names ------------------------------------------------------- */

static void malformed(struct echo_test *t)
{
    static const char *const bad[] = { "[", "[^foo", "\\", "a\\", "a//b",
        "/a", "a/", "*z/[", "a/[b/c]" };
    struct echo_reply r;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        glob(t, &r, "", bad[i]);
        ECHO_CHECK(t, r.err != NULL, "the pattern %s is accepted", bad[i]);
    }
}

/* In the order of the tree, whatever order the entries come in. */
static void all_in_order(struct echo_test *t)
{
    v23_naming_glob_reply reply;
    struct vdl_str last = { "", 0 };
    struct echo_reply r;
    size_t i;

    glob(t, &r, "all", "...");
    ECHO_CHECK(t, r.err == NULL && r.nitems >= 8, "%zu replies, want 9",
        r.nitems);
    for (i = 0; i < r.nitems; i++) {
        ECHO_CHECK(t, r.items[i].type != NULL
                && vdl_convert(&t->a, &v23_naming_glob_reply_desc, &reply,
                       r.items[i].type, r.items[i].val)
                    == 0,
            "item %zu is no GlobReply", i);
        ECHO_CHECK(t, (reply.which == V23_NAMING_GLOB_REPLY_ERROR)
                == (i + 1 == r.nitems),
            "the error is not the last reply");
        if (i + 1 == r.nitems)
            break;
        ECHO_CHECK(t, i == 0 || vdl_str_cmp(last, reply.u.entry.name) < 0,
            "names are not in order");
        last = reply.u.entry.name;
    }
}

struct found {
    struct echo_test *t;
    size_t names;
    bool done;
};

static void on_found(void *ud, const v23_naming_glob_reply *reply)
{
    struct found *f = ud;

    if (reply->which == V23_NAMING_GLOB_REPLY_ENTRY)
        f->names++;
}

static void found_all(void *ud, const struct v23_verror *err)
{
    struct found *f = ud;

    if (err != NULL)
        echo_fail(f->t, "%.*s", (int)err->msg.n, err->msg.p);
    f->done = true;
    vname_program_done(f->t->c->p);
}

static void namespace_glob(struct echo_test *t)
{
    struct vname_opts o = { .name_auth = t->opts.name_auth };
    struct found f = { t, 0, false };

    if (vname_glob(t->c->p->ns, vdl_str(echo_name(t, "a/*")), &o, on_found,
            found_all, &f, NULL)
        != 0) {
        echo_fail(t, "out of memory");
        return;
    }
    echo_wait(t, &f.done);
    ECHO_CHECK(t, f.names == 2, "%zu names, want 2", f.names);
}

/* ---- signatures ---------------------------------------------------------- */

static const char *const method_names[] = { "AdminOnly", "Counters", "Echo",
    "EchoBytes", "EchoRecord", "EchoString", "Fail", "Nothing", "Sleep",
    "StreamBytes", "StreamCount", "StreamEcho", "StreamEchoBytes",
    "StreamFail", "StreamSum", "Sum", "WhoAmI" };
#define METHODS (sizeof(method_names) / sizeof(method_names[0]))

static bool is_arg(const v23_signature_arg *a, const char *name,
    const struct vdl_type *type)
{
    return vdl_str_is(a->name, name) && vdl_type_equal(a->type, type);
}

static void check_sum(struct echo_test *t, const v23_signature_method *m)
{
    ECHO_CHECK(t, m->in_args.n == 3 && m->out_args.n == 3,
        "Sum has %lu arguments and %lu results",
        (unsigned long)m->in_args.n, (unsigned long)m->out_args.n);
    ECHO_CHECK(t, is_arg(&m->in_args.v[0], "a", &vdl_int32_desc)
            && is_arg(&m->in_args.v[1], "b", &vdl_int32_desc)
            && vdl_str_is(m->in_args.v[2].name, "xs")
            && is_arg(&m->out_args.v[0], "isum", &vdl_int64_desc)
            && is_arg(&m->out_args.v[1], "fsum", &vdl_float64_desc)
            && is_arg(&m->out_args.v[2], "n", &vdl_uint32_desc),
        "arguments or results of Sum are wrong");
    ECHO_CHECK(t, m->in_stream == NULL && m->out_stream == NULL,
        "Sum has a stream");
    ECHO_CHECK(t, m->tags.n == 1, "Sum has %lu tags, want 1",
        (unsigned long)m->tags.n);
}

static void signature(struct echo_test *t)
{
    const struct vdl_type *type;
    struct vdl_types *ts = NULL;
    struct { const v23_signature_interface *v; uint32_t n; } list;
    struct echo_reply r;
    size_t i;

    echo_call(t, &r, "", "__Signature", NULL, 0);
    if (vdl_types_new(NULL, NULL, &ts) != 0
        || vdl_types_list(ts, &v23_signature_interface_desc, &type) != 0
        || v23_arena_hold(&t->a, vdl_types_ref(ts)) != 0)
        echo_fail(t, "out of memory");
    vdl_types_unref(ts);
    if (t->failed || !echo_result(t, &r, 0, type, &list))
        return;
    ECHO_CHECK(t, list.n == 2, "%lu interfaces, want 2",
        (unsigned long)list.n);
    ECHO_CHECK(t, vdl_str_is(list.v[0].name, "Echo")
            && vdl_str_is(list.v[0].pkg_path, ECHO_PKG)
            && vdl_str_is(list.v[1].name, "__Reserved"),
        "the interfaces are %.*s and %.*s", (int)list.v[0].name.n,
        list.v[0].name.p, (int)list.v[1].name.n, list.v[1].name.p);
    ECHO_CHECK(t, list.v[0].methods.n == METHODS, "%lu methods, want %zu",
        (unsigned long)list.v[0].methods.n, METHODS);
    for (i = 0; i < METHODS; i++)
        ECHO_CHECK(t, vdl_str_is(list.v[0].methods.v[i].name,
                          method_names[i]),
            "method %zu is not %s", i, method_names[i]);
    ECHO_CHECK(t, list.v[1].methods.n == 3, "%lu reserved methods, want 3",
        (unsigned long)list.v[1].methods.n);
    check_sum(t, &list.v[0].methods.v[METHODS - 2]);
}

static void method_signature(struct echo_test *t)
{
    v23_signature_method m;
    struct echo_reply r;

    echo_call_text(t, &r, "a", "__MethodSignature", "\"Sum\"", 1);
    if (!echo_result(t, &r, 0, &v23_signature_method_desc, &m))
        return;
    check_sum(t, &m);
    echo_call_text(t, &r, "", "__MethodSignature", "\"StreamSum\"", 1);
    if (!echo_result(t, &r, 0, &v23_signature_method_desc, &m))
        return;
    ECHO_CHECK(t, m.in_stream != NULL && m.out_stream == NULL
            && vdl_type_equal(m.in_stream->type, &vdl_int64_desc),
        "the stream of StreamSum is wrong");
}

static void method_signature_unknown(struct echo_test *t)
{
    struct echo_reply r;

    echo_call_text(t, &r, "", "__MethodSignature", "\"NoSuchMethod\"", 1);
    echo_expect_error(t, &r, STD "UnknownMethod", V23_NO_RETRY);
    echo_call(t, &r, "unknown", "__Signature", NULL, 0);
    echo_expect_error(t, &r, STD "UnknownSuffix", V23_NO_RETRY);
}

static const struct {
    const char *name;
    void (*run)(struct echo_test *t);
} more[] = {
    { "glob-malformed", malformed },
    { "glob-all-in-order", all_in_order },
    { "glob-by-namespace", namespace_glob },
    { "signature", signature },
    { "method-signature", method_signature },
    { "method-signature-unknown", method_signature_unknown },
};

static const char *more_name(size_t i)
{
    return more[i].name;
}

static void run_more(struct echo_test *t, size_t i)
{
    more[i].run(t);
}

const struct echo_checks echo_all_checks = { "names",
    sizeof(more) / sizeof(more[0]), more_name, run_more };
