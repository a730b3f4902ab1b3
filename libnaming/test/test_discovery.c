/* BSD-3-Clause; see LICENSE. */
/* Advertisements as bytes and texts, and queries (vname/discovery.h). */
#include <stdio.h>

#include <suite.h>
#include <support.h>
#include <vname/discovery.h>

static struct tst_alloc T;
static struct v23_arena A;
static struct v23_buf why;
static char why_mem[512];

static void setup(void)
{
    tst_alloc_init(&T);
    v23_arena_init(&A, &T.al, SIZE_MAX);
    v23_buf_init_fixed(&why, why_mem, sizeof(why_mem));
}

static void teardown(void)
{
    v23_arena_fini(&A);
    ck_assert_uint_eq(T.live, 0);
}

#define INSTANCE "000G40O40K30E209185GO38E1S"

/* An advertisement of two addresses, with so many attachments of n bytes. */
static v23_lib_discovery_ad_info *make(uint32_t attachments, uint32_t n)
{
    static const struct vdl_str addresses[] = { VDL_STR_INIT("/h:123/x"),
        VDL_STR_INIT("/h:123/y") },
                                dirs[] = { VDL_STR_INIT("/h:123/d") };
    static v23_discovery_attributes_entry attributes[] = {
        { VDL_STR_INIT("b"), VDL_STR_INIT("w") },
        { VDL_STR_INIT("a"), VDL_STR_INIT("v") },
    };
    static v23_lib_discovery_ad_info info;
    v23_discovery_attachments_entry *v;
    uint8_t *bytes = v23_arena_get0(&A, n, 1, 1);
    uint32_t i;

    memset(&info, 0, sizeof(info));
    for (i = 0; i < 16; i++)
        info.ad.id.v[i] = (uint8_t)i;
    info.ad.interface_name = vdl_str("v.io/x");
    info.ad.addresses.v = addresses;
    info.ad.addresses.n = 2;
    info.ad.attributes.v = attributes;
    info.ad.attributes.n = 2;
    info.dir_addrs.v = dirs;
    info.dir_addrs.n = 1;
    info.timestamp_ns = -7;
    v = v23_arena_get0(&A, attachments, sizeof(*v), 16);
    for (i = 0; i < attachments; i++) {
        char *name = v23_arena_dup(&A, "pX", 2);

        name[1] = (char)('A' + i);
        v[i].key = vdl_strn(name, 2);
        v[i].val = vdl_bytes(bytes, n - i);
    }
    info.ad.attachments.v = v;
    info.ad.attachments.n = attachments;
    return &info;
}

static size_t size_of(vdl_str_list txt)
{
    size_t n = 0;
    uint32_t i;

    for (i = 0; i < txt.n; i++) {
        ck_assert_uint_le(txt.v[i].n, 255);
        n += txt.v[i].n;
    }
    return n;
}

static int read_texts(vdl_str_list txt, v23_lib_discovery_ad_info *out)
{
    v23_buf_cut(&why, 0);
    return vname_ad_from_txt(&vname_deflate_zlib, vdl_str(INSTANCE), txt, &A,
        out, &why);
}

/* ---- bytes --------------------------------------------------------------- */

START_TEST(addresses_come_back_in_either_form)
{
    struct vdl_str v[VNAME_AD_ADDRESSES_MAX];
    vdl_str_list in = { v, VNAME_AD_ADDRESSES_MAX }, out;
    const struct vname_deflate *z;
    struct v23_buf b;
    size_t plain = 0;
    uint32_t i;

    for (i = 0; i < in.n; i++)
        v[i] = vdl_str("/@6@wsh@10.0.0.1:8100@@0123456789abcdef@s@a:b@@");
    for (z = NULL;; z = &vname_deflate_zlib) {
        v23_buf_init(&b, &T.al, SIZE_MAX);
        ck_assert_int_eq(vname_addresses_pack(z, in, &b), 0);
        ck_assert_int_eq(vname_addresses_unpack(&vname_deflate_zlib,
                             v23_bytes(b.p, b.n), &A, &out),
            0);
        ck_assert_uint_eq(out.n, in.n);
        for (i = 0; i < in.n; i++)
            ck_assert(vdl_str_eq(out.v[i], v[i]));
        if (z != NULL)
            break;
        plain = b.n;
        v23_buf_fini(&b);
    }
    ck_assert_uint_lt(b.n, plain / 10);
    ck_assert_int_eq(vname_addresses_unpack(NULL, v23_bytes(b.p, b.n), &A,
                         &out),
        V23_ENOSYS);
    v23_buf_fini(&b);
}
END_TEST

