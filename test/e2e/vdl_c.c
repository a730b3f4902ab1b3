/* BSD-3-Clause; see LICENSE. */
/*
 * Checks of generated C: bytes on the wire as in docs/spec/vdl.md 13.9,
 * layout of every type against the run-time rule, errors, thunks and stubs.
 * The rpc library is replaced by the few functions below.
 */
#include <stdio.h>
#include <stdlib.h>

#include <vx/odd/odd.rpc.h>
#include <vx/odd/odd.vdl.h>
#include <vx/sensor/sensor.rpc.h>
#include <vx/sensor/sensor.vdl.h>

#include <v23/vdl/v.io/v23/security/access/access.vdl.h>
#include <v23/vdl/v.io/v23/vdl/vdl.vdl.h>

static unsigned passed, failed;

static void check(bool ok, const char *what, int line)
{
    if (ok) {
        passed++;
        return;
    }
    failed++;
    printf("FAIL line %d: %s\n", line, what);
}
#define CHECK(c) check((c), #c, __LINE__)

/* ---- encoding ------------------------------------------------------------ */

static void check_bytes(const struct vdl_type *t, const void *v,
    const char *want, int line)
{
    struct v23_buf b, text;

    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_init(&text, NULL, SIZE_MAX);
    check(vom_encode_single(NULL, t, v, &b) == 0, "encodes", line);
    v23_hex_put(&text, b.p, b.n);
    check(strcmp(v23_buf_cstr(&text), want) == 0, want, line);
    if (strcmp(v23_buf_cstr(&text), want) != 0)
        printf("     got  %s\n", v23_buf_cstr(&text));
    v23_buf_fini(&b);
    v23_buf_fini(&text);
}
#define CHECK_BYTES(t, v, want) check_bytes((t), (v), (want), __LINE__)

static void example_bytes(void)
{
    const sensor_command hz = { SENSOR_COMMAND_SET_HZ, { .set_hz = 50 } };
    const uint16_t max = SENSOR_MAX_HZ;
    const struct vdl_str greet = VDL_STR_INIT(SENSOR_GREET);

    CHECK_BYTES(&sensor_reading_desc, &SENSOR_DEFAULT,
        "81531200000c76782f73656e736f722e49640103e1552506000974696d652e54696d"
        "65010200075365636f6e64730109e100054e616e6f730108e1e1572801000e76782f"
        "73656e736f722e556e697401030743656c736975730750657263656e7403487061e1"
        "5906050103020fe1514606001176782f73656e736f722e52656164696e6701050006"
        "53656e736f72012ae100024174012be10004556e6974012ce1000556616c7565010b"
        "e100054578747261012de1e15200000d00046e6f6e65020103fef83fe1");
    CHECK_BYTES(&sensor_command_desc, &hz,
        "81513407001176782f73656e736f722e436f6d6d616e640103000552657365740101"
        "e10005536574487a0104e100044c6f61640127e1e152020132");
    CHECK_BYTES(&vdl_uint16_desc, &max, "8108fe03e8");
    CHECK_BYTES(&vdl_string_desc, &greet, "8106026869");
}

/* Encode, decode into a fresh value of the same type, compare, copy. */
static void round_trip(const struct vdl_type *t, const void *v)
{
    struct v23_arena a;
    struct v23_buf b;
    void *x, *y;

    v23_arena_init(&a, NULL, SIZE_MAX);
    v23_buf_init(&b, NULL, SIZE_MAX);
    CHECK(vom_encode_single(NULL, t, v, &b) == 0);
    x = v23_arena_get0(&a, 1, t->size, 16);
    y = v23_arena_get0(&a, 1, t->size, 16);
    CHECK(vom_decode_single(b.p, b.n, NULL, &a, t, x, NULL) == 0);
    CHECK(vdl_equal(t, v, x));
    CHECK(vdl_copy(&a, t, y, x) == 0 && vdl_equal(t, v, y));
    v23_buf_fini(&b);
    v23_arena_fini(&a);
}

static void round_trips(void)
{
    round_trip(&sensor_reading_desc, &SENSOR_DEFAULT);
    round_trip(&odd_kinds_desc, &ODD_ZERO);
    round_trip(&odd_kinds_desc, &ODD_INTS);
    round_trip(&odd_tree_desc, &ODD_GROVE);
}

/* ---- layout -------------------------------------------------------------- */

