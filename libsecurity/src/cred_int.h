/* BSD-3-Clause; see LICENSE. */
/* What the files about credentials directories share. */
#ifndef VSEC_CRED_INT_H
#define VSEC_CRED_INT_H

#include <vsec/credentials.h>

#include "store_int.h"

enum {
    VSEC_CRED_PATH = 4096,
    VSEC_CRED_FILE_MAX = 64 << 20 /* octets of one file */
};

/* ---- files (cred_file.c) ------------------------------------------------- */

/* why = printf; returns rc. */
int vsec_cred_why_(char *why, int rc, const char *fmt, ...) V23_PRINTF(3, 4);
/* why = "what path: <errno's text>"; V23_ESYS, or V23_ENOENT, V23_EEXIST. */
int vsec_cred_sys_(char *why, const char *what, const char *path);
/* path = dir/name; V23_ELIMIT when too long. */
V23_MUST_USE int vsec_cred_path_(char path[VSEC_CRED_PATH], const char *dir,
    const char *name, char *why);
/* Whole file, appended. */
V23_MUST_USE int vsec_cred_read_(const char *path, struct v23_buf *out,
    char *why);
/*
 * Write dir/name.new, complete and on disk; one that a crash has left is
 * removed before. On failure nothing is left.
 */
V23_MUST_USE int vsec_cred_write_temp_(const char *dir, const char *name,
    struct v23_bytes data, unsigned mode, char *why);
/* dir/name.new becomes dir/name; durable after vsec_cred_sync_dir_. */
V23_MUST_USE int vsec_cred_commit_(const char *dir, const char *name,
    char *why);
/* Remove dir/name.ext if it is there; ext NULL: dir/name. */
void vsec_cred_remove_(const char *dir, const char *name, const char *ext);
/* Is there something of the name dir/name.ext? ext NULL: dir/name. */
bool vsec_cred_exists_(const char *dir, const char *name, const char *ext);
/* Make what happened to names in a directory durable; some file systems
 * cannot, so there is no result. */
void vsec_cred_sync_dir_(const char *dir);
/* Make a directory and its parents. */
V23_MUST_USE int vsec_cred_mkdir_(const char *dir, char *why);

enum vsec_cred_lock_kind_ {
    VSEC_CRED_NO_LOCK_, /* file system that cannot be written */
    VSEC_CRED_SHARED_,
    VSEC_CRED_EXCLUSIVE_
};
/* Lock dir/name; *fd is -1 when there is nothing to unlock. */
V23_MUST_USE int vsec_cred_lock_(const char *dir, const char *name,
    enum vsec_cred_lock_kind_ kind, int *fd, char *why);
void vsec_cred_unlock_(int *fd);

/* ---- pairs of signed files (cred_pair.c) --------------------------------- */

/* Where a store or roots live. */
struct vsec_cred_pair_ {
    char *dir;
    const char *base; /* "blessingstore": base.data, base.sig */
    const char *lock; /* "blessings.lock" */
    struct vsec_signer *signer; /* a reference; NULL: cannot be written */
    struct vsec_pubkey *key;    /* a reference */
    bool readonly_fs;
    bool exclusive; /* the lock held is for writing */
    int fd;         /* of the lock held; -1 = none */
};

V23_MUST_USE int vsec_cred_pair_init_(struct vsec_cred_pair_ *p,
    const char *dir, const char *base, const char *lock,
    struct vsec_signer *signer, struct vsec_pubkey *key, bool readonly_fs);
void vsec_cred_pair_fini_(struct vsec_cred_pair_ *p);
V23_MUST_USE int vsec_cred_pair_lock_(struct vsec_cred_pair_ *p, bool writable,
    char *why);
void vsec_cred_pair_unlock_(struct vsec_cred_pair_ *p);
/* why = "directory/base: <text of rc>"; returns rc. */
int vsec_cred_pair_why_(const struct vsec_cred_pair_ *p, int rc, char *why);
/* Read and verify; V23_ENOENT: a file is not there. */
V23_MUST_USE int vsec_cred_pair_get_(const struct vsec_cred_pair_ *p,
    struct v23_buf *data, char *why);
/* Sign and replace both files. */
V23_MUST_USE int vsec_cred_pair_put_(struct vsec_cred_pair_ *p,
    struct v23_bytes data, char *why);
/*
 * Read, verify and decode a state of type `t` into `arena`. When the files are
 * not there, it is the zero value.
 */
V23_MUST_USE int vsec_cred_pair_read_(struct vsec_cred_pair_ *p,
    const struct vdl_type *t, struct v23_arena *arena, void *state,
    char *why);
/* Encode a state of type `t`, sign it and replace both files. */
V23_MUST_USE int vsec_cred_pair_write_(struct vsec_cred_pair_ *p,
    const struct vdl_type *t, const void *state, char *why);

/* ---- kinds of store and roots -------------------------------------------- */

/* Each: locked for reading, loaded. `signer` NULL = read-only. */
V23_MUST_USE int vsec_cred_store_new_(const char *dir,
    const struct vsec_cred_opts *opt, struct vsec_signer *signer,
    struct vsec_pubkey *key, struct vsec_store **out, char *why);
V23_MUST_USE int vsec_cred_store_reload_(struct vsec_store *s, char *why);
V23_MUST_USE int vsec_cred_roots_new_(const char *dir,
    const struct vsec_cred_opts *opt, struct vsec_signer *signer,
    struct vsec_pubkey *key, struct vsec_roots **out, char *why);
/* Let roots recognize X.509 certificates as the options say. */
V23_MUST_USE int vsec_cred_x509_(struct vsec_roots *r,
    const struct vsec_cred_opts *opt);
V23_MUST_USE int vsec_cred_roots_reload_(struct vsec_roots *r, char *why);

/* ---- keys in an ssh-agent (cred_hosted.c) -------------------------------- */

/*
 * Signer of the key of an authorized_keys line, which the agent at
 * $SSH_AUTH_SOCK holds. V23_ENOSYS: there is no agent, or it lacks the key.
 */
V23_MUST_USE int vsec_cred_hosted_(const struct vsec_cred_opts *opt,
    struct v23_bytes line, struct vsec_signer **out, char *why);

/* ---- keys (cred_key.c) --------------------------------------------------- */

/* Keys of a directory. References are the holder's. */
struct vsec_cred_keys_ {
    struct vsec_signer *signer; /* NULL: public key only */
    struct vsec_pubkey *key;
    struct v23_buf x509;
};
V23_MUST_USE int vsec_cred_keys_load_(const char *dir,
    const struct vsec_cred_opts *opt, struct vsec_cred_keys_ *out, char *why);
/* The same from the contents that the files of a new directory will have. */
V23_MUST_USE int vsec_cred_keys_parse_(const char *dir,
    const struct vsec_cred_opts *opt, const struct vsec_cred_files *files,
    struct vsec_cred_keys_ *out, char *why);
void vsec_cred_keys_fini_(struct vsec_cred_keys_ *k);

/* ---- directories (cred.c) ------------------------------------------------ */

/* The principal of loaded keys. dir.lock is held. */
V23_MUST_USE int vsec_cred_assemble_(const char *dir,
    const struct vsec_cred_opts *opt, struct vsec_cred_keys_ *k,
    struct vsec_principal **out, char *why);
/* Every failure has a reason. Returns rc. */
int vsec_cred_reason_(int rc, char *why);

#endif
