/*
 * Rules about two plans: the same world twice, in another order, with more jobs, and carried out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "property/vary.h"

static const char *text_of(const struct trial *t, const struct plan *plan)
{
    CLEANUP(text_done) struct text text = {0};
    plan_render(plan, &text);
    return arena_strdup(t->arena, text_get(&text));
}

static bool same_action(const struct plan_action *a, const struct plan_action *b)
{
    return a->kind == b->kind && a->reason.code == b->reason.code && a->reason.n == b->reason.n &&
           a->reason.limit == b->reason.limit && a->reason.at.line == b->reason.at.line &&
           strcmp(a->uuid, b->uuid) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->host, b->host) == 0 && strcmp(a->volume, b->volume) == 0 &&
           strcmp(a->machine, b->machine) == 0 && a->policy_template == b->policy_template &&
           a->policy_group == b->policy_group && a->exclusive == b->exclusive;
}

static int same_input_same_plan_S9(const struct trial *t, struct err *e)
{
    const struct plan *again = plan_make(t->arena, t->policy, t->world);
    if (again->n_actions != t->plan->n_actions || again->next_look != t->plan->next_look)
        return BROKEN(e, "%zu actions, then %zu", t->plan->n_actions, again->n_actions);
    for (size_t i = 0; i < again->n_actions; i++)
        if (!same_action(&again->actions[i], &t->plan->actions[i]))
            return BROKEN(e, "action %zu differs", i);
    if (strcmp(text_of(t, t->plan), text_of(t, again)) != 0)
        return BROKEN(e, "two plans of one world read differently");
    return 0;
}

static int line_order(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The lines of @text in order of the alphabet. */
static char **lines_of(const struct trial *t, const char *text, size_t *ret_n)
{
    char *copy = arena_strdup(t->arena, text), *rest = copy, *line;
    size_t n = 0;
    for (const char *c = text; *c; c++)
        n += *c == '\n';
    char **lines = arena_take(t->arena, n + 1, sizeof(*lines));
    *ret_n = 0;
    while (*ret_n < n && (line = strsep(&rest, "\n")))
        lines[(*ret_n)++] = line;
    qsort(lines, n, sizeof(*lines), line_order);
    return lines;
}

static int order_of_facts_is_nothing_S9(const struct trial *t, struct err *e)
{
    const struct plan *other = plan_make(t->arena, t->policy, vary_order(t));
    const char *a = text_of(t, t->plan), *b = text_of(t, other);
    size_t n_a, n_b;
    char **lines_a = lines_of(t, a, &n_a), **lines_b = lines_of(t, b, &n_b);
    for (size_t i = 0; i < n_a || i < n_b; i++)
        if (i >= n_a || i >= n_b || strcmp(lines_a[i], lines_b[i]) != 0)
            return BROKEN(e, "other order, other plan:\n  %s\n  %s", i < n_a ? lines_a[i] : "",
                          i < n_b ? lines_b[i] : "");
    return 0;
}

static int64_t vms_after(const struct plan *plan)
{
    return trial_count(plan, ACTION_CREATE) - trial_count(plan, ACTION_DRAIN);
}

/* A limit that was lowered takes VMs by their use, and demand changes which: those may be larger.
 */
static bool shrinks_to_a_limit(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_actions; i++)
        if (plan->actions[i].reason.code == REASON_OVER_LIMIT)
            return true;
    return false;
}

/*
 * More jobs, never fewer VMs. Of one template only, and for one shape: with several, a larger VM
 * may rightly take the place of two.
 */
static int more_jobs_never_fewer_vms(const struct trial *t, struct err *e)
{
    const struct world_shape *shape = NULL;
    if (t->policy->n_templates != 1 || t->plan->n_shapes != 1 || shrinks_to_a_limit(t->plan))
        return 0;
    const struct world *w = vary_demand(t, draw_range(t->draw, 1, 50), &shape);
    const struct plan *more = plan_make(t->arena, t->policy, w);
    if (vms_after(more) < vms_after(t->plan))
        return BROKEN(e, "%" PRId64 " jobs: %+" PRId64 " VMs; %" PRId64 " jobs: %+" PRId64 " VMs",
                      t->plan->shapes[0].shape->idle, vms_after(t->plan), shape->idle,
                      vms_after(more));
    return 0;
}

static const struct plan_shape *find(const struct plan *plan, const char *schedd,
                                     const struct world_shape *s)
{
    for (size_t i = 0; i < plan->n_shapes; i++) {
        const struct plan_shape *p = &plan->shapes[i];
        if (strcmp(p->schedd, schedd) == 0 && strcmp(p->shape->owner, s->owner) == 0 &&
            strcmp(p->shape->group, s->group) == 0 && p->shape->cpus == s->cpus &&
            p->shape->memory == s->memory && p->shape->disk == s->disk &&
            p->shape->gpus == s->gpus && p->shape->runtime == s->runtime)
            return p;
    }
    return NULL;
}

