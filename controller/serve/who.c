#include "serve/who.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "loop/child.h"

enum { WHO_BYTES = 16 * 1024, GETENT_NO_SUCH_KEY = 2 };

struct who {
    struct waiting waiting; /* first */
    struct child *child;
    uid_t uid;
    who_told told;
    void *userdata;
};

static void who_free(struct waiting *w)
{
    struct who *who = (struct who *)w;
    (void)child_free(who->child);
    free(who);
}

/* "carol:x:1000:…" */
static void ended(void *userdata, const struct child_result *r)
{
    const struct who *who = userdata;
    size_t length = strcspn(r->output, ":\n");
    AUTOFREE char *name = NULL, *error = NULL;
    if (!r->error && length > 0)
        name = mem_printf("%.*s", (int)length, r->output);
    else if (!r->error || (r->end == CHILD_EXITED && r->code == GETENT_NO_SUCH_KEY))
        name = mem_printf("uid %" PRIuMAX, (uintmax_t)who->uid);
    else
        error = mem_printf("who uid %" PRIuMAX " is cannot be told: %s", (uintmax_t)who->uid, r->error);
    who->told(who->userdata, name, error);
}

struct waiting *who_ask(struct loop *loop, uid_t uid, who_told told, void *userdata)
{
    struct who *who = mem_new(1, sizeof(*who));
    AUTOFREE char *number = mem_printf("%" PRIuMAX, (uintmax_t)uid);
    const char *const argv[] = {"getent", "passwd", number, NULL};
    *who = (struct who){.waiting.free = who_free, .uid = uid, .told = told, .userdata = userdata};
    who->child = child_run(loop, &(struct child_args){.argv = argv,
                                                      .deadline = WHO_DEADLINE,
                                                      .limit = WHO_BYTES,
                                                      .done = ended,
                                                      .userdata = who});
    return &who->waiting;
}