START_TEST(malformed_addresses_are_refused)
{
    static const struct {
        const char *bytes;
        int rc;
    } bad[] = {
        { "05 61 00", V23_EEOF },       /* longer than what is there */
        { "80 00", V23_EEOF },          /* a length without end */
        { "ff ff ff ff ff ff ff ff ff 7f 00", V23_EINT },
        { "ff ff ff ff ff ff ff ff ff 01 00", V23_EEOF }, /* 2^64 - 1 */
        { "01 61 02", V23_ETEXT },      /* a form nobody knows */
        { "01", V23_EEOF },             /* deflated, but nothing */
        { "07 01", V23_ETEXT },         /* a block of a reserved type */
        { "c4 cd 51 01", V23_EEOF },
    };
    vdl_str_list out;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(vname_addresses_unpack(&vname_deflate_zlib,
                             hex(bad[i].bytes), &A, &out),
            bad[i].rc);
}
END_TEST

START_TEST(what_inflates_beyond_measure_is_refused)
{
    struct v23_buf zeros, small;
    vdl_str_list out;

    v23_buf_init(&zeros, &T.al, SIZE_MAX);
    v23_buf_init(&small, &T.al, SIZE_MAX);
    while (zeros.n <= 10 * VNAME_AD_UNPACKED_MAX)
        v23_buf_put(&zeros, "\0\0\0\0\0\0\0\0", 8);
    ck_assert_int_eq(vname_deflate_zlib.deflate(v23_bytes(zeros.p, zeros.n),
                         &small),
        0);
    v23_buf_put_byte(&small, 1);

    ck_assert_int_eq(vname_addresses_unpack(&vname_deflate_zlib,
                         v23_bytes(small.p, small.n), &A, &out),
        V23_ELIMIT);

    v23_buf_fini(&zeros);
    v23_buf_fini(&small);
}
END_TEST

START_TEST(endless_lists_are_refused)
{
    uint8_t many[VNAME_AD_ADDRESSES_MAX + 2] = { 0 };
    vdl_str_list out;

    ck_assert_int_eq(vname_addresses_unpack(NULL,
                         v23_bytes(many, sizeof(many) - 1), &A, &out),
        0);
    ck_assert_uint_eq(out.n, VNAME_AD_ADDRESSES_MAX);
    ck_assert_int_eq(vname_addresses_unpack(NULL,
                         v23_bytes(many, sizeof(many)), &A, &out),
        V23_ELIMIT);
}
END_TEST

START_TEST(keys_come_back)
{
    static const v23_lib_discovery_encryption_key v[] = {
        { (const uint8_t *)"abc", 3 }, { NULL, 0 } };
    v23_lib_discovery_encryption_key_list in = { v, 2 }, out;
    v23_lib_discovery_encryption_algorithm alg;
    struct v23_buf b;

    v23_buf_init(&b, &T.al, SIZE_MAX);
    ck_assert_int_eq(vname_ad_keys_pack(V23_LIB_DISCOVERY_IBE_ENCRYPTION, in,
                         &b),
        0);
    ck_assert_int_eq(vname_ad_keys_unpack(v23_bytes(b.p, b.n), &A, &alg,
                         &out),
        0);
    ck_assert_int_eq(alg, V23_LIB_DISCOVERY_IBE_ENCRYPTION);
    ck_assert_uint_eq(out.n, 2);
    ck_assert(vdl_bytes_eq(out.v[0], v[0]));
    ck_assert_uint_eq(out.v[1].n, 0);
    ck_assert_int_eq(vname_ad_keys_unpack(v23_bytes(b.p, b.n - 2), &A, &alg,
                         &out),
        V23_EEOF);
    ck_assert_int_eq(vname_ad_keys_unpack(hex("ffffffff0f"), &A, &alg, &out),
        V23_EINT);
    v23_buf_fini(&b);
}
END_TEST

START_TEST(hash_does_not_depend_on_the_order_of_attributes)
{
    v23_lib_discovery_ad_info *info = make(2, 3);
    v23_discovery_attributes_entry turned[2];
    v23_lib_discovery_ad_hash x, y;

    ck_assert_int_eq(vname_ad_hash(vsec_crypto_default.sha256, info, &A, &x),
        0);
    turned[0] = info->ad.attributes.v[1];
    turned[1] = info->ad.attributes.v[0];
    info->ad.attributes.v = turned;
    ck_assert_int_eq(vname_ad_hash(vsec_crypto_default.sha256, info, &A, &y),
        0);
    ck_assert_mem_eq(&x, &y, sizeof(x));
    turned[0].val = vdl_str("other");
    ck_assert_int_eq(vname_ad_hash(vsec_crypto_default.sha256, info, &A, &y),
        0);
    ck_assert_mem_ne(&x, &y, sizeof(x));
    ck_assert_int_eq(vname_ad_hash(NULL, info, &A, &y), V23_ENOSYS);
}
END_TEST

