/* BSD-3-Clause; see LICENSE. */
/*
 * Benchmark of libsecurity: what a key of each kind costs with each provider,
 * and what verifying a chain of three certificates costs beside the signature
 * checks, key parses and hashes that it cannot do without. Results are checked
 * before anything is timed.
 */
#include "secbench.h"

#include <have.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <v23/cmdline.h>

#define CACHED_US 5.0 /* a chain seen before: at most */
#define COLD 1.1      /* a chain never seen: at most, beside its floor */
#define PASSES 5

struct options {
    const char *provider, *key; /* "" = all */
    int64_t time;               /* ns for each kind of key */
};

/* What is timed with one kind of key. */
struct timed {
    const struct provider *provider;
    const char *key;
    struct subject *subject;
    struct group ops;
};

static void print(const struct timed *t)
{
    const struct op *o;
    double us, ratio;
    size_t i;

    for (i = 0; i < t->ops.n; i++) {
        o = &t->ops.ops[i];
        us = op_ns(&t->ops, o) / 1000;
        ratio = op_ratio(&t->ops, o);
        printf("%-8s %-9s %-24s %10.2f us", t->provider->name, t->key,
            o->name, us);
        if (o->base != NULL)
            printf(" %5.2f x %s <= %.1f%s", ratio, o->base, o->target,
                ratio > o->target ? " missed" : "");
        else if (o->target != 0)
            printf(" <= %.0f us%s", o->target,
                us > o->target ? " missed" : "");
        printf("\n");
    }
}

static struct timed *prepare(const struct provider *p, const char *key)
{
    struct timed *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->provider = p;
    t->key = key;
    t->subject = subject_new(p->crypto, key);
    if (t->subject == NULL) {
        free(t);
        return NULL;
    }
    group_add(&t->ops, "sign", NULL, 0, 0, op_sign, t->subject);
    group_add(&t->ops, "verify", NULL, 0, 0, op_verify, t->subject);
    group_add(&t->ops, "parse a public key", NULL, 0, 0, op_parse, t->subject);
    group_add(&t->ops, "digests of 3 certs", NULL, 0, 0, op_digest,
        t->subject);
    group_add(&t->ops, "bless", NULL, 0, 0, op_bless, t->subject);
    group_add(&t->ops, FLOOR, NULL, 0, 0, op_floor, t->subject);
    group_add(&t->ops, "3 certs, cold", FLOOR, COLD, 0, op_cold, t->subject);
    group_add(&t->ops, "3 certs, seen: octets", NULL, CACHED_US, 0,
        op_cached_vom, t->subject);
    group_add(&t->ops, "3 certs, seen: decoded", NULL, CACHED_US, 0,
        op_cached_wire, t->subject);
    group_add(&t->ops, "names for a call", NULL, 0, 0, op_names, t->subject);
    return t;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static const char *const keys[] = { "ecdsa256", "ecdsa384", "ecdsa521",
        "ed25519", "rsa2048", "rsa4096", NULL };
    const struct options *opt = ud;
    const struct provider *p;
    struct timed *t;
    size_t i;
    int pass, n = 0;

    (void)argv;
    if (argc != 0)
        return v23_want_args(inv, 0, argc);
    for (p = providers; p->name != NULL; p++)
        for (i = 0; keys[i] != NULL; i++) {
            if ((*opt->provider != 0 && strcmp(opt->provider, p->name) != 0)
                || (*opt->key != 0 && strcmp(opt->key, keys[i]) != 0))
                continue;
            t = prepare(p, keys[i]);
            if (t == NULL)
                return v23_error("%s with %s keys does not work", p->name,
                    keys[i]);
            for (pass = 0; pass < PASSES; pass++)
                group_measure(&t->ops, (double)opt->time / 1e9 / PASSES);
            print(t);
            subject_free(t->subject);
            free(t);
            n++;
        }
    if (n == 0)
        return v23_usage_error(inv, "no such provider or kind of key");
    if (!SECBENCH_OPENSSL)
        printf("left out: OpenSSL (libssl-dev)\n");
    return 0;
}

int main(int argc, char **argv)
{
    struct options opt = { "", "", 500000000 };
    const struct v23_flag flags[] = {
        { "provider", "Measure only this provider.", "", V23_FLAG_STRING,
            &opt.provider, NULL },
        { "key", "Measure only this kind of key.", "", V23_FLAG_STRING,
            &opt.key, NULL },
        { "time", "Time to measure each kind of key.", "500ms",
            V23_FLAG_DURATION, &opt.time, NULL },
    };
    const struct v23_command root = {
        .name = "secbench",
        .brief = "measures libsecurity with each crypto provider",
        .about = "Command secbench signs, verifies and blesses with keys of "
                 "each kind, and verifies a chain of three certificates: "
                 "never seen, and seen before. The floor is what the chain "
                 "cannot do without: three signature checks, three key parses "
                 "and its hashes. Results are checked before anything is "
                 "timed: the exit code is 1 if one is wrong.",
        .flags = flags,
        .nflags = sizeof(flags) / sizeof(*flags),
        .run = run,
    };

    return v23_cmdline_main(&root, NULL, 0, NULL, &opt, argc, argv);
}
