/* BSD-3-Clause; see LICENSE. */
/**
 * Reading of VOM version 0x80 (spec/vom.md 14), which peers of 2015 write.
 *
 * With &vom_v80 in the decoder's options (struct vom_options, `v80`) streams
 * of either version are read, by the same calls and with the same results. A
 * value of the old version is rewritten into the new one before it is decoded:
 * it costs a copy, programs without the option pay and link nothing.
 *
 * complex64 and complex128 become math.Complex64 and math.Complex128. The wider
 * conversions of that time (between strings and bytes, structs and maps, sets
 * and maps) are not done.
 */
#ifndef VOM_VOM80_H
#define VOM_VOM80_H

#include <vom/dec.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VOM_VERSION_80 0x80

extern const struct vom_v80 vom_v80;

#ifdef __cplusplus
}
#endif
#endif
