/* BSD-3-Clause; see LICENSE. */
/* Following advertisements near by (vname/discovery.h). */
#include <stdarg.h>
#include <stdio.h>

#include <suite.h>
#include <support.h>
#include <vname/discovery.h>

static struct tst_alloc T;
static struct v23_arena A;
static struct vname_scan *scan;
static char said[4096]; /* "+id interface" and "-id" */

static void say(const char *fmt, ...)
{
    size_t n = strlen(said);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(said + n, sizeof(said) - n, fmt, ap);
    va_end(ap);
}

static void on_found(void *ud, const v23_discovery_advertisement *ad)
{
    (void)ud;
    say("[+%d %.*s]", ad->id.v[0], (int)ad->interface_name.n,
        ad->interface_name.p);
}

static void on_lost(void *ud, const v23_discovery_advertisement *ad)
{
    (void)ud;
    say("[-%d]", ad->id.v[0]);
}

static void on_fetch(void *ud, const v23_lib_discovery_ad_info *info)
{
    (void)ud;
    say("[?%d %.*s]", info->ad.id.v[0], (int)info->dir_addrs.v[0].n,
        info->dir_addrs.v[0].p);
}

static int new_scan(const struct v23_alloc *al, const char *query,
    struct vname_scan **out)
{
    struct vname_scan_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.al = al;
    cfg.found = on_found;
    cfg.lost = on_lost;
    cfg.fetch = on_fetch;
    ck_assert_int_eq(vname_query_parse(vdl_str(query), &A, &cfg.query, NULL),
        0);
    return vname_scan_new(&cfg, out);
}

static void setup(void)
{
    tst_alloc_init(&T);
    v23_arena_init(&A, &T.al, SIZE_MAX);
    said[0] = 0;
    ck_assert_int_eq(new_scan(&T.al, "", &scan), 0);
}

static void teardown(void)
{
    vname_scan_free(scan);
    v23_arena_fini(&A);
    ck_assert_uint_eq(T.live, 0);
}

/* What has happened since the last question. */
static const char *news(void)
{
    static char text[sizeof(said)];

    memcpy(text, said, sizeof(said));
    said[0] = 0;
    return text;
}

/* A record of advertisement `id`; `hash` and `time` are a digit. */
static struct vname_dns_found record(int id, char hash, char time,
    const char *more, ...)
{
    char text[64];
    struct vdl_str v[8] = { vdl_str("_i=x") };
    vdl_str_list list = { v, 1 };
    struct vname_dns_found f;
    v23_discovery_ad_id bytes;
    struct v23_buf b;
    char *instance = v23_arena_get0(&A, VNAME_AD_INSTANCE_TEXT, 1, 1);
    va_list ap;

    memset(&f, 0, sizeof(f));
    memset(&bytes, 0, sizeof(bytes));
    bytes.v[0] = (uint8_t)id;
    bytes.v[1] = (uint8_t)(id >> 8);
    vname_ad_instance(&bytes, instance);
    snprintf(text, sizeof(text), "_h=%c0000000", hash);
    v[list.n++] = vdl_strn(v23_arena_dup(&A, text, 11), 11);
    snprintf(text, sizeof(text), "_t=%c0000000", time);
    v[list.n++] = vdl_strn(v23_arena_dup(&A, text, 11), 11);
    v[list.n++] = vdl_strn("_a=\x02/h\0", 7);
    for (va_start(ap, more); more != NULL; more = va_arg(ap, const char *))
        v[list.n++] = vdl_str(more);
    va_end(ap);
    /* _d holds a NUL, which ends its packed form. */
    for (uint32_t i = 0; i < list.n; i++)
        if (v[i].n >= 3 && memcmp(v[i].p, "_d=", 3) == 0)
            v[i].n++;
    v23_buf_init(&b, &T.al, SIZE_MAX);
    ck_assert_int_eq(vname_txt_pack(list, &b), 0);
    f.instance = vdl_str(instance);
    f.source = 1;
    f.ttl = 120;
    f.txt = v23_bytes(v23_arena_dup(&A, b.p, b.n), b.n);
    v23_buf_fini(&b);
    return f;
}

