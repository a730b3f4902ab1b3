/* BSD-3-Clause; see LICENSE. */
/* Formatting of log lines. */
#include <v23/log.h>

#include <stdarg.h>
#include <stdio.h>

void v23_logf(const struct v23_log *log, enum v23_log_level level,
    const char *fmt, ...)
{
    char line[1024], *p;
    va_list ap;

    if (log == NULL || log->write == NULL || level > log->max)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    /* Texts of peers must not look like lines of ours. */
    for (p = line; *p != 0; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    log->write(log->ud, level, line);
}
