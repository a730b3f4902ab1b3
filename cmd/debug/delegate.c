/* BSD-3-Clause; see LICENSE. */
/* debug delegate: a key and blessings with which somebody else may look into
 * our servers for a while. */
#include "debug.h"

#include <stdio.h>
#include <string.h>

#include <v23/time.h>
#include <vom/time.h>
#include <vom/value.h>
#include <vsec/blessings.h>
#include <vsec/principal.h>

static const char *access_tags = "resolve,debug";

static const char *const tags[] = { "Admin", "Read", "Write", "Debug",
    "Resolve" };
enum { NTAGS = sizeof(tags) / sizeof(tags[0]) };

static const char *find_tag(struct vdl_str word)
{
    size_t i;

    for (i = 0; i < NTAGS; i++)
        if (vdl_str_eq_nocase(word, vdl_str(tags[i])))
            return tags[i];
    return NULL;
}

/* A caveat for the methods with one of the tags of -access. */
static int access_caveat(struct v23_arena *a, v23_security_caveat *out)
{
    const char *s = access_tags, *end, *tag;
    struct vdl_str *v;
    vdl_str_list l = { NULL, 0 };
    size_t n = strlen(s) + 1;

    v = v23_arena_get0(a, n, sizeof(*v), _Alignof(struct vdl_str));
    if (v == NULL)
        return out_of_memory();
    for (;; s = end + 1) {
        end = strchr(s, ',');
        n = end == NULL ? strlen(s) : (size_t)(end - s);
        tag = find_tag(vdl_strn(s, n));
        if (tag == NULL)
            return v23_error("invalid --access: [%.*s] is not in [Admin Read "
                "Write Debug Resolve]", (int)n, s);
        v[l.n++] = vdl_str(tag);
        if (end == NULL)
            break;
    }
    l.v = v;
    return vsec_caveat_access_tags(a, l, out) == 0 ? 0 : out_of_memory();
}

static void put_base64(struct v23_buf *out, const struct v23_buf *b)
{
    v23_base64_put(out, b->p, b->n, true);
}

static int print(struct vsec_signer *signer, const struct vsec_blessings *b,
    const char *name)
{
    struct v23_buf key, bytes, out;
    int rc;

    v23_buf_init(&key, NULL, 1u << 16);
    v23_buf_init(&bytes, NULL, 1u << 22);
    v23_buf_init(&out, NULL, 1u << 24);
    rc = vsec_pkcs8_put(signer, &key);
    if (rc == 0)
        rc = vsec_blessings_encode(NULL, b, &bytes);
    v23_buf_puts(&out, "Your delegate will be seen as ");
    v23_buf_put_str(&out, vsec_blessings_text(b));
    v23_buf_puts(&out, " at your server. Ask them to run:\n\n"
        "debug browse \\\n  --key=\"");
    put_base64(&out, &key);
    v23_buf_puts(&out, "\" \\\n  --blessings=\"");
    put_base64(&out, &bytes);
    v23_buf_puts(&out, "\" \\\n  ");
    vdl_format_quoted(&out, name, strlen(name));
    v23_buf_put_byte(&out, '\n');
    if (rc != 0)
        out.err = rc;
    rc = print_buf(&out);
    if (key.p != NULL)
        v23_wipe(key.p, key.cap);
    if (out.p != NULL)
        v23_wipe(out.p, out.cap);
    v23_buf_fini(&key);
    v23_buf_fini(&bytes);
    v23_buf_fini(&out);
    return rc;
}

static int bless(struct vname_program *p, const char *to, int64_t ns,
    const char *name)
{
    struct vsec_principal *me = p->rt.principal;
    struct vsec_blessings *b = NULL;
    struct vsec_signer *signer = NULL;
    v23_security_caveat c[2];
    struct vsec_bless what;
    struct v23_arena a;
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    rc = access_caveat(&a, &c[1]);
    if (rc != 0)
        goto out;
    rc = vsec_caveat_expiry(&a, v23_walltime_add(vrpc_ev_wall(), ns), &c[0]);
    if (rc == 0)
        rc = vsec_signer_generate(me->engine, "ecdsa256", &signer);
    if (rc == 0) {
        what.key = signer->pub;
        what.with = vsec_store_default(me->store);
        what.extension = vdl_str(to);
        what.caveats.v = c;
        what.caveats.n = 2;
        rc = vsec_principal_bless(me, &what, &b);
    }
    if (rc != 0)
        rc = v23_error("cannot bless \"%s\": %s", to,
            rc == V23_EARG ? "there is no default blessing to extend"
                           : v23_strerror(rc));
    else
        rc = print(signer, b, name);
out:
    vsec_blessings_unref(b);
    vsec_signer_unref(signer);
    v23_arena_fini(&a);
    return rc;
}

static int delegate(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct v23_buf why;
    int64_t ns;
    int rc;

    if (argc < 2 || argc > 3)
        return v23_usage_error(inv, "got %d arguments, expecting 2 or 3",
            argc);
    v23_buf_init(&why, NULL, 4096);
    rc = v23_duration_parse(argv[1], &ns, &why);
    if (rc != 0)
        rc = v23_usage_error(inv, "failed to parse <duration>: %s",
            v23_buf_cstr(&why));
    else
        rc = bless(ud, argv[0], ns, argc == 3 ? argv[2] : "<name>");
    v23_buf_fini(&why);
    return rc;
}

static const struct v23_flag flags[] = {
    { "access", "Comma-separated list of access tags on methods that can be "
        "invoked by the delegate", "resolve,debug", V23_FLAG_STRING,
        &access_tags, NULL },
};
const struct v23_command cmd_delegate = {
    .name = "delegate",
    .brief = "Create credentials to delegate debugging to another user",
    .about = "Generates credentials (private key and blessings) required to "
        "debug remote processes owned by the caller and prints out the "
        "command that the delegate can run. The delegation limits the bearer "
        "of the token to invoke methods on the remote process only if they "
        "have the \"access.Debug\" tag on them, and this token is valid only "
        "for limited amount of time. For example, if Alice wants Bob to debug "
        "a remote process owned by her for the next 2 hours, she runs:\n\n"
        "  debug delegate my-friend-bob 2h myservices/myservice\n\n"
        "And sends Bob the output of this command. Bob will then be able to "
        "inspect the remote process as myservices/myservice with the same "
        "authorization as Alice.",
    .args = "<to> <duration> [<name>]",
    .args_help = "<to> is an identifier to provide to the delegate.\n\n"
        "<duration> is the time period to delegate for (e.g., 1h for 1 "
        "hour)\n\n"
        "<name> (optional) is the vanadium object name of the remote process "
        "to inspect",
    .flags = flags,
    .nflags = 1,
    .run = delegate,
};
