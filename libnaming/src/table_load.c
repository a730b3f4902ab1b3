/* BSD-3-Clause; see LICENSE. */
/*
 * The permissions file of a mount table (spec/naming.md 8.2): JSON documents
 * whose keys are node names. All are read into one map, and the whole map is
 * applied after each document, so versions count up as the reference's do.
 */
#include <cjson/cJSON.h>

#include <vname/json.h>
#include <vsec/acl.h>

#include "table_int.h"

#define TEMPLATE "%%"
#define SERVER_USER "self:?:ServerUser"

struct entry {
    struct vdl_str name;
    v23_access_permissions perms;
};

struct map {
    const struct v23_alloc *al;
    struct entry *v;
    size_t n, cap;
    bool empty_elements; /* allowed in keys */
};

/* Insert or replace, keeping byte order. */
static int put(struct map *m, struct vdl_str name,
    const v23_access_permissions *perms)
{
    size_t i = 0;
    void *v = m->v;
    int rc;

    while (i < m->n && vdl_str_cmp(m->v[i].name, name) < 0)
        i++;
    if (i == m->n || !vdl_str_eq(m->v[i].name, name)) {
        rc = v23_reserve(m->al, &v, &m->cap, m->n + 1, 1u << 20,
            sizeof(*m->v));
        if (rc != 0)
            return rc;
        m->v = v;
        memmove(&m->v[i + 1], &m->v[i], (m->n - i) * sizeof(*m->v));
        m->n++;
        m->v[i].name = name;
    }
    m->v[i].perms = *perms;
    return 0;
}

static bool is_node_name(const struct map *m, struct path p)
{
    size_t i;

    for (i = 0; i < p.n; i++)
        if ((p.v[i].n == 0 && !m->empty_elements)
            || p.v[i].n > VNAME_MAX_ELEMENT)
            return false;
    return p.n <= VNAME_MAX_DEPTH;
}

/* One member of a document: a node's name and its permissions. */
static int read_member(struct v23_arena *a, const cJSON *e, struct map *m,
    struct v23_buf *why)
{
    char *text = cJSON_PrintUnformatted(e);
    v23_access_permissions perms;
    struct vdl_str name;
    struct path p;
    int rc;

    if (text == NULL)
        return V23_ENOMEM;
    rc = vsec_perms_from_json(v23_bytes(text, strlen(text)), a, &perms, NULL);
    cJSON_free(text);
    if (rc == V23_ETEXT)
        v23_buf_printf(why, "node \"%s\" has malformed permissions",
            e->string);
    if (rc != 0)
        return rc;
    name = vdl_str(e->string);
    name.p = v23_arena_dup(a, name.p, name.n);
    if (name.p == NULL || vname_path_split_(a, name, &p) != 0)
        return V23_ENOMEM;
    if (!is_node_name(m, p)) {
        v23_buf_printf(why, "\"%s\" is no name of a node", e->string);
        return V23_ETEXT;
    }
    return put(m, name, &perms);
}

static int read_document(struct v23_arena *a, const cJSON *doc, struct map *m,
    struct v23_buf *why)
{
    const cJSON *e;
    int rc = 0;

    if (!cJSON_IsObject(doc) && !cJSON_IsNull(doc)) {
        v23_buf_puts(why, "not a JSON object");
        return V23_ETEXT;
    }
    cJSON_ArrayForEach(e, doc)
    {
        rc = read_member(a, e, m, why);
        if (rc != 0)
            break;
    }
    return rc;
}

static int apply_superusers(struct vname_table *t, const struct perms *root)
{
    const v23_access_access_list *admin
        = vname_perms_find_(&root->map, "Admin");
    v23_access_permissions_entry e = { 0 };
    v23_access_permissions map = { &e, 1 };
    struct perms *p;
    int rc;

    if (admin == NULL)
        return 0;
    e.key = vdl_str("Admin");
    e.val = *admin;
    rc = vname_perms_new_(t, &map, &p);
    if (rc == 0) {
        vname_perms_unref_(t->superusers);
        t->superusers = p;
    }
    return rc;
}

