#include "act/renew.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/condor.h"

enum { NOTE_SECONDS = 300 }; /* how long the collector keeps it */

struct renew {
    struct loop *loop;
    char *tools, *central_manager, *machine;
    struct child *child;
    renew_done done;
    void *userdata;
};

static void reconfigured(void *userdata, const struct child_result *result)
{
    struct renew *r = userdata;
    r->done(r->userdata, result->error);
}

static void advertised(void *userdata, const struct child_result *result)
{
    struct renew *r = userdata;
    const char *const argv[] = {
        "condor_reconfig", "-pool", r->central_manager, "-daemon", "startd", r->machine, NULL,
    };
    if (result->error) {
        r->done(r->userdata, result->error);
        return;
    }
    r->child = child_free(r->child);
    r->child = condor_run(r->loop, r->tools,
                          &(struct child_args){.argv = argv, .done = reconfigured, .userdata = r});
}

struct renew *renew_start(struct loop *loop, const struct policy *p, const char *machine,
                          const char *request, usec until, renew_done done, void *userdata)
{
    CLEANUP(text_done) struct text ad = {0};
    const char *const argv[] = {
        "condor_advertise", "-pool", p->pool.central_manager, "UPDATE_MASTER_AD", "-", NULL,
    };
    const char *at = strchr(machine, '@'); /* condor_reconfig takes no slot's name */
    struct renew *r = mem_new(1, sizeof(*r));
    *r = (struct renew){.loop = loop,
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
    r->child = condor_run(loop, r->tools,
                          &(struct child_args){.argv = argv, .input = text_get(&ad),
                                               .input_length = ad.length, .done = advertised,
                                               .userdata = r});
    return r;
}

struct renew *renew_free(struct renew *r)
{
    if (!r)
        return NULL;
    r->child = child_free(r->child);
    free(r->tools);
    free(r->central_manager);
    free(r->machine);
    free(r);
    return NULL;
}
