/* BSD-3-Clause; see LICENSE. */
/* Errors of every kind, wrong arguments, wrong methods. */
#include "client.h"

#define STD "v.io/v23/verror."
#define OWN ECHO_PKG "."

/* ---- Fail ---------------------------------------------------------------- */

static const struct {
    const char *kind, *id;
    enum v23_retry retry;
    const char *params; /* behind component and operation */
    size_t nparams;
} fails[] = {
    { "unknown", STD "Unknown", V23_NO_RETRY, "\"p1\", int64(2)", 2 },
    { "internal", STD "Internal", V23_NO_RETRY, "\"p1\"", 1 },
    { "notimpl", STD "NotImplemented", V23_NO_RETRY, "", 0 },
    { "badarg", STD "BadArg", V23_NO_RETRY, "\"arg\"", 1 },
    { "badstate", STD "BadState", V23_NO_RETRY, "", 0 },
    { "exist", STD "Exist", V23_NO_RETRY, "\"x\"", 1 },
    { "noexist", STD "NoExist", V23_NO_RETRY, "\"x\"", 1 },
    { "noaccess", STD "NoAccess", V23_RETRY_REFETCH, "\"x\"", 1 },
    { "timeout", STD "Timeout", V23_NO_RETRY, "", 0 },
    { "canceled", STD "Canceled", V23_NO_RETRY, "", 0 },
    { "aborted", STD "Aborted", V23_NO_RETRY, "", 0 },
    { "eof", STD "EndOfFile", V23_NO_RETRY, "", 0 },
    { "custom", OWN "Custom", V23_NO_RETRY, "\"p1\", int64(-2), true", 3 },
    { "retryconn", OWN "RetryConnection", V23_RETRY_CONNECTION, "", 0 },
    { "retryrefetch", OWN "RetryRefetch", V23_RETRY_REFETCH, "", 0 },
    { "retrybackoff", OWN "RetryBackoff", V23_RETRY_BACKOFF, "", 0 },
    { "goerror", STD "Unknown", V23_NO_RETRY, "\"plain go error 42\"", 1 },
    { "no such kind", STD "BadArg", V23_NO_RETRY, "\"no such kind\"", 1 },
    { "subs", OWN "Custom", V23_NO_RETRY, "\"p1\"", 1 },
    { "ok", NULL, V23_NO_RETRY, "", 0 },
};

static const char *fail_name(size_t i)
{
    return fails[i].kind;
}

/* Behind the first parameters come errors. */
static void check_subs(struct echo_test *t, const vdl_any_list *params)
{
    uint32_t i;

    ECHO_CHECK(t, params->n == 5, "%lu parameters, want 5",
        (unsigned long)params->n);
    for (i = 3; i < 5; i++) {
        const struct vdl_type *type = params->v[i].type;

        ECHO_CHECK(t, type != NULL && vdl_type_equal(type, &vdl_error_desc),
            "parameter %lu is no error", (unsigned long)i);
    }
}

static void check_fail(struct echo_test *t, size_t i)
{
    const struct vdl_any *want;
    struct echo_reply r;
    struct vdl_any arg;
    struct vdl_str kind = vdl_str(fails[i].kind);
    size_t k;

    arg.type = &vdl_string_desc;
    arg.val = &kind;
    t->opts.no_retry = true;
    echo_call(t, &r, "", "Fail", &arg, 1);
    if (fails[i].id == NULL) {
        echo_expect_results(t, &r, "", 0);
        return;
    }
    echo_expect_error(t, &r, fails[i].id, fails[i].retry);
    if (t->failed)
        return;
    want = echo_parse(t, fails[i].params, fails[i].nparams);
    ECHO_CHECK(t, r.err->params.n >= fails[i].nparams + 2,
        "%lu parameters, want %zu", (unsigned long)r.err->params.n,
        fails[i].nparams + 2);
    for (k = 0; k < fails[i].nparams; k++)
        ECHO_CHECK(t, vdl_any_equal(r.err->params.v[k + 2], want[k]),
            "parameter %zu is %s, want %s", k + 2,
            echo_text(t, r.err->params.v[k + 2]), echo_text(t, want[k]));
    if (strcmp(fails[i].kind, "subs") == 0)
        check_subs(t, &r.err->params);
    else if (fails[i].nparams != 0) /* else none are agreed upon */
        ECHO_CHECK(t, r.err->params.n == fails[i].nparams + 2,
            "%lu parameters, want %zu", (unsigned long)r.err->params.n,
            fails[i].nparams + 2);
}

