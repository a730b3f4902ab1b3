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
    n = vname_node_make_(t, path, vdl_str("self:?:ServerUser"));
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

/* Read the document at `text` and apply all read so far. */
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
    for (i = 0; rc == 0 && i < m->n; i++)
        rc = apply(t, a, &m->v[i]);
    return rc;
}

int vname_table_load_permissions(struct vname_table *t, struct vdl_str json,
    struct v23_buf *why)
{
    struct map m = { t->al, NULL, 0, 0, t->empty_elements };
    struct v23_bytes text = v23_bytes(json.p, json.n);
    struct v23_arena a;
    size_t end;
    int rc;

    v23_arena_init(&a, t->al, SIZE_MAX);
    while ((rc = vname_json_check(text, &end, why)) == 0) {
        rc = load_document(t, &a, v23_bytes(text.p, end), &m, why);
        if (rc != 0)
            break;
        text.p += end;
        text.n -= end;
    }
    v23_put(t->al, m.v);
    v23_arena_fini(&a);
    return rc == V23_EEOF ? 0 : rc;
}
