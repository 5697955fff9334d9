/*
 * The rules S1–S8, L1 and L3, held against the truth of the site by code that knows nothing of how
 * the planner comes to its decisions. What it says names seed and step, so that it can be replayed.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/state.h"

/* L1: so many looks after the last fault the pool must be itself again. */
enum { CONVERGE_LOOKS = 10 };

void check_wrong(struct sim *s, const char *rule, const char *format, ...)
{
    struct sim_result *r = s->result;
    char text[SIM_VIOLATION_BYTES - 100];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (r->violations < SIM_VIOLATIONS_SHOWN)
        (void)snprintf(r->violation[r->violations], sizeof(r->violation[0]),
                       "%s: %s (seed %" PRIu64 ", step %" PRId64 ", %" PRId64 " s)", rule, text,
                       s->setup->seed, s->steps, (s->now - s->epoch) / USEC_PER_SEC);
    if (r->violations++ == 0)
        r->violation_step = s->steps;
    sim_say(s, "VIOLATION %s: %s", rule, text);
}

static void hold(struct sim *s, const char *what, const char *of, int64_t is, int64_t limit)
{
    if (limit != POLICY_UNLIMITED && is > limit)
        check_wrong(s, "S2", "%s%s%s: %" PRId64 ", and %" PRId64 " are allowed", what,
                    *of ? " of " : "", of, is, limit);
}

static bool is_young(const struct sim *s, const struct world_fact *fact)
{
    usec age = sim_clock(s) - fact->asked;
    return fact->asked && age >= 0 && age <= s->policy->timing.trust_for.value;
}

/* What a limit counts. */
struct use {
    int64_t vms, cpus, memory, starting;
};

/* A VM being started on a host that does not answer must not hold back the others (L2). */
static void count(const struct sim *s, struct use *u, const struct vm *vm)
{
    u->vms++;
    u->cpus += vm->cpus;
    u->memory += vm->memory;
    u->starting += !vm->record.joined && is_young(s, &s->hosts[vm->host].fact);
}

/* Whether neither its host nor the collector has told of it for long: it counts no more. */
static bool is_out_of_sight(const struct sim *s, const struct vm *vm)
{
    for (size_t i = 0; i < s->startds.n; i++)
        if (strcmp(s->startds.items[i].uuid, vm->uuid) == 0)
            return false;
    return !is_young(s, &s->hosts[vm->host].fact);
}

/* S2, when a VM was just decided: it is counted, and so is everything that is or may come to be, but
 * for what only a lost ledger knew of, and what is out of sight. */
void check_create(struct sim *s, const struct vm *new)
{
    const struct policy *p = s->policy;
    const struct policy_template *t = &p->templates[new->template];
    const struct policy_host *h = &p->hosts[new->host];
    struct use all = {0}, group = {0}, template = {0}, host = {0};
    for (size_t i = 0; i < s->n_living; i++) {
        const struct vm *vm = s->vms[s->living[i]];
        if (!(vm->domain || vm->creating) || !vm->recorded || is_out_of_sight(s, vm))
            continue;
        count(s, &all, vm);
        if (vm->group == new->group)
            count(s, &group, vm);
        if (vm->template == new->template)
            count(s, &template, vm);
        if (vm->host == new->host)
            count(s, &host, vm);
    }
    hold(s, "VMs", "", all.vms, p->limits.vms.value);
    hold(s, "cpus", "", all.cpus, p->limits.cpus.value);
    hold(s, "memory", "", all.memory, p->limits.memory.value);
    hold(s, "VMs being started", "", all.starting, p->limits.starts_in_flight.value);
    hold(s, "VMs being started", h->name, host.starting, p->limits.host_starts_in_flight.value);
    hold(s, "VMs", t->name, template.vms, t->max_vms.value);
    hold(s, "VMs", h->name, host.vms, h->max_vms.value);
    if (new->group != SIZE_MAX) {
        const struct policy_group *g = &p->groups[new->group];
        hold(s, "cpus", g->name, group.cpus, g->max.value);
        hold(s, "VMs", g->name, group.vms, g->max_vms.value);
        hold(s, "memory", g->name, group.memory, g->max_memory.value);
    }
    int64_t cpus, memory, minute = 0;
    host_books(s, new->host, &cpus, &memory);
    hold(s, "cpus", h->name, cpus, s->hosts[new->host].cpus * p->placement.overcommit.value / 100);
    hold(s, "memory", h->name, memory, s->hosts[new->host].memory);
    for (size_t i = 0; i < s->n_starts; i++)
        minute += s->starts[i].at > sim_clock(s) - USEC_PER_MINUTE && s->starts[i].at <= sim_clock(s);
    hold(s, "starts within a minute", "", minute, p->limits.starts_per_minute.value);
}

