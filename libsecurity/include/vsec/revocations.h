/* BSD-3-Clause; see LICENSE. */
/**
 * A discharger's list of revoked ids (hosts), a text file that people may edit
 * while the discharger runs: one id of 32 hex digits per line; empty lines, and
 * what follows a '#', are comments. The file is read again whenever it changed.
 *
 * While the file cannot be read or has a bad line, no NotRevoked caveat is
 * valid: a mistake in an edit must not bring a revoked blessing back.
 *
 * Source: spec/security.md 4.2, 9; services.md 11.2.
 */
#ifndef VSEC_REVOCATIONS_H
#define VSEC_REVOCATIONS_H

#include <v23/log.h>
#include <vsec/caveat.h>
#include <vsec/credentials.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vsec_revocations;

/**
 * Read a list, which must exist.
 *
 * @param path  copied
 * @param log   told when a later version of the file cannot be used, and when
 *              it can again; NULL = silent
 * @param why   receives a sentence that names the file and the cause when the
 *              result is not 0
 * @return 0; V23_ENOENT, V23_ESYS; V23_ETEXT: bad line; V23_ELIMIT: more than
 *         64 MiB; V23_ENOMEM
 */
V23_MUST_USE int vsec_revocations_open(const struct v23_alloc *al,
    const char *path, const struct v23_log *log,
    struct vsec_revocations **out, char why[VSEC_CRED_WHY]);
void vsec_revocations_free(struct vsec_revocations *r); /* NULL ignored */
/**
 * The kind NotRevoked, validated against the list; lives as long as it. Looks
 * at the file's state each time, which is one system call.
 */
const struct vsec_caveat_kind *vsec_revocations_kind(
    const struct vsec_revocations *r);
/**
 * Add an id to a list file, which is made if it is not there: the file is
 * replaced as a whole, so readers and a crash see the old or the new one. An id
 * that is listed already changes nothing.
 *
 * @param note  comment for the new line, without control characters; may be
 *              NULL
 * @return as vsec_revocations_open(); V23_EARG: bad note
 */
V23_MUST_USE int vsec_revocations_add(const struct v23_alloc *al,
    const char *path, const uint8_t id[VSEC_REVOCATION_ID], const char *note,
    char why[VSEC_CRED_WHY]);
/** Read an id of 32 hex digits. 0 or V23_ETEXT. */
V23_MUST_USE int vsec_revocation_id_parse(struct vdl_str text,
    uint8_t id[VSEC_REVOCATION_ID]);
/**
 * Make a NotRevoked caveat with a fresh random id.
 * @param id  receives the id
 * @return 0, V23_ENOMEM, or the random source's error
 */
V23_MUST_USE int vsec_caveat_revocable(struct vsec_engine *e,
    struct v23_arena *a, uint8_t id[VSEC_REVOCATION_ID],
    v23_security_caveat *out);

#ifdef __cplusplus
}
#endif
#endif
