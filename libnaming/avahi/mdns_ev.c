/* BSD-3-Clause; see LICENSE. */
/*
 * DNS-SD with libavahi-core on a libevent loop. A browser of PTR records finds
 * instances, and for each a browser of TXT records tells what they say. Records
 * are made and read as such (not with avahi's service functions): their life is
 * ours to choose, and names of instances may come in forms that those refuse.
 */
#include <vname/mdns.h>

#include <avahi-common/domain.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-core/core.h>
#include <avahi-core/log.h>
#include <avahi-core/lookup.h>
#include <avahi-core/publish.h>

#include "interfaces_ev.h"
#include "poll_ev.h"

enum { PACKET_MAX = 9216 };

/* An instance whose TXT records are asked for. */
struct asked {
    struct asked *next;
    struct vname_mdns *m;
    AvahiSRecordBrowser *browser;
    unsigned pointers; /* PTR records that name it */
    char *domain;      /* as the library writes it */
    struct v23_buf instance;
};

struct vname_mdns {
    struct vname_mdns_config cfg;
    AvahiPoll poll;
    AvahiServer *server;
    AvahiSEntryGroup *group;
    AvahiSRecordBrowser *services;
    struct vname_news_ *news; /* of addresses */
    struct asked *asked;
    size_t nasked;
    bool renamed; /* the name was in use */
    bool full;    /* has been said */
    bool over;
    struct v23_buf service, host, txt; /* service: its domain */
};

static void give_up(struct vname_mdns *m, const char *why)
{
    if (m->over)
        return;
    m->over = true;
    if (m->cfg.failed != NULL)
        m->cfg.failed(m->cfg.ud, why);
}

static struct vdl_str text_of(const struct v23_buf *b)
{
    return vdl_strn((const char *)b->p, b->n);
}

/* ---- names --------------------------------------------------------------- */

/* `()` at the end of the host becomes the hardware address in parentheses. */
static int complete_host(struct vname_mdns *m)
{
    struct v23_buf *h = &m->host;

    if (h->n >= 2 && memcmp(h->p + h->n - 2, "()", 2) == 0) {
        v23_buf_cut(h, h->n - 1);
        vname_put_hardware_(h);
        v23_buf_puts(h, ")");
    }
    return h->err;
}

/* ---- announcing ---------------------------------------------------------- */

static void on_group(AvahiServer *s, AvahiSEntryGroup *g,
    AvahiEntryGroupState state, void *ud);

static int add_record(struct vname_mdns *m, AvahiPublishFlags flags,
    AvahiRecord *r)
{
    int rc;

    if (r == NULL)
        return AVAHI_ERR_NO_MEMORY;
    rc = avahi_server_add(m->server, m->group, AVAHI_IF_UNSPEC,
        AVAHI_PROTO_UNSPEC, flags, r);
    avahi_record_unref(r);
    return rc;
}

static AvahiRecord *record(const char *name, uint16_t type, uint32_t ttl)
{
    return avahi_record_new_full(name, AVAHI_DNS_CLASS_IN, type, ttl);
}

static AvahiRecord *pointer(const struct vname_mdns *m, const char *service,
    const char *instance)
{
    AvahiRecord *r = record(service, AVAHI_DNS_TYPE_PTR, m->cfg.ttl);

    if (r != NULL && (r->data.ptr.name = avahi_strdup(instance)) == NULL) {
        avahi_record_unref(r);
        return NULL;
    }
    return r;
}

static AvahiRecord *texts(const struct vname_mdns *m, const char *instance)
{
    AvahiRecord *r = record(instance, AVAHI_DNS_TYPE_TXT, m->cfg.ttl);

    if (r != NULL
        && avahi_string_list_parse(m->txt.p, m->txt.n,
               &r->data.txt.string_list) < 0) {
        r->data.txt.string_list = NULL;
        avahi_record_unref(r);
        return NULL;
    }
    return r;
}

static AvahiRecord *location(const struct vname_mdns *m, const char *instance,
    const char *host)
{
    AvahiRecord *r = record(instance, AVAHI_DNS_TYPE_SRV, m->cfg.ttl);

    if (r == NULL)
        return NULL;
    r->data.srv.priority = 0;
    r->data.srv.weight = 0;
    r->data.srv.port = m->cfg.port;
    r->data.srv.name = avahi_strdup(host);
    if (r->data.srv.name == NULL) {
        avahi_record_unref(r);
        return NULL;
    }
    return r;
}

struct addressing {
    struct vname_mdns *m;
    const char *host;
};

