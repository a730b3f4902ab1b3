/* BSD-3-Clause; see LICENSE. */
/**
 * Handles of operations that complete later (design: hooks never block).
 *
 * A hook returns 0 with its result, an error, or V23_EAGAIN; after V23_EAGAIN
 * the hook's owner calls the matching X_complete() with the op exactly once,
 * later, never from inside the hook. A stale op is ignored.
 */
#ifndef V23_OP_H
#define V23_OP_H

#include <stdint.h>

struct v23_op {
    uint32_t index;
    uint32_t generation; /* 0 = no operation */
};

#endif