static int apply(struct vname_table *t, struct v23_arena *a,
    const struct entry *e)
{
    struct perms *p = NULL;
    struct path path;
    struct node *n;
    bool template;
    int rc = vname_path_split_(a, e->name, &path);

    if (rc != 0)
        return rc;
    template = path.n != 0 && vdl_str_is(path.v[path.n - 1], TEMPLATE);
    if (template)
        path.n--;
    n = vname_node_make_(t, path, vdl_str(SERVER_USER));
    rc = n == NULL ? V23_ENOMEM : vname_perms_keep_(t, &e->perms, &p);
    if (rc == 0 && e->name.n == 0)
        rc = apply_superusers(t, p);
    if (rc != 0) {
        vname_perms_unref_(p);
        return rc;
    }
    if (template) {
        vname_perms_unref_(n->template);
        n->template = p;
    } else {
        vname_node_set_(n, p);
    }
    return 0;
}

/* Read the document at `text`; without a store that answers later apply all
 * read so far. */
static int load_document(struct vname_table *t, struct v23_arena *a,
    struct v23_bytes text, struct map *m, struct v23_buf *why)
{
    cJSON *doc;
    size_t i;
    int rc;

    for (i = 0; i + 6 <= text.n; i++)
        if (memcmp(text.p + i, "\\u0000", 6) == 0) {
            /* The JSON library would end the text there. */
            v23_buf_puts(why, "a text has a NUL");
            return V23_ETEXT;
        }
    doc = cJSON_ParseWithLength((const char *)text.p, text.n);
    if (doc == NULL) {
        v23_buf_puts(why, "malformed JSON");
        return V23_ETEXT;
    }
    rc = read_document(a, doc, m, why);
    cJSON_Delete(doc);
    for (i = 0; rc == 0 && i < m->n && !vname_table_is_whole_(t); i++)
        rc = apply(t, a, &m->v[i]);
    return rc;
}

static int load(struct vname_table *t, struct v23_arena *a, struct map *m,
    struct vdl_str json, struct v23_buf *why)
{
    struct v23_bytes text = v23_bytes(json.p, json.n);
    size_t end;
    int rc;

    while ((rc = vname_json_check(text, &end, why)) == 0) {
        rc = load_document(t, a, v23_bytes(text.p, end), m, why);
        if (rc != 0)
            break;
        text.p += end;
        text.n -= end;
    }
    return rc == V23_EEOF ? 0 : rc;
}

/* ---- with a store of whole tables ---------------------------------------- */

/* A file whose permissions the store is being asked to keep. */
struct load {
    struct vname_table *t;
    struct v23_arena arena; /* of map and writes */
    struct map map;
    struct vname_write *writes; /* one for each entry */
    size_t left;                /* without outcome */
};

void vname_load_free_(struct vname_table *t)
{
    struct load *l = t->load;

    if (l == NULL)
        return;
    v23_put(t->al, l->map.v);
    v23_arena_fini(&l->arena);
    v23_put(t->al, l);
    t->load = NULL;
}

static bool is_template(struct path p)
{
    return p.n != 0 && vdl_str_is(p.v[p.n - 1], TEMPLATE);
}

/* Templates are this process's own: the nodes that they hang on are there. */
static int set_templates(struct load *l)
{
    const struct entry *e;
    struct perms *perms;
    struct spot s;
    struct path p;
    int rc = 0;

    for (e = l->map.v; rc == 0 && e < l->map.v + l->map.n; e++) {
        rc = vname_path_split_(&l->arena, e->name, &p);
        if (rc != 0 || !is_template(p))
            continue;
        p.n--;
        vname_spot_plain_(l->t, p, &s);
        if (s.have != p.n)
            continue; /* somebody has deleted it since */
        rc = vname_perms_keep_(l->t, &e->perms, &perms);
        if (rc == 0) {
            vname_perms_unref_(s.n->template);
            s.n->template = perms;
        }
    }
    return rc;
}

static void fail_load(struct vname_table *t, int rc, struct vdl_str why)
{
    struct v23_buf b;

    if (t->load_rc != 0)
        return;
    t->load_rc = rc;
    v23_buf_init_fixed(&b, t->load_why, sizeof(t->load_why) - 1);
    v23_buf_put(&b, why.p,
        why.n < sizeof(t->load_why) ? why.n : sizeof(t->load_why) - 1);
    t->load_why[b.n] = 0;
}

static void one_loaded(void *ud, const struct v23_verror *err)
{
    struct load *l = ud;
    struct vname_table *t = l->t;
    int rc;

    if (err != NULL)
        fail_load(t, V23_ESYS, err->msg);
    if (--l->left != 0)
        return;
    rc = set_templates(l);
    if (rc != 0)
        fail_load(t, rc, vdl_str(v23_strerror(rc)));
    vname_load_free_(t);
}

