/* BSD-3-Clause; see LICENSE. */
/*
 * testd: the test server of the recorded command lines
 * (test/vectors/README.md, "cli"). Its interface is described by hand, because
 * it has neither a name nor names of arguments. Prints NAME=<object name>.
 */
#include <vname/program.h>
#include <vom/value.h>
#include <vrpc/server.h>

static const char *name = "";

static const struct v23_flag flags[] = {
    { "name", "Name to publish the server under.", "", V23_FLAG_STRING, &name,
        NULL },
};

/* ---- types --------------------------------------------------------------- */

struct two_ints {
    int32_t a, b;
};
struct two_texts {
    struct vdl_str a, b;
};
struct flag_and_bytes {
    bool flag;
    struct vdl_bytes bytes;
};
struct index_entry {
    struct vdl_str key;
    int64_t val;
};
struct index {
    const struct index_entry *v;
    uint32_t n;
};
struct indexed {
    vdl_str_list list;
    struct index index;
};

static const struct vdl_type index_desc = {
    .kind = VDL_MAP,
    .align = _Alignof(struct index),
    .size = sizeof(struct index),
    .key = &vdl_string_desc,
    .elem = &vdl_int64_desc,
    .stride = sizeof(struct index_entry),
    .val_off = offsetof(struct index_entry, val),
};

/* ---- methods ------------------------------------------------------------- */

#define HANDLER(fn) \
    static const struct v23_verror *fn(const void *vt, void *self, \
        struct vrpc_server_call *call, const void *in, void *out)
#define UNUSED ((void)vt, (void)self, (void)call, (void)in, (void)out)

HANDLER(do_add)
{
    const struct two_ints *i = in;

    UNUSED;
    *(int32_t *)out = i->a + i->b;
    return NULL;
}

HANDLER(do_echo)
{
    UNUSED;
    *(struct vdl_str *)out = *(const struct vdl_str *)in;
    return NULL;
}

HANDLER(do_fail)
{
    const struct two_texts *t = in;

    UNUSED;
    return v23_verror_text(vrpc_server_call_arena(call), NULL, t->a,
        V23_NO_RETRY, "%.*s", (int)t->b.n, t->b.n == 0 ? "" : t->b.p);
}

HANDLER(do_float)
{
    UNUSED;
    *(double *)out = *(const double *)in / 2;
    return NULL;
}

HANDLER(do_list)
{
    const vdl_str_list *l = in;
    struct indexed *o = out;
    struct index_entry *v = v23_arena_get0(vrpc_server_call_arena(call), l->n,
        sizeof(*v), _Alignof(struct index_entry));
    uint32_t i, k;

    UNUSED;
    if (v == NULL)
        return v23_verror_text(vrpc_server_call_arena(call), NULL,
            vdl_str("v.io/v23/verror.Internal"), V23_NO_RETRY,
            "out of memory");
    o->list = *l;
    for (i = 0; i < l->n; i++) {
        for (k = 0; k < o->index.n && !vdl_str_eq(v[k].key, l->v[i]); k++)
            ;
        if (k == o->index.n)
            o->index.n++;
        v[k].key = l->v[i];
        v[k].val = i;
    }
    o->index.v = v;
    return NULL;
}

HANDLER(do_nothing)
{
    UNUSED;
    return NULL;
}

HANDLER(do_plain)
{
    UNUSED;
    return v23_verror_text(vrpc_server_call_arena(call), NULL,
        vdl_str("v.io/v23/verror.Unknown"), V23_NO_RETRY, "plain error");
}

HANDLER(do_suffix)
{
    UNUSED;
    *(struct vdl_str *)out = vrpc_server_call_suffix(call);
    return NULL;
}

HANDLER(do_two)
{
    const struct flag_and_bytes *i = in;
    struct flag_and_bytes *o = out;

    UNUSED;
    o->flag = !i->flag;
    o->bytes = i->bytes;
    return NULL;
}

/* ---- streams ------------------------------------------------------------- */

struct counter {
    int32_t next, end;
};

static void count_on(void *ud, struct vrpc_server_call *call)
{
    static const struct vdl_str done = VDL_STR_INIT("done");
    struct counter *c = ud;
    struct vdl_any item;
    int rc = 0;

    item.type = &vdl_int32_desc;
    item.val = &c->next;
    while (c->next < c->end && rc == 0) {
        rc = vrpc_server_call_send(call, &item);
        c->next += rc == 0;
    }
    if (rc != V23_EAGAIN)
        (void)vrpc_server_call_reply(call, NULL, &done);
}

HANDLER(do_count)
{
    struct counter *c
        = v23_arena_new(vrpc_server_call_arena(call), struct counter);

    UNUSED;
    if (c == NULL)
        return v23_verror_text(vrpc_server_call_arena(call), NULL,
            vdl_str("v.io/v23/verror.Internal"), V23_NO_RETRY,
            "out of memory");
    c->end = *(const int32_t *)in;
    vrpc_server_call_on_writable(call, count_on, c);
    count_on(c, call);
    return &vrpc_pending;
}

