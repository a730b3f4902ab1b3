/* BSD-3-Clause; see LICENSE. */
/* vrpc call: a call with arguments, and items, that are typed in. */
#include "vrpc.h"

#include <compile.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vom/print.h>

#include "input.h"

#define OUTPUT_MAX ((size_t)1 << 30)

/* ---- arguments ----------------------------------------------------------- */

/* The words of the command line as one list, with commas between them where
 * there are none yet. */
static void join_words(struct v23_buf *text, int argc, char **argv)
{
    static const char space[] = " \t\n\v\f\r";
    const char *word;
    size_t n;
    int i;

    for (i = 0; i < argc; i++) {
        word = argv[i] + strspn(argv[i], space);
        n = strlen(word);
        while (n != 0 && strchr(space, word[n - 1]) != NULL)
            n--;
        if (text->n != 0 && text->p[text->n - 1] != ',' && word[0] != ',')
            v23_buf_put_byte(text, ',');
        v23_buf_put(text, word, n);
    }
}

/* The value that an argument stands for. */
static struct vdl_any to_any(const struct vdl_any *v)
{
    return v->type->kind == VDL_ANY ? *(const struct vdl_any *)v->val : *v;
}

/* Evaluate the arguments; what `args` refers to lives in `c`. */
static int parse_words(struct ctx *c, const v23_signature_method *m,
    const struct v23_buf *text, struct vdl_any *args)
{
    size_t n = m->in_args.n, i;
    const struct vdl_type **types = ctx_array(c, const struct vdl_type *, n);
    struct source src = { "_expr/_expr.vdl", (const char *)text->p, text->n };
    struct list values = { 0 };

    for (i = 0; i < n; i++) {
        types[i] = m->in_args.v[i].type;
        if (types[i] == NULL)
            types[i] = &vdl_any_desc;
    }
    if (text->n != 0 && !compile_exprs(c, &src, types, n, &values))
        return v23_error("can't parse in-args:\n%s",
            v23_buf_cstr(&c->errors));
    if (values.n != n)
        return v23_error("got %zu args, want %zu", values.n, n);
    for (i = 0; i < n; i++)
        args[i] = to_any(values.v[i]);
    return 0;
}

/* ---- the call ------------------------------------------------------------ */

struct run {
    struct remote *r;
    struct vrpc_call *call;
    size_t want; /* number of results */
    /* what is sent on the stream */
    const struct vdl_type *item_type; /* NULL: nothing */
    struct input in;
    struct v23_buf line;
    struct ctx c;        /* holds the item, with `held` */
    struct vdl_any item;
    bool held;
};

static void drop_item(struct run *x)
{
    if (x->held)
        ctx_fini(&x->c);
    x->held = false;
}

/* The item of the line. */
static bool parse_item(struct run *x)
{
    struct source src = { "stdin", (const char *)x->line.p, x->line.n };
    struct list values = { 0 };

    ctx_init(&x->c);
    x->c.terse = true;
    x->held = true;
    if (compile_exprs(&x->c, &src, &x->item_type, 1, &values)
        && values.n == 1) {
        x->item = to_any(values.v[0]);
        return true;
    }
    x->r->rc = v23_error("line %zu: can't parse the item:\n%s",
        x->in.number, values.n == 1 || x->c.errors.n != 0
            ? v23_buf_cstr(&x->c.errors) : "not one expression");
    drop_item(x);
    return false;
}

/* Send lines while there are any and they find room. */
static void send_items(struct run *x)
{
    int rc;

    for (;;) {
        if (x->held) {
            rc = vrpc_call_send_any(x->call, x->item);
            if (rc == V23_EAGAIN)
                return; /* on_room() follows */
            drop_item(x);
            if (rc != 0)
                return; /* the call ends */
        }
        rc = input_line(&x->in, &x->line);
        if (rc == INPUT_LATER)
            return;
        if (rc == INPUT_END) {
            vrpc_call_close_send(x->call);
            return;
        }
        if (rc == INPUT_FAILED)
            x->r->rc = v23_error("cannot read standard input: %s",
                strerror(errno));
        if (rc == INPUT_FAILED || !parse_item(x)) {
            vrpc_call_cancel(x->call);
            return;
        }
    }
}

static void on_room(void *ud, struct vrpc_call *call)
{
    struct run *x = ud;

    (void)call;
    if (x->held)
        send_items(x);
}

