/*
 * Rung 3. A shape is demand when its group is known, its owner may use the group, and one of the
 * group's templates can hold one of its jobs. Held jobs are never demand. What the last good answer
 * of an untrusted queue said is reported, but asks for nothing.
 */
#include "plan/rungs.h"

#include <stdlib.h>
#include <string.h>

/* A startd gives memory in such steps (MODIFY_REQUEST_EXPR_REQUESTMEMORY's default, seen in 23.9). */
static const int64_t memory_step = 128 * MIB;

static bool may_submit(const struct policy_group *g, const char *owner)
{
    for (size_t i = 0; i < g->n_submitters; i++)
        if (strcmp(g->submitters[i], owner) == 0)
            return true;
    return g->n_submitters == 0;
}

static bool fits_some_template(const struct policy *p, const struct policy_group *g,
                               const struct want *want)
{
    for (size_t i = 0; i < g->n_templates; i++)
        if (want_fits_template(want, &p->templates[g->templates[i]]))
            return true;
    return false;
}

static void judge(const struct policy *p, struct want *want, const struct plan_trust *queue)
{
    const struct world_shape *shape = want->shape;
    size_t group = policy_find_group(p, shape->group);

    if (shape->group[0] == '\0')
        want->reason = (struct reason){REASON_JOBS_NO_GROUP, shape->idle, .subject = shape->owner};
    else if (group == SIZE_MAX)
        want->reason =
            (struct reason){REASON_JOBS_UNKNOWN_GROUP, shape->idle, .subject = shape->group};
    else if (!may_submit(&p->groups[group], shape->owner))
        want->reason = (struct reason){REASON_JOBS_NOT_SUBMITTER, shape->idle,
                                       .line = p->groups[group].line, .subject = shape->owner};
    else if (!fits_some_template(p, &p->groups[group], want))
        want->reason = (struct reason){REASON_JOBS_TOO_BIG, shape->idle, shape->cpus,
                                       p->groups[group].line, shape->group};
    else if (!queue->trusted)
        want->reason =
            (struct reason){REASON_QUEUE_UNTRUSTED, queue->age, p->timing.trust_for.value,
                            p->timing.trust_for.line, queue->name};
    else if (shape->idle == 0 && shape->held > 0)
        want->reason = (struct reason){REASON_JOBS_HELD, shape->held, .subject = shape->group};
    if (want->reason.code)
        return;
    want->group = group;
    want->jobs = shape->idle;
}

/* Largest first, so that what is hard to place is placed first; then by name, for S9. */
static int want_order(const void *left, const void *right)
{
    const struct want *a = left, *b = right;
    if (a->shape->cpus != b->shape->cpus)
        return a->shape->cpus > b->shape->cpus ? -1 : 1;
    if (a->shape->memory != b->shape->memory)
        return a->shape->memory > b->shape->memory ? -1 : 1;
    if (a->shape->disk != b->shape->disk)
        return a->shape->disk > b->shape->disk ? -1 : 1;
    int order = strcmp(a->shape->group, b->shape->group);
    if (!order)
        order = strcmp(a->shape->owner, b->shape->owner);
    return order ? order : strcmp(a->schedd, b->schedd);
}

const struct demand *demand_gather(struct arena *a, const struct policy *p, const struct world *w,
                                   const struct trust *trust)
{
    struct demand *d = arena_take(a, 1, sizeof(*d));
    size_t n = 0;
    for (size_t q = 0; q < w->n_queues; q++)
        n += w->queues[q].n_shapes;
    struct want *wants = arena_take(a, n, sizeof(*wants));
    n = 0;
    for (size_t q = 0; q < w->n_queues; q++) {
        for (size_t i = 0; i < w->queues[q].n_shapes; i++) {
            struct want *want = &wants[n++];
            *want = (struct want){.schedd = w->queues[q].schedd,
                                  .shape = &w->queues[q].shapes[i],
                                  .group = SIZE_MAX};
            want->memory = (want->shape->memory + memory_step - 1) / memory_step * memory_step;
            judge(p, want, &trust->rows[1 + q]);
        }
    }
    if (n > 1)
        qsort(wants, n, sizeof(*wants), want_order);
    d->wants = wants;
    d->n = n;
    return d;
}
