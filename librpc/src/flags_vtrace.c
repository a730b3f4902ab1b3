/* BSD-3-Clause; see LICENSE. */
/* --v23.vtrace.*: which traces are collected (spec/rpc.md 25). */
#include "flags_int.h"

#include <stdlib.h>

static int set_sample_rate(struct vrpc_flags *f, const char *value,
    const char **why)
{
    char *end;
    double v = strtod(value, &end);

    if (*value == 0 || *end != 0 || !(v >= 0 && v <= 1))
        return vrpc_flags_bad_(why, "not a number from 0 to 1");
    f->vtrace_sample_rate = v;
    return 0;
}

static int set_cache_size(struct vrpc_flags *f, const char *value,
    const char **why)
{
    unsigned long v;
    int rc = vrpc_flags_number_(value, UINT32_MAX, &v, why);

    if (rc == 0)
        f->vtrace_cache_size = (uint32_t)v;
    return rc;
}

static int set_vtrace_level(struct vrpc_flags *f, const char *value,
    const char **why)
{
    unsigned long v;
    int rc = vrpc_flags_number_(value, 1000, &v, why);

    if (rc == 0)
        f->vtrace_level = (int)v;
    return rc;
}

static int set_regexp(struct vrpc_flags *f, const char *value,
    const char **why)
{
    (void)why;
    return vrpc_flags_dup_(f, value, &f->vtrace_regexp);
}

static int set_root_span(struct vrpc_flags *f, const char *value,
    const char **why)
{
    (void)why;
    return vrpc_flags_dup_(f, value, &f->vtrace_root_span);
}

static int set_dump(struct vrpc_flags *f, const char *value, const char **why)
{
    return vrpc_flags_bool_(value, &f->vtrace_dump, why);
}

/* Go sends its spans to AWS where that is compiled in. */
static int set_xray(struct vrpc_flags *f, const char *value, const char **why)
{
    bool on;
    int rc = vrpc_flags_bool_(value, &on, why);

    (void)f;
    if (rc == 0 && on)
        rc = vrpc_flags_bad_(why,
            "AWS X-Ray is not supported; traces are kept in memory only");
    return rc;
}

const struct vrpc_flag_ vrpc_flags_vtrace_[VRPC_FLAGS_VTRACE_] = {
    { "v23.vtrace.sample-rate", false, set_sample_rate },
    { "v23.vtrace.cache-size", false, set_cache_size },
    { "v23.vtrace.v", false, set_vtrace_level },
    { "v23.vtrace.collect-regexp", false, set_regexp },
    { "v23.vtrace.root-span-name", false, set_root_span },
    { "v23.vtrace.dump-on-shutdown", true, set_dump },
    { "v23.vtrace.enable-aws-xray", true, set_xray },
};
