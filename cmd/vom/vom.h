/* BSD-3-Clause; see LICENSE. */
/* Input of the vom tool. */
#ifndef VOM_TOOL_H
#define VOM_TOOL_H

#include <v23/bytes.h>

/**
 * Append everything that can be read from standard input.
 * @return 0; 1 after an error message
 */
int input_read(struct v23_buf *out);
/**
 * Turn hex digits into bytes, in place; white space of any kind is left out.
 * @return 0; 1 after an error message
 */
int input_from_hex(struct v23_buf *data);

#endif
