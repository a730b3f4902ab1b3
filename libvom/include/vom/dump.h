/* BSD-3-Clause; see LICENSE. */
/**
 * Dumps of VOM streams, for people: one line for each piece of the encoding
 * ("atom"), and a line of status after each message (spec/vom.md 16.2).
 *
 *     52                   MsgId                             41
 *                          ValueMsg                          41 [[]int8]
 *     02                   MsgLen                             2
 *     01                   ValueLen                           1 [list len]
 *     05                   PrimValue                         -3 [int]
 *
 * Bytes may come in pieces of any size; atoms are written as soon as they are
 * complete. The version byte may be missing. Types and values travel in one
 * stream.
 */
#ifndef VOM_DUMP_H
#define VOM_DUMP_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vom_dumper; /* opaque */

/**
 * @param al     NULL = libc
 * @param write  receives the dump piece by piece; lines may be cut
 * @return 0, V23_ENOMEM
 */
V23_MUST_USE int vom_dumper_new(const struct v23_alloc *al,
    void (*write)(void *ud, const char *text, size_t n), void *ud,
    struct vom_dumper **out);
void vom_dumper_free(struct vom_dumper *d); /* NULL ignored */
/**
 * Dump n more bytes.
 *
 * @return 0, also in the middle of a message; the codes of vom/dec.h: the
 *         status with the error has been written, all bytes are dropped, the
 *         types so far are kept, and the next byte begins a message;
 *         V23_ENOMEM
 * Cost: a message that comes in many pieces is looked at again whenever it has
 *       grown by a quarter.
 */
V23_MUST_USE int vom_dumper_input(struct vom_dumper *d, const uint8_t *p,
    size_t n);
/** Write the present status: what has come, and what is waited for. */
V23_MUST_USE int vom_dumper_status(struct vom_dumper *d);
/**
 * Drop a message that is incomplete (its status is written); types are kept
 * and the next byte begins a message. Also to be called at the end.
 */
V23_MUST_USE int vom_dumper_flush(struct vom_dumper *d);

#ifdef __cplusplus
}
#endif
#endif