START_TEST(instances_are_read_strictly)
{
    static const char *const bad[] = { "", "0", INSTANCE "0",
        "000G40O40K30E209185GO38E1T", /* bits behind the id */
        "000G40O40K30E209185GO38EW0", "000G40O40K30E209185GO38E=0" };
    char text[VNAME_AD_INSTANCE_TEXT];
    v23_discovery_ad_id id;
    size_t i;

    ck_assert_int_eq(vname_ad_instance_parse(
                         vdl_str("000g40o40k30e209185go38e1s"), &id),
        0);
    ck_assert_str_eq(unhex(id.v, 16), "000102030405060708090a0b0c0d0e0f");
    vname_ad_instance(&id, text);
    ck_assert_str_eq(text, INSTANCE);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(vname_ad_instance_parse(vdl_str(bad[i]), &id),
            V23_ETEXT);
}
END_TEST

/* ---- texts --------------------------------------------------------------- */

START_TEST(texts_come_back)
{
    static const struct {
        uint32_t attachments, bytes;
        v23_lib_discovery_ad_status status;
    } cases[] = {
        { 0, 0, V23_LIB_DISCOVERY_AD_READY },
        { 2, 300, V23_LIB_DISCOVERY_AD_READY },
        { 3, 500, V23_LIB_DISCOVERY_AD_PARTIALLY_READY },
        { 32, 4096, V23_LIB_DISCOVERY_AD_PARTIALLY_READY },
    };
    v23_lib_discovery_ad_info *in, out;
    vdl_str_list txt;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        in = make(cases[i].attachments, cases[i].bytes);
        ck_assert_int_eq(vname_ad_to_txt(NULL, in, &A, &txt), 0);
        ck_assert_uint_le(size_of(txt), VNAME_AD_TXT_MAX);
        ck_assert_int_eq(read_texts(txt, &out), 0);
        ck_assert_int_eq(out.status, cases[i].status);
        ck_assert_int_eq(out.timestamp_ns, -7);
        if (out.status == V23_LIB_DISCOVERY_AD_READY) {
            ck_assert(v23_discovery_advertisement_equal(&in->ad, &out.ad));
            ck_assert_uint_eq(out.dir_addrs.n, 0);
        } else {
            ck_assert_uint_eq(out.dir_addrs.n, 1);
            ck_assert_uint_lt(out.ad.attachments.n, in->ad.attachments.n);
        }
    }
}
END_TEST

START_TEST(too_much_is_announced_with_its_directory)
{
    v23_lib_discovery_ad_info *in = make(0, 0), out;
    v23_discovery_attributes_entry big;
    vdl_str_list txt;
    char *value = v23_arena_get(&A, 2000, 1);

    memset(value, 'x', 2000);
    big.key = vdl_str("k");
    big.val = vdl_strn(value, 2000);
    in->ad.attributes.v = &big;
    in->ad.attributes.n = 1;

    ck_assert_int_eq(vname_ad_to_txt(NULL, in, &A, &txt), 0);

    ck_assert_int_eq(read_texts(txt, &out), 0);
    ck_assert_int_eq(out.status, V23_LIB_DISCOVERY_AD_NOT_READY);
    ck_assert_uint_eq(out.ad.attributes.n, 0);
    ck_assert_uint_eq(out.ad.addresses.n, 0);
    ck_assert_uint_eq(out.dir_addrs.n, 1);
    ck_assert(vdl_str_is(out.ad.interface_name, "v.io/x"));
}
END_TEST

START_TEST(what_never_fits_is_refused)
{
    v23_lib_discovery_ad_info *in = make(0, 0);
    struct vdl_str dir = { v23_arena_get0(&A, 2000, 1, 1), 2000 };
    vdl_str_list txt;

    in->dir_addrs.v = &dir;
    in->ad.interface_name = dir;
    ck_assert_int_eq(vname_ad_to_txt(NULL, in, &A, &txt), V23_ELIMIT);
}
END_TEST

