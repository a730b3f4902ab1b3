/* BSD-3-Clause; see LICENSE. */
/* Where the objects of names are; private to librpc's client. */
#ifndef VRPC_PLACE_INT_H
#define VRPC_PLACE_INT_H

#include <v23/alloc.h>
#include <vrpc/endpoint.h>

enum { VRPC_PLACES_ = 32 };

/* A rooted name, taken apart. */
struct vrpc_place_ {
    struct v23_ref ref;
    const struct v23_alloc *al;
    struct v23_arena arena; /* holds everything */
    struct vdl_str name, address, suffix;
    struct vrpc_endpoint ep;
    bool clean; /* `name` is in its canonical form */
    bool plain; /* … and has no pattern (vrpc_name_split_pattern()) */
};

/* Those that were asked for last, by a hash of the name. */
struct vrpc_places_ {
    const struct v23_alloc *al;
    struct vrpc_place_ *v[VRPC_PLACES_];
};

/*
 * Take a name apart, or remember how.
 * @param out  a reference of the caller's
 * @return 0; V23_EENDPOINT: no address, or *why; V23_ENOMEM
 */
V23_MUST_USE int vrpc_place_get_(struct vrpc_places_ *s, struct vdl_str name,
    struct vrpc_place_ **out, const char **why);
struct vrpc_place_ *vrpc_place_ref_(struct vrpc_place_ *p);
void vrpc_place_unref_(struct vrpc_place_ *p); /* NULL is ignored */
void vrpc_places_fini_(struct vrpc_places_ *s);

#endif
