/* BSD-3-Clause; see LICENSE. */
/*
 * Advertisements (discovery.jsonl, discovery_ads.jsonl): identifiers, packed
 * bytes, digests and texts, in both directions.
 */
#include <stdlib.h>

#include <vname/discovery.h>

#include "naming_int.h"

static const cJSON *member(struct run_case *c, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(c->json, name);

    if (v == NULL)
        run_fail(c, "record has no \"%s\"", name);
    return v;
}

static vdl_str_list texts(const cJSON *list, struct v23_arena *a)
{
    struct vdl_str *v = v23_arena_get0(a, (size_t)cJSON_GetArraySize(list),
        sizeof(*v), 16);
    vdl_str_list out = { v, 0 };
    const cJSON *e;

    cJSON_ArrayForEach(e, list)
    {
        v[out.n++] = run_text(e);
    }
    return out;
}

static bool same_bytes(struct run_case *c, const char *what, const void *p,
    size_t n, struct v23_bytes want)
{
    return (n == want.n && (n == 0 || memcmp(p, want.p, n) == 0))
        || run_fail(c, "%s is %s", what, unhex(p, n));
}

static bool same_texts(struct run_case *c, vdl_str_list got,
    vdl_str_list want)
{
    uint32_t i;

    if (got.n != want.n)
        return run_fail(c, "%u texts, not %u", got.n, want.n);
    for (i = 0; i < got.n; i++)
        if (!vdl_str_eq(got.v[i], want.v[i]))
            return run_fail(c, "text %u is %.*s", i, (int)got.v[i].n,
                got.v[i].p);
    return true;
}

/* ---- discovery.jsonl ----------------------------------------------------- */

static bool uuid(struct run_case *c, struct v23_arena *a)
{
    struct vdl_str name = run_text(member(c, "in"));
    char text[VNAME_UUID_TEXT];
    uint8_t id[16];
    int rc = strcmp(run_str(c, "fn"), "service_uuid") == 0
        ? vname_service_uuid(vsec_crypto_default.sha1, name, id)
        : vname_attribute_uuid(vsec_crypto_default.sha1, name, id);

    (void)a;
    if (rc != 0)
        return run_fail(c, "%s", v23_strerror(rc));
    vname_uuid_format(id, text);
    return strcmp(text, run_str(c, "out")) == 0 || run_fail(c, "%s", text);
}

static bool pack_with(struct run_case *c, const struct vname_deflate *z,
    vdl_str_list in, const struct v23_bytes *want, struct v23_arena *a)
{
    vdl_str_list back;
    struct v23_buf out;
    int rc;
    bool ok;

    v23_buf_init(&out, a->al, SIZE_MAX);
    rc = vname_addresses_pack(z, in, &out);
    ok = rc == 0 || run_fail(c, "%s", v23_strerror(rc));
    if (ok && want != NULL)
        ok = same_bytes(c, "packed form", out.p, out.n, *want);
    if (ok
        && vname_addresses_unpack(&vname_deflate_zlib,
               v23_bytes(out.p, out.n), a, &back)
            != 0)
        ok = run_fail(c, "own form is refused");
    v23_buf_fini(&out);
    return ok && same_texts(c, back, in);
}

/* What HEAD did not deflate are our bytes, too, unless we deflate. What can be
 * deflated has other bytes; all are read again. */
static bool pack(struct run_case *c, struct v23_arena *a)
{
    vdl_str_list in = texts(member(c, "in"), a), back;
    struct v23_bytes want = run_hex(c, "out_hex");
    bool deflated = want.n != 0 && want.p[want.n - 1] == 1;

    if (!pack_with(c, NULL, in, deflated ? NULL : &want, a)
        || !pack_with(c, &vname_deflate_zlib, in, NULL, a))
        return false;
    if (vname_addresses_unpack(&vname_deflate_zlib, want, a, &back) != 0)
        return run_fail(c, "recorded form is refused");
    return same_texts(c, back, in);
}

static bool unpack(struct run_case *c, struct v23_arena *a)
{
    vdl_str_list got;
    int rc = vname_addresses_unpack(&vname_deflate_zlib,
        run_hex(c, "in_hex"), a, &got);

    if (run_has(c, "ok") && !run_bool(c, "ok"))
        return rc != 0 || run_fail(c, "accepted");
    if (rc != 0)
        return run_fail(c, "%s", v23_strerror(rc));
    return same_texts(c, got, texts(member(c, "out"), a));
}

