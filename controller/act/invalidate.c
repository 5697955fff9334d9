#include "act/invalidate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/condor.h"

struct invalidate {
    struct loop *loop;
    char *tools, *central_manager, *uuid;
    struct child *startd, *master;
    struct err error;
    bool failed;
    invalidate_done done;
    void *userdata;
};

/* A query whose matches the collector forgets (seen with 23.9.6: one for each type of ad). */
static void query_add(struct text *t, const char *type, const char *uuid)
{
    text_printf(t,
                "MyType = \"Query\"\nTargetType = \"%s\"\nRequirements = EyrieUUID =?= \"%s\"\n\n",
                type, uuid);
}

static struct child *tool_run(struct invalidate *i, const char *command, const struct text *ads,
                              child_done done)
{
    const char *const argv[] = {
        "condor_advertise", "-pool", i->central_manager, "-multiple", command, "-", NULL,
    };
    return condor_run(i->loop, i->tools,
                      &(struct child_args){.argv = argv, .input = text_get(ads),
                                           .input_length = ads->length, .done = done,
                                           .userdata = i});
}

static void tool_failed(struct invalidate *i, const struct child_result *r)
{
    if (!r->error || i->failed)
        return;
    i->failed = true;
    (void)err_set(&i->error, EIO, "%s", r->error);
}

static void master_done(void *userdata, const struct child_result *r)
{
    struct invalidate *i = userdata;
    tool_failed(i, r);
    i->done(i->userdata, i->failed ? i->error.text : NULL);
}

/* The master's too when the startd's failed: they are of no use to anybody. */
static void startd_done(void *userdata, const struct child_result *r)
{
    struct invalidate *i = userdata;
    struct text ads = {0};
    tool_failed(i, r);
    query_add(&ads, "DaemonMaster", i->uuid);
    i->master = tool_run(i, "INVALIDATE_MASTER_ADS", &ads, master_done);
    text_done(&ads);
}

struct invalidate *invalidate_start(struct loop *loop, const struct policy *p, const char *uuid,
                                    const char *machine, invalidate_done done, void *userdata)
{
    (void)machine; /* names of the ads differ from version to version, the UUID is in all of them */
    struct text ads = {0};
    struct invalidate *i = mem_new(1, sizeof(*i));
    i->loop = loop;
    i->tools = mem_strdup(p->pool.tools);
    i->central_manager = mem_strdup(p->pool.central_manager);
    i->uuid = mem_strdup(uuid);
    i->done = done;
    i->userdata = userdata;
    query_add(&ads, "Machine", uuid);
    query_add(&ads, "StartD", uuid);
    i->startd = tool_run(i, "INVALIDATE_STARTD_ADS", &ads, startd_done);
    text_done(&ads);
    return i;
}

struct invalidate *invalidate_free(struct invalidate *i)
{
    if (!i)
        return NULL;
    i->startd = child_free(i->startd);
    i->master = child_free(i->master);
    free(i->tools);
    free(i->central_manager);
    free(i->uuid);
    free(i);
    return NULL;
}
