/* BSD-3-Clause; see LICENSE. */
/**
 * The websocket proxy: web pages and Node programs as Vanadium clients and
 * servers. This library holds only its place so far; what it will speak is in
 * spec/wspr.md.
 */
#ifndef WSPR_WSPR_H
#define WSPR_WSPR_H

#include <vname/namespace.h>

#endif
