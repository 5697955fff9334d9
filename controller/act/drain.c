#include "act/drain.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/condor.h"

struct drain {
    struct child *child;
    drain_done done;
    void *userdata;
};

static void tool_done(void *userdata, const struct child_result *r)
{
    struct drain *d = userdata;
    /* The startd's answer to a second drain (startd, DRAINING_ALREADY_IN_PROGRESS): it drains,
     * which is what was wanted; who asked first does not matter. */
    if (r->end == CHILD_EXITED && strstr(r->messages, "error code 10001"))
        d->done(d->userdata, NULL);
    else
        d->done(d->userdata, r->error);
}

static struct drain *run(struct loop *loop, const struct policy *p, const char *const *argv,
                         drain_done done, void *userdata)
{
    struct drain *d = mem_new(1, sizeof(*d));
    d->done = done;
    d->userdata = userdata;
    d->child = condor_run(loop, p->pool.tools,
                          &(struct child_args){.argv = argv, .deadline = 30 * USEC_PER_SEC,
                                               .done = tool_done, .userdata = d});
    return d;
}

struct drain *drain_start(struct loop *loop, const struct policy *p, const char *machine,
                          const char *why, drain_done done, void *userdata)
{
    AUTOFREE char *reason = mem_printf("Eyrie: %s", why);
    /* Not -exit-on-completion: a startd that has left could be seen only by its absence, and that
     * is not "drained and empty". */
    return run(loop, p,
               (const char *const[]){"condor_drain", "-pool", p->pool.central_manager, "-graceful",
                                     "-reason", reason, machine, NULL},
               done, userdata);
}

struct drain *drain_cancel(struct loop *loop, const struct policy *p, const char *machine,
                           drain_done done, void *userdata)
{
    return run(loop, p,
               (const char *const[]){"condor_drain", "-pool", p->pool.central_manager, "-cancel",
                                     machine, NULL},
               done, userdata);
}

struct drain *drain_free(struct drain *d)
{
    if (!d)
        return NULL;
    d->child = child_free(d->child);
    free(d);
    return NULL;
}
