/* BSD-3-Clause; see LICENSE. */
/* What is near by: the advertisements that match a query, as they come and go. */
#include <stdlib.h>

#include "discovery_int.h"

/* A record that told of it. */
struct source {
    uint32_t number;
    uint64_t txt; /* hash of its data */
};

struct seen {
    struct seen *next;
    v23_lib_discovery_ad_info info;
    struct v23_arena arena; /* of info */
    struct source sources[VNAME_SCAN_SOURCES];
    size_t nsources;
};

struct vname_scan {
    struct vname_scan_config cfg;
    struct seen *all;
    size_t n;
};

int vname_scan_new(const struct vname_scan_config *cfg,
    struct vname_scan **out)
{
    struct vname_scan *s = v23_new(cfg->al, struct vname_scan);

    if (s == NULL)
        return V23_ENOMEM;
    s->cfg = *cfg;
    *out = s;
    return 0;
}

static void seen_free(struct vname_scan *s, struct seen *x)
{
    v23_arena_fini(&x->arena);
    v23_put(s->cfg.al, x);
}

void vname_scan_free(struct vname_scan *s)
{
    struct seen *x;

    if (s == NULL)
        return;
    while ((x = s->all) != NULL) {
        s->all = x->next;
        seen_free(s, x);
    }
    v23_put(s->cfg.al, s);
}

static struct seen **find(struct vname_scan *s, const v23_discovery_ad_id *id)
{
    struct seen **at = &s->all;

    while (*at != NULL && memcmp(&(*at)->info.ad.id, id, sizeof(*id)) != 0)
        at = &(*at)->next;
    return at;
}

/* ---- coming -------------------------------------------------------------- */

static void add_source(struct seen *x, const struct vname_dns_found *f)
{
    struct source src;
    size_t i;

    src.number = f->source;
    src.txt = v23_hash(0, f->txt.p, f->txt.n);
    for (i = 0; i < x->nsources; i++)
        if (x->sources[i].number == src.number
            && x->sources[i].txt == src.txt)
            return;
    if (i < VNAME_SCAN_SOURCES)
        x->sources[x->nsources++] = src;
}

static int by_text(const void *a, const void *b)
{
    return vdl_str_cmp(*(const struct vdl_str *)a, *(const struct vdl_str *)b);
}

static int sort_addresses(vdl_str_list *list, struct v23_arena *a)
{
    struct vdl_str *v = v23_arena_get0(a, list->n, sizeof(*v),
        V23_ALIGNOF(struct vdl_str));

    if (v == NULL)
        return V23_ENOMEM;
    if (list->n != 0)
        memcpy(v, list->v, list->n * sizeof(*v));
    qsort(v, list->n, sizeof(*v), by_text);
    list->v = v;
    return 0;
}

static bool same_list(vdl_str_list x, vdl_str_list y)
{
    uint32_t i;

    if (x.n != y.n)
        return false;
    for (i = 0; i < x.n; i++)
        if (!vdl_str_eq(x.v[i], y.v[i]))
            return false;
    return true;
}

static int make_seen(struct vname_scan *s,
    const v23_lib_discovery_ad_info *info, struct seen **out)
{
    struct seen *x = v23_new(s->cfg.al, struct seen);
    int rc;

    if (x == NULL)
        return V23_ENOMEM;
    v23_arena_init(&x->arena, s->cfg.al, SIZE_MAX);
    rc = v23_lib_discovery_ad_info_copy(&x->arena, &x->info, info);
    if (rc != 0) {
        seen_free(s, x);
        return rc;
    }
    *out = x;
    return 0;
}

/* Put it in the place of what was known, if something was. */
static int replace(struct vname_scan *s, struct seen **at,
    const v23_lib_discovery_ad_info *info, const struct vname_dns_found *f)
{
    struct seen *old = *at, *x;
    int rc;

    if (old == NULL && s->n == VNAME_SCAN_ADS)
        return V23_ELIMIT;
    rc = make_seen(s, info, &x);
    if (rc != 0)
        return rc;
    *at = x;
    if (old == NULL) {
        s->n++;
    } else {
        x->next = old->next;
        memcpy(x->sources, old->sources, sizeof(x->sources));
        x->nsources = old->nsources;
        s->cfg.lost(s->cfg.ud, &old->info.ad);
        seen_free(s, old);
    }
    if (f != NULL)
        add_source(x, f);
    s->cfg.found(s->cfg.ud, &x->info.ad);
    return 0;
}