/*
 * The type as it comes from a peer is laid out by the run-time rule; generated
 * structs must have the same layout, or any values could not be read as them.
 */
static void layout(const struct vdl_type *t)
{
    struct v23_arena a;
    struct v23_buf b;
    struct vdl_any any;
    const struct vdl_type *got;
    const unsigned public = VDL_T_ANY | VDL_T_TYPEOBJECT | VDL_T_FLAT;

    v23_arena_init(&a, NULL, SIZE_MAX);
    v23_buf_init(&b, NULL, SIZE_MAX);
    CHECK(vom_encode_single(NULL, &vdl_typeobject_desc, &t, &b) == 0);
    CHECK(vom_decode_single(b.p, b.n, NULL, &a, NULL, &any, NULL) == 0);
    got = *(const struct vdl_type *const *)any.val;
    CHECK(got != t && vdl_type_equal(got, t));
    CHECK(vdl_type_same_layout(got, t));
    CHECK((got->flags & public) == t->flags);
    if (!vdl_type_same_layout(got, t))
        printf("     of %.*s\n", (int)t->name.n, t->name.p);
    v23_buf_fini(&b);
    v23_arena_fini(&a);
}

static void layouts(void)
{
    size_t i;

    for (i = 0; i < SENSOR_TYPES; i++)
        layout(sensor_types[i]);
    for (i = 0; i < ODD_TYPES; i++)
        layout(odd_types[i]);
    for (i = 0; i < V23_VDL_TYPES; i++)
        layout(v23_vdl_types[i]);
    layout(ODD_ATYPE);
}

/* ---- constants, names ---------------------------------------------------- */

static void constants(void)
{
    sensor_unit u = 0;

    CHECK(strcmp(sensor_unit_name(SENSOR_UNIT_HPA), "Hpa") == 0);
    CHECK(sensor_unit_name(3) == NULL);
    CHECK(sensor_unit_parse(vdl_str("Percent"), &u) == 0);
    CHECK(u == SENSOR_UNIT_PERCENT);
    CHECK(sensor_unit_parse(vdl_str("percent"), &u) != 0);
    CHECK(SENSOR_UNIT_COUNT == 3);
    CHECK(ODD_SMALL_COUNT == 0); /* the label, not the number */
    CHECK(ODD_ABOOL && ODD_ASMALLER == ODD_SMALLER_B);
    CHECK(ODD_ABIG_U == UINT64_MAX && ODD_ABIG_I == INT64_MIN);
    CHECK(ODD_AFLOAT == 0.1f && ODD_ADOUBLE == 1e-300);
    CHECK(ODD_ANY_NIL.type == NULL);
    CHECK(ODD_AN_OPT != NULL && ODD_AN_OPT->e == ODD_SMALL_C);
    CHECK(ODD_ASET.n == 3 && ODD_ASET.v[0].e == ODD_SMALL_COUNT &&
        ODD_ASET.v[1].e == ODD_SMALL_B && ODD_ASET.v[2].f == 2);
    CHECK(ODD_INTS.str.n == 10);
    CHECK(memcmp(ODD_INTS.str.p, "a\"b\\c?" "?=\0\n", 10) == 0);
    CHECK(ODD_INTS.table.n == 2 && ODD_INTS.table.v[0].key == 0 &&
        ODD_INTS.table.v[1].val.n == 2);
    CHECK(ODD_GROVE.any.type == &sensor_reading_desc);
    CHECK(ODD_GROVE.uni.which == ODD_CHOICE_PAIR);
    CHECK(ODD_GROVE.uni.u.pair.v[0].f == 1.5);
    CHECK(ODD_ZERO.bool_ == false && ODD_ZERO.type == NULL);
}

/* ---- errors -------------------------------------------------------------- */