/*
 * An address of the host, on the interface that has it. The library could do
 * that itself, but it also claims the name that belongs to the address, and
 * there another server of this machine would be in its way.
 */
static int add_address(void *ud, AvahiIfIndex interface, const AvahiAddress *a)
{
    const struct addressing *x = ud;
    AvahiAddress copy = *a;

    return avahi_server_add_address(x->m->server, x->m->group, interface,
        AVAHI_PROTO_UNSPEC, AVAHI_PUBLISH_NO_REVERSE, x->host, &copy);
}

static bool make_name(struct vdl_str label, struct vdl_str domain, char *out)
{
    struct v23_buf b;
    bool ok;

    v23_buf_init_fixed(&b, out, VNAME_DOMAIN_MAX - 1);
    ok = vname_dns_instance(label, domain, &b) == 0;
    out[b.n] = 0;
    return ok;
}

static int add_records(struct vname_mdns *m, const char *instance,
    const char *host)
{
    struct addressing x = { m, host };
    int rc = add_record(m, 0,
        pointer(m, (const char *)m->service.p, instance));

    if (rc == 0)
        rc = add_record(m, AVAHI_PUBLISH_UNIQUE, texts(m, instance));
    if (rc == 0)
        rc = add_record(m, AVAHI_PUBLISH_UNIQUE, location(m, instance, host));
    if (rc == 0 && m->cfg.port != 0)
        rc = vname_each_address_(m->cfg.loopback, add_address, &x);
    return rc == 0 ? avahi_s_entry_group_commit(m->group) : rc;
}

/* Begin, or begin again, to announce host and service. */
static void announce(struct vname_mdns *m)
{
    char instance[VNAME_DOMAIN_MAX], host[VNAME_DOMAIN_MAX];
    int rc;

    if (!make_name(text_of(&m->host), text_of(&m->service), instance)
        || !make_name(text_of(&m->host), vdl_str("local"), host)) {
        give_up(m, "the name is empty or too long");
        return;
    }
    if (m->group == NULL)
        m->group = avahi_s_entry_group_new(m->server, on_group, m);
    if (m->group == NULL) {
        give_up(m, "out of memory");
        return;
    }
    avahi_s_entry_group_reset(m->group);
    rc = add_records(m, instance, host);
    if (rc != 0)
        give_up(m, avahi_strerror(rc));
}

static void on_change(void *ud)
{
    struct vname_mdns *m = ud;

    if (m->group != NULL && !m->over)
        announce(m);
}

/* Somebody else has the name. */
static void rename_host(struct vname_mdns *m)
{
    if (m->renamed) {
        give_up(m, "the name is in use, and so is the one with the hardware "
            "address");
        return;
    }
    m->renamed = true;
    v23_logf(m->cfg.log, V23_LOG_INFO,
        "mDNS: somebody else is called %.*s; appending the hardware address",
        (int)m->host.n, (const char *)m->host.p);
    v23_buf_puts(&m->host, "()");
    if (complete_host(m) != 0)
        give_up(m, "out of memory");
    else
        announce(m);
}

static void on_group(AvahiServer *s, AvahiSEntryGroup *g,
    AvahiEntryGroupState state, void *ud)
{
    struct vname_mdns *m = ud;

    (void)g;
    switch (state) {
    case AVAHI_ENTRY_GROUP_ESTABLISHED:
        if (m->cfg.announced != NULL)
            m->cfg.announced(m->cfg.ud, text_of(&m->host));
        break;
    case AVAHI_ENTRY_GROUP_COLLISION:
        rename_host(m);
        break;
    case AVAHI_ENTRY_GROUP_FAILURE:
        give_up(m, avahi_strerror(avahi_server_errno(s)));
        break;
    default:
        break;
    }
}

static void on_server(AvahiServer *s, AvahiServerState state, void *ud)
{
    struct vname_mdns *m = ud;

    m->server = s; /* this also runs before avahi_server_new() has returned */
    if (state == AVAHI_SERVER_RUNNING && m->cfg.host.n != 0)
        announce(m);
    else if (state == AVAHI_SERVER_FAILURE)
        give_up(m, avahi_strerror(avahi_server_errno(s)));
}

/* ---- looking ------------------------------------------------------------- */

