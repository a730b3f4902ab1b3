/* BSD-3-Clause; see LICENSE. */
/* Blessings of a new principal for a command; shared by vrun and vbecome. */
#ifndef VRUN_BECOME_H
#define VRUN_BECOME_H

#include <vname/program.h>
#include <vsec/principal.h>

struct become {
    const char *name, *role;
    int64_t duration_ns;
};

#define BECOME_INIT { "", "", 60 * 60 * V23_NS_PER_SEC }
#define BECOME_FLAGS(b) \
    { "duration", "How long the blessing is valid.", "1h0m0s", \
        V23_FLAG_DURATION, &(b).duration_ns, NULL }, \
    { "name", "Name that the default blessing is extended with; empty: the " \
        "base name of the command.", "", V23_FLAG_STRING, &(b).name, NULL }, \
    { "role", "Object name of a role, whose blessing is asked for and used " \
        "instead.", "", V23_FLAG_STRING, &(b).role, NULL }

/*
 * Bless `fresh` with the program's default blessing and make that, or the
 * role's, what it shows to everybody.
 * @param command  that will run as it
 * @return 0 or the exit code after a message
 */
int become_bless(struct vname_program *p, const struct become *b,
    const char *command, struct vsec_principal *fresh);
/* A new private directory for a socket: dir, and dir/sock in path. The exit
 * code as above. */
int become_socket(char *dir, char *path, size_t size);

#endif