/* S3: it is ours. S8: nothing shrinks on facts that are missing or stale. S4: what is forgotten is
 * gone. */
void check_action(struct sim *s, const struct plan_action *action, const struct world *w)
{
    const char *kind = action_kind_name(action->kind);
    const struct vm *vm = action->uuid[0] ? vm_of(s, action->uuid) : NULL;
    bool shrinks = action->kind == ACTION_DRAIN || action->kind == ACTION_POWEROFF ||
                   action->kind == ACTION_DESTROY;
    if (w->paused)
        check_wrong(s, "pause", "%s of %s while an admin paused the pool", kind, action->name);
    if (shrinks && !is_young(s, &w->pool.fact))
        check_wrong(s, "S8", "%s of %s on a pool that did not answer", kind, action->name);
    bool by_admin = action->reason.code == REASON_HOST_DRAINED;
    if (action->kind == ACTION_DRAIN && !by_admin && w->n_queues &&
        !is_young(s, &w->queues[0].fact))
        check_wrong(s, "S8", "drain of %s on a queue that did not answer", action->name);
    if (vm && vm->host < s->policy->n_hosts && (shrinks || action->kind == ACTION_FORGET) &&
        action->kind != ACTION_DRAIN && !is_young(s, &s->hosts[vm->host].fact))
        check_wrong(s, "S8", "%s of %s, whose host did not answer", kind, action->name);
    if (action->kind == ACTION_FORGET && vm && vm->domain)
        check_wrong(s, "S4", "%s is forgotten and its domain runs", action->name);
    if (action->kind == ACTION_INVALIDATE && vm && vm->startd && vm->claimed)
        check_wrong(s, "S1", "the ad of %s is taken away while a job runs in it", action->name);
}

/* Whether its drain may end by force now. */
static bool may_be_killed(const struct sim *s, const struct vm *vm)
{
    usec accepted = vm->record.drain_accepted, within = s->policy->timing.drain_within.value;
    usec decided = vm->record.poweroff_decided; /* the clock may have gone back since then */
    return s->policy->timing.on_drain_timeout == POLICY_DRAIN_KILL && accepted &&
           (sim_clock(s) - accepted >= within || decided - accepted >= within);
}

/*
 * S1, when a VM is powered off or destroyed. A VM that never was in an answer of the collector that the
 * controller got (it came up in an outage, or a moment ago) may be taken for one that never joined:
 * nobody could know better, and it is counted apart.
 */
void check_end_of_vm(struct sim *s, const struct vm *vm, const struct deed *d)
{
    const char *kind = action_kind_name(d->kind);
    if (!vm->domain || may_be_killed(s, vm))
        return;
    if (d->never_joined && !vm->seen) {
        s->result->unseen += vm->startd && vm->joined;
        s->result->unseen_claimed += vm->claimed > 0;
        if (vm->claimed > 0)
            sim_say(s, "%s of %s, which has a job and was never seen", kind, vm->name);
    } else if (vm->claimed > 0) {
        check_wrong(s, "S1", "%s of %s, in which %" PRId64 " slots are claimed", kind, vm->name,
                    vm->claimed);
    } else if (vm->startd && !vm->draining && vm->joined) {
        check_wrong(s, "S8", "%s of %s, which takes jobs", kind, vm->name);
    }
}

