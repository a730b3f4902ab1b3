/* BSD-3-Clause; see LICENSE. */
/* Chooses the checks, runs them one after the other, and says how it went. */
#include "client.h"

#include <stdio.h>

static const struct echo_checks *const all[] = { &echo_value_checks,
    &echo_special_checks, &echo_bytes_checks, &echo_string_checks,
    &echo_record_checks, &echo_fail_checks, &echo_argument_checks,
    &echo_call_checks, &echo_name_checks, &echo_glob_checks,
    &echo_all_checks, &echo_stream_checks, &echo_down_checks,
    &echo_stream_end_checks, &echo_security_checks };

/* Does one of the words of a list with commas occur in the name? */
static bool listed(const char *list, const char *name)
{
    const char *end;
    char word[64];

    while (*list != 0) {
        end = list + strcspn(list, ",");
        if (end != list && (size_t)(end - list) < sizeof(word)) {
            memcpy(word, list, (size_t)(end - list));
            word[end - list] = 0;
            if (strstr(name, word) != NULL)
                return true;
        }
        list = *end == ',' ? end + 1 : end;
    }
    return false;
}

static bool wanted(const struct echo_options *o, const char *name)
{
    return (o->run[0] == 0 || listed(o->run, name))
        && !listed(o->skip, name);
}

static bool run_one(struct echo_client *c, const struct echo_checks *k,
    size_t i, const char *name)
{
    struct echo_test t = { .c = c };

    v23_arena_init(&t.a, NULL, SIZE_MAX);
    t.opts = echo_call_opts(c);
    k->run(&t, i);
    if (t.failed)
        printf("FAIL %s: %s\n", name, t.why);
    else
        printf("ok %s\n", name);
    fflush(stdout);
    v23_arena_fini(&t.a);
    return !t.failed;
}

/* One call, so that an unreachable server is one error and not hundreds. */
static int reach(struct echo_client *c)
{
    struct echo_test t = { .c = c };
    struct echo_reply r;
    int rc = 0;

    v23_arena_init(&t.a, NULL, SIZE_MAX);
    t.opts = echo_call_opts(c);
    echo_call(&t, &r, "", "Nothing", NULL, 0);
    if (r.err != NULL)
        rc = v23_error("%s: %.*s", c->o->server, (int)r.err->msg.n,
            r.err->msg.p);
    v23_arena_fini(&t.a);
    return rc;
}

int echo_check_main(struct echo_client *c)
{
    size_t i, j, pass = 0, fail = 0;
    const char *sub;
    char name[160];

    if (!c->o->list && reach(c) != 0)
        return 1;
    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        for (j = 0; j < all[i]->n; j++) {
            sub = all[i]->name(j);
            snprintf(name, sizeof(name), "%s%s%s", all[i]->group,
                sub[0] == 0 ? "" : "/", sub);
            if (!wanted(c->o, name))
                continue;
            if (c->o->list)
                puts(name);
            else if (run_one(c, all[i], j, name))
                pass++;
            else
                fail++;
        }
    if (c->o->list)
        return 0;
    printf("RESULT pass=%zu fail=%zu\n", pass, fail);
    printf("%zu passed, %zu failed\n", pass, fail);
    return fail == 0 ? 0 : 1;
}
