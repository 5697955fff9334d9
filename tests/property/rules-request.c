/*
 * Requests: what is booked is there for its time and no longer, for those who booked it and nobody
 * else; and where it is not there, the plan says why.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "property/trial.h"

static const struct world_request *find(const struct trial *t, const char *id)
{
    for (size_t i = 0; id && *id && i < t->world->n_requests; i++)
        if (strcmp(t->world->requests[i].id, id) == 0)
            return &t->world->requests[i];
    return NULL;
}

static bool is_over(const struct trial *t, const struct world_request *r)
{
    return r->until <= t->world->now || (r->ended && r->ended <= t->world->now);
}

/* Its VMs leave, so that they are gone at its end. */
static bool leaves(const struct trial *t, const struct world_request *r)
{
    usec before = t->policy->timing.poweroff_within.value, quarter = (r->until - r->from) / 4;
    return is_over(t, r) || r->until - t->world->now <= (before < quarter ? before : quarter);
}

static int starts_are_for_what_is_booked(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        const struct world_request *r = find(t, a->request);
        if (a->kind != ACTION_CREATE || !a->request[0])
            continue;
        const struct policy *p = t->policy;
        if (!r || leaves(t, r) || r->from - t->world->now > USEC_PER_DAY)
            return BROKEN(e, "a VM is started for %s, which is no request of now", a->request);
        if (strcmp(p->templates[a->policy_template].name, r->template) != 0 ||
            a->policy_group == SIZE_MAX || strcmp(p->groups[a->policy_group].name, r->group) != 0 ||
            !a->exclusive)
            return BROKEN(e, "a VM that is started for %s is not what was booked", r->id);
    }
    return 0;
}

/* No more of them than were booked, however many are held to be lost or are on their way. */
static int no_more_than_was_booked(const struct trial *t, struct err *e)
{
    for (size_t k = 0; k < t->world->n_requests; k++) {
        const struct world_request *r = &t->world->requests[k];
        int64_t vms = 0, more = 0;
        for (size_t i = 0; i < t->plan->n_vms; i++) {
            const struct plan_vm *vm = &t->plan->vms[i];
            bool counts = vm->state == VM_BOOTING || vm->state == VM_IDLE || vm->state == VM_BUSY;
            vms += counts && !vm->must_go && strcmp(plan_vm_request(vm), r->id) == 0;
        }
        for (size_t i = 0; i < t->plan->n_actions; i++)
            more += t->plan->actions[i].kind == ACTION_CREATE &&
                    strcmp(t->plan->actions[i].request, r->id) == 0;
        if (more > 0 && vms + more > r->vms)
            return BROKEN(e,
                          "%" PRId64 " VMs of %s are there, %" PRId64 " are started, %" PRId64
                          " are booked",
                          vms, r->id, more, r->vms);
    }
    return 0;
}

static int what_is_booked_is_held(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        const struct plan_vm *vm = a->kind == ACTION_DRAIN ? trial_vm(t->plan, a->uuid) : NULL;
        const struct world_request *r = vm ? find(t, plan_vm_request(vm)) : NULL;
        if (r && !leaves(t, r) && a->reason.code != REASON_DRAIN_ASKED &&
            a->reason.code != REASON_HOST_DRAINED && a->reason.code != REASON_HOST_FENCED)
            return BROKEN(e, "%s is drained (%s), and %s is not over", vm->name,
                          reason_name(a->reason.code), r->id);
    }
    return 0;
}

static int what_is_over_is_handed_back(const struct trial *t, struct err *e)
{
    bool good = trial_trusts(t, &t->world->pool.fact) && !t->plan->frozen.code;
    for (size_t i = 0; i < t->world->n_queues; i++)
        good = good && trial_trusts(t, &t->world->queues[i].fact);
    for (size_t i = 0; good && t->world->n_queues >= t->policy->n_schedds && i < t->plan->n_vms;
         i++) {
        const struct plan_vm *vm = &t->plan->vms[i];
        const char *id = plan_vm_request(vm);
        const struct world_request *r = find(t, id);
        bool goes = false;
        if (!*id || (r && !leaves(t, r)) || (vm->state != VM_IDLE && vm->state != VM_BUSY))
            continue;
        for (size_t k = 0; k < t->plan->n_actions; k++)
            goes = goes || strcmp(t->plan->actions[k].uuid, vm->uuid) == 0;
        if (!goes)
            return BROKEN(e, "%s stays, and its request %s is over", vm->name, id);
    }
    return 0;
}