void check_volume(struct sim *s, const struct vm *vm)
{
    check_wrong(s, "S3", "the disk of %s is to be deleted and its domain runs", vm->name);
}

/* S6 */
static void check_uuids(struct sim *s, const struct plan *plan)
{
    for (size_t i = 1; i < plan->n_vms; i++)
        if (plan->vms[i].state != VM_FOREIGN && plan->vms[i - 1].state != VM_FOREIGN &&
            strcmp(plan->vms[i].uuid, plan->vms[i - 1].uuid) == 0)
            check_wrong(s, "S6", "%s is there twice", plan->vms[i].name);
}

/* L1 */
static void check_converged(struct sim *s, const struct plan *plan)
{
    if (plan->frozen.code)
        check_wrong(s, "L1", "the pool is still frozen");
    for (size_t i = 0; i < plan->n_trust; i++)
        if (!plan->trust[i].trusted)
            check_wrong(s, "L1", "%s %s is still not trusted", plan->trust[i].kind,
                        plan->trust[i].name);
    for (size_t i = 0; i < plan->n_vms; i++)
        if (plan->vms[i].state == VM_LOST)
            check_wrong(s, "L1", "%s is still lost", plan->vms[i].name);
    if (!s->fragment)
        check_wrong(s, "L1", "the fragment is still missing");
}

/* A host on which a VM of any template would surely fit. */
static bool has_room(const struct sim *s, const struct world *w, int64_t cpus, int64_t memory,
                     int64_t disk)
{
    for (size_t i = 0; i < w->n_hosts; i++) {
        int64_t used_cpus, used_memory, vms = 0;
        const struct policy_host *h = &s->policy->hosts[i];
        host_books(s, i, &used_cpus, &used_memory);
        for (size_t j = 0; j < s->n_living; j++)
            vms += s->vms[s->living[j]]->host == i;
        if (!w->hosts[i].cordoned && !w->hosts[i].drain && w->hosts[i].failures == 0 &&
            is_young(s, &w->hosts[i].fact) &&
            used_cpus + cpus <= s->hosts[i].cpus &&
            used_memory + memory + (vms + 1) * 256 * MIB <= s->hosts[i].memory &&
            w->hosts[i].storage_available >= disk && vms < h->max_vms.value)
            return true;
    }
    return false;
}

/*
 * L3, where it is beyond doubt: more cpus are asked for than are free, nothing is being started, was
 * started within a minute, failed, or drains; and no limit is near. Then this plan starts something.
 */