static void errors(void)
{
    const struct v23_errctx ctx = { VDL_STR_INIT("hubd"),
        VDL_STR_INIT("get") };
    const sensor_id id = VDL_STR_INIT("x1");
    const struct v23_verror *e;
    struct v23_arena a;
    sensor_id got = { NULL, 0 };
    uint16_t hz = 0;

    v23_arena_init(&a, NULL, SIZE_MAX);
    e = sensor_err_no_sensor(&a, &ctx, id, 50);
    CHECK(vdl_str_is(e->id, "vx/sensor.NoSensor"));
    CHECK(e->retry == V23_RETRY_REFETCH);
    CHECK(vdl_str_is(e->msg, "hubd:get: no sensor x1 at 50 Hz"));
    CHECK(e->params.n == 4);
    CHECK(sensor_err_no_sensor_is(e) && !odd_err_plain_is(e));
    CHECK(!sensor_err_no_sensor_is(NULL));
    CHECK(sensor_err_no_sensor_params(e, &a, &got, &hz) == 0);
    CHECK(vdl_str_eq(got, id) && hz == 50);
    e = odd_err_plain(&a, NULL);
    CHECK(odd_err_plain_is(e) && e->params.n == 2);
    CHECK(sensor_err_no_sensor_params(e, &a, &got, &hz) == V23_ENOENT);
    CHECK(sensor_err_no_sensor_is(&sensor_err_no_sensor_static));
    CHECK(sensor_err_no_sensor_static.retry == V23_RETRY_REFETCH);
    CHECK(sensor_err_no_sensor_static.msg.n == 0);
    CHECK(sensor_err_no_sensor_static.params.n == 0);
    v23_arena_fini(&a);
}

static void error_conversion(void)
{
    uint64_t big = 70000, fits = 70;
    struct vdl_any v[4] = { { &vdl_string_desc, NULL },
        { &vdl_string_desc, NULL }, { &vdl_string_desc, NULL },
        { &vdl_uint64_desc, NULL } };
    struct vdl_str s = VDL_STR_INIT("s");
    struct v23_verror e = { VDL_STR_INIT("vx/sensor.NoSensor"), 0,
        { NULL, 0 }, { NULL, 4 } };
    struct v23_arena a;
    sensor_id got = { NULL, 0 };
    uint16_t hz = 7;

    v23_arena_init(&a, NULL, SIZE_MAX);
    v[0].val = v[1].val = v[2].val = &s;
    e.params.v = v;
    v[3].val = &fits;
    CHECK(sensor_err_no_sensor_params(&e, &a, &got, &hz) == 0 && hz == 70);
    CHECK(vdl_str_is(got, "s"));
    v[3].val = &big;
    got.n = 0;
    CHECK(sensor_err_no_sensor_params(&e, &a, &got, &hz) == V23_ECONVERT);
    CHECK(hz == 70 && got.n == 0);
    e.params.n = 3;
    CHECK(sensor_err_no_sensor_params(&e, &a, &got, &hz) == V23_ELENGTH);
    v23_arena_fini(&a);
}

static void error_with_everything(void)
{
    const odd_tree tree = { .opt = NULL };
    const odd_name ctx = VDL_STR_INIT("c"), e_ = VDL_STR_INIT("e");
    const odd_data data = { (const uint8_t *)"d", 1 };
    const struct vdl_any x = { &sensor_reading_desc, &SENSOR_DEFAULT };
    const struct v23_verror *e, *cause, *cause2 = NULL;
    const struct vdl_type *t = NULL;
    struct v23_arena a;
    odd_tree tree2;
    odd_name c2, e2;
    odd_data d2;
    odd_smaller s2;
    struct vdl_any x2;

    v23_arena_init(&a, NULL, SIZE_MAX);
    cause = odd_err_plain(&a, NULL);
    e = odd_err_many(&a, NULL, &tree, ctx, e_, data, ODD_SMALLER_C, cause, x,
        &odd_leaf_desc);
    CHECK(e->params.n == 10 && e->retry == V23_RETRY_BACKOFF);
    CHECK(odd_err_many_params(e, &a, &tree2, &c2, &e2, &d2, &s2, &cause2, &x2,
        &t) == 0);
    CHECK(vdl_equal(&odd_tree_desc, &tree, &tree2) && vdl_str_eq(ctx, c2));
    CHECK(vdl_bytes_eq(data, d2) && s2 == ODD_SMALLER_C);
    CHECK(odd_err_plain_is(cause2) && vdl_any_equal(x, x2));
    CHECK(vdl_type_equal(t, &odd_leaf_desc));
    v23_arena_fini(&a);
}

/* ---- interfaces ---------------------------------------------------------- */

static const struct v23_verror refused;
const struct v23_verror vrpc_pending;
static const void *last_item, *last_out;
static const struct v23_verror *last_err;

const struct v23_verror *vrpc_not_implemented(struct vrpc_server_call *call)
{
    (void)call;
    return &refused;
}

