/* BSD-3-Clause; see LICENSE. */
/* The decoders that a profile may name. */
#include <vom/dec.h>
#include <vsec/profile.h>

/* Of a peer's types, those of blessings are not built again. */
int vsec_decode_host(struct v23_bytes vom, struct v23_arena *a,
    const struct vdl_type *t, void *out)
{
    const struct vdl_type *whole = &v23_security_wire_blessings_desc;
    const struct vdl_type *chains = whole->fields[0].type;
    const struct vdl_type *cert = chains->elem->elem;
    const struct vdl_type *caveats = cert->fields[2].type;
    const struct vdl_type *const known[] = { &v23_uniqueid_id_desc,
        caveats->elem, caveats, &v23_security_hash_desc,
        &v23_security_signature_desc, cert, chains->elem, chains, whole };
    struct vom_options opt = vom_options_host;
    size_t used;

    if (t == whole) {
        opt.known.types = known;
        opt.known.n = sizeof(known) / sizeof(known[0]);
    }
    return vom_decode_single(vom.p, vom.n, &opt, a, t, out, &used);
}

int vsec_decode_lean(struct v23_bytes vom, struct v23_arena *a,
    const struct vdl_type *t, void *out)
{
    static const struct vom_limits limits = VOM_LIMITS_MCU;
    size_t used;

    return vom_decode_lean(vom, &limits, a, t, out, &used);
}
