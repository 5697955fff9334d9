#include "act/invalidate.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "loop/condor.h"

/* A VM whose ads are to go. */
struct item {
    struct item *next;
    char *uuid;
    invalidate_done done;
    void *userdata;
};

struct invalidator {
    struct loop *loop;
    char *tools, *central_manager;
    struct item *waiting; /* in order of arrival */
    struct item *taken;   /* by the call that is under way */
    struct loop_poke *begin;
    struct child *startd, *master;
    struct err error;
    bool failed;
    bool *freed; /* set while a done is called */
};

static void items_free(struct item *items)
{
    for (struct item *next; items; items = next) {
        next = items->next;
        free(items->uuid);
        free(items);
    }
}

/* A query whose matches the collector forgets (seen with 23.9.6: one for each type of ad). */
static void query_add(struct text *t, const char *type, const char *uuid)
{
    text_printf(t,
                "MyType = \"Query\"\nTargetType = \"%s\"\nRequirements = EyrieUUID =?= \"%s\"\n\n",
                type, uuid);
}

static struct child *tool_run(struct invalidator *i, const char *command, const struct text *ads,
                              child_done done)
{
    const char *const argv[] = {
        "condor_advertise", "-pool", i->central_manager, "-multiple", command, "-", NULL,
    };
    return condor_run(i->loop, i->tools,
                      &(struct child_args){.argv = argv,
                                           .input = text_get(ads),
                                           .input_length = ads->length,
                                           .done = done,
                                           .userdata = i});
}

static void tool_failed(struct invalidator *i, const struct child_result *r)
{
    if (!r->error || i->failed)
        return;
    i->failed = true;
    (void)err_set(&i->error, EIO, "%s", r->error);
}

static void master_done(void *userdata, const struct child_result *r)
{
    struct invalidator *i = userdata;
    struct item *items = i->taken;
    bool freed = false;
    tool_failed(i, r);
    struct err error = i->error;
    const char *said = i->failed ? error.text : NULL;
    i->startd = child_free(i->startd);
    i->master = child_free(i->master);
    i->taken = NULL;
    i->freed = &freed;
    for (const struct item *item = items; item && !freed; item = item->next)
        item->done(item->userdata, said);
    items_free(items);
    if (freed)
        return;
    i->freed = NULL;
    if (i->waiting)
        loop_poke(i->begin);
}

/* The masters' too when the startds' failed: they are of no use to anybody. */
static void startd_done(void *userdata, const struct child_result *r)
{
    struct invalidator *i = userdata;
    struct text ads = {0};
    tool_failed(i, r);
    for (const struct item *item = i->taken; item; item = item->next)
        query_add(&ads, "DaemonMaster", item->uuid);
    i->master = tool_run(i, "INVALIDATE_MASTER_ADS", &ads, master_done);
    text_done(&ads);
}

static void begin(void *userdata)
{
    struct invalidator *i = userdata;
    struct text ads = {0};
    struct item **end = &i->waiting;
    i->failed = false;
    i->taken = i->waiting;
    for (int n = 0; *end && n < LIMIT_INVALIDATED_AT_ONCE; n++, end = &(*end)->next) {
        query_add(&ads, "Machine", (*end)->uuid);
        query_add(&ads, "StartD", (*end)->uuid);
    }
    struct item *rest = *end;
    *end = NULL;
    i->waiting = rest;
    i->startd = tool_run(i, "INVALIDATE_STARTD_ADS", &ads, startd_done);
    text_done(&ads);
}

struct invalidator *invalidator_new(struct loop *loop)
{
    struct invalidator *i = mem_new(1, sizeof(*i));
    i->loop = loop;
    i->begin = loop_poke_new(loop, begin, i);
    return i;
}

struct invalidator *invalidator_free(struct invalidator *i)
{
    if (!i)
        return NULL;
    if (i->freed)
        *i->freed = true;
    i->begin = loop_poke_free(i->begin);
    i->startd = child_free(i->startd);
    i->master = child_free(i->master);
    items_free(i->waiting);
    items_free(i->taken);
    free(i->tools);
    free(i->central_manager);
    free(i);
    return NULL;
}

void invalidator_add(struct invalidator *i, const struct policy *p, const char *uuid,
                     invalidate_done done, void *userdata)
{
    struct item **end = &i->waiting;
    while (*end)
        end = &(*end)->next;
    *end = mem_new(1, sizeof(**end));
    **end = (struct item){.uuid = mem_strdup(uuid), .done = done, .userdata = userdata};
    mem_replace(&i->tools, p->pool.tools);
    mem_replace(&i->central_manager, p->pool.central_manager);
    if (!i->taken)
        loop_poke(i->begin);
}

bool invalidator_busy(const struct invalidator *i)
{
    return i->taken || i->waiting;
}
