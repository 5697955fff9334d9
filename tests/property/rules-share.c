/*
 * How the pool is shared: quota before surplus, surplus by weight, drains within the budget. Each
 * rule asks whether a VM that one group got could have gone to another that had the better claim.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "property/books.h"

/* The books after the plan without its creates from number @from on for @group (SIZE_MAX: none). */
static struct books *books_without(const struct trial *t, size_t group, size_t from)
{
    struct books *b = books_open(t);
    for (size_t i = 0; i < t->plan->n_actions; i++)
        if (t->plan->actions[i].kind == ACTION_CREATE &&
            !(i >= from && t->plan->actions[i].policy_group == group))
            books_create(b, &t->plan->actions[i]);
    return b;
}

static int64_t cpus_of(const struct plan_action *create, const struct trial *t)
{
    return t->policy->templates[create->policy_template].cpus;
}

/*
 * Whether @group has jobs that wait and a VM of @template could be started for it, when the others
 * have what @b says.
 */
static const struct plan_shape *could_use(const struct trial *t, const struct books *b,
                                          size_t group, size_t template)
{
    for (size_t i = 0; i < t->plan->n_shapes; i++) {
        const struct plan_shape *s = &t->plan->shapes[i];
        if (s->waiting > 0 && !trial_waits_a_moment(s) && trial_asks_for(t, s) == group && trial_fits(t, s->shape, template) &&
            books_open_host(b, group, template))
            return s;
    }
    return NULL;
}

/* Nobody gets surplus while a group below its quota waits for what it took. */
static int quota_comes_before_surplus(const struct trial *t, struct err *e)
{
    const struct policy *p = t->policy;
    struct books *end = books_without(t, SIZE_MAX, SIZE_MAX);
    if (t->plan->frozen.code || !trial_trusts(t, &t->world->pool.fact))
        return 0;
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        size_t rich = a->kind == ACTION_CREATE && !a->request[0] ? a->policy_group : SIZE_MAX;
        if (rich == SIZE_MAX ||
            end->groups[rich].cpus - cpus_of(a, t) < p->groups[rich].quota.value)
            continue;
        struct books *b = books_without(t, rich, i);
        for (size_t poor = 0; poor < p->n_groups; poor++) {
            const struct policy_group *g = &p->groups[poor];
            for (size_t k = 0; poor != rich && k < g->n_templates; k++)
                if (b->groups[poor].cpus + p->templates[g->templates[k]].cpus <= g->quota.value &&
                    b->groups[rich].cpus >= p->groups[rich].quota.value &&
                    could_use(t, b, poor, g->templates[k]))
                    return BROKEN(e, "%s gets surplus, and %s waits below its quota",
                                  p->groups[rich].name, g->name);
        }
    }
    return 0;
}

/*
 * Of two groups that get surplus, the one that uses less for its weight comes first. Told of sites
 * with one template, where a VM for one is as large as a VM for the other.
 */
static int surplus_goes_by_weight(const struct trial *t, struct err *e)
{
    const struct policy *p = t->policy;
    if (t->plan->frozen.code || !trial_trusts(t, &t->world->pool.fact) || p->n_templates != 1)
        return 0;
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        size_t more = a->kind == ACTION_CREATE && !a->request[0] ? a->policy_group : SIZE_MAX;
        if (more == SIZE_MAX || p->groups[more].quota.value || !p->groups[more].weight.value)
            continue;
        struct books *b = books_without(t, more, i);
        for (size_t less = 0; less < p->n_groups; less++)
            if (less != more && p->groups[less].n_templates && p->groups[less].quota.value == 0 &&
                b->groups[less].cpus * p->groups[more].weight.value <
                    b->groups[more].cpus * p->groups[less].weight.value &&
                could_use(t, b, less, 0))
                return BROKEN(e,
                              "%s with %" PRId64 " cpus gets a VM, and %s with %" PRId64 " waits",
                              p->groups[more].name, b->groups[more].cpus, p->groups[less].name,
                              b->groups[less].cpus);
    }
    return 0;
}

/* The bound of a group whose first budget holds at every minute; -1: none, or not that simple. */
static int64_t budget_of(const struct policy_group *g, int64_t vms)
{
    const struct policy_budget *b = g->disruption;
    if (!g->n_disruption || b->days != POLICY_EVERY_DAY || b->from != 0 ||
        b->until != POLICY_DAY_MINUTES)
        return -1;
    if (!b->percent)
        return b->number;
    int64_t allowed = vms * b->number / 100;
    return allowed == 0 && b->number > 0 ? 1 : allowed;
}

static int drains_stay_within_the_budget(const struct trial *t, struct err *e)
{
    for (size_t g = 0; g < t->policy->n_groups; g++) {
        int64_t vms = 0, before = 0, more = 0, ordered = 0;
        for (size_t i = 0; i < t->plan->n_vms; i++) {
            const struct plan_vm *vm = &t->plan->vms[i];
            if (vm->state == VM_FOREIGN || vm->state == VM_GONE ||
                strcmp(vm->group, t->policy->groups[g].name) != 0)
                continue;
            vms++;
            before += vm->state == VM_DRAINING && vm->claimed > 0;
            for (size_t k = 0; vm->claimed > 0 && k < t->plan->n_actions; k++) {
                const struct plan_action *a = &t->plan->actions[k];
                if (a->kind != ACTION_DRAIN || strcmp(a->uuid, vm->uuid) != 0)
                    continue;
                bool unbounded = a->reason.code == REASON_DRAIN_ASKED ||
                                a->reason.code == REASON_HOST_DRAINED ||
                                a->reason.code == REASON_HOST_FENCED ||
                                a->reason.code == REASON_REQUEST_ENDED;
                more++;
                ordered += unbounded;
            }
        }
        int64_t allowed = budget_of(&t->policy->groups[g], vms);
        if (allowed >= 0 && more > ordered && before + more > allowed)
            return BROKEN(e, "%" PRId64 " busy VMs of %s would drain at once, %" PRId64 " may",
                          before + more, t->policy->groups[g].name, allowed);
    }
    return 0;
}

/* A busy VM that is too old and is not drained by facts that are good: only a budget can keep it. */
static int what_a_budget_keeps_says_so(const struct trial *t, struct err *e)
{
    bool good = trial_trusts(t, &t->world->pool.fact);
    for (size_t i = 0; i < t->world->n_queues; i++)
        good = good && trial_trusts(t, &t->world->queues[i].fact);
    for (size_t i = 0; good && !t->plan->frozen.code && i < t->plan->n_vms; i++) {
        const struct plan_vm *vm = &t->plan->vms[i];
        bool goes = false;
        if (vm->state != VM_BUSY || !vm->born || *plan_vm_request(vm) ||
            t->world->now - vm->born < t->policy->timing.max_age.value)
            continue;
        for (size_t k = 0; k < t->plan->n_actions; k++)
            goes = goes || strcmp(t->plan->actions[k].uuid, vm->uuid) == 0;
        if (!goes && vm->reason.code != REASON_BUDGET)
            return BROKEN(e, "%s is too old and stays, and the reason is %s", vm->name,
                          reason_name(vm->reason.code));
    }
    return 0;
}

const struct rule rules_share[] = {
    {"quota comes before surplus", quota_comes_before_surplus},
    {"surplus goes by weight", surplus_goes_by_weight},
    {"drains of busy VMs stay within the budget", drains_stay_within_the_budget},
    {"what a budget keeps says so", what_a_budget_keeps_says_so},
    {0},
};
