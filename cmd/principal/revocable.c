/* BSD-3-Clause; see LICENSE. */
/*
 * --caveat=revocable=KEY,NAME: a third-party caveat to the discharger with this
 * key and object name, and inside it a NotRevoked caveat, whose id is printed.
 */
#include <stdio.h>
#include <string.h>

#include <vsec/revocations.h>

#include "principal.h"

/* A key in base64url, or of a file or directory. */
static int find_key(struct app *app, const char *text,
    struct vsec_pubkey **out)
{
    struct v23_buf raw;
    bool found;

    v23_buf_init(&raw, NULL, FILE_MAX);
    found = v23_base64_parse(text, strlen(text), true, &raw) == 0
        && vsec_pubkey_parse(app->engine, vdl_bytes(raw.p, raw.n), out) == 0;
    v23_buf_fini(&raw);
    return found ? 0 : app_read_key(app, text, out);
}

static int make(struct app *app, struct v23_arena *a, struct vdl_bytes key,
    const char *location, v23_security_caveat *out)
{
    uint8_t id[VSEC_REVOCATION_ID];
    char text[2 * VSEC_REVOCATION_ID + 1];
    struct vsec_third_party tp;
    v23_security_caveat inner;
    struct v23_buf hex;
    int rc;

    memset(&tp, 0, sizeof(tp));
    tp.key = key;
    tp.location = vdl_str(location);
    tp.caveats.v = &inner;
    tp.caveats.n = 1;
    rc = vsec_caveat_revocable(app->engine, a, id, &inner);
    if (rc == 0)
        rc = vsec_caveat_third_party(app->engine, a, &tp, out);
    if (rc != 0)
        return v23_error("cannot make the caveat: %s", v23_strerror(rc));
    v23_buf_init_fixed(&hex, text, sizeof(text));
    v23_hex_put(&hex, id, sizeof(id));
    fprintf(stderr, "REVOCATION_ID=%s\n", v23_buf_cstr(&hex));
    return 0;
}

int revocable_make(struct app *app, struct v23_arena *a, struct vdl_str param,
    v23_security_caveat *out)
{
    char *key = v23_arena_dup(a, param.p, param.n), *name;
    struct vsec_pubkey *k;
    int rc;

    if (key == NULL)
        return v23_error("out of memory");
    name = strchr(key, ',');
    if (name == NULL || name == key || name[1] == 0)
        return v23_error("incorrect caveat format: revocable=%s: want "
            "revocable=<key of the discharger>,<its object name>", key);
    *name++ = 0;
    rc = find_key(app, key, &k);
    if (rc == 0) {
        rc = make(app, a, k->der, name, out);
        vsec_pubkey_unref(k);
    }
    return rc;
}
