/* BSD-3-Clause; see LICENSE. */
/* A sensor that only sends: a reading with its types, into a fixed buffer. */
#include "board.h"

#include <example.org/size/size.vdl.h>

#define SAMPLES 3

uint8_t encode_out[512];
/* What the hardware would change. */
volatile uint32_t encode_sequence = 4711;

int program(void)
{
    size_sample samples[SAMPLES] = {
        {SIZE_CHANNEL_TEMPERATURE, 21.5f, 0},
        {SIZE_CHANNEL_HUMIDITY, 40.25f, 12},
        {SIZE_CHANNEL_PRESSURE, 1013.0f, 300},
    };
    size_reading r = {VDL_STR_INIT("kitchen"), 0, 3.3f, {samples, SAMPLES}};
    struct v23_buf out;

    r.sequence = encode_sequence;
    v23_buf_init_fixed(&out, encode_out, sizeof(encode_out));
    return size_reading_encode_single(&r, &out);
}
