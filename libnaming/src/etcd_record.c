/* BSD-3-Clause; see LICENSE. */
/*
 * A node as the value of its key:
 *     {"C":creator,"V":{"V":version,"P":permissions},"E":true,
 *      "M":true,"L":true,"S":{server:deadline,…}}
 * with the journal's forms of permissions and names. What is false or missing is
 * left out; deadlines are milliseconds since 1970. Other members are ignored.
 */
#include <vname/json.h>
#include <vsec/acl.h>

#include "etcd_int.h"
#include "journal_int.h"

#define MS_PER_SEC 1000
/* Deadlines further away than this from now are as good as this far. */
#define FAR_MS (INT64_C(200) * 365 * 86400 * MS_PER_SEC)

static int64_t wall_ms(const struct v23_now *now)
{
    return now->wall.sec * MS_PER_SEC + now->wall.nanos / 1000000;
}

static void put_server(struct v23_buf *out, const struct vname_mounted *s,
    const struct v23_now *now)
{
    vsec_json_put_text(out, s->name);
    v23_buf_printf(out, ":%lld",
        (long long)(wall_ms(now)
            + (s->expires_ns - now->mono_ns) / V23_NS_PER_MS));
}

int vname_etcd_write_(const struct vname_change *ch,
    const struct v23_now *now, struct v23_buf *out)
{
    size_t i;
    int rc = 0;

    v23_buf_puts(out, "{\"C\":");
    vsec_json_put_text(out, ch->creator);
    if (ch->perms != NULL) {
        v23_buf_printf(out, ",\"V\":{\"V\":%d,\"P\":", (int)ch->version);
        if (out->err == 0)
            rc = vsec_perms_to_json(ch->perms, out);
        if (rc != 0 || out->err != 0)
            return rc != 0 ? rc : out->err;
        out->n--; /* it ends its line */
        v23_buf_puts(out, ch->set ? "},\"E\":true" : "}");
    }
    v23_buf_puts(out, ch->mt ? ",\"M\":true" : "");
    v23_buf_puts(out, ch->leaf ? ",\"L\":true" : "");
    for (i = 0; i < ch->nservers; i++) {
        v23_buf_puts(out, i == 0 ? ",\"S\":{" : ",");
        put_server(out, &ch->servers[i], now);
    }
    v23_buf_puts(out, ch->nservers != 0 ? "}}" : "}");
    return out->err;
}

struct reading {
    const struct v23_now *now;
    struct v23_arena *a;
    struct vname_change *ch;
    struct vname_mounted *servers;
};

static int get_bool(struct v23_bytes v, bool *out)
{
    *out = v.n == 4 && memcmp(v.p, "true", 4) == 0;
    return *out || (v.n == 5 && memcmp(v.p, "false", 5) == 0) ? 0 : V23_ETEXT;
}

static int get_deadline(struct v23_bytes v, const struct v23_now *now,
    int64_t *expires_ns)
{
    int64_t ms = 0;
    size_t i;

    if (v.n == 0 || v.n > 15)
        return V23_ETEXT;
    for (i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return V23_ETEXT;
        ms = ms * 10 + (v.p[i] - '0');
    }
    ms -= wall_ms(now);
    if (ms > FAR_MS || ms < -FAR_MS)
        ms = ms > 0 ? FAR_MS : -FAR_MS;
    *expires_ns = now->mono_ns + ms * V23_NS_PER_MS;
    return 0;
}

static int server(void *ud, struct vdl_str key, struct v23_bytes value)
{
    struct reading *r = ud;
    struct vname_mounted *s = &r->servers[r->ch->nservers];
    int rc;

    if (r->ch->nservers == VNAME_MAX_SERVERS)
        return 0; /* the oldest are the last */
    /* The key stands between its quotes. */
    rc = vname_record_text_(v23_bytes(key.p - 1, key.n + 2), r->a, &s->name);
    if (rc == 0)
        rc = get_deadline(value, r->now, &s->expires_ns);
    if (rc == 0)
        r->ch->nservers++;
    return rc;
}

static int member(void *ud, struct vdl_str key, struct v23_bytes value)
{
    struct reading *r = ud;
    int rc;

    if (vdl_str_is(key, "C"))
        return vname_record_text_(value, r->a, &r->ch->creator);
    if (vdl_str_is(key, "V"))
        return vname_record_perms_(value, r->a, r->ch);
    if (vdl_str_is(key, "E"))
        return get_bool(value, &r->ch->set);
    if (vdl_str_is(key, "M"))
        return get_bool(value, &r->ch->mt);
    if (vdl_str_is(key, "L"))
        return get_bool(value, &r->ch->leaf);
    if (!vdl_str_is(key, "S"))
        return 0;
    if (r->ch->servers != NULL)
        return V23_ETEXT;
    r->ch->servers = r->servers = v23_arena_get0(r->a, VNAME_MAX_SERVERS + 1,
        sizeof(*r->servers), _Alignof(struct vname_mounted));
    if (r->servers == NULL)
        return V23_ENOMEM;
    rc = vname_json_members(value, server, r);
    return rc == V23_EARG ? V23_ETEXT : rc;
}

int vname_etcd_read_(struct v23_bytes value, const struct v23_now *now,
    struct v23_arena *a, struct vname_change *ch)
{
    struct reading r = { now, a, ch, NULL };
    int rc = vname_record_check_(value);

    memset(ch, 0, sizeof(*ch));
    ch->kind = VNAME_KEEP;
    if (rc == 0)
        rc = vname_json_members(value, member, &r);
    if (rc == 0 && ch->set && ch->perms == NULL)
        rc = V23_ETEXT;
    return rc == 0 || rc == V23_ENOMEM ? rc : V23_ETEXT;
}
