/* BSD-3-Clause; see LICENSE. */
/**
 * Advertisements: what services say about themselves to whoever is near by, as
 * identifiers, bytes and the texts of a DNS-SD service. Without I/O; what
 * carries them is vname/mdns.h. The types are those of <v23/vdl/v.io/v23/
 * discovery/discovery.vdl.h> and <v23/vdl/v.io/x/ref/lib/discovery/
 * discovery.vdl.h>.
 *
 * Encrypted advertisements (identity-based, algorithm 2) can be read but for
 * their addresses, which nothing here decrypts.
 *
 * Thread: functions without state. Source: spec/naming.md 19.
 */
#ifndef VNAME_DISCOVERY_H
#define VNAME_DISCOVERY_H

#include <v23/log.h>
#include <v23/vdl/v.io/x/ref/lib/discovery/discovery.vdl.h>
#include <vname/mdns.h>
#include <vsec/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VNAME_AD_MAX = 1024,            /* octets without id and attachments */
    VNAME_AD_ATTRIBUTES_MAX = 32,
    VNAME_AD_ATTACHMENTS_MAX = 32,
    VNAME_AD_ATTACHMENT_MAX = 4096, /* octets of one */
    VNAME_AD_ADDRESSES_MAX = 256,   /* that are read */
    VNAME_AD_UNPACKED_MAX = 65536,  /* octets of unpacked addresses */
    VNAME_AD_TXT_MAX = 1184,        /* octets of all texts of a service */
    VNAME_AD_SERVICE_TEXT = 50,     /* with NUL */
    VNAME_AD_INSTANCE_TEXT = 27,
    VNAME_UUID_TEXT = 37
};

/* ---- identifiers --------------------------------------------------------- */

/**
 * The version 5 UUID of an interface, or of an attribute's name.
 * @return 0, V23_ENOSYS (no such hash), V23_ECRYPTO
 */
V23_MUST_USE int vname_service_uuid(const struct vsec_hash_alg *sha1,
    struct vdl_str interface_name, uint8_t uuid[16]);
V23_MUST_USE int vname_attribute_uuid(const struct vsec_hash_alg *sha1,
    struct vdl_str attribute, uint8_t uuid[16]);
/** `f606e45d-8ae9-5b7c-83c5-04bc41cdb02f`. */
void vname_uuid_format(const uint8_t uuid[16], char text[VNAME_UUID_TEXT]);

/**
 * The DNS-SD service of those with an interface (`<uuid>._sub._v23`), or of all
 * (`v23`) if the name is empty; vname_dns_service() makes a domain of it.
 * @return as vname_service_uuid()
 */
V23_MUST_USE int vname_ad_service(const struct vsec_hash_alg *sha1,
    struct vdl_str interface_name, char text[VNAME_AD_SERVICE_TEXT]);
/** The instance of an advertisement: base32hex of its id. */
void vname_ad_instance(const v23_discovery_ad_id *id,
    char text[VNAME_AD_INSTANCE_TEXT]);
/** The other way round; either case. 0 or V23_ETEXT. */
V23_MUST_USE int vname_ad_instance_parse(struct vdl_str text,
    v23_discovery_ad_id *id);

/* ---- bytes --------------------------------------------------------------- */

/*
 * Raw deflate. Packed addresses may have that form; who packs or unpacks
 * without it (NULL) makes no such bytes and refuses them.
 */
struct vname_deflate {
    /* Append the short form. 0, V23_ENOMEM, or the buffer's error. */
    int (*deflate)(struct v23_bytes in, struct v23_buf *out);
    /* Append the long form, which `in` must be exactly. 0; V23_ETEXT: not that
     * form, V23_EEOF: cut off, V23_ELIMIT: too much for the buffer,
     * V23_ENOMEM. */
    int (*inflate)(struct v23_bytes in, struct v23_buf *out);
};
/* Of zlib (link -lz); it takes memory from the buffer's allocator. */
extern const struct vname_deflate vname_deflate_zlib;

/**
 * Append packed addresses; nothing for none.
 * @param z  used where that is shorter; NULL = never
 * @return 0, V23_ENOMEM, V23_ELIMIT or V23_ENOSPC (of the buffer)
 */
V23_MUST_USE int vname_addresses_pack(const struct vname_deflate *z,
    vdl_str_list addresses, struct v23_buf *out);
/**
 * Read them, copied into the arena.
 * @return 0; V23_EEOF: cut off; V23_EINT: malformed length; V23_ETEXT: unknown
 *         or malformed form; V23_ENOSYS: deflated, but z is NULL; V23_ELIMIT:
 *         more than VNAME_AD_UNPACKED_MAX octets or VNAME_AD_ADDRESSES_MAX
 *         addresses; V23_ENOMEM
 */
V23_MUST_USE int vname_addresses_unpack(const struct vname_deflate *z,
    struct v23_bytes in, struct v23_arena *a, vdl_str_list *out);

/** Append algorithm and keys. 0 or the buffer's error. */
V23_MUST_USE int vname_ad_keys_pack(v23_lib_discovery_encryption_algorithm alg,
    v23_lib_discovery_encryption_key_list keys, struct v23_buf *out);
/** Read them; the keys point into `in`. 0, V23_EEOF, V23_EINT, V23_ENOMEM. */
V23_MUST_USE int vname_ad_keys_unpack(struct v23_bytes in, struct v23_arena *a,
    v23_lib_discovery_encryption_algorithm *alg,
    v23_lib_discovery_encryption_key_list *keys);

