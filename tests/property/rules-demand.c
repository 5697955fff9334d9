/*
 * L3 and the books of the jobs: demand becomes VMs in the same step unless something stands against
 * it, what waits says why, and the numbers add up.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "property/books.h"

static int jobs_add_up(const struct trial *t, struct err *e)
{
    size_t shapes = 0;
    for (size_t i = 0; i < t->world->n_queues; i++)
        shapes += t->world->queues[i].n_shapes;
    if (shapes != t->plan->n_shapes)
        return BROKEN(e, "%zu shapes in the world, %zu in the plan", shapes, t->plan->n_shapes);
    for (size_t i = 0; i < t->plan->n_shapes; i++) {
        const struct plan_shape *s = &t->plan->shapes[i];
        if (s->served < 0 || s->starting < 0 || s->waiting < 0 ||
            s->served + s->starting + s->waiting != s->shape->idle)
            return BROKEN(e,
                          "%s/%s: %" PRId64 " served + %" PRId64 " starting + %" PRId64
                          " waiting is not %" PRId64 " idle",
                          s->shape->group, s->shape->owner, s->served, s->starting, s->waiting,
                          s->shape->idle);
    }
    return 0;
}

static int waiting_has_a_reason(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_shapes; i++) {
        const struct plan_shape *s = &t->plan->shapes[i];
        if (s->waiting > 0 &&
            (s->reason.code == REASON_NONE || s->reason.code == REASON_JOBS_SERVED ||
             s->reason.code == REASON_JOBS_STARTING))
            return BROKEN(e, "%" PRId64 " jobs of %s/%s wait, and the reason is %s", s->waiting,
                          s->shape->group, s->shape->owner, reason_name(s->reason.code));
    }
    return 0;
}

static int actions_have_reasons(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++)
        if (t->plan->actions[i].reason.code == REASON_NONE)
            return BROKEN(e, "%s of %s without a reason",
                          action_kind_name(t->plan->actions[i].kind), t->plan->actions[i].name);
    return 0;
}

static int vms_add_up(const struct trial *t, struct err *e)
{
    int64_t counts[VM_STATE_COUNT] = {0};
    for (size_t i = 0; i < t->plan->n_vms; i++)
        counts[t->plan->vms[i].state]++;
    if (memcmp(counts, t->plan->counts, sizeof(counts)) != 0)
        return BROKEN(e, "the counts of states differ from the VMs");
    return 0;
}

static int plans_are_bounded(const struct trial *t, struct err *e)
{
    size_t most = LIMIT_ACTIONS_PER_STEP + 3 * t->plan->n_vms + t->world->n_flocks;
    for (size_t i = 0; i < t->world->n_hosts; i++)
        most += t->world->hosts[i].n_volumes;
    if (t->plan->n_actions > most)
        return BROKEN(e, "%zu actions", t->plan->n_actions);
    if (trial_count(t->plan, ACTION_CREATE) > LIMIT_ACTIONS_PER_STEP)
        return BROKEN(e, "%" PRId64 " creates", trial_count(t->plan, ACTION_CREATE));
    if (t->plan->next_look <= t->world->now)
        return BROKEN(e, "the next look is %" PRId64 " µs ago", t->world->now - t->plan->next_look);
    return 0;
}

/* A cpu is promised once: what jobs are said to get is there. */
static int promises_are_covered(const struct trial *t, struct err *e)
{
    int64_t served = 0, starting = 0, up = 0, born = 0;
    for (size_t i = 0; i < t->plan->n_shapes; i++) {
        served += t->plan->shapes[i].served * t->plan->shapes[i].shape->cpus;
        starting += t->plan->shapes[i].starting * t->plan->shapes[i].shape->cpus;
    }
    for (size_t i = 0; i < t->plan->n_vms; i++) {
        const struct plan_vm *vm = &t->plan->vms[i];
        if (vm->state == VM_CREATING || vm->state == VM_BOOTING)
            born += vm->cpus > vm->free_cpus ? vm->cpus : vm->free_cpus;
        else if (vm->startd && vm->state != VM_GONE && vm->state != VM_LOST &&
                 vm->state != VM_LEAVING)
            up += vm->startd->free_cpus;
    }
    for (size_t i = 0; i < t->plan->n_actions; i++)
        if (t->plan->actions[i].kind == ACTION_CREATE)
            born += t->policy->templates[t->plan->actions[i].policy_template].cpus;
    if (served > up)
        return BROKEN(e, "%" PRId64 " cpus are promised, %" PRId64 " are free", served, up);
    if (starting > born)
        return BROKEN(e, "%" PRId64 " cpus are promised, %" PRId64 " are being born", starting,
                      born);
    return 0;
}

static int demand_becomes_creates_L3(const struct trial *t, struct err *e)
{
    if (t->plan->frozen.code || !trial_trusts(t, &t->world->pool.fact) ||
        t->plan->counts[VM_LOST] > 0) /* for what is lost the planner may well count more than we */
        return 0;
    struct books *b = books_open(t);
    for (size_t i = 0; i < t->plan->n_actions; i++)
        if (t->plan->actions[i].kind == ACTION_CREATE)
            books_create(b, &t->plan->actions[i]);
    for (size_t i = 0; i < t->plan->n_shapes; i++) {
        const struct plan_shape *s = &t->plan->shapes[i];
        size_t g = s->waiting > 0 && !trial_waits_a_moment(s) ? trial_asks_for(t, s) : SIZE_MAX;
        for (size_t k = 0; g != SIZE_MAX && k < t->policy->groups[g].n_templates; k++) {
            size_t template = t->policy->groups[g].templates[k];
            const char *host =
                trial_fits(t, s->shape, template) ? books_open_host(b, g, template) : NULL;
            if (host)
                return BROKEN(
                    e, "%" PRId64 " jobs of %s/%s wait (%s), and a %s could be started on %s",
                    s->waiting, s->shape->group, s->shape->owner, reason_name(s->reason.code),
                    t->policy->templates[template].name, host);
        }
    }
    return 0;
}

const struct rule rules_demand[] = {
    {"served + starting + waiting are the idle jobs", jobs_add_up},
    {"what waits says why", waiting_has_a_reason},
    {"actions say why", actions_have_reasons},
    {"the counts are those of the VMs", vms_add_up},
    {"a plan is bounded and looks ahead", plans_are_bounded},
    {"no cpu is promised twice", promises_are_covered},
    {"L3: demand becomes creates in the same step", demand_becomes_creates_L3},
    {0},
};
