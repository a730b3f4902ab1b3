/* BSD-3-Clause; see LICENSE. */
/* Names of log files (spec/services.md 6.1). */
#ifndef LOGNAME_H
#define LOGNAME_H

#include <vom/type.h>

struct log_name {
    struct vdl_str program, host, user, logger, tag; /* borrowed */
};

/**
 * Take program.host.user.log.logger.tag.YYYYMMDD-HHMMSS.pid apart. Only the
 * program may hold dots.
 * @return 0; V23_ETEXT: no such name
 */
V23_MUST_USE int log_name_parse(struct vdl_str s, struct log_name *out);

#endif