static void on_input(void *ud)
{
    struct run *x = ud;

    if (x->call != NULL && !x->held)
        send_items(x);
}

static void put_value(struct v23_buf *out, struct vdl_any v)
{
    int rc = options.json ? vdl_print_json_any(v, out) : vdl_print_any(v, out);

    if (rc != 0 && out->err == 0)
        out->err = rc;
}

static void got_item(void *ud, struct vdl_any item)
{
    struct run *x = ud;
    struct v23_buf out;
    int rc;

    v23_buf_init(&out, NULL, OUTPUT_MAX);
    v23_buf_puts(&out, "<< ");
    put_value(&out, item);
    v23_buf_put_byte(&out, '\n');
    rc = print_out(&out, 0);
    fflush(stdout);
    if (rc != 0 && x->r->rc == 0)
        x->r->rc = rc;
}

static int print_results(const struct run *x, const struct vdl_any *results,
    size_t n)
{
    struct v23_buf out;
    size_t i;

    if (n != x->want)
        return v23_error("call.Finish failed: got %zu results, want %zu", n,
            x->want);
    v23_buf_init(&out, NULL, OUTPUT_MAX);
    for (i = 0; i < n; i++) {
        if (i != 0)
            v23_buf_put_byte(&out, ' ');
        put_value(&out, results[i]);
    }
    v23_buf_put_byte(&out, '\n');
    return print_out(&out, 0);
}

static void done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct run *x = ud;
    int rc;

    if (x->r->rc != 0)
        rc = 0; /* it has been said why */
    else if (err == NULL)
        rc = print_results(x, results, n);
    else if (vrpc_call_server(x->call) == NULL)
        rc = vname_program_error(x->r->p, "StartCall failed", err);
    else
        rc = vname_program_error(x->r->p, "call.Recv failed", err);
    if (x->r->rc == 0)
        x->r->rc = rc;
    x->call = NULL;
    vname_program_done(x->r->p);
}

static int call(struct remote *r, const char *method, const struct vdl_any *in,
    const v23_signature_method *m)
{
    static const struct vrpc_any_cb cb = { got_item, done };
    struct run x;

    memset(&x, 0, sizeof(x));
    x.r = r;
    x.want = m->out_args.n;
    if (m->in_stream != NULL)
        x.item_type = m->in_stream->type != NULL ? m->in_stream->type
                                                 : &vdl_any_desc;
    v23_buf_init(&x.line, NULL, OUTPUT_MAX);
    if (x.item_type != NULL
        && input_open(&x.in, r->p->rt.base, on_input, &x) != 0)
        return v23_error("out of memory");
    x.call = vrpc_client_start_any(r->p->rt.client, r->name, vdl_str(method),
        &r->opts, in, m->in_args.n, VRPC_ANY_RESULTS, &cb, &x);
    if (x.call == NULL)
        return v23_error("out of memory");
    if (x.item_type == NULL) {
        vrpc_call_close_send(x.call);
    } else {
        vrpc_call_on_writable(x.call, on_room, &x);
        send_items(&x);
    }
    vname_program_wait(r->p);
    drop_item(&x);
    input_close(&x.in);
    v23_buf_fini(&x.line);
    return r->rc;
}

int run_call(void *ud, const struct v23_invocation *inv, int argc, char **argv)
{
    v23_signature_method m;
    struct vdl_any *in = NULL;
    struct v23_buf text;
    struct remote r;
    struct ctx c; /* holds the arguments until the call has ended */
    int rc;

    if (argc < 2)
        return v23_usage_error(inv, "must specify <server> and <method>");
    ctx_init(&c);
    c.terse = true; /* the arguments are on the screen already */
    v23_buf_init(&text, NULL, SIZE_MAX);
    join_words(&text, argc - 2, argv + 2);
    rc = remote_open(&r, ud, argv[0]);
    if (rc == 0)
        rc = remote_method(&r, argv[1], &m);
    if (rc == 0) {
        in = v23_arena_get0(&r.arena, m.in_args.n, sizeof(*in),
            V23_ALIGNOF(struct vdl_any));
        if (in == NULL || text.err != 0)
            rc = v23_error("out of memory");
    }
    if (rc == 0 && m.in_args.n != 0)
        rc = parse_words(&c, &m, &text, in);
    if (rc == 0)
        rc = call(&r, argv[1], in, &m);
    v23_buf_fini(&text);
    remote_close(&r);
    ctx_fini(&c);
    return rc;
}
