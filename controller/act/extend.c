#include "act/extend.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/condor.h"

enum { NOTE_SECONDS = 300 }; /* how long the collector keeps it */

struct extend {
    struct loop *loop;
    char *tools, *central_manager, *machine;
    struct child *child;
    extend_done done;
    void *userdata;
};

static void reconfigured(void *userdata, const struct child_result *result)
{
    struct extend *x = userdata;
    x->done(x->userdata, result->error);
}

static void advertised(void *userdata, const struct child_result *result)
{
    struct extend *x = userdata;
    const char *const argv[] = {
        "condor_reconfig", "-pool", x->central_manager, "-daemon", "startd", x->machine, NULL,
    };
    if (result->error) {
        x->done(x->userdata, result->error);
        return;
    }
    x->child = child_free(x->child);
    x->child = condor_run(x->loop, x->tools,
                          &(struct child_args){.argv = argv, .done = reconfigured, .userdata = x});
}

struct extend *extend_start(struct loop *loop, const struct policy *p, const char *machine,
                            const char *request, usec until, extend_done done, void *userdata)
{
    CLEANUP(text_done) struct text ad = {0};
    const char *const argv[] = {
        "condor_advertise", "-pool", p->pool.central_manager, "UPDATE_MASTER_AD", "-", NULL,
    };
    const char *at = strchr(machine, '@'); /* condor_reconfig takes no slot's name */
    struct extend *x = mem_new(1, sizeof(*x));
    *x = (struct extend){.loop = loop,
                         .tools = mem_strdup(p->pool.tools),
                         .central_manager = mem_strdup(p->pool.central_manager),
                         .machine = mem_strdup(at ? at + 1 : machine),
                         .done = done,
                         .userdata = userdata};
    /* Of the ads that the controller may advertise a master's is the one that no tool takes for a
     * place to run jobs in. */
    text_printf(&ad,
                "MyType = \"DaemonMaster\"\nName = \"%s@eyrie\"\nMachine = \"eyrie\"\n"
                "MyAddress = \"<127.0.0.1:0>\"\nEyrieRequest = \"%s\"\nEyrieUntil = %" PRId64 "\n"
                "ClassAdLifetime = %d\n",
                request, request, until / USEC_PER_SEC, NOTE_SECONDS);
    x->child = condor_run(loop, x->tools,
                          &(struct child_args){.argv = argv, .input = text_get(&ad),
                                               .input_length = ad.length, .done = advertised,
                                               .userdata = x});
    return x;
}

struct extend *extend_free(struct extend *x)
{
    if (!x)
        return NULL;
    x->child = child_free(x->child);
    free(x->tools);
    free(x->central_manager);
    free(x->machine);
    free(x);
    return NULL;
}
