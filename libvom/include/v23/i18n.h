/* BSD-3-Clause; see LICENSE. */
/**
 * Message catalogues: texts of errors in other languages, for people to read.
 * Nothing on the wire changes. Source: spec/vdl.md 10 (formats), spec/rpc.md
 * 21.1, spec/services.md 3.2.
 *
 * A catalogue is text, one message a line; `#` starts a comment line, what
 * follows the closing quote is ignored:
 *
 *     de v.io/v23/verror.NoExist "{1:}{2:} gibt es nicht: {_}"
 *
 * A format is that of struct v23_errdef, but says itself where component and
 * operation go: `{1:}{2:}`.
 */
#ifndef V23_I18N_H
#define V23_I18N_H

#include <v23/verror.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of one catalogue. */
#define V23_I18N_MAX_MESSAGES 65536u
#define V23_I18N_MAX_BYTES (16u << 20) /* of names and formats */
/* Of the text that names bad lines. */
#define V23_I18N_WHY 4096u

struct v23_i18n;

/** @param al  NULL = libc. @return 0 or V23_ENOMEM */
V23_MUST_USE int v23_i18n_new(const struct v23_alloc *al,
    struct v23_i18n **out);
/** NULL is ignored. */
void v23_i18n_free(struct v23_i18n *c);
/**
 * Add the messages of a text; a message that is there already is replaced.
 *
 * @param why  receives a line for each line that is no message, "line 3: no
 *             format in quotes", and is cut off at V23_I18N_WHY bytes; may be
 *             NULL
 * @return 0; V23_ETEXT: there are bad lines, the others have been added;
 *         V23_ELIMIT, V23_ENOMEM: those before have been added
 */
V23_MUST_USE int v23_i18n_merge(struct v23_i18n *c, struct v23_bytes text,
    struct v23_buf *why);
/**
 * Append all messages, in the form that v23_i18n_merge() reads, sorted by
 * language and id.
 */
void v23_i18n_print(const struct v23_i18n *c, struct v23_buf *out);
/**
 * The format of a message in a language: of exactly this one; else of its base,
 * "de" of "de-AT"; else of the first one with that base.
 *
 * @return false: there is none. *format is valid until the next merge
 */
bool v23_i18n_lookup(const struct v23_i18n *c, struct vdl_str language,
    struct vdl_str id, struct vdl_str *format);
/**
 * Append the text of an error in a language: its parameters in the format of
 * its id, or, where there is none, the text that came with it.
 *
 * @param c  NULL = no format
 */
void v23_i18n_error(const struct v23_i18n *c, struct vdl_str language,
    const struct v23_verror *e, struct v23_buf *out);
/**
 * The language that an environment asks for, "de-AT" from "de_AT.UTF-8".
 *
 * @param lang  value of $LANG; NULL, "", "C" and "POSIX" ask for none
 * @param out   receives it, cut off at the size
 * @return a view of `out`
 */
struct vdl_str v23_i18n_language(const char *lang, char out[32]);

#ifdef __cplusplus
}
#endif
#endif
