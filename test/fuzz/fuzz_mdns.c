/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of what comes from mDNS: names, TXT records of mount tables and
 * of advertisements, and of queries on these. The first byte chooses what the
 * rest is.
 */
#include <vname/discovery.h>
#include <vname/neighborhood.h>

#include "fuzz.h"

/* The first byte is the length of a name, which it cuts off. */
static struct vdl_str name_of(struct v23_bytes *in)
{
    struct vdl_str name = vdl_str("");

    if (in->n == 0)
        return name;
    name.n = in->p[0] < in->n ? in->p[0] : (uint32_t)in->n - 1;
    name.p = (const char *)in->p + 1;
    in->p += name.n + 1;
    in->n -= name.n + 1;
    return name;
}

/* What is read as an instance, is written as one that is read the same. */
static void names(struct v23_bytes in)
{
    struct vdl_str name = vdl_strn((const char *)in.p, in.n),
                   service = vdl_str("_vanadium._tcp.local");
    struct v23_buf instance, domain, again;

    v23_buf_init(&instance, NULL, VNAME_DOMAIN_MAX);
    v23_buf_init(&domain, NULL, VNAME_DOMAIN_MAX);
    v23_buf_init(&again, NULL, VNAME_DOMAIN_MAX);
    if (vname_dns_instance_of(name, service, &instance) == 0
        && vname_dns_instance(vdl_strn((const char *)instance.p, instance.n),
               service, &domain)
            == 0) {
        check(vname_dns_instance_of(
                  vdl_strn((const char *)domain.p, domain.n), service,
                  &again)
            == 0);
        check(again.n == instance.n
            && memcmp(again.p, instance.p, again.n) == 0);
    }
    v23_buf_fini(&instance);
    v23_buf_fini(&domain);
    v23_buf_fini(&again);
}

/* Records one after the other, each with a name and the length of its data;
 * every third is lost again. */
static void neighborhood(struct v23_bytes in)
{
    struct vname_neighborhood_config cfg = { 0 };
    struct vname_neighborhood *nh;
    v23_naming_mount_entry e;
    struct vname_dns_found f;
    struct vdl_str name = vdl_str("");
    struct v23_arena a;
    uint32_t i, count = 0;

    check(vname_neighborhood_new(&cfg, &nh) == 0);
    for (i = 0; in.n != 0; i++) {
        struct vdl_str txt;

        f.instance = name_of(&in);
        txt = name_of(&in);
        f.txt = v23_bytes(txt.p, txt.n);
        f.source = i % 4;
        f.ttl = i;
        if (i % 3 == 2)
            vname_neighborhood_lost(nh, &f);
        else
            (void)vname_neighborhood_found(nh, &f);
    }
    v23_arena_init(&a, NULL, SIZE_MAX);
    while (vname_neighborhood_next(nh, name, &name)) {
        check(vname_neighborhood_get(nh, name, &a, &e) == 0);
        check(e.servers.n != 0);
        count++;
    }
    check(count == vname_neighborhood_count(nh));
    v23_arena_fini(&a);
    vname_neighborhood_free(nh);
}

/* What was read of an advertisement and may be advertised, is announced so
 * that it is read the same. */
static void advertisement(struct v23_bytes in)
{
    struct vdl_str instance = vdl_str("000G40O40K30E209185GO38E1S");
    v23_lib_discovery_ad_info info, again;
    struct v23_arena a;
    vdl_str_list txt;

    v23_arena_init(&a, NULL, SIZE_MAX);
    if (vname_txt_unpack(in, &a, &txt) == 0
        && vname_ad_from_txt(&vname_deflate_zlib, instance, txt, &a, &info,
               NULL)
            == 0
        && vname_ad_check(&info.ad, NULL) == 0
        && vname_ad_to_txt(NULL, &info, &a, &txt) == 0) {
        check(vname_ad_from_txt(NULL, instance, txt, &a, &again, NULL) == 0);
        if (again.status == V23_LIB_DISCOVERY_AD_READY)
            check(v23_discovery_advertisement_equal(&info.ad, &again.ad));
    }
    v23_arena_fini(&a);
}

static void query(struct v23_bytes in)
{
    struct vdl_str text = vdl_strn((const char *)in.p, in.n);
    static const struct vdl_str addresses[] = { VDL_STR_INIT("/h:1") };
    static const v23_discovery_attributes_entry attributes[] = {
        { VDL_STR_INIT("a"), VDL_STR_INIT("%_\\") } };
    v23_discovery_advertisement ad;
    const struct vname_query *q;
    struct v23_arena a;

    memset(&ad, 0, sizeof(ad));
    ad.interface_name = vdl_str("v.io/x");
    ad.addresses.v = addresses;
    ad.addresses.n = 1;
    ad.attributes.v = attributes;
    ad.attributes.n = 1;
    v23_arena_init(&a, NULL, SIZE_MAX);
    if (vname_query_parse(text, &a, &q, NULL) == 0) {
        bool only = vname_query_interface(q).n != 0;

        /* Only what asks for one interface may be asked of it alone. */
        if (vname_query_match(q, &ad) && only)
            check(vdl_str_is(vname_query_interface(q), "v.io/x"));
    }
    v23_arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static void (*const targets[])(struct v23_bytes in) = { names,
        neighborhood, advertisement, query };

    if (n != 0)
        targets[p[0] % 4](v23_bytes(p + 1, n - 1));
    return 0;
}
