/* BSD-3-Clause; see LICENSE. */
/* vrpc signature: what a server can do. */
#include "vrpc.h"

#include <vom/signature.h>
#include <vrpc/name.h>

#include "ask.h"

#define OUTPUT_MAX ((size_t)1 << 30)

static int print_interfaces(const struct vdl_list *l, struct vdl_named *types,
    struct v23_buf *out)
{
    const v23_signature_interface *v = l->v;
    uint32_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < l->n; i++) {
        if (!options.show_reserved && vrpc_name_is_reserved(v[i].name))
            continue;
        if (i != 0)
            v23_buf_put_byte(out, '\n');
        rc = vdl_print_interface(&v[i], types, out);
        v23_buf_put_byte(out, '\n');
    }
    return rc;
}

static int all(struct remote *r, struct vdl_named *types)
{
    struct vdl_list interfaces;
    struct v23_buf out;
    int rc = remote_ask(r, "__Signature", NULL, &vrpc_interfaces_desc,
        &interfaces, "Signature failed");

    if (rc != 0)
        return rc;
    v23_buf_init(&out, NULL, OUTPUT_MAX);
    rc = print_interfaces(&interfaces, types, &out);
    if (rc == 0)
        rc = vdl_named_print(types, &out);
    return print_out(&out, rc);
}

static int one(struct remote *r, const char *method, struct vdl_named *types)
{
    v23_signature_method m;
    struct v23_buf out;
    int rc = remote_method(r, method, &m);

    if (rc != 0)
        return rc;
    v23_buf_init(&out, NULL, OUTPUT_MAX);
    rc = vdl_print_method(&m, types, &out);
    v23_buf_put_byte(&out, '\n');
    if (rc == 0)
        rc = vdl_named_print(types, &out);
    return print_out(&out, rc);
}

int run_signature(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vdl_named types;
    struct remote r;
    int rc;

    if (argc != 1 && argc != 2)
        return v23_usage_error(inv, "wrong number of arguments");
    vdl_named_init(&types, NULL);
    rc = remote_open(&r, ud, argv[0]);
    if (rc == 0 && argc == 2 && argv[1][0] != 0)
        rc = one(&r, argv[1], &types);
    else if (rc == 0)
        rc = all(&r, &types);
    vdl_named_fini(&types);
    remote_close(&r);
    return rc;
}
