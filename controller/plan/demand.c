/*
 * Rung 3. A shape is demand when its group is known, its owner may use the group, and one of the
 * group's templates can hold one of its jobs. Held jobs are never demand. What the last good answer
 * of an untrusted queue said is reported, but asks for nothing; what one that is older than the slots
 * said keeps VMs, but starts none, since its jobs may be running by now.
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

/* Why no job of a shape that names a request counts; REASON_NONE: they do. */
static struct reason refusal_of_request(const struct policy *p, const struct world *w,
                                        const struct bookings *bookings, const struct want *want)
{
    const struct world_shape *shape = want->shape;
    const struct booking *b = want->request < bookings->n ? &bookings->items[want->request] : NULL;
    if (!b || strcmp(b->facts->group, shape->group) != 0)
        return (struct reason){REASON_JOBS_UNKNOWN_REQUEST, shape->idle, .subject = shape->request};
    const struct world_request *r = b->facts;
    if (b->phase == REQUEST_OVER)
        return (struct reason){REASON_JOBS_REQUEST_ENDED, shape->idle, .subject = r->id};
    if (b->template != SIZE_MAX && !want_fits_template(want, &p->templates[b->template]))
        return (struct reason){REASON_JOBS_TOO_BIG_FOR_REQUEST, shape->idle, shape->cpus,
                               .subject = r->id};
    usec left = r->until - (r->from > w->now ? r->from : w->now);
    if (shape->runtime > left)
        return (struct reason){REASON_JOBS_TOO_LONG_FOR_REQUEST, shape->runtime, left,
                               .subject = r->id};
    if (b->phase == REQUEST_AHEAD)
        return (struct reason){REASON_JOBS_REQUEST_AHEAD, shape->idle, r->from - w->now,
                               .subject = r->id};
    return (struct reason){0};
}

/* Why no job of a shape that names no request counts; REASON_NONE: they do. */
static struct reason refusal_of_group(const struct policy *p, const struct policy_group *g,
                                      const struct want *want)
{
    const struct world_shape *shape = want->shape;
    const struct setting *age = &p->timing.max_age;
    if (!fits_some_template(p, g, want))
        return (struct reason){REASON_JOBS_TOO_BIG, shape->idle, shape->cpus, g->at, shape->group};
    if (shape->runtime && shape->runtime > age->value - p->timing.join_within.value)
        return (struct reason){REASON_JOBS_TOO_LONG, shape->runtime, age->value, age->at,
                               shape->group};
    return (struct reason){0};
}

/* Why no job of the shape counts; REASON_NONE: they do. */
static struct reason refusal(const struct policy *p, const struct world *w,
                             const struct bookings *bookings, const struct want *want, size_t group,
                             const struct plan_trust *queue)
{
    const struct world_shape *shape = want->shape;
    if (!policy_find_schedd(p, want->schedd))
        return (struct reason){REASON_JOBS_SCHEDD_REMOVED, shape->idle, .subject = want->schedd};
    if (shape->group[0] == '\0')
        return (struct reason){REASON_JOBS_NO_GROUP, shape->idle, .subject = shape->owner};
    if (group == SIZE_MAX)
        return (struct reason){REASON_JOBS_UNKNOWN_GROUP, shape->idle, .subject = shape->group};
    const struct policy_group *g = &p->groups[group];
    if (!may_submit(g, shape->owner))
        return (struct reason){REASON_JOBS_NOT_SUBMITTER, shape->idle, .at = g->at,
                               .subject = shape->owner};
    struct reason why = want->request == NO_REQUEST ? refusal_of_group(p, g, want)
                                                    : refusal_of_request(p, w, bookings, want);
    if (why.code)
        return why;
    if (!queue->trusted)
        return (struct reason){REASON_QUEUE_UNTRUSTED, queue->age, p->timing.trust_for.value,
                               p->timing.trust_for.at, queue->name};
    if (shape->idle <= 0 && shape->held > 0)
        return (struct reason){REASON_JOBS_HELD, shape->held, .subject = shape->group};
    if (shape->idle > 0 && shape->flock_from > w->now)
        return (struct reason){REASON_JOBS_OVERFLOW, shape->flock_from - w->now, .subject = shape->group};
    return (struct reason){0};
}