static void check_demand_met(struct sim *s, const struct plan *plan, const struct world *w)
{
    const struct policy *p = s->policy;
    int64_t asked = 0, free = 0, vms = 0, cpus = 0, memory = 0, most_cpus = 0, most_memory = 0,
            disk = 0;
    if (s->faults_on > 0 || (s->n_faults > 0 && s->looks_since_faults <= CONVERGE_LOOKS) ||
        w->paused || !is_young(s, &w->pool.fact) || w->n_queues == 0 ||
        !is_young(s, &w->queues[0].fact))
        return;
    for (size_t i = 0; i < w->n_starts; i++)
        if (w->starts[i].at <= w->now)
            return;
    for (size_t i = 0; i < p->n_templates; i++) {
        const struct policy_template *t = &p->templates[i];
        if (t->max_vms.value != POLICY_UNLIMITED || t->n_needs || s->templates[i].failures)
            return;
        most_cpus = t->cpus > most_cpus ? t->cpus : most_cpus;
        most_memory = t->memory > most_memory ? t->memory : most_memory;
        disk = t->disk > disk ? t->disk : disk;
    }
    for (size_t i = 0; i < w->queues[0].n_shapes; i++) {
        const struct world_shape *shape = &w->queues[0].shapes[i];
        for (size_t g = 0; g < p->n_groups; g++)
            if (strcmp(p->groups[g].name, shape->group) == 0 && !p->groups[g].exclusive &&
                p->groups[g].max.value == POLICY_UNLIMITED &&
                p->groups[g].max_vms.value == POLICY_UNLIMITED &&
                p->groups[g].max_memory.value == POLICY_UNLIMITED &&
                p->groups[g].n_templates == p->n_templates && shape->cpus <= most_cpus &&
                w->now - shape->first_seen >= p->timing.settle.value)
                asked += shape->idle * shape->cpus;
    }
    for (size_t i = 0; i < s->n_living; i++) {
        const struct vm *vm = s->vms[s->living[i]];
        usec settled = vm->domain ? vm->joined : vm->ended;
        if (vm->creating || (vm->domain && (!vm->startd || vm->draining || !vm->joined)) ||
            s->now - settled < CONVERGE_LOOKS * p->timing.look_every.value)
            return;
        if (!vm->domain)
            continue; /* what is left of it takes no room */
        vms++;
        cpus += vm->cpus;
        memory += vm->memory;
    }
    for (size_t i = 0; i < w->pool.n_startds; i++)
        free += w->pool.startds[i].free_cpus;
    if (asked <= free || vms + 1 > p->limits.vms.value || cpus + most_cpus > p->limits.cpus.value ||
        (p->limits.memory.value != POLICY_UNLIMITED && memory + most_memory > p->limits.memory.value) ||
        !has_room(s, w, most_cpus, most_memory, disk))
        return;
    for (size_t i = 0; i < plan->n_actions; i++)
        if (plan->actions[i].kind == ACTION_CREATE)
            return;
    check_wrong(s, "L3", "%" PRId64 " cpus are asked for, %" PRId64
                         " are free, nothing stops a start and none is made", asked, free);
}

void check_step(struct sim *s, const struct plan *plan, const struct world *w)
{
    usec since;
    check_uuids(s, plan);
    check_demand_met(s, plan, w);
    if (s->n_faults && fault_over(s, &since) && s->looks_since_faults > CONVERGE_LOOKS)
        check_converged(s, plan);
}

/*
 * L1, for a run without a horizon: whether jobs wait, or run, that never end. All were submitted, no
 * fault is on, and no job has ended or was lost (it is held after some losses) for longer than any
 * job takes, and six hours.
 */
bool check_stuck(struct sim *s)
{
    static const usec patience = 6 * USEC_PER_HOUR;
    usec since;
    if (s->jobs_open == 0 || s->next_submit < s->workload->n_jobs || !fault_over(s, &since) ||
        s->now - s->moved <= s->longest + patience)
        return false;
    check_wrong(s, "L1", "%" PRId64 " jobs are in the queue, and none ended for %" PRId64 " s",
                s->jobs_open, (s->now - s->moved) / USEC_PER_SEC);
    return true;
}

/* S4: when no job is left and time has passed, only spare VMs are there, each whole. */
void check_clean(struct sim *s)
{
    int64_t spare = 0, whole = 0;
    for (size_t i = 0; i < s->policy->n_templates; i++)
        spare += s->policy->templates[i].spare;
    for (size_t i = 0; i < s->n_living; i++) {
        const struct vm *vm = s->vms[s->living[i]];
        whole += vm->domain && vm->recorded && vm->startd && !vm->draining;
        if (!vm->domain)
            check_wrong(s, "S4", "of %s there is left:%s%s%s%s", vm->name, vm->disk ? " disk" : "",
                        vm->seed ? " seed" : "", vm->ad.present ? " ad" : "",
                        vm->recorded ? " record" : "");
    }
    if (whole > spare || (size_t)whole < s->n_living)
        check_wrong(s, "S4", "%zu VMs are left, %" PRId64 " of them at work; %" PRId64 " are spare",
                    s->n_living, whole, spare);
}
