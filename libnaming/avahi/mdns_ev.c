/* BSD-3-Clause; see LICENSE. */
/*
 * DNS-SD with libavahi-core on a libevent loop. A browser of PTR records finds
 * instances, and for each a browser of TXT records tells what they say. Records
 * are made and read as such (not with avahi's service functions): their life is
 * ours to choose, and names of instances may come in forms that those refuse.
 */
#define _DEFAULT_SOURCE /* interfaces */
#include <vname/mdns.h>

#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <sys/socket.h>

#include <avahi-common/domain.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-core/core.h>
#include <avahi-core/log.h>
#include <avahi-core/lookup.h>
#include <avahi-core/publish.h>

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

/* The highest hardware address of this machine, as HEAD orders them. */
static void put_hardware(struct v23_buf *out)
{
    char best[3 * 8 + 1] = "", text[sizeof(best)];
    struct ifaddrs *all, *i;
    const char *c;
    int k;

    if (getifaddrs(&all) != 0)
        return;
    for (i = all; i != NULL; i = i->ifa_next) {
        struct sockaddr_ll ll;

        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_PACKET
            || (i->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        memcpy(&ll, i->ifa_addr, sizeof(ll));
        text[0] = 0;
        for (k = 0; k < ll.sll_halen && k < 8; k++)
            snprintf(text + 3 * k, sizeof(text) - 3 * (size_t)k, "%02x:",
                ll.sll_addr[k]);
        if (strcmp(text, best) > 0)
            memcpy(best, text, sizeof(best));
    }
    freeifaddrs(all);
    for (c = best; *c != 0; c++)
        if (*c != ':')
            v23_buf_put(out, c, 1);
}

/* `()` at the end of the host becomes the hardware address in parentheses. */
static int complete_host(struct vname_mdns *m)
{
    struct v23_buf *h = &m->host;

    if (h->n >= 2 && memcmp(h->p + h->n - 2, "()", 2) == 0) {
        v23_buf_cut(h, h->n - 1);
        put_hardware(h);
        v23_buf_puts(h, ")");
    }
    return h->err;
}

/* The host as one label, without the domain behind it. */
static int host_label(const struct vname_mdns *m, char *label, size_t n)
{
    struct v23_buf b;
    int rc;

    v23_buf_init_fixed(&b, label, n);
    rc = vname_dns_instance(text_of(&m->host), vdl_str(""), &b);
    if (rc == 0)
        label[b.n - 1] = 0; /* the dot */
    return rc == V23_ENOSPC ? V23_EARG : rc;
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

static AvahiRecord *location(const struct vname_mdns *m, const char *instance)
{
    AvahiRecord *r = record(instance, AVAHI_DNS_TYPE_SRV, m->cfg.ttl);

    if (r == NULL)
        return NULL;
    r->data.srv.priority = 0;
    r->data.srv.weight = 0;
    r->data.srv.port = m->cfg.port;
    r->data.srv.name = avahi_strdup(
        avahi_server_get_host_name_fqdn(m->server));
    if (r->data.srv.name == NULL) {
        avahi_record_unref(r);
        return NULL;
    }
    return r;
}

/* The host has its name: announce the service. */
static void announce(struct vname_mdns *m)
{
    char instance[VNAME_DOMAIN_MAX], *service = (char *)m->service.p;
    struct v23_buf b;
    int rc;

    v23_buf_init_fixed(&b, instance, sizeof(instance) - 1);
    if (vname_dns_instance(text_of(&m->host), text_of(&m->service), &b) != 0) {
        give_up(m, "the name is too long");
        return;
    }
    instance[b.n] = 0;
    if (m->group == NULL)
        m->group = avahi_s_entry_group_new(m->server, on_group, m);
    if (m->group == NULL) {
        give_up(m, "out of memory");
        return;
    }
    avahi_s_entry_group_reset(m->group);
    rc = add_record(m, 0, pointer(m, service, instance));
    if (rc == 0)
        rc = add_record(m, AVAHI_PUBLISH_UNIQUE, texts(m, instance));
    if (rc == 0)
        rc = add_record(m, AVAHI_PUBLISH_UNIQUE, location(m, instance));
    if (rc == 0)
        rc = avahi_s_entry_group_commit(m->group);
    if (rc != 0)
        give_up(m, avahi_strerror(rc));
}

/* Somebody else has the name. */
static void rename_host(struct vname_mdns *m)
{
    char label[VNAME_DOMAIN_MAX];

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
    if (complete_host(m) != 0 || host_label(m, label, sizeof(label)) != 0) {
        give_up(m, "the name is in use, and too long to append something");
        return;
    }
    if (m->group != NULL)
        avahi_s_entry_group_reset(m->group);
    if (avahi_server_set_host_name(m->server, label) < 0)
        give_up(m, avahi_strerror(avahi_server_errno(m->server)));
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
    switch (state) {
    case AVAHI_SERVER_RUNNING:
        if (m->cfg.host.n != 0)
            announce(m);
        break;
    case AVAHI_SERVER_COLLISION:
        rename_host(m);
        break;
    case AVAHI_SERVER_REGISTERING:
        if (m->group != NULL)
            avahi_s_entry_group_reset(m->group);
        break;
    case AVAHI_SERVER_FAILURE:
        give_up(m, avahi_strerror(avahi_server_errno(s)));
        break;
    default:
        break;
    }
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

/* Names of the loopback interfaces. */
static AvahiStringList *loopbacks(void)
{
    AvahiStringList *list = NULL;
    struct ifaddrs *all, *i;

    if (getifaddrs(&all) != 0)
        return NULL;
    for (i = all; i != NULL; i = i->ifa_next)
        if ((i->ifa_flags & IFF_LOOPBACK) != 0
            && avahi_string_list_find(list, i->ifa_name) == NULL)
            list = avahi_string_list_add(list, i->ifa_name);
    freeifaddrs(all);
    return list;
}

/* What the library has to say is not for users of programs. */
static void be_silent(AvahiLogLevel level, const char *text)
{
    (void)level;
    (void)text;
}

static int start(struct vname_mdns *m, const char **why)
{
    char label[VNAME_DOMAIN_MAX];
    AvahiStringList *list = loopbacks();
    AvahiServerConfig c;
    int err = 0, rc = 0;

    avahi_set_log_function(be_silent);
    avahi_server_config_init(&c);
    c.n_cache_entries_max = VNAME_MDNS_CACHE;
    c.publish_domain = 0;
    c.disable_publishing = m->cfg.host.n == 0;
    if (m->cfg.host.n != 0) {
        rc = host_label(m, label, sizeof(label));
        if (rc == 0 && (c.host_name = avahi_strdup(label)) == NULL)
            rc = V23_ENOMEM;
    }
    if (m->cfg.loopback)
        c.allow_interfaces = list;
    else
        c.deny_interfaces = list;
    if (rc == V23_EARG)
        *why = "the name is empty or too long";
    if (rc == 0) {
        m->server = avahi_server_new(&m->poll, &c, on_server, m, &err);
        if (m->server == NULL) {
            *why = avahi_strerror(err);
            rc = err == AVAHI_ERR_NO_MEMORY ? V23_ENOMEM
                : err == AVAHI_ERR_INVALID_HOST_NAME ? V23_EARG
                                                     : V23_ESYS;
        }
    }
    avahi_server_config_free(&c);
    return rc != 0 ? rc : look(m);
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
    if (rc == 0)
        rc = start(m, why);
    if (rc != 0) {
        vname_mdns_free(m);
        return rc;
    }
    *out = m;
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
    if (m->services != NULL)
        avahi_s_record_browser_free(m->services);
    if (m->server != NULL)
        avahi_server_free(m->server); /* with the group, after its goodbye */
    v23_buf_fini(&m->service);
    v23_buf_fini(&m->host);
    v23_buf_fini(&m->txt);
    v23_put(NULL, m);
}