/* Why the jobs may use VMs that are there, but start none yet; REASON_NONE: they may. */
static struct reason patience(const struct policy *p, const struct world *w, const struct want *want,
                              const struct world_queue *queue, struct later *later)
{
    const struct setting *settle = &p->timing.settle;
    if (queue->fact.asked < w->pool.fact.asked)
        return (struct reason){REASON_QUEUE_BEHIND, .subject = queue->schedd};
    if (!settle->value || !want->shape->first_seen ||
        w->now - want->shape->first_seen >= settle->value)
        return (struct reason){0};
    later_at(later, want->shape->first_seen + settle->value);
    return (struct reason){REASON_JOBS_SETTLING, w->now - want->shape->first_seen, settle->value,
                           settle->at};
}

static const char *name_of(const char *request)
{
    return request ? request : "";
}

/* Largest first, so that what is hard to place is placed first; then by name, for S9. */
static int want_order(const void *left, const void *right)
{
    const struct want *a = left, *b = right;
    if (a->shape->cpus != b->shape->cpus)
        return a->shape->cpus > b->shape->cpus ? -1 : 1;
    if (a->memory != b->memory)
        return a->memory > b->memory ? -1 : 1;
    if (a->shape->gpus != b->shape->gpus)
        return a->shape->gpus > b->shape->gpus ? -1 : 1;
    if (a->shape->disk != b->shape->disk)
        return a->shape->disk > b->shape->disk ? -1 : 1;
    int order = strcmp(a->shape->group, b->shape->group);
    if (!order)
        order = strcmp(a->shape->owner, b->shape->owner);
    if (!order)
        order = strcmp(a->schedd, b->schedd);
    if (!order && a->shape->runtime != b->shape->runtime)
        order = a->shape->runtime < b->shape->runtime ? -1 : 1;
    if (!order && a->shape->flock_from != b->shape->flock_from)
        order = a->shape->flock_from < b->shape->flock_from ? -1 : 1;
    if (!order)
        order = strcmp(name_of(a->shape->request), name_of(b->shape->request));
    if (!order && a->jobs != b->jobs)
        order = a->jobs < b->jobs ? -1 : 1;
    return order;
}

static void index_groups(struct arena *a, const struct policy *p, struct demand *d)
{
    size_t *start = arena_take(a, p->n_groups + 2, sizeof(*start));
    size_t *by_group = arena_take(a, d->n, sizeof(*by_group));
    for (size_t i = 0; i < d->n; i++)
        if (d->wants[i].group != SIZE_MAX)
            start[d->wants[i].group + 2]++;
    for (size_t g = 2; g < p->n_groups + 2; g++)
        start[g] += start[g - 1];
    for (size_t i = 0; i < d->n; i++)
        if (d->wants[i].group != SIZE_MAX)
            by_group[start[d->wants[i].group + 1]++] = i;
    d->by_group = by_group;
    d->group_start = start;
}

const struct demand *demand_gather(struct arena *a, const struct policy *p, const struct world *w,
                                   const struct trust *trust, const struct bookings *bookings,
                                   struct later *later)
{
    struct demand *d = arena_take(a, 1, sizeof(*d));
    size_t n = 0;
    for (size_t q = 0; q < w->n_queues; q++)
        n += w->queues[q].n_shapes;
    struct want *wants = arena_take(a, n, sizeof(*wants));
    for (size_t q = 0; q < w->n_queues; q++) {
        for (size_t i = 0; i < w->queues[q].n_shapes; i++) {
            struct want *want = &wants[d->n++];
            const struct world_shape *shape = &w->queues[q].shapes[i];
            size_t group = policy_find_group(p, shape->group);
            want->schedd = w->queues[q].schedd;
            want->shape = shape;
            want->memory = (shape->memory + memory_step - 1) / memory_step * memory_step;
            want->request = NO_REQUEST;
            if (*name_of(shape->request)) {
                size_t known = names_find(bookings->by_id, shape->request);
                want->request = known == SIZE_MAX ? UNKNOWN_REQUEST : (uint32_t)known;
            }
            want->reason = refusal(p, w, bookings, want, group, &trust->rows[1 + q]);
            if (want->reason.code == REASON_JOBS_OVERFLOW)
                later_at(later, shape->flock_from);
            want->group = want->reason.code ? SIZE_MAX : group;
            if (want->reason.code || shape->idle <= 0)
                continue;
            want->jobs = shape->idle;
            want->reason = patience(p, w, want, &w->queues[q], later);
            want->settling = want->reason.code != REASON_NONE;
        }
    }
    if (n > 1)
        qsort(wants, n, sizeof(*wants), want_order);
    d->wants = wants;
    index_groups(a, p, d);
    return d;
}