START_TEST(wrong_texts_are_refused)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        { "a", "a text is not key=value" },
        { "", "a text is not key=value" },
        { "=v", "an attribute has no name" },
        { "__=v", "an attachment has no name" },
        { "k=\xff", "an attribute is not valid UTF-8" },
        { "k\xc3=v", "an attribute is not valid UTF-8" },
        { "k=\x1b[2J", "an attribute is not valid UTF-8" },
        { "_i=v\xed\xa0\x80", "the interface name is not valid UTF-8" },
        { "_h=1234567", "the hash has not 8 bytes" },
        { "_t=", "the timestamp has not 8 bytes" },
        { "_s=3", "unknown status" },
        { "_s=", "unknown status" },
        { "_a=\x05", "malformed packed addresses" },
        { "_e=\x80", "malformed keys" },
        { "_x", "malformed piece of a long text" },
        { "_x00", "malformed piece of a long text" },
        { "_x0 =v", "malformed piece of a long text" },
        { "_x00=no key", "a text is not key=value" },
    };
    v23_lib_discovery_ad_info out;
    struct vdl_str s;
    vdl_str_list txt = { &s, 1 };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = vdl_str(bad[i].text);
        ck_assert_int_eq(read_texts(txt, &out), V23_ETEXT);
        ck_assert_str_eq(v23_buf_cstr(&why), bad[i].why);
    }
    v23_buf_cut(&why, 0);
    ck_assert_int_eq(vname_ad_from_txt(NULL, vdl_str("x." INSTANCE), txt, &A,
                         &out, &why),
        V23_ETEXT);
    ck_assert_str_eq(v23_buf_cstr(&why),
        "the instance is not the id of an advertisement");
}
END_TEST

START_TEST(addresses_must_be_text_unless_encrypted)
{
    struct vdl_str v[] = { vdl_strn("_a=\x01\xff\0", 6),
        vdl_str("_e=\x02") };
    v23_lib_discovery_ad_info out;
    vdl_str_list txt = { v, 1 };

    ck_assert_int_eq(read_texts(txt, &out), V23_ETEXT);
    ck_assert_str_eq(v23_buf_cstr(&why), "an address is not valid UTF-8");
    txt.n = 2;
    ck_assert_int_eq(read_texts(txt, &out), 0);
    ck_assert_int_eq(out.encryption_algorithm,
        V23_LIB_DISCOVERY_IBE_ENCRYPTION);
}
END_TEST

START_TEST(unknown_keys_and_repetitions_are_taken)
{
    struct vdl_str v[] = { vdl_str("_z=later"), vdl_str("_long=later"),
        vdl_str("k=1"), vdl_str("k=2=3") };
    v23_lib_discovery_ad_info out;
    vdl_str_list txt = { v, 4 };

    ck_assert_int_eq(read_texts(txt, &out), 0);
    ck_assert_uint_eq(out.ad.attributes.n, 1);
    ck_assert(vdl_str_is(out.ad.attributes.v[0].val, "2=3"));
}
END_TEST

START_TEST(floods_of_texts_are_refused)
{
    char names[40][4], *piece = v23_arena_get(&A, 255, 1);
    struct vdl_str v[40];
    v23_lib_discovery_ad_info out;
    vdl_str_list txt = { v, 40 };
    uint32_t i;

    for (i = 0; i < 40; i++) {
        snprintf(names[i], sizeof(names[i]), "%c=", '0' + (int)i);
        v[i] = vdl_str(names[i]);
    }
    v[13] = vdl_str("m="); /* not the separator */
    ck_assert_int_eq(read_texts(txt, &out), V23_ETEXT);
    ck_assert_str_eq(v23_buf_cstr(&why), "too many attributes");
    memset(piece, 'x', 255);
    memcpy(piece, "_x00=", 5);
    for (i = 0; i < 40; i++)
        v[i] = vdl_strn(piece, 255);
    ck_assert_int_eq(read_texts(txt, &out), V23_ETEXT);
    ck_assert_str_eq(v23_buf_cstr(&why), "a text is too long");
}
END_TEST

