/* BSD-3-Clause; see LICENSE. */
/* The wire errors of the mount table (spec/naming.md 6.1). */
#include <stdarg.h>
#include <stdio.h>

#include "table_int.h"

const struct v23_verror *vname_err_no_memory_(const struct vname_caller *c)
{
    static const struct v23_verror nobody_asks;

    if (c == NULL)
        return &nobody_asks;
    return v23_verror_text(c->arena, c->ctx,
        vdl_str("v.io/v23/verror.Internal"), V23_NO_RETRY, "out of memory");
}

const struct v23_verror *vname_err_root_name_(const struct vname_caller *c,
    struct vdl_str name)
{
    return v23_naming_err_root_name_doesnt_exist(c->arena, c->ctx, name);
}

const struct v23_verror *vname_err_no_name_(const struct vname_caller *c,
    struct vdl_str name)
{
    if (name.n == 0)
        return vname_err_root_name_(c, name);
    return v23_naming_err_name_doesnt_exist(c->arena, c->ctx, name);
}

const struct v23_verror *vname_err_no_access_(const struct vname_caller *c)
{
    char text[1024];
    struct v23_buf b;
    uint32_t i;

    /* A list that does not fit is cut; the id is what counts. */
    v23_buf_init_fixed(&b, text, sizeof(text) - 1);
    for (i = 0; i < c->names.n; i++) {
        if (i != 0)
            v23_buf_puts(&b, " ");
        v23_buf_put_str(&b, c->names.v[i]);
    }
    v23_buf_puts(&b, "]");
    for (i = 0; i < c->rejected.n; i++) {
        v23_buf_puts(&b, i == 0 ? ": rejected blessings: [" : " ");
        v23_buf_put_str(&b, c->rejected.v[i]);
    }
    if (c->rejected.n != 0)
        v23_buf_puts(&b, "]");
    text[b.n] = 0;
    return v23_verror_text(c->arena, c->ctx,
        vdl_str("v.io/v23/verror.NoAccess"), V23_RETRY_REFETCH,
        "access denied: [%s", text);
}

const struct v23_verror *vname_err_text_(const struct vname_caller *c,
    const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return v23_verror_text(c->arena, NULL,
        vdl_str("v.io/v23/verror.Unknown"), V23_NO_RETRY, "%s", text);
}
