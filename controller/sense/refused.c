#include "sense/refused.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loop/condor.h"
#include "sense/untrusted.h"

/* HTCondor's HookPrepareJobFailure. Only a hook gives it: who holds a job of his own gets another one. */
#define HOLD_CODE "19"

struct asked {
    struct refused *refused;
    char *schedd;
    struct child *child;
    int64_t held;   /* of its flagged jobs, when it was asked last */
    int64_t asking; /* the same, of the question under way */
    int64_t n;      /* refused jobs */
};

struct refused {
    struct loop *loop;
    struct refused_callbacks callbacks;
    struct asked **list; /* of every schedd that had held jobs */
    size_t n;
};

struct refused *refused_new(struct loop *loop, const struct refused_callbacks *callbacks)
{
    struct refused *r = mem_new(1, sizeof(*r));
    *r = (struct refused){.loop = loop, .callbacks = *callbacks};
    return r;
}

struct refused *refused_free(struct refused *r)
{
    if (!r)
        return NULL;
    for (size_t i = 0; i < r->n; i++) {
        (void)child_free(r->list[i]->child);
        free(r->list[i]->schedd);
        free(r->list[i]);
    }
    free(r->list);
    free(r);
    return NULL;
}

static void read_ad(const struct asked *s, struct arena *a, struct json_object *ad)
{
    const struct refused_job job = {
        .schedd = s->schedd,
        .cluster = untrusted_number(ad, "ClusterId", 0, INT32_MAX, 0, NULL),
        .proc = untrusted_number(ad, "ProcId", 0, INT32_MAX, 0, NULL),
        .owner = untrusted_name(a, ad, "Owner"),
        .group = untrusted_name(a, ad, "AcctGroup"),
        .reason = untrusted_name(a, ad, "HoldReason"),
    };
    s->refused->callbacks.found(s->refused->callbacks.userdata, &job);
}

/* No output at all is how condor_q says "none". What cannot be read is asked again at the next look. */
static void answered(void *userdata, const struct child_result *result)
{
    struct asked *s = userdata;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    AUTOJSON struct json_object *list = NULL;
    struct err e;
    bool none = result->output[strspn(result->output, " \t\r\n")] == '\0';
    bool good = !result->error &&
                (none || (json_parse(result->output, result->output_length, &list, &e) == 0 &&
                          json_object_is_type(list, json_type_array)));
    if (good) {
        s->held = s->asking;
        s->n = none ? 0 : (int64_t)json_object_array_length(list);
    }
    for (size_t i = 0; good && i < (size_t)s->n; i++) {
        struct json_object *ad = json_object_array_get_idx(list, i);
        if (json_object_is_type(ad, json_type_object))
            read_ad(s, a, ad);
    }
    s->child = child_free(s->child);
    s->refused->callbacks.answered(s->refused->callbacks.userdata);
}

static void ask(struct asked *s, const struct policy *p, const struct policy_schedd *schedd)
{
    AUTOFREE char *limit = mem_printf("%d", LIMIT_REFUSED_JOBS);
    AUTOFREE char *constraint = mem_printf(
        "%s =?= true && JobStatus == 5 && HoldReasonCode =?= " HOLD_CODE
        " && regexp(\"the virtual pool %s refuses this job: \", HoldReason)",
        p->pool.flag, p->pool.name);
    const char *const argv[] = {"condor_q", "-name", schedd->name, "-pool", schedd->collector,
                                "-allusers", "-limit", limit, "-constraint", constraint,
                                "-attributes", "ClusterId,ProcId,Owner,AcctGroup,HoldReason",
                                "-json", NULL};
    s->child = condor_run(s->refused->loop, p->pool.tools,
                          &(struct child_args){.argv = argv, .done = answered, .userdata = s});
}

static const struct policy_schedd *schedd_of(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_schedds; i++)
        if (strcmp(p->schedds[i].name, name) == 0)
            return &p->schedds[i];
    return NULL;
}

static struct asked *asked_of(struct refused *r, const char *schedd)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->list[i]->schedd, schedd) == 0)
            return r->list[i];
    struct asked *s = mem_new(1, sizeof(*s));
    s->refused = r;
    s->schedd = mem_strdup(schedd);
    r->list = mem_resize(r->list, r->n + 1, sizeof(struct asked *));
    r->list[r->n++] = s;
    return s;
}

void refused_look(struct refused *r, const struct policy *p, const struct world_queue *queues,
                  size_t n_queues)
{
    for (size_t i = 0; i < n_queues; i++) {
        const struct policy_schedd *schedd = schedd_of(p, queues[i].schedd);
        struct asked *s = asked_of(r, queues[i].schedd);
        s->asking = 0;
        for (size_t k = 0; k < queues[i].n_shapes; k++)
            s->asking += queues[i].shapes[k].held;
        if (schedd && !s->child && s->asking != s->held)
            ask(s, p, schedd);
    }
}

int64_t refused_count(const struct refused *r)
{
    int64_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += r->list[i]->n;
    return n;
}
