/* BSD-3-Clause; see LICENSE. */
/* The files of web/, which embed.sh turns into arrays. */
#ifndef DEBUG_ASSETS_H
#define DEBUG_ASSETS_H

#include <stddef.h>

struct asset {
    const char *name;
    const unsigned char *p;
    size_t n;
};
extern const struct asset assets[]; /* the last has no name */

#endif
