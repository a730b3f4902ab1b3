/* BSD-3-Clause; see LICENSE. */
/** What a small device sets in v23/config.h (-DV23_CONFIG_FILE='"mcu.h"'). */
#ifndef SIZE_MCU_H
#define SIZE_MCU_H

#define V23_ARENA_BLOCK 256
#define V23_ARENA_KEEP 1024
/* VDL_TYPE_LIMITS_MCU allows as many types. */
#define V23_TYPE_GRAPH 64
#define V23_TYPE_NEST 64

#endif