/* `f` is NULL for what a directory has said. */
static int take(struct vname_scan *s, v23_lib_discovery_ad_info *info,
    const struct vname_dns_found *f, struct v23_arena *a)
{
    static const vdl_str_list none;
    struct seen **at = find(s, &info->ad.id), *old = *at;
    bool same = old != NULL
        && memcmp(&old->info.hash, &info->hash, sizeof(info->hash)) == 0;

    if (same) {
        if (f != NULL)
            add_source(old, f);
        if (old->info.status == V23_LIB_DISCOVERY_AD_READY)
            return 0;
    }
    if (info->status == V23_LIB_DISCOVERY_AD_READY)
        info->dir_addrs = none;
    else if (info->dir_addrs.n == 0)
        return V23_ETEXT;
    else if (info->status == V23_LIB_DISCOVERY_AD_NOT_READY) {
        if (s->cfg.fetch != NULL && f != NULL)
            s->cfg.fetch(s->cfg.ud, info);
        return 0;
    }
    if (sort_addresses(&info->dir_addrs, a) != 0)
        return V23_ENOMEM;
    if (info->encryption_algorithm != V23_LIB_DISCOVERY_NO_ENCRYPTION
        || !vname_query_match(s->cfg.query, &info->ad))
        return 0; /* not for us */
    if (old != NULL
        && (old->info.timestamp_ns > info->timestamp_ns
            || (same && same_list(old->info.dir_addrs, info->dir_addrs))))
        return 0;
    return replace(s, at, info, f);
}

static void complain(struct vname_scan *s, int rc, const char *why)
{
    v23_logf(s->cfg.log, V23_LOG_INFO, "ignored an advertisement: %s",
        why[0] != 0 ? why : v23_strerror(rc));
}

int vname_scan_heard(struct vname_scan *s, const struct vname_dns_found *f)
{
    v23_lib_discovery_ad_info info;
    char mem[128];
    struct v23_buf why;
    struct v23_arena a;
    vdl_str_list txt;
    int rc;

    v23_buf_init_fixed(&why, mem, sizeof(mem) - 1);
    v23_arena_init(&a, s->cfg.al, SIZE_MAX);
    rc = vname_txt_unpack(f->txt, &a, &txt);
    if (rc == V23_EEOF)
        rc = V23_ETEXT;
    if (rc == 0)
        rc = vname_ad_from_txt(s->cfg.z, f->instance, txt, &a, &info, &why);
    if (rc == 0)
        rc = take(s, &info, f, &a);
    if (rc != 0)
        complain(s, rc, v23_buf_cstr(&why));
    v23_arena_fini(&a);
    return rc;
}

int vname_scan_fetched(struct vname_scan *s,
    const v23_lib_discovery_ad_info *info)
{
    v23_lib_discovery_ad_info copy = *info;
    const char *fault = vname_ad_fault_(info);
    struct v23_arena a;
    int rc = V23_ETEXT;

    v23_arena_init(&a, s->cfg.al, SIZE_MAX);
    if (fault == NULL)
        rc = take(s, &copy, NULL, &a);
    if (rc != 0)
        complain(s, rc, fault == NULL ? "" : fault);
    v23_arena_fini(&a);
    return rc;
}

/* ---- going --------------------------------------------------------------- */

static void drop_source(struct seen *x, const struct vname_dns_found *f)
{
    uint64_t txt = v23_hash(0, f->txt.p, f->txt.n);
    size_t i;

    if (f->txt.n == 0)
        x->nsources = 0;
    for (i = 0; i < x->nsources; i++)
        if (x->sources[i].number == f->source && x->sources[i].txt == txt) {
            x->sources[i] = x->sources[--x->nsources];
            break;
        }
}

void vname_scan_gone(struct vname_scan *s, const struct vname_dns_found *f)
{
    struct vdl_str instance = f->instance;
    const char *dot = instance.n == 0 ? NULL
                                      : memchr(instance.p, '.', instance.n);
    v23_discovery_ad_id id;
    struct seen **at, *x;

    if (dot != NULL)
        instance.n = (uint32_t)(dot - instance.p);
    if (vname_ad_instance_parse(instance, &id) != 0)
        return;
    at = find(s, &id);
    x = *at;
    if (x == NULL)
        return;
    drop_source(x, f);
    if (x->nsources != 0)
        return;
    *at = x->next;
    s->n--;
    s->cfg.lost(s->cfg.ud, &x->info.ad);
    seen_free(s, x);
}