static int heard(struct vname_dns_found f)
{
    return vname_scan_heard(scan, &f);
}

static void gone(struct vname_dns_found f)
{
    vname_scan_gone(scan, &f);
}

#define END ((const char *)NULL)

START_TEST(advertisements_come_and_go)
{
    ck_assert_int_eq(heard(record(1, 'a', '1', END)), 0);
    ck_assert_int_eq(heard(record(2, 'a', '1', END)), 0);
    ck_assert_str_eq(news(), "[+1 x][+2 x]");
    ck_assert_int_eq(heard(record(1, 'a', '1', END)), 0);
    ck_assert_str_eq(news(), "");
    gone(record(1, 'a', '1', END));
    gone(record(1, 'a', '1', END));
    gone(record(3, 'a', '1', END));
    ck_assert_str_eq(news(), "[-1]");
}
END_TEST

START_TEST(last_source_counts)
{
    struct vname_dns_found f = record(1, 'a', '1', END), g = f;

    g.source = 2;
    ck_assert_int_eq(heard(f), 0);
    ck_assert_int_eq(heard(g), 0);
    gone(f);
    ck_assert_str_eq(news(), "[+1 x]");
    gone(g);
    ck_assert_str_eq(news(), "[-1]");
    ck_assert_int_eq(heard(f), 0);
    ck_assert_int_eq(heard(g), 0);
    f.txt.n = 0; /* the whole instance */
    gone(f);
    ck_assert_str_eq(news(), "[+1 x][-1]");
}
END_TEST

START_TEST(changes_are_told_and_old_news_are_not)
{
    struct vname_dns_found first = record(1, 'a', '2', END);

    ck_assert_int_eq(heard(first), 0);
    ck_assert_str_eq(news(), "[+1 x]");
    ck_assert_int_eq(heard(record(1, 'b', '1', END)), 0);
    ck_assert_str_eq(news(), "");
    ck_assert_int_eq(heard(record(1, 'c', '3', END)), 0);
    ck_assert_str_eq(news(), "[-1][+1 x]");
    gone(first); /* the record that was replaced */
    ck_assert_str_eq(news(), "");
    gone(record(1, 'c', '3', END));
    ck_assert_str_eq(news(), "[-1]");
}
END_TEST

START_TEST(only_what_matches_is_told)
{
    vname_scan_free(scan);
    ck_assert_int_eq(new_scan(&T.al, "v.Attributes['k'] = 'v'", &scan), 0);
    ck_assert_int_eq(heard(record(1, 'a', '1', END)), 0);
    ck_assert_int_eq(heard(record(2, 'a', '1', "k=v", END)), 0);
    ck_assert_str_eq(news(), "[+2 x]");
}
END_TEST

START_TEST(encrypted_ones_are_left_out)
{
    ck_assert_int_eq(heard(record(1, 'a', '1', "_e=\x02", END)), 0);
    ck_assert_str_eq(news(), "");
}
END_TEST

START_TEST(what_did_not_fit_is_asked_for)
{
    struct vname_dns_found f = record(1, 'a', '1', "_s=1", "_d=\x02/d", END);
    v23_lib_discovery_ad_info info;
    vdl_str_list txt;

    ck_assert_int_eq(heard(f), 0);
    ck_assert_str_eq(news(), "[?1 /d]");
    ck_assert_int_eq(vname_txt_unpack(f.txt, &A, &txt), 0);
    ck_assert_int_eq(vname_ad_from_txt(NULL, f.instance, txt, &A, &info,
                         NULL),
        0);
    info.status = V23_LIB_DISCOVERY_AD_READY;
    info.ad.interface_name = vdl_str("full");
    ck_assert_int_eq(vname_scan_fetched(scan, &info), 0);
    ck_assert_str_eq(news(), "[+1 full]");
    ck_assert_int_eq(heard(f), 0);
    ck_assert_str_eq(news(), "");
    gone(f);
    ck_assert_str_eq(news(), "[-1]");
}
END_TEST

