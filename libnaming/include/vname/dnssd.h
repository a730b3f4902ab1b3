/* BSD-3-Clause; see LICENSE. */
/**
 * The parts of DNS-SD records (RFC 6763) that services choose: names of
 * services and instances as domain names, and the strings of TXT records.
 * Without I/O; what speaks mDNS is vname/mdns.h.
 *
 * Domain names are texts without a dot at the end, in which `\.` and `\\` are
 * a dot and a backslash inside of a label, and `\ddd` is any byte, in decimal
 * digits.
 *
 * Thread: functions without state. Source: spec/naming.md 12.1, 19.4.
 */
#ifndef VNAME_DNSSD_H
#define VNAME_DNSSD_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VNAME_TXT_STRING_MAX = 255, /* octets of one string */
    VNAME_TXT_MAX = 8192,       /* octets of a record that is made; with the
                                   others it must fit in a packet */
    VNAME_LABEL_MAX = 63,
    VNAME_DOMAIN_MAX = 1024     /* octets of a domain name's text */
};

/** Append `_<service>._tcp.local`. 0 or the buffer's error. */
V23_MUST_USE int vname_dns_service(struct vdl_str service,
    struct v23_buf *out);
/** Append `<host>.local`, the host as one label; errors as below. */
V23_MUST_USE int vname_dns_host(struct vdl_str host, struct v23_buf *out);
/**
 * Append `<instance>.<domain>`, the instance as one label.
 * @return 0; V23_EARG: the instance is empty or longer than VNAME_LABEL_MAX
 *         octets; the buffer's error
 */
V23_MUST_USE int vname_dns_instance(struct vdl_str instance,
    struct vdl_str domain, struct v23_buf *out);
/**
 * The other way round: append the instance, without escapes. Labels before it
 * become part of the instance: some peers write a dot in it as such.
 * @return 0; V23_ENOENT: not below this domain (case is ignored); V23_ETEXT:
 *         malformed, or no instance; the buffer's error
 */
V23_MUST_USE int vname_dns_instance_of(struct vdl_str name,
    struct vdl_str domain, struct v23_buf *out);

/**
 * Append the contents of a TXT record: each string with its length before it.
 * @return 0; V23_ELIMIT: a string or all of them are too long; the buffer's
 *         error
 */
V23_MUST_USE int vname_txt_pack(vdl_str_list strings, struct v23_buf *out);
/**
 * Read them.
 * @param out  points into `data`; the list is in the arena
 * @return 0; V23_EEOF: a string is cut off; V23_ENOMEM
 */
V23_MUST_USE int vname_txt_unpack(struct v23_bytes data, struct v23_arena *a,
    vdl_str_list *out);

#ifdef __cplusplus
}
#endif
#endif
