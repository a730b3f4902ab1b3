/* BSD-3-Clause; see LICENSE. */
/*
 * advertise INTERFACE ADDRESS [KEY=VALUE…]: advertise a service near by, as all
 * services and as one with its interface. Prints ID=… when both are announced,
 * and ends, after a goodbye, when SIGTERM comes.
 */
#include <signal.h>
#include <stdio.h>

#include <event2/event.h>
#include <vname/discovery.h>

static int announced;
static v23_lib_discovery_ad_info info;

static void ignore(void *ud, const struct vname_dns_found *f)
{
    (void)ud;
    (void)f;
}

static void on_announced(void *ud, struct vdl_str host)
{
    (void)ud;
    (void)host;
    if (++announced == 2) {
        printf("ID=");
        for (size_t i = 0; i < sizeof(info.ad.id.v); i++)
            printf("%02x", info.ad.id.v[i]);
        printf("\n");
        fflush(stdout);
    }
}

static void on_failed(void *ud, const char *why)
{
    (void)ud;
    fprintf(stderr, "advertise: %s\n", why);
}

static void on_term(evutil_socket_t fd, short what, void *base)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(base);
}

static int read_ad(int argc, char **argv, struct v23_arena *a)
{
    struct vsec_engine *e;
    v23_discovery_attributes_entry *v = v23_arena_get0(a, (size_t)argc,
        sizeof(*v), 16);
    struct vdl_str *address = v23_arena_new(a, struct vdl_str);
    char *eq;
    int i;

    if (argc < 3 || vsec_engine_new(&e, &vsec_crypto_default, NULL, NULL) != 0)
        return -1;
    if (vsec_random_fill(e, info.ad.id.v, sizeof(info.ad.id.v)) != 0)
        return -1;
    vsec_engine_unref(e);
    info.ad.interface_name = vdl_str(argv[1]);
    *address = vdl_str(argv[2]);
    info.ad.addresses.v = address;
    info.ad.addresses.n = 1;
    info.timestamp_ns = 1;
    info.ad.attributes.v = v;
    for (i = 3; i < argc; i++) {
        eq = strchr(argv[i], '=');
        if (eq == NULL)
            return -1;
        v[i - 3].key = vdl_strn(argv[i], (size_t)(eq - argv[i]));
        v[i - 3].val = vdl_str(eq + 1);
        info.ad.attributes.n++;
    }
    return vname_ad_hash(vsec_crypto_default.sha256, &info, a, &info.hash);
}

static int start(struct event_base *base, struct vdl_str interface_name,
    struct v23_bytes txt, struct vname_mdns **out)
{
    char service[VNAME_AD_SERVICE_TEXT], instance[VNAME_AD_INSTANCE_TEXT];
    struct vname_mdns_config cfg;
    const char *why = "";
    int rc = vname_ad_service(vsec_crypto_default.sha1, interface_name,
        service);

    memset(&cfg, 0, sizeof(cfg));
    vname_ad_instance(&info.ad.id, instance);
    cfg.base = base;
    cfg.service = vdl_str(service);
    cfg.host = vdl_str(instance);
    cfg.txt = txt;
    cfg.ttl = 120;
    cfg.found = ignore;
    cfg.lost = ignore;
    cfg.announced = on_announced;
    cfg.failed = on_failed;
    if (rc == 0)
        rc = vname_mdns_new(&cfg, out, &why);
    if (rc != 0)
        fprintf(stderr, "advertise: %s: %s\n", v23_strerror(rc), why);
    return rc;
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct vname_mdns *all = NULL, *one = NULL;
    struct event *term = evsignal_new(base, SIGTERM, on_term, base);
    struct v23_arena a;
    vdl_str_list texts;
    struct v23_buf txt;
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    v23_buf_init(&txt, NULL, VNAME_TXT_MAX);
    if (read_ad(argc, argv, &a) != 0) {
        fprintf(stderr, "usage: advertise INTERFACE ADDRESS [KEY=VALUE...]\n");
        return 2;
    }
    rc = vname_ad_to_txt(&vname_deflate_zlib, &info, &a, &texts);
    if (rc == 0)
        rc = vname_txt_pack(texts, &txt);
    if (rc == 0)
        rc = start(base, vdl_str(""), v23_bytes(txt.p, txt.n), &all);
    if (rc == 0)
        rc = start(base, info.ad.interface_name, v23_bytes(txt.p, txt.n),
            &one);
    if (rc == 0 && event_add(term, NULL) == 0)
        event_base_dispatch(base);
    vname_mdns_free(one);
    vname_mdns_free(all);
    event_free(term);
    event_base_free(base);
    v23_buf_fini(&txt);
    v23_arena_fini(&a);
    return rc != 0;
}