/* Jobs that name a request get only what is booked by their group under that name. */
static int jobs_get_what_they_name(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_shapes; i++) {
        const struct plan_shape *s = &t->plan->shapes[i];
        const char *id = s->shape->request ? s->shape->request : "";
        const struct world_request *r = find(t, id);
        int64_t cpus = 0;
        if (!*id || s->served + s->starting == 0)
            continue;
        if (!r || leaves(t, r) || strcmp(r->group, s->shape->group) != 0)
            return BROKEN(e, "%" PRId64 " jobs of %s are promised VMs of %s",
                          s->served + s->starting, s->shape->group, id);
        for (size_t k = 0; k < t->plan->n_vms; k++) {
            const struct plan_vm *vm = &t->plan->vms[k];
            if (strcmp(plan_vm_request(vm), id) != 0)
                continue;
            int64_t most = vm->cpus; /* an ad may say anything */
            if (vm->startd && vm->startd->cpus > most)
                most = vm->startd->cpus;
            cpus += vm->startd && vm->startd->free_cpus > most ? vm->startd->free_cpus : most;
        }
        for (size_t k = 0; k < t->plan->n_actions; k++)
            if (t->plan->actions[k].kind == ACTION_CREATE &&
                strcmp(t->plan->actions[k].request, id) == 0)
                cpus += t->policy->templates[t->plan->actions[k].policy_template].cpus;
        if (cpus < (s->served + s->starting) * s->shape->cpus)
            return BROKEN(e, "%" PRId64 " jobs are promised %" PRId64 " cpus of %s",
                          s->served + s->starting, cpus, id);
    }
    return 0;
}

static int what_is_short_says_why(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_requests; i++) {
        const struct plan_request *r = &t->plan->requests[i];
        bool is_short = r->phase == REQUEST_OPEN && r->vms + r->starting < r->request->vms;
        if (is_short != (r->reason.code != REASON_NONE))
            return BROKEN(e, "%s has %" PRId64 " of %" PRId64 " VMs, and the reason is %s",
                          r->request->id, r->vms + r->starting, r->request->vms,
                          reason_name(r->reason.code));
    }
    return 0;
}

static bool is_whole(const struct trial *t, const char *id)
{
    const struct world_request *r = find(t, id);
    return r && r->whole_host && !is_over(t, r);
}

/* Nothing comes beside a VM that is to have its host for itself, nor such a one beside others. */
static int whole_hosts_are_not_shared(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        if (a->kind != ACTION_CREATE)
            continue;
        const char *beside = NULL;
        bool whole = is_whole(t, a->request);
        for (size_t k = 0; k < t->plan->n_vms; k++) {
            const struct plan_vm *vm = &t->plan->vms[k];
            bool there = vm->world_host != SIZE_MAX && vm->state != VM_GONE;
            if (there && strcmp(vm->host, a->host) == 0 &&
                (whole || (vm->state != VM_FOREIGN && is_whole(t, plan_vm_request(vm)))))
                beside = vm->name;
        }
        for (size_t k = 0; k < t->plan->n_actions; k++) {
            const struct plan_action *other = &t->plan->actions[k];
            if (k != i && other->kind == ACTION_CREATE && strcmp(other->host, a->host) == 0 &&
                (whole || is_whole(t, other->request)))
                beside = other->host;
        }
        if (beside)
            return BROKEN(e, "a VM %s is started on %s beside %s, and one of them has it alone",
                          a->request[0] ? a->request : "of no request", a->host, beside);
    }
    return 0;
}

const struct rule rules_request[] = {
    {"VMs are started for what is booked", starts_are_for_what_is_booked},
    {"no more VMs than are booked", no_more_than_was_booked},
    {"what is booked is held", what_is_booked_is_held},
    {"what is over is handed back", what_is_over_is_handed_back},
    {"jobs get what they name", jobs_get_what_they_name},
    {"what is short says why", what_is_short_says_why},
    {"whole hosts are not shared", whole_hosts_are_not_shared},
    {0},
};
