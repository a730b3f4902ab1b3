/* BSD-3-Clause; see LICENSE. */
/**
 * Switches and limits fixed when the libraries are built. Each has a default;
 * a build for a small device overrides some in a file of its own, given as
 * -DV23_CONFIG_FILE='"my_config.h"' to the libraries and the program alike.
 */
#ifndef V23_CONFIG_H
#define V23_CONFIG_H

#ifdef V23_CONFIG_FILE
#include V23_CONFIG_FILE
#endif

/* Bytes of an arena's first block; later ones double. Cost: that much per
 * arena in use. */
#ifndef V23_ARENA_BLOCK
#define V23_ARENA_BLOCK 1024
#endif

/* Largest block an arena makes unasked and keeps when it is reset. */
#ifndef V23_ARENA_KEEP
#define V23_ARENA_KEEP 65536
#endif

/* Types that a comparison of two type graphs, or the text of one, can tell
 * apart, at most 32767. Cost: up to 60 bytes of stack each while comparing. */
#ifndef V23_TYPE_GRAPH
#define V23_TYPE_GRAPH 512
#endif

/* Nesting of the text of a type. Cost: 16 bytes of stack each. */
#ifndef V23_TYPE_NEST
#define V23_TYPE_NEST 512
#endif

#endif