static bool timestamp(struct run_case *c, struct v23_arena *a)
{
    bool encode = strcmp(run_str(c, "fn"), "encode_timestamp") == 0;
    int64_t ns = strtoll(run_str(c, encode ? "in" : "out"), NULL, 10), back;
    struct v23_bytes want = run_hex(c, encode ? "out_hex" : "in_hex");
    uint8_t out[8];

    (void)a;
    vname_ad_timestamp_encode(ns, out);
    if (vname_ad_timestamp_decode(want, &back) != 0)
        return run_fail(c, "refused");
    return same_bytes(c, "time", out, sizeof(out), want)
        && (back == ns || run_fail(c, "%lld", (long long)back));
}

static bool keys(struct run_case *c, struct v23_arena *a)
{
    bool packing = strcmp(run_str(c, "fn"), "pack_encryption_keys") == 0;
    vdl_str_list in = texts(member(c, "keys"), a);
    struct vdl_bytes *v = v23_arena_get0(a, in.n, sizeof(*v), 16);
    v23_lib_discovery_encryption_key_list list = { v, in.n }, back;
    v23_lib_discovery_encryption_algorithm alg
        = (v23_lib_discovery_encryption_algorithm)cJSON_GetNumberValue(
            member(c, "algo")),
        got;
    struct v23_bytes want = run_hex(c, packing ? "out_hex" : "in_hex");
    struct v23_buf out;
    uint32_t i;
    bool ok;

    for (i = 0; i < in.n; i++)
        v[i] = vdl_bytes((const uint8_t *)in.v[i].p, in.v[i].n);
    v23_buf_init(&out, a->al, SIZE_MAX);
    ok = vname_ad_keys_pack(alg, list, &out) == 0
        && same_bytes(c, "keys", out.p, out.n, want);
    v23_buf_fini(&out);
    if (!ok)
        return run_fail(c, "not packed");
    if (vname_ad_keys_unpack(want, a, &got, &back) != 0 || got != alg
        || back.n != list.n)
        return run_fail(c, "not read again");
    for (i = 0; i < back.n; i++)
        if (!vdl_bytes_eq(back.v[i], v[i]))
            return run_fail(c, "key %u is another", i);
    return true;
}

static const struct {
    const char *fn;
    bool (*run)(struct run_case *c, struct v23_arena *a);
} functions[] = {
    { "service_uuid", uuid },
    { "attribute_uuid", uuid },
    { "pack_addresses", pack },
    { "unpack_addresses", unpack },
    { "encode_timestamp", timestamp },
    { "decode_timestamp", timestamp },
    { "pack_encryption_keys", keys },
    { "unpack_encryption_keys", keys },
};

static bool discovery_case(struct run_case *c, struct v23_arena *a)
{
    const char *fn = run_str(c, "fn");
    size_t i;

    for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strcmp(fn, functions[i].fn) == 0)
            return functions[i].run(c, a);
    return run_fail(c, "unknown function %s", fn);
}

/* ---- discovery_ads.jsonl ------------------------------------------------- */

static vdl_str_list hex_texts(struct run_case *c, const char *name,
    struct v23_arena *a)
{
    vdl_str_list list = texts(member(c, name), a);
    struct vdl_str *v = v23_arena_get0(a, list.n, sizeof(*v), 16);
    vdl_str_list out = { v, list.n };
    uint32_t i;

    for (i = 0; i < list.n; i++) {
        struct v23_bytes b = hex(list.v[i].p);

        v[i] = vdl_strn(v23_arena_dup(a, b.p, b.n), b.n);
    }
    return out;
}