static void on_txt(AvahiSRecordBrowser *b, AvahiIfIndex interface,
    AvahiProtocol protocol, AvahiBrowserEvent event, AvahiRecord *r,
    AvahiLookupResultFlags flags, void *ud)
{
    const struct asked *q = ud;
    const struct vname_mdns_config *cfg = &q->m->cfg;
    uint8_t data[PACKET_MAX];
    struct vname_dns_found f;

    (void)b;
    (void)flags;
    if ((event != AVAHI_BROWSER_NEW && event != AVAHI_BROWSER_REMOVE)
        || r == NULL || r->key->type != AVAHI_DNS_TYPE_TXT)
        return;
    memset(&f, 0, sizeof(f));
    f.instance = text_of(&q->instance);
    f.source = (uint32_t)interface * 2 + (protocol == AVAHI_PROTO_INET6);
    f.ttl = r->ttl < VNAME_MDNS_TTL_MAX ? r->ttl : VNAME_MDNS_TTL_MAX;
    f.txt.p = data;
    f.txt.n = avahi_string_list_serialize(r->data.txt.string_list, data,
        sizeof(data));
    if (event == AVAHI_BROWSER_NEW)
        cfg->found(cfg->ud, &f);
    else
        cfg->lost(cfg->ud, &f);
}

static void asked_free(struct asked *q)
{
    if (q->browser != NULL)
        avahi_s_record_browser_free(q->browser);
    v23_buf_fini(&q->instance);
    avahi_free(q->domain);
    v23_put(NULL, q);
}

static struct asked **find(struct vname_mdns *m, const char *domain)
{
    struct asked **at = &m->asked;

    while (*at != NULL && !avahi_domain_equal((*at)->domain, domain))
        at = &(*at)->next;
    return at;
}

static int ask(struct vname_mdns *m, const char *domain)
{
    struct asked *q = v23_new(NULL, struct asked);
    AvahiKey *key = avahi_key_new(domain, AVAHI_DNS_CLASS_IN,
        AVAHI_DNS_TYPE_TXT);
    int rc = V23_ENOMEM;

    if (q == NULL || key == NULL)
        goto out;
    q->m = m;
    v23_buf_init(&q->instance, NULL, VNAME_DOMAIN_MAX);
    rc = vname_dns_instance_of(vdl_str(domain), text_of(&m->service),
        &q->instance);
    if (rc != 0)
        goto out;
    rc = V23_ENOMEM;
    q->domain = avahi_strdup(domain);
    if (q->domain == NULL)
        goto out;
    q->browser = avahi_s_record_browser_new(m->server, AVAHI_IF_UNSPEC,
        AVAHI_PROTO_UNSPEC, key, AVAHI_LOOKUP_USE_MULTICAST, on_txt, q);
    if (q->browser == NULL)
        goto out;
    q->pointers = 1;
    q->next = m->asked;
    m->asked = q;
    m->nasked++;
    q = NULL;
    rc = 0;
out:
    if (key != NULL)
        avahi_key_unref(key);
    if (q != NULL)
        asked_free(q);
    return rc;
}

static void found_pointer(struct vname_mdns *m, const char *domain)
{
    struct asked *q = *find(m, domain);
    int rc = 0;

    if (q != NULL)
        q->pointers++;
    else if (m->nasked < VNAME_MDNS_INSTANCES)
        rc = ask(m, domain);
    else if (!m->full) {
        m->full = true;
        v23_logf(m->cfg.log, V23_LOG_ERROR,
            "mDNS: %d instances of %s are near by; more are ignored",
            VNAME_MDNS_INSTANCES, (const char *)m->service.p);
    }
    if (rc != 0)
        v23_logf(m->cfg.log, V23_LOG_DEBUG, "mDNS: ignored an instance: %s",
            v23_strerror(rc));
}

static void lost_pointer(struct vname_mdns *m, const char *domain)
{
    struct asked **at = find(m, domain), *q = *at;
    struct vname_dns_found f;

    if (q == NULL || --q->pointers != 0)
        return;
    *at = q->next;
    m->nasked--;
    m->full = false;
    memset(&f, 0, sizeof(f));
    f.instance = text_of(&q->instance);
    m->cfg.lost(m->cfg.ud, &f);
    asked_free(q);
}

static void on_pointer(AvahiSRecordBrowser *b, AvahiIfIndex interface,
    AvahiProtocol protocol, AvahiBrowserEvent event, AvahiRecord *r,
    AvahiLookupResultFlags flags, void *ud)
{
    (void)b;
    (void)interface;
    (void)protocol;
    (void)flags;
    if (event == AVAHI_BROWSER_FAILURE)
        give_up(ud, "looking for others failed");
    if (r == NULL || r->key->type != AVAHI_DNS_TYPE_PTR)
        return;
    if (event == AVAHI_BROWSER_NEW)
        found_pointer(ud, r->data.ptr.name);
    else if (event == AVAHI_BROWSER_REMOVE)
        lost_pointer(ud, r->data.ptr.name);
}

