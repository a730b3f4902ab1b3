/* BSD-3-Clause; see LICENSE. */
/*
 * The permissions file of a mount table (spec/naming.md 8.2): JSON documents
 * whose keys are node names. All are read into one map, and the whole map is
 * applied after each document, so versions count up as the reference's do.
 */
#include <cjson/cJSON.h>

#include <vsec/acl.h>

#include "table_int.h"

#define TEMPLATE "%%"

struct entry {
    struct vdl_str name;
    v23_access_permissions perms;
};

struct map {
    const struct v23_alloc *al;
    struct entry *v;
    size_t n, cap;
};

static struct vdl_str own_id(void)
{
    return vdl_str("self:?:ServerUser");
}

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
        char *text = cJSON_PrintUnformatted(e);
        v23_access_permissions perms;
        struct vdl_str name;

        if (text == NULL)
            return V23_ENOMEM;
        rc = vsec_perms_from_json(v23_bytes(text, strlen(text)), a, &perms,
            NULL);
        cJSON_free(text);
        if (rc == V23_ETEXT)
            v23_buf_printf(why, "node \"%s\" has malformed permissions",
                e->string);
        name = vdl_str(e->string);
        name.p = v23_arena_dup(a, name.p, name.n);
        if (rc == 0 && name.p == NULL)
            rc = V23_ENOMEM;
        if (rc == 0)
            rc = put(m, name, &perms);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Find or create without checks and quota. */
static struct node *node_at(struct vname_table *t, struct path p)
{
    struct user *u = vname_user_(t, own_id());
    struct node *cur = t->root, *next;
    struct vname_caller nobody = { 0 };
    size_t i;

    for (i = 0; u != NULL && i < p.n; i++, cur = next) {
        next = vname_child_(t, cur, p.v[i]);
        if (next != NULL)
            continue;
        next = vname_child_new_(t, cur, p.v[i], u);
        if (next == NULL)
            return NULL;
        if (cur->template != NULL) {
            if (vname_perms_expand_(t, cur->template, p.v[i], &next->perms)
                != 0)
                return NULL;
        } else if (cur->perms != NULL) {
            if (vname_perms_add_admins_(t, cur->perms, nobody.names,
                    &next->perms)
                != 0)
                return NULL;
            next->version = cur->version;
        }
    }
    return u == NULL ? NULL : cur;
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
    struct perms *p = NULL, **slot;
    struct path path;
    struct node *n;
    bool template;
    int rc = vname_path_split_(a, e->name, &path);

    if (rc != 0)
        return rc;
    template = path.n != 0 && vdl_str_is(path.v[path.n - 1], TEMPLATE);
    if (template)
        path.n--;
    n = node_at(t, path);
    rc = n == NULL ? V23_ENOMEM : vname_perms_keep_(t, &e->perms, &p);
    if (rc == 0 && e->name.n == 0)
        rc = apply_superusers(t, p);
    if (rc != 0) {
        vname_perms_unref_(p);
        return rc;
    }
    slot = template ? &n->template : &n->perms;
    if (!template) {
        n->version = n->perms == NULL ? 1 : n->version + 1;
        n->explicit = true;
    }
    vname_perms_unref_(*slot);
    *slot = p;
    return 0;
}

int vname_table_load_permissions(struct vname_table *t, struct vdl_str json,
    int64_t now_ns, struct v23_buf *why)
{
    struct map m = { t->al, NULL, 0, 0 };
    struct v23_arena a;
    const char *at, *end;
    char *text;
    int rc = 0;
    size_t i;

    (void)now_ns;
    v23_arena_init(&a, t->al, SIZE_MAX);
    text = v23_arena_dup(&a, json.p, json.n);
    if (text == NULL)
        rc = V23_ENOMEM;
    for (at = text; rc == 0; at = end) {
        cJSON *doc;

        while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
            at++;
        if (at == text + json.n)
            break;
        doc = cJSON_ParseWithOpts(at, &end, 0);
        if (doc == NULL) {
            v23_buf_printf(why, "malformed JSON at byte %zu",
                end == NULL ? (size_t)(at - text) : (size_t)(end - text));
            rc = V23_ETEXT;
            break;
        }
        rc = read_document(&a, doc, &m, why);
        cJSON_Delete(doc);
        for (i = 0; rc == 0 && i < m.n; i++)
            rc = apply(t, &a, &m.v[i]);
    }
    v23_put(t->al, m.v);
    v23_arena_fini(&a);
    return rc;
}