START_TEST(answers_of_directories_are_not_believed)
{
    v23_lib_discovery_ad_info info;
    struct vdl_str dir = vdl_str("/d");

    memset(&info, 0, sizeof(info));
    info.ad.interface_name = vdl_str("\x1b[2J");
    ck_assert_int_eq(vname_scan_fetched(scan, &info), V23_ETEXT);
    info.ad.interface_name = vdl_str("x");
    info.status = V23_LIB_DISCOVERY_AD_NOT_READY; /* asked for for ever */
    info.dir_addrs.v = &dir;
    info.dir_addrs.n = 1;
    ck_assert_int_eq(vname_scan_fetched(scan, &info), 0);
    ck_assert_str_eq(news(), "");
}
END_TEST

START_TEST(partial_ones_change_with_their_directory)
{
    ck_assert_int_eq(heard(record(1, 'a', '1', "_s=2", "_d=\x02/d", END)), 0);
    ck_assert_int_eq(heard(record(1, 'a', '1', "_s=2", "_d=\x02/d", END)), 0);
    ck_assert_str_eq(news(), "[+1 x]");
    ck_assert_int_eq(heard(record(1, 'a', '1', "_s=2", "_d=\x02/e", END)), 0);
    ck_assert_str_eq(news(), "[-1][+1 x]");
    ck_assert_int_eq(heard(record(2, 'a', '1', "_s=2", END)), V23_ETEXT);
}
END_TEST

START_TEST(malformed_records_are_ignored)
{
    struct vname_dns_found f = record(1, 'a', '1', END);

    f.txt.n--;
    ck_assert_int_eq(heard(f), V23_ETEXT);
    f = record(1, 'a', '1', "nothing", END);
    ck_assert_int_eq(heard(f), V23_ETEXT);
    f = record(1, 'a', '1', END);
    f.instance = vdl_str("joe");
    ck_assert_int_eq(heard(f), V23_ETEXT);
    gone(f);
    ck_assert_str_eq(news(), "");
}
END_TEST

START_TEST(crowds_are_bounded)
{
    int i, n = 0;

    for (i = 0; i < 3000; i++) {
        n += heard(record(i, 'a', '1', END)) == 0;
        said[0] = 0;
    }
    ck_assert_int_eq(n, VNAME_SCAN_ADS);
}
END_TEST

static int hear(const struct v23_alloc *al, void *ud)
{
    const struct vname_dns_found *f = ud;
    struct vname_scan *s;
    int rc = new_scan(al, "", &s);

    if (rc != 0)
        return rc;
    rc = vname_scan_heard(s, f);
    vname_scan_free(s);
    return rc;
}

START_TEST(lack_of_memory_is_no_disaster)
{
    struct vname_dns_found f = record(1, 'a', '1', "_s=2", "_d=\x02/d", "k=v",
        END);

    tst_out_of_memory(hear, &f);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, advertisements_come_and_go);
    tcase_add_test(tc, last_source_counts);
    tcase_add_test(tc, changes_are_told_and_old_news_are_not);
    tcase_add_test(tc, only_what_matches_is_told);
    tcase_add_test(tc, encrypted_ones_are_left_out);
    tcase_add_test(tc, what_did_not_fit_is_asked_for);
    tcase_add_test(tc, answers_of_directories_are_not_believed);
    tcase_add_test(tc, partial_ones_change_with_their_directory);
    tcase_add_test(tc, malformed_records_are_ignored);
    tcase_add_test(tc, crowds_are_bounded);
    tcase_add_test(tc, lack_of_memory_is_no_disaster);
}

int main(void)
{
    return tst_run_case("libnaming/scan", fill, setup, teardown);
}