const struct v23_verror *vname_do_load_(struct vname_table *t,
    const struct vname_write *w, struct changes *ch)
{
    const struct vname_caller *c = &w->c;
    const struct v23_verror *err;
    struct vname_change *last;
    const struct node *n;

    if (vname_path_split_(c->arena, w->name, &ch->s.p) != 0)
        return vname_err_no_memory_(c);
    vname_spot_plain_(t, ch->s.p, &ch->s);
    if (vname_spot_plan_(t, NULL, vdl_str(SERVER_USER), &ch->s) != NULL)
        return vname_err_no_memory_(c);
    err = vname_changes_path_(t, c, ch);
    if (err != NULL || w->perms == NULL)
        return err;
    n = ch->s.n;
    if (ch->s.made == 0 && n->explicit && n->perms != NULL
        && v23_access_permissions_equal(&n->perms->map, w->perms))
        return NULL;
    last = &ch->v[ch->n - 1];
    if (vname_changes_keep_(c, ch) == NULL)
        return vname_err_no_memory_(c);
    last->version = last->perms == NULL ? 1
        : last->version == INT32_MAX    ? 0
                                        : last->version + 1;
    last->perms = w->perms;
    last->set = true;
    return NULL;
}

/* Ask the store for each entry. */
static int begin(struct load *l)
{
    struct vname_caller c = { .arena = &l->arena };
    const struct v23_verror *err;
    struct vname_table *t = l->t;
    size_t n = l->map.n, i;
    struct path p;

    l->writes = v23_arena_get0(&l->arena, n, sizeof(*l->writes),
        _Alignof(struct vname_write));
    if (l->writes == NULL)
        return V23_ENOMEM;
    l->left = n + 1;
    for (i = 0; i < n; i++) {
        struct vname_write *w = &l->writes[i];
        const struct entry *e = &l->map.v[i];

        if (vname_path_split_(&l->arena, e->name, &p) != 0)
            return V23_ENOMEM;
        w->kind = VNAME_WRITE_LOAD;
        w->name = e->name;
        if (is_template(p))
            w->name.n = p.n == 1
                ? 0
                : (uint32_t)(p.v[p.n - 2].p + p.v[p.n - 2].n - e->name.p);
        else
            w->perms = &e->perms;
        w->done = one_loaded;
        w->ud = l;
        err = vname_table_write(t, &c, w);
        w->until_ns = INT64_MAX; /* whoever waits knows how long */
        if (err != &vname_waiting)
            one_loaded(l, err);
    }
    one_loaded(l, NULL);
    return 0;
}

static int load_later(struct vname_table *t, struct vdl_str json,
    struct v23_buf *why)
{
    struct load *l = t->load != NULL ? NULL : v23_new(t->al, struct load);
    struct perms *root = NULL;
    int rc;

    if (l == NULL)
        return V23_ENOMEM;
    t->load = l;
    t->load_rc = 0;
    l->t = t;
    l->map.al = t->al;
    v23_arena_init(&l->arena, t->al, SIZE_MAX);
    rc = load(t, &l->arena, &l->map, json, why);
    if (rc == 0 && l->map.n != 0 && l->map.v[0].name.n == 0) {
        rc = vname_perms_keep_(t, &l->map.v[0].perms, &root);
        if (rc == 0)
            rc = apply_superusers(t, root);
        vname_perms_unref_(root);
    }
    if (rc == 0)
        rc = begin(l);
    if (rc != 0)
        vname_load_free_(t);
    return rc;
}

int vname_table_loading(const struct vname_table *t, const char **why)
{
    if (t->load != NULL)
        return V23_EAGAIN;
    if (why != NULL)
        *why = t->load_why;
    return t->load_rc;
}

int vname_table_load_permissions(struct vname_table *t, struct vdl_str json,
    struct v23_buf *why)
{
    struct map m = { t->al, NULL, 0, 0, t->empty_elements };
    struct v23_arena a;
    int rc;

    if (vname_table_is_whole_(t))
        return load_later(t, json, why);
    v23_arena_init(&a, t->al, SIZE_MAX);
    rc = load(t, &a, &m, json, why);
    v23_put(t->al, m.v);
    v23_arena_fini(&a);
    return rc;
}
