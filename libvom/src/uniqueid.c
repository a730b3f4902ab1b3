/* BSD-3-Clause; see LICENSE. */
#include <v23/uniqueid.h>

#include <string.h>

#define RANDOM 14

int v23_uniqueid_next(struct v23_uniqueids *s, uint8_t id[16])
{
    unsigned n = ((unsigned)s->last[RANDOM] << 8 | s->last[RANDOM + 1]) + 1;
    int rc = 0;

    /* The top bit is always set: zero there is the very first time. */
    if ((n & 0x7fff) == 0 || s->last[RANDOM] == 0) {
        rc = s->random(s->ud, s->last, RANDOM);
        if (rc != 0)
            memset(s->last, 0, RANDOM);
        n = 0;
    }
    n |= 0x8000;
    s->last[RANDOM] = (uint8_t)(n >> 8);
    s->last[RANDOM + 1] = (uint8_t)n;
    memcpy(id, s->last, sizeof(s->last));
    return rc;
}