int vrpc_server_call_reply(struct vrpc_server_call *call,
    const struct v23_verror *err, const void *out)
{
    (void)call;
    last_err = err;
    last_out = out;
    return 0;
}

int vrpc_server_call_send(struct vrpc_server_call *call, const void *item)
{
    (void)call;
    last_item = item;
    return V23_EAGAIN;
}

int vrpc_call_send(struct vrpc_call *call, const void *item)
{
    (void)call;
    last_item = item;
    return V23_EAGAIN;
}

/* What the last start function passed on. */
static struct {
    const struct vrpc_method *m;
    uint8_t in[512];
    const struct vrpc_call_stub *stub;
    vrpc_any_fn *item, *done;
    void *ud;
} started;

struct vrpc_call *vrpc_client_start(struct vrpc_client *c, const char *name,
    const struct vrpc_call_opts *opts, const struct vrpc_method *m,
    const void *in, const struct vrpc_call_stub *stub, vrpc_any_fn *item,
    vrpc_any_fn *done, void *ud)
{
    (void)c;
    (void)opts;
    CHECK(strcmp(name, "a/b") == 0);
    CHECK((in == NULL) == (m->in_size == 0));
    if (in != NULL && m->in_size <= sizeof(started.in))
        memcpy(started.in, in, m->in_size);
    started.m = m;
    started.stub = stub;
    started.item = item;
    started.done = done;
    started.ud = ud;
    return NULL;
}

static const struct v23_verror *on_get(void *self,
    struct vrpc_server_call *call, const sensor_monitor_get_in *in,
    sensor_monitor_get_out *out)
{
    (void)call;
    CHECK(vdl_str_is(in->id, "x1"));
    out->r = SENSOR_DEFAULT;
    ++*(int *)self;
    return NULL;
}

static const struct v23_verror *on_close(void *self,
    struct vrpc_server_call *call)
{
    (void)call;
    *(int *)self += 10;
    return &vrpc_pending;
}

static void on_feed_item(void *self, struct vrpc_server_call *call,
    const sensor_command *item)
{
    (void)call;
    last_item = item;
    *(int *)self += 100;
}

static void tables(void)
{
    const struct vrpc_iface *f = &sensor_monitor_iface;
    const struct vrpc_method *m = SENSOR_MONITOR_GET_METHOD;
    uint16_t i;

    CHECK(vdl_str_is(f->name, "Monitor") && vdl_str_is(f->pkg_path,
        "vx/sensor"));
    CHECK(vdl_str_is(f->doc, "// Monitor is served by a sensor hub."));
    CHECK(f->nembeds == 1 && f->embeds[0].iface == &sensor_closer_iface);
    CHECK(f->nmethods == 3);
    for (i = 1; i < f->nmethods; i++)
        CHECK(vdl_str_cmp(f->methods[i - 1].name, f->methods[i].name) < 0);
    CHECK(vdl_str_is(m->name, "Get"));
    CHECK(vdl_str_is(m->doc, "// Get returns the latest reading."));
    CHECK(m->nin == 1 && vdl_str_is(m->in[0].name, "id") &&
        m->in[0].type == &sensor_id_desc && m->in[0].offset == 0);
    CHECK(m->in_size == sizeof(sensor_monitor_get_in));
    CHECK(m->out_size == sizeof(sensor_monitor_get_out));
    CHECK(m->ntags == 1 && m->tags[0].type == &v23_access_tag_desc);
    CHECK(vdl_str_is(*(const v23_access_tag *)m->tags[0].val, "Read"));
    CHECK(SENSOR_MONITOR_FEED_METHOD->in_stream == &sensor_command_desc);
    CHECK(SENSOR_MONITOR_FEED_METHOD->out_stream == &vdl_bool_desc);
    CHECK(SENSOR_MONITOR_FEED_METHOD->in_size == 0);
    CHECK(SENSOR_MONITOR_WATCH_METHOD->in_stream == NULL);
    CHECK(odd_calls_iface.embeds[0].iface == f);
    CHECK(ODD_CALLS_TAGGED_METHOD->ntags == 6);
    CHECK(vdl_any_equal(ODD_CALLS_TAGGED_METHOD->tags[0],
        ODD_CALLS_TAGGED_METHOD->tags[0]));
    CHECK(ODD_CALLS_TAGGED_METHOD->tags[1].type == &odd_small_desc);
    CHECK(ODD_CALLS_NAMES_METHOD->nin == 7 &&
        ODD_CALLS_NAMES_METHOD->nout == 3);
    CHECK(ODD_CALLS_ONE_METHOD->out[0].name.n == 0);
}

