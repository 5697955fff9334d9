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

/*
 * More jobs, never fewer VMs. Of one template only, and for one shape: with several, a larger VM
 * may rightly take the place of two.
 */
static int more_jobs_never_fewer_vms(const struct trial *t, struct err *e)
{
    const struct world_shape *shape = NULL;
    if (t->policy->n_templates != 1 || t->plan->n_shapes != 1)
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
            p->shape->gpus == s->gpus && p->shape->runtime == s->runtime &&
            strcmp(p->shape->request, s->request) == 0)
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
        if (a->kind == ACTION_POWEROFF &&
            (trial_claimed(t->world, a->uuid) || (vm && vm->state == VM_BOOTING)))
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

static bool has_seat(const struct trial *t, const struct plan_action *start)
{
    for (size_t i = 0; i < t->world->n_requests; i++) {
        const struct world_request *r = &t->world->requests[i];
        if (strcmp(r->id, start->request) != 0)
            continue;
        for (size_t k = 0; k < r->n_seats; k++)
            if (strcmp(r->seats[k].host, start->host) == 0)
                return true;
        return r->n_seats == 0;
    }
    return true;
}

/* Whether somebody leaves a seat for a VM that is started elsewhere, being late: he may come back. */
static bool frees_seats(const struct trial *t)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        if (a->reason.code == REASON_HOST_FOR_REQUEST ||
            (a->kind == ACTION_CREATE && !has_seat(t, a)))
            return true;
    }
    return false;
}

/*
 * Whether the plan makes room in the budget that a busy VM falls under: by VMs that it starts, of
 * which the budget may be a share, or by a drain that it takes back.
 */
static bool widens_budget(const struct trial *t, const struct plan_vm *vm)
{
    for (size_t i = 0; vm->claimed > 0 && i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        if (a->kind == ACTION_CREATE &&
            (a->policy_group == vm->policy_group || vm->policy_group == SIZE_MAX))
            return true;
        if (trial_is_undrain(a) && trial_vm(t->plan, a->uuid)->policy_group == vm->policy_group)
            return true;
    }
    return false;
}

static bool has(const struct plan *plan, enum action_kind kind, enum reason_code why)
{
    for (size_t i = 0; i < plan->n_actions; i++)
        if (plan->actions[i].kind == kind && plan->actions[i].reason.code == why)
            return true;
    return false;
}

/*
 * Whether jobs of the group that ask for unlike things may share VMs. They were packed when their
 * VMs were started, and are laid into VMs one shape after the other in the next step, as a
 * negotiator does: that may take a VM more.
 */
static bool packs_unlike_jobs(const struct trial *t, size_t group)
{
    const struct world_shape *first = NULL;
    for (size_t i = 0; i < t->plan->n_shapes; i++) {
        const struct world_shape *s = t->plan->shapes[i].shape;
        if (s->idle == 0 || trial_asks_for(t, &t->plan->shapes[i]) != group)
            continue;
        if (first && (s->cpus != first->cpus || s->memory != first->memory ||
                      s->gpus != first->gpus || s->disk != first->disk))
            return true;
        first = s;
    }
    return false;
}

/* What the next step may well do: what this one did made room for it. */
static bool follows(const struct trial *t, const struct plan_action *next)
{
    if (trial_is_undrain(
            next)) /* under a limit, a drained VM makes room for one that was drained */
        return has(t->plan, ACTION_DRAIN, REASON_IDLE) ||
               has(t->plan, ACTION_CREATE, REASON_REQUEST); /* for which room was kept */
    if (next->kind == ACTION_DRAIN && next->reason.code == REASON_IDLE)
        return has(t->plan, ACTION_UNDRAIN, REASON_WANTED_AGAIN); /* which takes the jobs */
    if (next->kind == ACTION_CREATE && (has(t->plan, ACTION_DRAIN, REASON_NO_FIRST_JOB) ||
                                        has(t->plan, ACTION_DRAIN, REASON_TAKES_NO_JOBS)))
        return true; /* whom that counts against is not carried out here */
    if (next->kind == ACTION_CREATE && next->reason.code == REASON_DEMAND)
        return packs_unlike_jobs(t, next->policy_group);
    if ((next->reason.code == REASON_HOST_FOR_REQUEST ||
         next->reason.code == REASON_ROOM_FOR_REQUEST) &&
        (has(t->plan, ACTION_CREATE, REASON_REQUEST) || /* and so it is fuller */
         has(t->plan, ACTION_UNDRAIN, REASON_HELD_FOR_REQUEST)))
        return true;
    return next->kind == ACTION_DRAIN && widens_budget(t, trial_vm(t->plan, next->uuid));
}

