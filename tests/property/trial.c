#include "property/trial.h"

#include <errno.h>
#include <string.h>

#include "property/site.h"

struct trial trial_make(struct arena *a, struct draw *d)
{
    struct trial t = {.arena = a, .draw = d};
    t.policy = site_policy(a, d);
    t.world = site_world(a, d, t.policy);
    t.plan = plan_make(a, t.policy, t.world);
    return t;
}

int trial_check(const struct trial *t, const char **ret_rule, struct err *e)
{
    static const struct rule *const families[] = {rules_safety,    rules_limits, rules_demand,
                                                  rules_leftovers, rules_request, rules_share,  rules_variants};
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        for (const struct rule *rule = families[i]; rule->name; rule++) {
            int r = rule->holds(t, e);
            if (r < 0) {
                *ret_rule = rule->name;
                return r;
            }
        }
    }
    return 0;
}

bool trial_trusts(const struct trial *t, const struct world_fact *f)
{
    return f->asked > 0 && f->asked <= t->world->now &&
           t->world->now - f->asked <= t->policy->timing.trust_for.value;
}

bool trial_is_off(const struct world_host *host)
{
    return host->fenced > 0 && host->fact.asked <= host->fenced;
}

bool trial_trusts_host(const struct trial *t, const struct world_host *host)
{
    return trial_trusts(t, &host->fact) && !trial_is_off(host);
}

const struct world_host *trial_host(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->n_hosts; i++)
        if (strcmp(w->hosts[i].name, name) == 0)
            return &w->hosts[i];
    return NULL;
}

const struct world_record *trial_record(const struct world *w, const char *uuid)
{
    for (size_t i = 0; i < w->n_records; i++)
        if (strcmp(w->records[i].uuid, uuid) == 0)
            return &w->records[i];
    return NULL;
}

const struct plan_vm *trial_vm(const struct plan *plan, const char *uuid)
{
    const struct plan_vm *lost = NULL;
    for (size_t i = 0; i < plan->n_vms; i++) {
        const struct plan_vm *vm = &plan->vms[i];
        if (vm->state == VM_FOREIGN || strcmp(vm->uuid, uuid) != 0)
            continue;
        if (vm->state != VM_LOST)
            return vm;
        lost = lost ? lost : vm;
    }
    return lost;
}

const struct world_domain *trial_domain(const struct world *w, const char *uuid,
                                        const struct world_host **ret_host)
{
    for (size_t h = 0; h < w->n_hosts; h++) {
        for (size_t i = 0; i < w->hosts[h].n_domains; i++) {
            const struct world_domain *domain = &w->hosts[h].domains[i];
            if (!domain->ours || trial_is_off(&w->hosts[h]) || strcmp(domain->uuid, uuid) != 0)
                continue;
            if (ret_host)
                *ret_host = &w->hosts[h];
            return domain;
        }
    }
    return NULL;
}

const struct world_startd *trial_startd(const struct world *w, const char *uuid,
                                        const struct world_startd *last)
{
    for (size_t i = last ? (size_t)(last - w->pool.startds) + 1 : 0; i < w->pool.n_startds; i++)
        if (strcmp(w->pool.startds[i].uuid, uuid) == 0)
            return &w->pool.startds[i];
    return NULL;
}

bool trial_claimed(const struct world *w, const char *uuid)
{
    const struct world_startd *s = NULL;
    while ((s = trial_startd(w, uuid, s)))
        if (s->claimed > 0)
            return true;
    return false;
}

bool trial_is(const struct plan_action *action, enum action_kind kind)
{
    return action->kind == kind;
}

bool trial_is_undrain(const struct plan_action *action)
{
    return strcmp(action_kind_name(action->kind), "undrain") == 0;
}

int64_t trial_count(const struct plan *plan, enum action_kind kind)
{
    int64_t n = 0;
    for (size_t i = 0; i < plan->n_actions; i++)
        n += plan->actions[i].kind == kind;
    return n;
}

bool trial_fits(const struct trial *t, const struct world_shape *s, size_t template)
{
    const struct policy_template *pt = &t->policy->templates[template];
    int64_t step = 128 * MIB; /* what a startd rounds a request up to */
    return s->cpus <= pt->cpus && (s->memory + step - 1) / step * step <= pt->memory &&
           s->disk <= pt->disk && s->gpus <= pt->gpus;
}

static bool may_submit(const struct policy_group *g, const char *owner)
{
    for (size_t i = 0; i < g->n_submitters; i++)
        if (strcmp(g->submitters[i], owner) == 0)
            return true;
    return g->n_submitters == 0;
}

size_t trial_asks_for(const struct trial *t, const struct plan_shape *shape)
{
    const struct world_shape *s = shape->shape;
    for (size_t i = 0; i < t->world->n_queues; i++)
        if (strcmp(t->world->queues[i].schedd, shape->schedd) == 0 &&
            (!trial_trusts(t, &t->world->queues[i].fact) ||
             t->world->queues[i].fact.asked < t->world->pool.fact.asked))
            return SIZE_MAX; /* a queue older than the slots may hold jobs that run already */
    if (s->first_seen + t->policy->timing.settle.value > t->world->now ||
        s->flock_from > t->world->now ||
        (s->runtime && s->runtime > t->policy->timing.max_age.value -
                                        t->policy->timing.join_within.value))
        return SIZE_MAX; /* a VM started for them would not live as long as they may run */
    if (s->request && *s->request)
        return SIZE_MAX; /* such jobs start no VM of their own */
    for (size_t i = 0; i < t->policy->n_groups; i++)
        if (strcmp(t->policy->groups[i].name, s->group) == 0 &&
            may_submit(&t->policy->groups[i], s->owner))
            return i;
    return SIZE_MAX;
}

bool trial_waits_a_moment(const struct plan_shape *shape)
{
    return shape->reason.code == REASON_LIMIT_HOST_IN_FLIGHT ||
           shape->reason.code == REASON_LIMIT_HOST_PER_MINUTE;
}

bool trial_keeps_room(const struct trial *t)
{
    for (size_t i = 0; i < t->plan->n_requests; i++)
        if (t->plan->requests[i].reason.code != REASON_NONE ||
            t->plan->requests[i].request->whole_host) /* its VMs may be there when it is over */
            return true;
    return false;
}
