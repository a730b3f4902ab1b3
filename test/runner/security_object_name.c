/* BSD-3-Clause; see LICENSE. */
/* Patterns inside object names (spec/security.md 6.3): librpc's functions. */
#include "security_int.h"

#include <vrpc/name.h>

bool run_sec_object_name(struct run_case *c)
{
    struct vdl_str name = vdl_str(run_str(c, "name")), pattern, text;
    struct v23_arena a;
    bool ok;
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    if (strcmp(run_str(c, "op"), "split") == 0) {
        rc = vrpc_name_split_pattern(&a, name, &pattern, &text);
        ok = rc == 0
            && run_sec_same_text(c, c->json, "pattern", pattern)
            && run_sec_same_text(c, c->json, "rest", text);
    } else {
        rc = vrpc_name_join_pattern(&a, vdl_str(run_str(c, "pattern")), name,
            &text);
        ok = rc == 0 && run_sec_same_text(c, c->json, "result", text);
    }
    v23_arena_fini(&a);
    return rc == 0 ? ok : run_fail(c, "%s", v23_strerror(rc));
}
