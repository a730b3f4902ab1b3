/* BSD-3-Clause; see LICENSE. */
/** Logging goes to the struct v23_log in an object's config; NULL = silent. */
#ifndef V23_LOG_H
#define V23_LOG_H

#include <v23/err.h>

#ifdef __cplusplus
extern "C" {
#endif

enum v23_log_level { V23_LOG_ERROR, V23_LOG_WARN, V23_LOG_INFO, V23_LOG_DEBUG };

struct v23_log {
    /* `text` is one line without newline, valid during the call. */
    void (*write)(void *ud, enum v23_log_level level, const char *text);
    void *ud;
    enum v23_log_level max; /* lines above are not formatted */
};

/**
 * Format (at most 1,023 bytes) and write one line; control characters become
 * blanks. `log` may be NULL.
 */
void v23_logf(const struct v23_log *log, enum v23_log_level level,
    const char *fmt, ...) V23_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
