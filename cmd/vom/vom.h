/* BSD-3-Clause; see LICENSE. */
/* Input and dumps of the vom tool. Functions that return an int give an exit
 * code: not 0 after an error message. */
#ifndef VOM_TOOL_H
#define VOM_TOOL_H

#include <v23/bytes.h>

/** Append everything that can be read from standard input. */
int input_read(struct v23_buf *out);
/** How many bytes end with a whole character: all, or up to 3 less. */
size_t input_whole(const struct v23_buf *data);
/** Leave out white space of any kind; bytes that are no UTF-8 stay. */
void input_drop_space(struct v23_buf *data);
/** Turn hex digits, with white space or without, into bytes. */
int input_from_hex(struct v23_buf *data);

/** Dump to standard output, and an empty line. */
int dump_data(const struct v23_buf *data);
/** Dump standard input as it comes; hex may hold commands. */
int dump_stdin(bool binary);

#endif
