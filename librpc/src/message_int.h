/* BSD-3-Clause; see LICENSE. */
/* What message.c and setup.c share. */
#ifndef VRPC_MESSAGE_INT_H
#define VRPC_MESSAGE_INT_H

#include <vrpc/message.h>

/* Longest endpoint text taken from a peer, and the memory its parts need. */
#define VRPC_ENDPOINT_TEXT_MAX_ 4096u
#define VRPC_ENDPOINT_PARTS_ 8192u
/* From this version on the binding covers both Setups. */
#define VRPC_BINDING_SETUPS 14

/* Input being read; the first failure sticks. */
struct vrpc_cursor_ {
    const uint8_t *p, *end;
    bool bad;
};

uint64_t vrpc_take_uint_(struct vrpc_cursor_ *c);
struct v23_bytes vrpc_take_bytes_(struct vrpc_cursor_ *c);
void vrpc_put_bytes_(struct v23_buf *out, struct v23_bytes b);
/* 0; V23_EENDPOINT; V23_ELIMIT */
int vrpc_check_endpoint_(struct v23_bytes text);
/* 0, an enum vrpc_msg_fault (positive) or V23_ELIMIT. */
int vrpc_setup_decode_(struct vrpc_cursor_ *c, struct vrpc_setup *s);
/* Everything after the type byte. */
void vrpc_setup_encode_(const struct vrpc_setup *s, struct v23_buf *out);

#endif