/* Who asks for more gets no less than before. */
static int asking_for_more_gets_no_less(const struct trial *t, struct err *e)
{
    const struct world_shape *shape = NULL;
    if (t->policy->n_templates != 1 || t->plan->n_shapes != 1)
        return 0;
    const struct world *w = vary_demand(t, draw_range(t->draw, 1, 50), &shape);
    const struct plan *more = plan_make(t->arena, t->policy, w);
    const struct plan_shape *after = find(more, t->plan->shapes[0].schedd, shape);
    const struct plan_shape *before = &t->plan->shapes[0];
    if (!after)
        return BROKEN(e, "the shape is lost");
    if (after->served + after->starting < before->served + before->starting)
        return BROKEN(e, "%" PRId64 " of %" PRId64 " jobs get a VM, of %" PRId64 " only %" PRId64,
                      before->served + before->starting, before->shape->idle, shape->idle,
                      after->served + after->starting);
    return 0;
}

/*
 * Whether the plan ends what the next step need not count any more: a VM that was to serve jobs, or
 * a busy one that took a place in the disruption budget.
 */
static bool ends_what_counts(const struct trial *t)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        const struct plan_vm *vm = trial_vm(t->plan, a->uuid);
        if (a->kind == ACTION_DESTROY && vm && vm->state == VM_BOOTING)
            return true;
        if (a->kind == ACTION_POWEROFF && trial_claimed(t->world, a->uuid))
            return true;
    }
    return t->plan->counts[VM_CREATING] > 0; /* which the next list shows, or shows to be gone */
}

/* Jobs that may run nearly as long as a VM lives: a VM that is a moment old no longer suits them.
 */
static bool some_outlive_vms(const struct trial *t)
{
    for (size_t i = 0; i < t->plan->n_shapes; i++)
        if (t->plan->shapes[i].shape->runtime + USEC_PER_MINUTE > t->policy->timing.max_age.value)
            return true;
    return false;
}

static bool some_wait(const struct trial *t)
{
    for (size_t i = 0; i < t->plan->n_shapes; i++)
        if (t->plan->shapes[i].waiting > 0)
            return true;
    return false;
}

/*
 * What a plan asks for it does not ask for again once it was done. Only of worlds whose facts were
 * good: others learn something new from the look after.
 */
static int carried_out_is_done(const struct trial *t, struct err *e)
{
    bool good = trial_trusts(t, &t->world->pool.fact) && !t->plan->frozen.code &&
                !ends_what_counts(t) && !some_outlive_vms(t);
    for (size_t i = 0; good && i < t->world->n_queues; i++)
        good = trial_trusts(t, &t->world->queues[i].fact) &&
               t->world->queues[i].fact.asked >= t->world->pool.fact.asked;
    for (size_t i = 0; good && i < t->world->n_hosts; i++)
        good = trial_trusts(t, &t->world->hosts[i].fact);
    if (!good)
        return 0;
    struct trial next = *t;
    next.world = vary_carried_out(t);
    next.plan = plan_make(t->arena, t->policy, next.world);
    if (next.plan->frozen.code)
        return 0;
    for (size_t i = 0; i < next.plan->n_actions; i++) {
        const struct plan_action *a = &next.plan->actions[i];
        if (a->reason.code == REASON_SPARE && some_wait(t))
            continue; /* spare VMs are taken by jobs that may start none of their own */
        if (a->kind == ACTION_CREATE)
            return BROKEN(e, "after %" PRId64 " creates the next step starts a %s on %s (%s)",
                          trial_count(t->plan, ACTION_CREATE),
                          t->policy->templates[a->policy_template].name, a->host,
                          reason_name(a->reason.code));
        if (trial_is_undrain(a) && shrinks_to_a_limit(t->plan))
            continue; /* a small VM was drained before large ones, and fits again without them */
        if (a->kind == ACTION_DRAIN || a->kind == ACTION_FLOCK_APPLY ||
            a->kind == ACTION_FLOCK_REMOVE || trial_is_undrain(a))
            return BROKEN(e, "the next step has a new %s of %s (%s)", action_kind_name(a->kind),
                          a->name, reason_name(a->reason.code));
    }
    return 0;
}

const struct rule rules_variants[] = {
    {"S9: the same input gives the same plan", same_input_same_plan_S9},
    {"S9: the order of facts changes nothing", order_of_facts_is_nothing_S9},
    {"more jobs never mean fewer VMs", more_jobs_never_fewer_vms},
    {"who asks for more gets no less", asking_for_more_gets_no_less},
    {"a plan that was carried out is done", carried_out_is_done, .open = true},
    {0},
};