static void server(void)
{
    static const sensor_monitor_vt vt = { .closer = { .close = on_close },
        .get = on_get, .feed_item = on_feed_item };
    int self = 0;
    struct vrpc_object o = sensor_monitor_object(&vt, &self);
    const struct vrpc_embed *e = &o.iface->embeds[0];
    sensor_monitor_get_in in = { VDL_STR_INIT("x1") };
    sensor_monitor_get_out out;
    sensor_command cmd = { SENSOR_COMMAND_RESET, { .reset = true } };
    sensor_monitor_watch_out count = { 3 };

    memset(&out, 0, sizeof(out));
    CHECK(o.iface == &sensor_monitor_iface && o.glob == NULL &&
        o.dynamic == NULL);
    CHECK(SENSOR_MONITOR_GET_METHOD->thunk(o.vt, o.self, NULL, &in, &out) ==
        NULL);
    CHECK(self == 1 && sensor_reading_equal(&out.r, &SENSOR_DEFAULT));
    CHECK(e->iface->methods[0].thunk((const char *)o.vt + e->vt_offset, o.self,
        NULL, NULL, NULL) == &vrpc_pending);
    CHECK(self == 11);
    CHECK(SENSOR_MONITOR_WATCH_METHOD->thunk(o.vt, o.self, NULL, NULL, NULL) ==
        &refused);
    SENSOR_MONITOR_FEED_METHOD->item(o.vt, o.self, NULL, &cmd);
    CHECK(self == 111 && last_item == &cmd);
    CHECK(sensor_monitor_watch_reply(NULL, NULL, &count) == 0);
    CHECK(last_out == &count && last_err == NULL);
    CHECK(sensor_closer_close_reply(NULL, &refused) == 0);
    CHECK(last_out == NULL && last_err == &refused);
    CHECK(sensor_monitor_watch_send(NULL, &out.r) == V23_EAGAIN);
    CHECK(last_item == &out.r);
}

static void on_get_done(void *ud, const struct v23_verror *err,
    const sensor_monitor_get_out *out)
{
    *(int *)ud += 1;
    last_err = err;
    last_out = out;
}

static void on_feed_done(void *ud, const struct v23_verror *err)
{
    *(int *)ud += 10;
    last_err = err;
}

static void on_feed_got(void *ud, const bool *item)
{
    *(int *)ud += 100;
    last_item = item;
}

static void client(void)
{
    const sensor_id id = VDL_STR_INIT("x1");
    const sensor_monitor_feed_cb cb = { on_feed_got, on_feed_done };
    const sensor_command cmd = { SENSOR_COMMAND_RESET, { .reset = true } };
    sensor_monitor_get_in in;
    sensor_monitor_get_out out = { SENSOR_DEFAULT };
    bool yes = true;
    int n = 0;

    CHECK(sensor_monitor_get_start(NULL, "a/b", NULL, id, on_get_done, &n) ==
        NULL);
    CHECK(started.m == SENSOR_MONITOR_GET_METHOD && started.item == NULL);
    memcpy(&in, started.in, sizeof(in));
    CHECK(vdl_str_eq(in.id, id));
    started.stub->done(started.done, started.ud, NULL, &out);
    CHECK(n == 1 && last_out == &out && last_err == NULL);
    CHECK(sensor_monitor_feed_start(NULL, "a/b", NULL, &cb, &n) == NULL);
    started.stub->item(started.item, started.ud, &yes);
    CHECK(n == 101 && last_item == &yes);
    started.stub->done(started.done, started.ud, &refused, NULL);
    CHECK(n == 111 && last_err == &refused);
    started.stub->done(NULL, started.ud, &refused, NULL);
    CHECK(n == 111);
    CHECK(sensor_monitor_feed_put(NULL, &cmd) == V23_EAGAIN);
    CHECK(last_item == &cmd);
}

int main(void)
{
    example_bytes();
    round_trips();
    layouts();
    constants();
    errors();
    error_conversion();
    error_with_everything();
    tables();
    server();
    client();
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