static int look(struct vname_mdns *m)
{
    AvahiKey *key = avahi_key_new((char *)m->service.p, AVAHI_DNS_CLASS_IN,
        AVAHI_DNS_TYPE_PTR);

    if (key == NULL)
        return V23_ENOMEM;
    m->services = avahi_s_record_browser_new(m->server, AVAHI_IF_UNSPEC,
        AVAHI_PROTO_UNSPEC, key, AVAHI_LOOKUP_USE_MULTICAST, on_pointer, m);
    avahi_key_unref(key);
    return m->services == NULL ? V23_ENOMEM : 0;
}

/* ---- the object ---------------------------------------------------------- */

/* What the library has to say is not for users of programs. */
static void be_silent(AvahiLogLevel level, const char *text)
{
    (void)level;
    (void)text;
}

static int start(struct vname_mdns *m, const char **why)
{
    AvahiStringList *list = vname_loopbacks_();
    AvahiServerConfig c;
    int err = 0;

    avahi_set_log_function(be_silent);
    avahi_server_config_init(&c);
    c.n_cache_entries_max = VNAME_MDNS_CACHE;
    c.publish_domain = 0;
    c.publish_addresses = 0;
    c.disable_publishing = m->cfg.host.n == 0;
    if (m->cfg.loopback)
        c.allow_interfaces = list;
    else
        c.deny_interfaces = list;
    m->server = avahi_server_new(&m->poll, &c, on_server, m, &err);
    avahi_server_config_free(&c);
    if (m->server == NULL) {
        *why = avahi_strerror(err);
        return err == AVAHI_ERR_NO_MEMORY ? V23_ENOMEM : V23_ESYS;
    }
    if (m->cfg.host.n != 0)
        m->news = vname_news_new_(m->cfg.base, on_change, m);
    return look(m);
}

/* With a NUL behind it, for the library. */
static int keep(struct v23_buf *b, const void *p, size_t n)
{
    v23_buf_init(b, NULL, SIZE_MAX);
    v23_buf_put(b, p, n);
    (void)v23_buf_cstr(b);
    return b->err;
}

int vname_mdns_new(const struct vname_mdns_config *cfg,
    struct vname_mdns **out, const char **why)
{
    struct vname_mdns *m = v23_new(NULL, struct vname_mdns);
    const char *ignored;
    int rc;

    if (why == NULL)
        why = &ignored;
    *why = "out of memory";
    if (m == NULL)
        return V23_ENOMEM;
    m->cfg = *cfg;
    vname_poll_init_(&m->poll, cfg->base);
    v23_buf_init(&m->service, NULL, VNAME_DOMAIN_MAX);
    rc = keep(&m->host, cfg->host.p, cfg->host.n);
    if (rc == 0)
        rc = keep(&m->txt, cfg->txt.p, cfg->txt.n);
    if (rc == 0)
        rc = vname_dns_service(cfg->service, &m->service);
    if (rc == 0)
        (void)v23_buf_cstr(&m->service);
    if (rc == 0 && cfg->host.n != 0
        && memchr(cfg->host.p, '/', cfg->host.n) != NULL) {
        *why = "hostname may not contain '/'";
        rc = V23_EARG;
    }
    if (rc == 0)
        rc = complete_host(m);
    if (rc == 0 && m->host.n > VNAME_LABEL_MAX) {
        *why = "the name is too long";
        rc = V23_EARG;
    }
    if (rc == 0)
        rc = start(m, why);
    if (rc != 0) {
        vname_mdns_free(m);
        return rc;
    }
    *out = m;
    return 0;
}

int vname_mdns_update(struct vname_mdns *m, struct v23_bytes txt,
    uint16_t port)
{
    v23_buf_cut(&m->txt, 0);
    v23_buf_put(&m->txt, txt.p, txt.n);
    if (m->txt.err != 0)
        return m->txt.err;
    m->cfg.port = port;
    on_change(m);
    return 0;
}

void vname_mdns_free(struct vname_mdns *m)
{
    struct asked *q;

    if (m == NULL)
        return;
    while ((q = m->asked) != NULL) {
        m->asked = q->next;
        asked_free(q);
    }
    vname_news_free_(m->news);
    if (m->services != NULL)
        avahi_s_record_browser_free(m->services);
    if (m->server != NULL)
        avahi_server_free(m->server); /* with the group, after its goodbye */
    v23_buf_fini(&m->service);
    v23_buf_fini(&m->host);
    v23_buf_fini(&m->txt);
    v23_put(NULL, m);
}