static void read_ad(const cJSON *ad, struct v23_arena *a,
    v23_lib_discovery_ad_info *info)
{
    const cJSON *att = cJSON_GetObjectItem(ad, "attributes"),
                *files = cJSON_GetObjectItem(ad, "attachments_hex"), *e;
    struct v23_bytes id
        = hex(cJSON_GetStringValue(cJSON_GetObjectItem(ad, "id")));
    v23_discovery_attributes_entry *x = v23_arena_get0(a,
        (size_t)cJSON_GetArraySize(att), sizeof(*x), 16);
    v23_discovery_attachments_entry *y = v23_arena_get0(a,
        (size_t)cJSON_GetArraySize(files), sizeof(*y), 16);

    memset(info, 0, sizeof(*info));
    memcpy(info->ad.id.v, id.p, sizeof(info->ad.id.v));
    info->ad.interface_name = run_text(cJSON_GetObjectItem(ad, "interface"));
    info->ad.addresses = texts(cJSON_GetObjectItem(ad, "addresses"), a);
    info->dir_addrs = texts(cJSON_GetObjectItem(ad, "dir_addrs"), a);
    info->timestamp_ns = strtoll(
        cJSON_GetStringValue(cJSON_GetObjectItem(ad, "timestamp_ns")), NULL,
        10);
    info->ad.attributes.v = x;
    cJSON_ArrayForEach(e, att)
    {
        x[info->ad.attributes.n].key = vdl_str(e->string);
        x[info->ad.attributes.n++].val = run_text(e);
    }
    info->ad.attachments.v = y;
    cJSON_ArrayForEach(e, files)
    {
        struct v23_bytes b = hex(e->valuestring);

        y[info->ad.attachments.n].key = vdl_str(e->string);
        y[info->ad.attachments.n++].val
            = vdl_bytes(v23_arena_dup(a, b.p, b.n), b.n);
    }
}

/* Compared as what they say: the order of a map's members is free, and with it
 * the numbers of the texts that are cut; deflated addresses may have other
 * bytes. */
static bool same_ad(struct run_case *c, vdl_str_list got, vdl_str_list want,
    struct v23_arena *a)
{
    struct vdl_str instance = run_text(member(c, "instance"));
    v23_lib_discovery_ad_info x, y;
    char mem[200];
    struct v23_buf why;

    v23_buf_init_fixed(&why, mem, sizeof(mem));
    if (vname_ad_from_txt(&vname_deflate_zlib, instance, want, a, &x, &why)
        != 0)
        return run_fail(c, "recorded texts are refused: %s",
            v23_buf_cstr(&why));
    if (vname_ad_from_txt(&vname_deflate_zlib, instance, got, a, &y, &why) != 0)
        return run_fail(c, "own texts are refused: %s", v23_buf_cstr(&why));
    return v23_lib_discovery_ad_info_equal(&x, &y)
        || run_fail(c, "the texts say something else");
}

static bool has_deflated(vdl_str_list txt)
{
    uint32_t i;

    for (i = 0; i < txt.n; i++) {
        struct vdl_str s = txt.v[i];

        if (s.n > 3 && s.p[0] == '_' && strchr("adx", s.p[1]) != NULL
            && s.p[s.n - 1] == 1)
            return true;
    }
    return false;
}

static bool ads_case(struct run_case *c, struct v23_arena *a)
{
    vdl_str_list want = hex_texts(c, "txt_hex", a), got;
    char service[VNAME_AD_SERVICE_TEXT], instance[VNAME_AD_INSTANCE_TEXT];
    v23_lib_discovery_ad_info info;
    int rc;

    read_ad(member(c, "ad"), a, &info);
    if (vname_ad_service(vsec_crypto_default.sha1, info.ad.interface_name,
            service)
        != 0)
        return run_fail(c, "there is no service");
    vname_ad_instance(&info.ad.id, instance);
    if (strcmp(service, run_str(c, "service")) != 0)
        return run_fail(c, "service is %s", service);
    if (strcmp(instance, run_str(c, "instance")) != 0)
        return run_fail(c, "instance is %s", instance);
    rc = vname_ad_hash(vsec_crypto_default.sha256, &info, a, &info.hash);
    if (rc != 0)
        return run_fail(c, "hash: %s", v23_strerror(rc));
    if (!same_bytes(c, "hash", info.hash.v, sizeof(info.hash.v),
            run_hex(c, "hash_hex")))
        return false;
    rc = vname_ad_to_txt(has_deflated(want) ? &vname_deflate_zlib : NULL,
        &info, a, &got);
    if (rc != 0)
        return run_fail(c, "texts: %s", v23_strerror(rc));
    if (!same_ad(c, got, want, a))
        return false;
    if (info.ad.attributes.n > 1 || info.ad.attachments.n > 1
        || has_deflated(want))
        return got.n == want.n || run_fail(c, "%u texts", got.n);
    return same_texts(c, got, want);
}

bool run_naming_discovery(struct run_case *c)
{
    return run_with_arena(c, discovery_case);
}

bool run_naming_ads(struct run_case *c)
{
    return run_with_arena(c, ads_case);
}
