/* BSD-3-Clause; see LICENSE. */
/**
 * What a program for a small device replaces.
 *
 * libsecurity reaches some things only through the constant vsec_profile. The
 * one in the archive has everything and is alone in its object file: a program
 * that defines vsec_profile itself gets its own, and what that does not name is
 * not linked. v23_alloc_libc (v23/alloc.h) can be replaced in the same way.
 *
 *     const struct vsec_profile vsec_profile = { vsec_decode_lean, &kinds,
 *         NULL };
 */
#ifndef VSEC_PROFILE_H
#define VSEC_PROFILE_H

#include <vsec/caveat.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsec_errors; /* opaque */

struct vsec_profile {
    /*
     * Decode a VOM value that a peer encoded (blessings, discharge, parameter
     * of a caveat) into the arena; octets after it are ignored.
     */
    int (*decode)(struct v23_bytes vom, struct v23_arena *a,
        const struct vdl_type *t, void *out);
    /* Kinds of caveats of a call that names none. */
    const struct vsec_caveat_kinds *kinds;
    /*
     * Makes the errors of checks, with parameters and text. NULL: they are
     * constants, which have the right id and neither of these; errors that
     * vsec_check_complete() and a hook give are not copied then.
     */
    const struct vsec_errors *errors;
};
extern const struct vsec_profile vsec_profile;

/** As vom_decode_single() does it with the limits of a host. */
V23_MUST_USE int vsec_decode_host(struct v23_bytes vom, struct v23_arena *a,
    const struct vdl_type *t, void *out);
/** As vom_decode_lean() does it with the limits of a device. */
V23_MUST_USE int vsec_decode_lean(struct v23_bytes vom, struct v23_arena *a,
    const struct vdl_type *t, void *out);
/** What vsec_profile.errors is on a host. */
extern const struct vsec_errors vsec_errors_full;

#ifdef __cplusplus
}
#endif
#endif