/* Whether the facts were good: others learn something new from the look after. */
static bool knows_all(const struct trial *t)
{
    bool good = trial_trusts(t, &t->world->pool.fact) && !t->plan->frozen.code;
    for (size_t i = 0; good && i < t->world->n_queues; i++)
        good = trial_trusts(t, &t->world->queues[i].fact) &&
               t->world->queues[i].fact.asked >= t->world->pool.fact.asked;
    for (size_t i = 0; good && i < t->world->n_hosts; i++)
        good = trial_trusts_host(t, &t->world->hosts[i]) && !t->world->hosts[i].fact.failed;
    return good;
}

static struct trial carried_out(const struct trial *t)
{
    struct trial next = *t;
    next.world = vary_carried_out(t);
    next.plan = plan_make(t->arena, t->policy, next.world);
    return next;
}

/* Whether the action changes which VMs there are, or a fragment; what goes at last may take longer.
 */
static bool is_news(const struct plan_action *a)
{
    return a->kind == ACTION_CREATE || a->kind == ACTION_DRAIN || trial_is_undrain(a) ||
           a->kind == ACTION_FLOCK_APPLY || a->kind == ACTION_FLOCK_REMOVE;
}

/* What a plan asks for it does not ask for again once it was done. */
static int carried_out_is_done(const struct trial *t, struct err *e)
{
    if (!knows_all(t) || ends_what_counts(t) || some_outlive_vms(t) || frees_seats(t))
        return 0;
    const struct trial next = carried_out(t);
    for (size_t i = 0; !next.plan->frozen.code && i < next.plan->n_actions; i++) {
        const struct plan_action *a = &next.plan->actions[i];
        if (is_news(a) && !follows(t, a))
            return BROKEN(
                e, "after %" PRId64 " creates the next step has a new %s of %s on %s (%s)",
                trial_count(t->plan, ACTION_CREATE), action_kind_name(a->kind),
                a->kind == ACTION_CREATE ? t->policy->templates[a->policy_template].name : a->name,
                a->host, reason_name(a->reason.code));
    }
    return 0;
}

/* Whatever the facts were: plans that are carried out one after the other come to an end. */
static int plans_come_to_an_end(const struct trial *t, struct err *e)
{
    enum { STEPS = 10 }; /* L1 */
    struct trial next = *t;
    for (int step = 0; step < STEPS; step++)
        next = carried_out(&next);
    for (size_t i = 0; i < next.plan->n_actions; i++) {
        const struct plan_action *a = &next.plan->actions[i];
        if (is_news(a))
            return BROKEN(e, "after %d steps there is a new %s of %s on %s (%s)", STEPS,
                          action_kind_name(a->kind),
                          a->kind == ACTION_CREATE ? t->policy->templates[a->policy_template].name
                                                   : a->name,
                          a->host, reason_name(a->reason.code));
    }
    return 0;
}

const struct rule rules_variants[] = {
    {"S9: the same input gives the same plan", same_input_same_plan_S9},
    {"S9: the order of facts changes nothing", order_of_facts_is_nothing_S9},
    {"more jobs never mean fewer VMs", more_jobs_never_fewer_vms},
    {"who asks for more gets no less", asking_for_more_gets_no_less},
    {"a plan that was carried out is done", carried_out_is_done},
    {"L1: plans that are carried out come to an end", plans_come_to_an_end},
    {0},
};
