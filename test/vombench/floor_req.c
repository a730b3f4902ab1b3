/* BSD-3-Clause; see LICENSE. */
/*
 * Hand-written coder of the header of a call, as most calls have it: without
 * blessings that are granted to the server.
 */
#include "floor_int.h"

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;

    while (n != 0)
        any |= p[--n];
    return any == 0;
}

static uint8_t *put_duration(uint8_t *p, const v23_time_duration *d)
{
    if (d->seconds != 0) {
        *p++ = 0;
        p = put_int(p, d->seconds);
    }
    if (d->nanos != 0) {
        *p++ = 1;
        p = put_int(p, d->nanos);
    }
    *p++ = END;
    return p;
}

static uint8_t *put_id(uint8_t *p, uint8_t index, const v23_uniqueid_id *id)
{
    if (all_zero(id->v, sizeof(id->v)))
        return p;
    *p++ = index;
    *p++ = 0;
    memcpy(p, id->v, sizeof(id->v));
    return p + sizeof(id->v);
}

/* The trace request is left out when all of it is. */
static uint8_t *put_trace(uint8_t *at, const v23_vtrace_request *x)
{
    uint8_t *p = at + 1;

    p = put_id(p, 0, &x->span_id);
    p = put_id(p, 1, &x->trace_id);
    if (x->request_metadata.n != 0) {
        *p++ = 2;
        p = put_text(p, x->request_metadata.p, x->request_metadata.n);
    }
    if (x->flags != 0) {
        *p++ = 3;
        p = put_int(p, x->flags);
    }
    if (x->log_level != 0) {
        *p++ = 4;
        p = put_int(p, x->log_level);
    }
    if (p == at + 1)
        return at;
    *at = 6;
    *p++ = END;
    return p;
}

size_t floor_put_req(uint8_t *out, size_t room, const v23_rpc_request *x)
{
    /* Everything but the texts. */
    const size_t fixed = HEAD + 13 * (1 + UINT_MAX_BYTES) + 2 * 16;
    uint8_t *p = out + HEAD;

    if (room < fixed ||
        room - fixed < (size_t)x->suffix.n + x->method.n +
                           x->trace_request.request_metadata.n +
                           x->language.n ||
        x->granted_blessings.certificate_chains.n != 0)
        return 0;
    if (x->suffix.n != 0) {
        *p++ = 0;
        p = put_text(p, x->suffix.p, x->suffix.n);
    }
    if (x->method.n != 0) {
        *p++ = 1;
        p = put_text(p, x->method.p, x->method.n);
    }
    if (x->num_pos_args != 0) {
        *p++ = 2;
        p = put_uint(p, x->num_pos_args);
    }
    if (x->end_stream_args) {
        *p++ = 3;
        *p++ = 1;
    }
    if (x->deadline.from_now.seconds != 0 || x->deadline.from_now.nanos != 0) {
        *p++ = 4;
        *p++ = 0;
        p = put_duration(p, &x->deadline.from_now);
        *p++ = END;
    }
    p = put_trace(p, &x->trace_request);
    if (x->language.n != 0) {
        *p++ = 7;
        p = put_text(p, x->language.p, x->language.n);
    }
    *p++ = END;
    return put_head(out, p);
}

static const uint8_t *get_duration(
    const uint8_t *p, const uint8_t *end, v23_time_duration *d)
{
    if (is_next(p, end, 0)) {
        p = get_int(p + 1, end, &d->seconds);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 1)) {
        p = get_int32(p + 1, end, &d->nanos);
        if (p == NULL)
            return NULL;
    }
    return is_next(p, end, END) ? p + 1 : NULL;
}

static const uint8_t *get_deadline(
    const uint8_t *p, const uint8_t *end, v23_time_wire_deadline *x)
{
    if (is_next(p, end, 0)) {
        p = get_duration(p + 1, end, &x->from_now);
        if (p == NULL)
            return NULL;
    }
    return is_next(p, end, END) ? p + 1 : NULL;
}

static const uint8_t *get_id(
    const uint8_t *p, const uint8_t *end, v23_uniqueid_id *id)
{
    if ((size_t)(end - p) < 1 + sizeof(id->v) || *p != 0)
        return NULL;
    memcpy(id->v, p + 1, sizeof(id->v));
    return p + 1 + sizeof(id->v);
}

static const uint8_t *get_trace(const uint8_t *p, const uint8_t *end,
    struct floor_mem *mem, v23_vtrace_request *x)
{
    if (is_next(p, end, 0)) {
        p = get_id(p + 1, end, &x->span_id);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 1)) {
        p = get_id(p + 1, end, &x->trace_id);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 2)) {
        p = get_bytes(
            p + 1, end, mem, &x->request_metadata.p, &x->request_metadata.n);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 3)) {
        p = get_int32(p + 1, end, &x->flags);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 4)) {
        p = get_int32(p + 1, end, &x->log_level);
        if (p == NULL)
            return NULL;
    }
    return is_next(p, end, END) ? p + 1 : NULL;
}

static const uint8_t *get_req_front(const uint8_t *p, const uint8_t *end,
    struct floor_mem *mem, v23_rpc_request *x)
{
    if (is_next(p, end, 0)) {
        p = get_text(p + 1, end, mem, &x->suffix);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 1)) {
        p = get_text(p + 1, end, mem, &x->method);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 2)) {
        p = get_uint(p + 1, end, &x->num_pos_args);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 3))
        p = get_bool(p + 1, end, &x->end_stream_args);
    return p;
}

bool floor_get_req(
    const uint8_t *p, size_t n, struct floor_mem *mem, v23_rpc_request *x)
{
    const uint8_t *end = p + n;

    p = get_head(p, end);
    if (p == NULL)
        return false;
    memset(x, 0, sizeof(*x));
    p = get_req_front(p, end, mem, x);
    if (p != NULL && is_next(p, end, 4))
        p = get_deadline(p + 1, end, &x->deadline);
    if (p != NULL && is_next(p, end, 6))
        p = get_trace(p + 1, end, mem, &x->trace_request);
    if (p != NULL && is_next(p, end, 7))
        p = get_text(p + 1, end, mem, &x->language);
    return p != NULL && end - p == 1 && *p == END;
}