const struct echo_checks echo_fail_checks = { "fail",
    sizeof(fails) / sizeof(fails[0]), fail_name, check_fail };

/* ---- arguments ----------------------------------------------------------- */

static const struct {
    const char *name, *suffix, *method, *args;
    size_t nargs;
    const char *err; /* NULL: results instead */
    enum v23_retry retry;
    const char *results;
    size_t nresults;
} arguments[] = {
    { "sum", "", "Sum", "int32(3), int32(-4), []float64{0.5, 1.25}", 2 + 1,
        NULL, 0, "int64(-1), float64(1.75), uint32(2)", 3 },
    { "sum-overflow", "", "Sum", "int32(2147483647), int32(1), []float64{}",
        3, NULL, 0, "int64(2147483648), float64(0), uint32(0)", 3 },
    { "sum-converted", "", "Sum", "uint16(3), int64(-4), []float32{0.5, 2}",
        3, NULL, 0, "int64(-1), float64(2.5), uint32(2)", 3 },
    { "sum-from-ints", "", "Sum", "byte(1), int8(1), []int32{1, 2}", 3, NULL,
        0, "int64(2), float64(3), uint32(2)", 3 },
    { "number-too-large", "", "Sum", "int64(4294967296), int32(0), "
      "[]float64{}", 3, STD "BadProtocol", V23_NO_RETRY, NULL, 0 },
    { "nothing", "", "Nothing", "", 0, NULL, 0, "", 0 },
    { "string", "", "EchoString", "\"s\"", 1, NULL, 0, "\"s\"", 1 },
    { "bytes-as-list", "", "EchoBytes", "[]byte{1, 2}", 1, NULL, 0,
        "[]byte{1, 2}", 1 },
    { "string-as-bytes", "", "EchoBytes", "\"abc\"", 1, STD "BadProtocol",
        V23_NO_RETRY, NULL, 0 },
    { "none", "", "EchoBytes", "", 0, STD "BadProtocol", V23_NO_RETRY, NULL,
        0 },
    { "too-few", "", "Sum", "int32(1), int32(2)", 2, STD "BadProtocol",
        V23_NO_RETRY, NULL, 0 },
    { "too-many", "", "EchoString", "\"a\", \"b\"", 2, STD "BadProtocol",
        V23_NO_RETRY, NULL, 0 },
    { "wrong-type", "", "EchoString", "int32(5)", 1, STD "BadProtocol",
        V23_NO_RETRY, NULL, 0 },
    { "wrong-type-list", "", "EchoBytes", "[]string{\"a\"}", 1,
        STD "BadProtocol", V23_NO_RETRY, NULL, 0 },
    { "unknown-method", "", "NoSuchMethod", "int32(1), \"x\"", 2,
        STD "UnknownMethod", V23_NO_RETRY, NULL, 0 },
    { "lower-case-method", "", "echoBytes", "[]byte{}", 1,
        STD "UnknownMethod", V23_NO_RETRY, NULL, 0 },
    { "unknown-suffix", "unknown", "Nothing", "", 0, STD "UnknownSuffix",
        V23_NO_RETRY, NULL, 0 },
    { "unknown-suffix-below", "a/b/c", "EchoString", "\"x\"", 1,
        STD "UnknownSuffix", V23_NO_RETRY, NULL, 0 },
    { "denied", "deny", "Nothing", "", 0, STD "NoAccess", V23_RETRY_REFETCH,
        NULL, 0 },
    { "denied-with-arguments", "deny", "EchoBytes", "[]byte{1, 2, 3}", 1,
        STD "NoAccess", V23_RETRY_REFETCH, NULL, 0 },
    { "denied-unknown-method", "deny", "NoSuchMethod", "", 0,
        STD "UnknownMethod", V23_NO_RETRY, NULL, 0 },
    { "not-an-echo-object", "all", "Nothing", "", 0, STD "UnknownMethod",
        V23_NO_RETRY, NULL, 0 },
};

static const char *argument_name(size_t i)
{
    return arguments[i].name;
}

static void check_argument(struct echo_test *t, size_t i)
{
    struct echo_reply r;

    echo_call_text(t, &r, arguments[i].suffix, arguments[i].method,
        arguments[i].args, arguments[i].nargs);
    if (arguments[i].err != NULL)
        echo_expect_error(t, &r, arguments[i].err, arguments[i].retry);
    else
        echo_expect_results(t, &r, arguments[i].results,
            arguments[i].nresults);
}

const struct echo_checks echo_argument_checks = { "call",
    sizeof(arguments) / sizeof(arguments[0]), argument_name,
    check_argument };
