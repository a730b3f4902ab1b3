/* BSD-3-Clause; see LICENSE. */
/**
 * Signatures of servers as text in VDL syntax (spec/naming.md 17.5). Named
 * types appear by name; their definitions are collected and printed once, at
 * the end:
 *
 *     vdl_named_init(&types, NULL);
 *     rc = vdl_print_interface(&x, &types, &out);
 *     …
 *     rc = vdl_named_print(&types, &out);
 *     vdl_named_fini(&types);
 */
#ifndef VOM_SIGNATURE_H
#define VOM_SIGNATURE_H

#include <v23/vdl/signature/signature.vdl.h>
#include <vom/print.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Append a method, after the lines of its documentation and without a newline:
 *
 *     Get(name string, int32) stream<_, any> (found bool | error) {"pkg".T(1)}
 *
 * @param types  receives the named types; they belong to `m`
 * @return 0; the codes of vdl_print_const() and vdl_named_add(). On failure
 *         nothing is appended, but types may have been added.
 */
V23_MUST_USE int vdl_print_method(const v23_signature_method *m,
    struct vdl_named *types, struct v23_buf *out);
/**
 * Append an interface without a newline behind: documentation, embedded
 * interfaces and methods in their order. Codes as vdl_print_method().
 */
V23_MUST_USE int vdl_print_interface(const v23_signature_interface *x,
    struct vdl_named *types, struct v23_buf *out);

#ifdef __cplusplus
}
#endif
#endif
