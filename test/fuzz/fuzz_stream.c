/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of signed streams: two octets with the length of the data, the
 * data, the stream with hashes and signature. Signatures of the cheap keys
 * always verify, hashes are real. What is accepted is not with more behind it,
 * and data signed here is accepted.
 */
#include "cheap.h"

#include <vsec/credentials.h>

static void sign(
    struct vsec_signer *s, struct v23_bytes data, uint32_t chunk)
{
    struct v23_buf sig;

    v23_buf_init(&sig, NULL, 64u << 20);
    check(vsec_stream_sign(s, data, chunk, &sig) == 0);
    check(vsec_stream_verify(s->pub, data, v23_bytes(sig.p, sig.n)) == 0);
    v23_buf_put_byte(&sig, 0);
    check(sig.err == 0 &&
          vsec_stream_verify(s->pub, data, v23_bytes(sig.p, sig.n)) != 0);
    v23_buf_fini(&sig);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static struct vsec_signer *s;
    struct v23_bytes data, sig;
    size_t len;

    if (n < 2)
        return 0;
    if (s == NULL)
        s = cheap_signer(0);
    len = (size_t)p[0] << 8 | p[1];
    if (len > n - 2)
        len = n - 2;
    data = v23_bytes(p + 2, len);
    sig = v23_bytes(p + 2 + len, n - 2 - len);
    if (vsec_stream_verify(s->pub, data, sig) == 0 && data.n > 0)
        check(vsec_stream_verify(
                  s->pub, v23_bytes(data.p, data.n - 1), sig) != 0);
    sign(s, data, 1u + (p[0] ^ p[1]));
    return 0;
}