static int write_and_read(const struct v23_alloc *al, void *ud)
{
    v23_lib_discovery_ad_info out;
    struct v23_arena a;
    vdl_str_list txt;
    int rc;

    v23_arena_init(&a, al, SIZE_MAX);
    rc = vname_ad_to_txt(&vname_deflate_zlib, ud, &a, &txt);
    if (rc == 0)
        rc = vname_ad_from_txt(&vname_deflate_zlib, vdl_str(INSTANCE), txt,
            &a, &out, NULL);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(lack_of_memory_is_no_disaster)
{
    tst_out_of_memory(write_and_read, make(3, 500));
}
END_TEST

/* ---- what may be advertised ---------------------------------------------- */

static const char *refused(const v23_lib_discovery_ad_info *info)
{
    v23_buf_cut(&why, 0);
    ck_assert_int_eq(vname_ad_check(&info->ad, &why), V23_EARG);
    return v23_buf_cstr(&why);
}

START_TEST(check_says_what_may_not_be_advertised)
{
    v23_lib_discovery_ad_info *info = make(32, 4096);
    v23_discovery_attributes_entry two[] = { { VDL_STR_INIT("a"),
        VDL_STR_INIT("") }, { VDL_STR_INIT("a"), VDL_STR_INIT("") } };

    ck_assert_int_eq(vname_ad_check(&info->ad, NULL), 0);
    info->ad.attributes.v = two;
    ck_assert_str_eq(refused(info), "two attributes have one key: \"a\"");
    info->ad.attributes.n = 1;
    two[0].val = vdl_str("\xff");
    ck_assert_str_eq(refused(info),
        "value of an attribute is not valid UTF-8: \"a\"");
    two[0].key = vdl_str("_a");
    ck_assert_str_eq(refused(info), "key starts with '_': \"_a\"");
    two[0].key = vdl_str("a=b");
    ck_assert_str_eq(refused(info),
        "key is not printable US-ASCII without '=': \"a=b\"");
    two[0].key = vdl_str("");
    ck_assert_str_eq(refused(info), "a key is empty");
    info->ad.attributes.n = 33;
    ck_assert_str_eq(refused(info), "there are more than 32 attributes");
    info = make(33, 1000);
    ck_assert_str_eq(refused(info), "there are more than 32 attachments");
    info = make(1, 4097);
    ck_assert_str_eq(refused(info),
        "attachment has more than 4096 bytes: \"pA\"");
    info = make(0, 0);
    info->ad.interface_name = vdl_strn(why_mem, 1020);
    ck_assert_str_eq(refused(info),
        "the advertisement has more than 1024 bytes");
    info->ad.interface_name.n = 0;
    ck_assert_str_eq(refused(info), "there is no interface name");
    info = make(0, 0);
    info->ad.addresses.n = 0;
    ck_assert_str_eq(refused(info), "there is no address");
    memset(&info->ad.id, 0, sizeof(info->ad.id));
    ck_assert_str_eq(refused(info), "there is no id");
}
END_TEST

/* ---- queries ------------------------------------------------------------- */

static bool matches(const char *text)
{
    const struct vname_query *q;

    v23_buf_cut(&why, 0);
    ck_assert_int_eq(vname_query_parse(vdl_str(text), &A, &q, &why), 0);
    return vname_query_match(q, &make(0, 0)->ad);
}

START_TEST(queries_match)
{
    static const char *const yes[] = {
        "", "v.InterfaceName = \"v.io/x\"",
        "'v.io/x' = v.InterfaceName AND v.Attributes['a'] = 'v'",
        "v.Attributes[\"a\"] = \"x\" or v.Attributes[\"b\"] = \"w\"",
        "k = '000102030405060708090a0b0c0d0e0f'",
        "k like '0001%0f' and k not like '%1f'",
        "v.Attributes['c'] is nil and v.Attributes['a'] is not nil",
        "v.Addresses[1] like '/h:___/y'", "v.Addresses[2] is nil",
        ("v.InterfaceName <> 'y' and v.InterfaceName > 'v' and "
         "v.InterfaceName <= 'v.io/x' and v.InterfaceName >= 'v.io/x'"),
        "(k = 'x' or k < '1') and (v.Attributes['b'] not equal 'v')",
        "'50\\%' like '50\\\\%' or 'x' = 'x'",
        "'a%' like 'a\\%'", "'aXbXc' like 'a%b%c'", "'\xc3\xa4' like '_'",
        "k = 'x' and k = 'y' or k like '%'",
    };
    static const char *const no[] = {
        "v.InterfaceName = 'v.io'", "v.Attributes['c'] <> 'x'",
        "v.Attributes['c'] = v.Attributes['c']", "k like '0001'",
        "k like '%' and (k = 'x' or k = 'y')", "'ab' like 'a\\%'",
        "'' like '_'", "k = 'x' or k like '%' and k = 'y'",
    };
    size_t i;

    for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        ck_assert_msg(matches(yes[i]), "%s", yes[i]);
    for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        ck_assert_msg(!matches(no[i]), "%s", no[i]);
}
END_TEST

START_TEST(malformed_queries_name_the_fault)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        { " ", "offset 1: expected k, v or a text" },
        { "k", "offset 1: expected an operator" },
        { "k =", "offset 3: expected k, v or a text" },
        { "k = 'x", "offset 4: a text has no end" },
        { "k = 'x' k", "offset 8: expected 'and', 'or' or the end" },
        { "(k = 'x'", "offset 8: expected ')'" },
        { "v = 'x'", "offset 2: expected '.'" },
        { "v.Name = 'x'",
            "offset 2: v has InterfaceName, Attributes and Addresses" },
        { "v.Attachments['x'] is nil",
            "offset 2: v.Attachments cannot be queried" },
        { "v.Attributes[x] = 'x'",
            "offset 13: expected the key of an attribute" },
        { "v.Addresses['0'] = 'x'", "offset 12: expected a number" },
        { "v.Addresses[9999999999] = 'x'", "offset 12: expected a number" },
        { "k is 'x'", "offset 5: expected 'nil'" },
        { "k not 'x'", "offset 6: expected 'equal' or 'like'" },
        { "k like v.InterfaceName", "offset 22: expected a pattern" },
        { "k like '\\x'", "offset 11: only '%', '_' and '\\' can be escaped "
                          "in a pattern" },
    };
    const struct vname_query *q;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        v23_buf_cut(&why, 0);
        ck_assert_int_eq(vname_query_parse(vdl_str(bad[i].text), &A, &q, &why),
            V23_ETEXT);
        ck_assert_str_eq(v23_buf_cstr(&why), bad[i].why);
    }
}
END_TEST

