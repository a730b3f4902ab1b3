/* BSD-3-Clause; see LICENSE. */
/* What the sources of the echo client share. */
#ifndef ECHO_CLIENT_H
#define ECHO_CLIENT_H

#include <vname/program.h>
#include <vrpc/verror.h>

#include "example.org/oracle/echo/echo.rpc.h"

#define ECHO_PKG "example.org/oracle/echo"

/* Command line. */
struct echo_options {
    const char *server, *mode, *run, *skip, *method;
    bool allow_any_server, list, own_conn;
    int64_t max_bytes, clients, calls, payload, warmup, at_once;
    int64_t timeout, pause, hold; /* ns */
};

struct echo_client {
    struct vname_program *p;
    const struct echo_options *o;
};

/* Options of a call by the command line. */
struct vrpc_call_opts echo_call_opts(const struct echo_client *c);

/* ---- checks -------------------------------------------------------------- */

/* One check being run. */
struct echo_test {
    struct echo_client *c;
    struct v23_arena a;        /* reset after each check */
    struct vrpc_call_opts opts; /* of the calls that follow */
    bool failed;
    char why[400];             /* of the first failure */
};

/* Checks of one kind, told apart by a number. */
struct echo_checks {
    const char *group;
    size_t n;
    const char *(*name)(size_t i); /* "" for a single one */
    void (*run)(struct echo_test *t, size_t i);
};

extern const struct echo_checks echo_value_checks, echo_special_checks,
    echo_bytes_checks, echo_string_checks, echo_record_checks,
    echo_fail_checks, echo_argument_checks, echo_call_checks,
    echo_name_checks, echo_glob_checks, echo_all_checks,
    echo_stream_checks, echo_down_checks, echo_stream_end_checks,
    echo_security_checks;

/* Run the checks that the command line asks for; the exit code. */
int echo_check_main(struct echo_client *c);

/** Note a failure; only the first one of a check is kept. */
void echo_fail(struct echo_test *t, const char *fmt, ...) V23_PRINTF(2, 3);
#define ECHO_CHECK(t, cond, ...) \
    do { \
        if (!(cond)) { \
            echo_fail((t), __VA_ARGS__); \
            return; \
        } \
    } while (0)

/** Memory of the check; ends the program when there is none. */
void *echo_mem(struct echo_test *t, size_t count, size_t size);
#define ECHO_NEW(t, T, n) ((T *)echo_mem((t), (n), sizeof(T)))

/** Object name of a suffix. */
const char *echo_name(struct echo_test *t, const char *suffix);
/** VDL constants, separated by commas, each as an any (n of them). */
const struct vdl_any *echo_parse(struct echo_test *t, const char *text,
    size_t n);
/** Text of a value for messages. */
const char *echo_text(struct echo_test *t, struct vdl_any v);
/** The i-th byte of a payload. */
uint8_t echo_byte(size_t i);
/** A payload of n bytes, or the same as letters. */
struct vdl_bytes echo_payload(struct echo_test *t, size_t n);

/* ---- calls --------------------------------------------------------------- */

/* The outcome of a dynamic call; contents live as long as the check. */
struct echo_reply {
    struct echo_test *t;
    struct vrpc_call *call; /* NULL when it is over */
    const struct v23_verror *err;
    const struct vdl_any *results;
    size_t n;
    struct vdl_any *items; /* received stream items */
    size_t nitems, cap;
    bool done;
};

/** Start a call; t->opts must stay as they are until it is over. */
void echo_start(struct echo_test *t, struct echo_reply *r,
    const char *suffix, const char *method, const struct vdl_any *args,
    size_t nargs);
/** Run the loop until *flag; the end of every call looks at it. */
void echo_wait(struct echo_test *t, const bool *flag);
/** Let time pass. */
void echo_sleep(struct echo_test *t, int64_t ns);
/** Make a call and wait for its end. */
void echo_call(struct echo_test *t, struct echo_reply *r, const char *suffix,
    const char *method, const struct vdl_any *args, size_t nargs);
/** Arguments as VDL constants. */
void echo_call_text(struct echo_test *t, struct echo_reply *r,
    const char *suffix, const char *method, const char *args, size_t nargs);
/** The call must have failed with this error. */
void echo_expect_error(struct echo_test *t, const struct echo_reply *r,
    const char *id, enum v23_retry retry);
/** The call must have given these results (VDL constants). */
void echo_expect_results(struct echo_test *t, const struct echo_reply *r,
    const char *results, size_t n);
/** Convert a result into a C value; false after a failure. */
bool echo_result(struct echo_test *t, const struct echo_reply *r, size_t i,
    const struct vdl_type *type, void *out);
/** A counter of the server. */
int64_t echo_counter(struct echo_test *t, const char *key);
/** Wait at most two seconds for a counter to reach a value. */
bool echo_await_counter(struct echo_test *t, const char *key, int64_t least);

/* ---- load ---------------------------------------------------------------- */

/* The modes besides check; the exit code. */
int echo_load_main(struct echo_client *c);

#endif
