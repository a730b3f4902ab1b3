/* BSD-3-Clause; see LICENSE. */
/**
 * What runs a program that is measured for its size: on a painted stack, so
 * that the deepest use of it can be told afterwards.
 */
#ifndef SIZE_BOARD_H
#define SIZE_BOARD_H

#include <v23/bytes.h>

/** Print a line. */
void board_print(struct vdl_str text);
/** The program; 0 = it did what it should. */
int program(void);

#endif