START_TEST(size_of_queries_is_bounded)
{
    char *text = v23_arena_get0(&A, 20000, 1, 1);
    const struct vname_query *q;
    int i;

    memset(text, '(', 101);
    ck_assert_int_eq(vname_query_parse(vdl_str(text), &A, &q, NULL),
        V23_ELIMIT);
    text[0] = 0;
    for (i = 0; i < 1000; i++)
        strcat(text, i == 0 ? "k='x'" : " or k='x'");
    ck_assert_int_eq(vname_query_parse(vdl_str(text), &A, &q, NULL),
        V23_ELIMIT);
}
END_TEST

START_TEST(query_tells_its_only_interface)
{
    static const struct {
        const char *text, *interface_name;
    } cases[] = {
        { "v.InterfaceName = 'a'", "a" },
        { "'a' = v.InterfaceName and k = 'x'", "a" },
        { "k = 'x' and (v.Attributes['b'] = 'c' and v.InterfaceName = 'a')",
            "a" },
        { "v.InterfaceName = 'a' or v.InterfaceName = 'b'", "" },
        { "v.InterfaceName <> 'a'", "" },
        { "", "" },
    };
    const struct vname_query *q;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_int_eq(vname_query_parse(vdl_str(cases[i].text), &A, &q,
                             NULL),
            0);
        ck_assert(vdl_str_is(vname_query_interface(q),
            cases[i].interface_name));
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, addresses_come_back_in_either_form);
    tcase_add_test(tc, malformed_addresses_are_refused);
    tcase_add_test(tc, what_inflates_beyond_measure_is_refused);
    tcase_add_test(tc, endless_lists_are_refused);
    tcase_add_test(tc, keys_come_back);
    tcase_add_test(tc, hash_does_not_depend_on_the_order_of_attributes);
    tcase_add_test(tc, instances_are_read_strictly);
    tcase_add_test(tc, texts_come_back);
    tcase_add_test(tc, too_much_is_announced_with_its_directory);
    tcase_add_test(tc, what_never_fits_is_refused);
    tcase_add_test(tc, wrong_texts_are_refused);
    tcase_add_test(tc, addresses_must_be_text_unless_encrypted);
    tcase_add_test(tc, unknown_keys_and_repetitions_are_taken);
    tcase_add_test(tc, floods_of_texts_are_refused);
    tcase_add_test(tc, lack_of_memory_is_no_disaster);
    tcase_add_test(tc, check_says_what_may_not_be_advertised);
    tcase_add_test(tc, queries_match);
    tcase_add_test(tc, malformed_queries_name_the_fault);
    tcase_add_test(tc, size_of_queries_is_bounded);
    tcase_add_test(tc, query_tells_its_only_interface);
}

int main(void)
{
    return tst_run_case("libnaming/discovery", fill, setup, teardown);
}
