/* BSD-3-Clause; see LICENSE. */
/*
 * __debug/http. The reference implementation shows the page of a library that
 * traces requests of HTTP, which nothing of the stack uses; so the page is the
 * one without any family of requests.
 */
#include "debug_int.h"

#include <v23/vdl/v.io/v23/services/http/http.rpc.h>

static const struct v23_verror *raw_do(void *self,
    struct vrpc_server_call *call, const v23_http_http_raw_do_in *in,
    v23_http_http_raw_do_out *out)
{
    static const char page[] =
        "<!DOCTYPE html>\n<html>\n<head><title>/debug/requests</title></head>\n"
        "<body>\n<h1>/debug/requests</h1>\n<table id=\"tr-status\">\n"
        "</table>\n</body>\n</html>\n";

    (void)self;
    (void)call;
    (void)in;
    out->data = vdl_bytes((const uint8_t *)page, sizeof(page) - 1);
    return NULL;
}

struct vrpc_object vrpc_debug_http_(struct vrpc_debug_object_ *o)
{
    static const v23_http_http_vt vt = { raw_do };

    return v23_http_http_object(&vt, o);
}