/** Nanoseconds since 1970, little endian. */
void vname_ad_timestamp_encode(int64_t ns, uint8_t out[8]);
/** 0 or V23_ELENGTH (not 8 octets). */
V23_MUST_USE int vname_ad_timestamp_decode(struct v23_bytes in, int64_t *ns);

/**
 * The digest that tells versions of an advertisement apart: of what is in `ad`
 * and of its encryption. The order of attributes and attachments is irrelevant.
 * @return 0, V23_ENOMEM, V23_ENOSYS, V23_ECRYPTO
 */
V23_MUST_USE int vname_ad_hash(const struct vsec_hash_alg *sha256,
    const v23_lib_discovery_ad_info *info, struct v23_arena *scratch,
    v23_lib_discovery_ad_hash *hash);

/**
 * May this be advertised?
 * @param why  receives what is wrong; may be NULL
 * @return 0, V23_EARG; V23_ENOMEM
 */
V23_MUST_USE int vname_ad_check(const v23_discovery_advertisement *ad,
    struct v23_buf *why);

/* ---- texts of a DNS-SD service ------------------------------------------- */

/**
 * What an advertisement announces, as far as it fits.
 *
 * @param z     may be NULL
 * @param info  checked; with hash, timestamp and the addresses of a directory
 *              that has what does not fit. Its status is not looked at.
 * @param out   receives at most VNAME_AD_TXT_MAX octets, which tell the status
 *              (`_s`) unless all is there
 * @return 0, V23_ENOMEM, V23_ELIMIT (not even the address of the directory
 *         fits)
 */
V23_MUST_USE int vname_ad_to_txt(const struct vname_deflate *z,
    const v23_lib_discovery_ad_info *info, struct v23_arena *a,
    vdl_str_list *out);
/**
 * Read what was announced.
 *
 * @param instance  the advertisement's id is its name up to the first dot
 * @param txt       borrowed as long as `info`
 * @param info      texts in it are valid UTF-8 without control characters; the
 *                  addresses of an encrypted one are any bytes
 * @param why       receives what is wrong; may be NULL
 * @return 0, V23_ETEXT: not an advertisement, V23_ENOMEM
 */
V23_MUST_USE int vname_ad_from_txt(const struct vname_deflate *z,
    struct vdl_str instance, vdl_str_list txt, struct v23_arena *a,
    v23_lib_discovery_ad_info *info, struct v23_buf *why);

/* ---- queries ------------------------------------------------------------- */

/*
 * A condition on advertisements, such as
 *   v.InterfaceName = "v.io/i" and v.Attributes["a"] like "v%"
 * `k` is the id, 32 hexadecimal digits; `v` the advertisement, of which
 * InterfaceName, Attributes["key"] and Addresses[number] can be asked for.
 * Operators are = <> < <= > >= like, not like, is nil, is not nil; `and` and
 * `or` bind equally, from left to right; there are parentheses. What is missing
 * satisfies `is nil` only. Source: spec/naming.md 19.5.
 */
struct vname_query;

/**
 * Read a query; an empty one matches everything.
 * @param out  lives in the arena, with `text`
 * @param why  receives what is wrong and where; may be NULL
 * @return 0, V23_ETEXT, V23_ELIMIT (parentheses more than 100 deep, or more
 *         than 1000 comparisons and operators), V23_ENOMEM
 */
V23_MUST_USE int vname_query_parse(struct vdl_str text, struct v23_arena *a,
    const struct vname_query **out, struct v23_buf *why);
bool vname_query_match(const struct vname_query *q,
    const v23_discovery_advertisement *ad);
/** The only interface that can match; empty if there may be several. */
struct vdl_str vname_query_interface(const struct vname_query *q);

/* ---- what is near by ----------------------------------------------------- */

/*
 * Follows advertisements: tells once of each that matches a query, and when it
 * has changed or gone. An advertisement that did not fit is asked for.
 * Source: spec/naming.md 19.5.
 */
struct vname_scan;

struct vname_scan_config {
    const struct v23_alloc *al; /* NULL = libc */
    const struct v23_log *log;  /* NULL = silent */
    const struct vname_deflate *z; /* may be NULL */
    const struct vname_query *query; /* outlives the scan */
    void (*found)(void *ud, const v23_discovery_advertisement *ad);
    void (*lost)(void *ud, const v23_discovery_advertisement *ad);
    /* Ask a Directory at `info`'s dir_addrs for the advertisement with this
     * id, and give the answer to vname_scan_fetched(), later. NULL: what did
     * not fit is ignored. */
    void (*fetch)(void *ud, const v23_lib_discovery_ad_info *info);
    void *ud;
};

enum {
    VNAME_SCAN_ADS = 1024,  /* followed at the same time */
    VNAME_SCAN_SOURCES = 16 /* of one */
};

/** @return 0 or V23_ENOMEM */
V23_MUST_USE int vname_scan_new(const struct vname_scan_config *cfg,
    struct vname_scan **out);
void vname_scan_free(struct vname_scan *s); /* NULL is ignored */
/**
 * A TXT record was heard.
 * @return 0, also when it is of no interest; V23_ETEXT: not an advertisement
 *         (logged); V23_ELIMIT: there are too many; V23_ENOMEM
 */
int vname_scan_heard(struct vname_scan *s, const struct vname_dns_found *f);
/** It is gone, or all of the instance. */
void vname_scan_gone(struct vname_scan *s, const struct vname_dns_found *f);
/** What a Directory has answered; results as vname_scan_heard(). */
int vname_scan_fetched(struct vname_scan *s,
    const v23_lib_discovery_ad_info *info);

#ifdef __cplusplus
}
#endif
#endif
