/* BSD-3-Clause; see LICENSE. */
/* The protocol of 2014 is refused. */
#include "wspr_int.h"

static int open_era(struct wspr_ctl *c)
{
    (void)c;
    return 0;
}

static void close_era(struct wspr_ctl *c)
{
    (void)c;
}

static void message(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    (void)f;
    wspr_ctl_plain_(c, "the protocol of 2014 is not spoken here");
}

const struct wspr_era_ wspr_era_json_ = {
    .name = "json",
    .open = open_era,
    .close = close_era,
    .message = message,
};