HANDLER(do_sum)
{
    int32_t *sum = v23_arena_new(vrpc_server_call_arena(call), int32_t);

    UNUSED;
    if (sum == NULL)
        return v23_verror_text(vrpc_server_call_arena(call), NULL,
            vdl_str("v.io/v23/verror.Internal"), V23_NO_RETRY,
            "out of memory");
    vrpc_server_call_set_data(call, sum);
    return &vrpc_pending;
}

static void sum_item(const void *vt, void *self,
    struct vrpc_server_call *call, const void *item)
{
    const struct vdl_any *v = item;
    int32_t *sum = vrpc_server_call_data(call);

    (void)vt;
    (void)self;
    if (v == NULL)
        (void)vrpc_server_call_reply(call, NULL, sum);
    else if (v->type != NULL && v->type->kind == VDL_INT32)
        *sum += *(const int32_t *)v->val;
}

/* ---- the interface ------------------------------------------------------- */

#define S(lit) VDL_STR_INIT(lit)
#define ARG(type, offset) { S(""), S(""), &type, (uint32_t)(offset) }

static const struct vrpc_arg an_int[] = { ARG(vdl_int32_desc, 0) };
static const struct vrpc_arg a_text[] = { ARG(vdl_string_desc, 0) };
static const struct vrpc_arg a_float[] = { ARG(vdl_float64_desc, 0) };
static const struct vrpc_arg a_list[] = { ARG(vdl_str_list_desc, 0) };
static const struct vrpc_arg ints[] = {
    ARG(vdl_int32_desc, offsetof(struct two_ints, a)),
    ARG(vdl_int32_desc, offsetof(struct two_ints, b)),
};
static const struct vrpc_arg texts[] = {
    ARG(vdl_string_desc, offsetof(struct two_texts, a)),
    ARG(vdl_string_desc, offsetof(struct two_texts, b)),
};
static const struct vrpc_arg flagged[] = {
    ARG(vdl_bool_desc, offsetof(struct flag_and_bytes, flag)),
    ARG(vdl_bytes_desc, offsetof(struct flag_and_bytes, bytes)),
};
static const struct vrpc_arg indexes[] = {
    ARG(vdl_str_list_desc, offsetof(struct indexed, list)),
    ARG(index_desc, offsetof(struct indexed, index)),
};

#define IN(args, T) \
    .in = args, .nin = sizeof(args) / sizeof(args[0]), .in_size = sizeof(T)
#define OUT(args, T) \
    .out = args, .nout = sizeof(args) / sizeof(args[0]), .out_size = sizeof(T)

static const struct vrpc_method methods[] = {
    { .name = S("Add"), IN(ints, struct two_ints), OUT(an_int, int32_t),
        .thunk = do_add },
    { .name = S("Count"), IN(an_int, int32_t), OUT(a_text, struct vdl_str),
        .in_stream = &vdl_any_desc, .out_stream = &vdl_any_desc,
        .thunk = do_count },
    { .name = S("Echo"), IN(a_text, struct vdl_str),
        OUT(a_text, struct vdl_str), .thunk = do_echo },
    { .name = S("Fail"), IN(texts, struct two_texts), .thunk = do_fail },
    { .name = S("Float"), IN(a_float, double), OUT(a_float, double),
        .thunk = do_float },
    { .name = S("List"), IN(a_list, vdl_str_list),
        OUT(indexes, struct indexed), .thunk = do_list },
    { .name = S("Nothing"), .thunk = do_nothing },
    { .name = S("Plain"), .thunk = do_plain },
    { .name = S("Suffix"), OUT(a_text, struct vdl_str), .thunk = do_suffix },
    { .name = S("Sum"), OUT(an_int, int32_t), .in_stream = &vdl_any_desc,
        .out_stream = &vdl_any_desc, .thunk = do_sum, .item = sum_item },
    { .name = S("Two"), IN(flagged, struct flag_and_bytes),
        OUT(flagged, struct flag_and_bytes), .thunk = do_two },
};

static const struct vrpc_iface iface = {
    .methods = methods,
    .nmethods = sizeof(methods) / sizeof(methods[0]),
};

/* ---- the program --------------------------------------------------------- */

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vname_program *p = ud;
    struct vname_serving *s;
    int rc;

    (void)inv;
    (void)argc;
    (void)argv;
    cfg.object.iface = &iface;
    cfg.component = vdl_str("testd");
    scfg.server = &cfg;
    scfg.name = vdl_str(name);
    rc = vname_serve(p, &scfg, &s);
    if (rc != 0)
        return v23_error("cannot serve: %s",
            p->rt.why[0] != 0 ? p->rt.why : v23_strerror(rc));
    return vname_serving_print_and_run(s);
}

static const struct v23_command command = {
    .name = "testd",
    .brief = "serves the methods that tests call",
    .flags = flags,
    .nflags = 1,
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command,
        VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LISTEN | VRPC_FLAGS_PERMISSIONS
            | VRPC_FLAGS_LOGGING,
        argc, argv);
}
