/*
 * Rung 9. A VM is powered off once one ad says that it is drained and empty; destroyed only when it
 * was powered off and is still there, or never joined; and forgotten when nothing of it is left:
 * no domain, no volume, no slot ad (S4). Volumes that belong to no VM are removed, and a seed as
 * soon as its VM has read it: there is a token in it (S7).
 */
#include "plan/rungs.h"

#include <string.h>

static struct plan_action *act(struct actions *actions, enum action_kind kind,
                               const struct plan_vm *vm, struct reason reason)
{
    struct plan_action *action = actions_add(actions, kind, reason);
    action->uuid = vm->uuid;
    action->name = vm->name;
    action->host = vm->host;
    action->template = vm->template;
    return action;
}

/* No slot within the time allowed, although the pool was looked at after it had passed. */
static void remove_if_never_joined(const struct policy *p, const struct world *w,
                                   const struct plan_vm *vm, struct actions *actions,
                                   struct later *later)
{
    const struct setting *allowed = &p->timing.join_within;
    usec due = vm->born + allowed->value;
    if (w->pool.fact.asked > due)
        act(actions, ACTION_DESTROY, vm,
            (struct reason){REASON_NEVER_JOINED, w->now - vm->born, allowed->value, allowed->line});
    else
        later_at(later, due);
}

static void remove_if_drained(const struct policy *p, const struct world *w,
                              const struct plan_vm *vm, struct actions *actions,
                              struct later *later)
{
    if (vm->startd->drained) {
        act(actions, ACTION_POWEROFF, vm, (struct reason){REASON_DRAINED});
        return;
    }
    const struct setting *allowed = &p->timing.drain_within;
    usec accepted = vm->record ? vm->record->drain_accepted : 0;
    if (p->timing.on_drain_timeout != POLICY_DRAIN_KILL || !allowed->value || !accepted)
        return;
    if (w->now - accepted >= allowed->value)
        act(actions, ACTION_POWEROFF, vm,
            (struct reason){REASON_DRAIN_OVERDUE, w->now - accepted, allowed->value,
                            allowed->line});
    else
        later_at(later, accepted + allowed->value);
}

static void remove_if_overdue(const struct policy *p, const struct world *w,
                              const struct plan_vm *vm, struct actions *actions,
                              struct later *later)
{
    const struct setting *allowed = &p->timing.poweroff_within;
    if (vm->startd && vm->startd->claimed > 0 && p->timing.on_drain_timeout != POLICY_DRAIN_KILL)
        return; /* somebody cancelled the drain and a job got in: S1 */
    usec decided = vm->record->poweroff_decided;
    bool again = vm->record->destroy_decided != 0; /* it was to be destroyed and is still there */
    if (again || w->now - decided >= allowed->value)
        act(actions, ACTION_DESTROY, vm,
            (struct reason){again && !decided ? REASON_NEVER_JOINED : REASON_POWEROFF_OVERDUE,
                            w->now - (decided ? decided : vm->born),
                            again && !decided ? p->timing.join_within.value : allowed->value,
                            allowed->line});
    else
        later_at(later, decided + allowed->value);
}

static void remove_rest(const struct world *w, const struct trust *trust, const struct plan_vm *vm,
                        struct actions *actions)
{
    const struct world_host *host = &w->hosts[vm->world_host];
    bool clean = true;
    for (size_t i = 0; i < host->n_volumes; i++) {
        if (strcmp(host->volumes[i].uuid, vm->uuid) != 0)
            continue;
        clean = false;
        act(actions, ACTION_DELETE_VOLUME, vm, (struct reason){REASON_LEFTOVER})->volume =
            host->volumes[i].name;
    }
    if (vm->startd && trust->pool) {
        clean = false;
        act(actions, ACTION_INVALIDATE, vm, (struct reason){REASON_LEFTOVER})->machine =
            vm->startd->machine;
    }
    if (clean && trust->pool)
        act(actions, ACTION_FORGET, vm, vm->reason);
}

/* The worker that was to remove the seed was killed: a VM that joined has no more use for it. */
static void remove_seed(const struct world *w, const struct plan_vm *vm, struct actions *actions)
{
    const struct world_host *host = &w->hosts[vm->world_host];
    for (size_t i = 0; i < host->n_volumes; i++)
        if (host->volumes[i].seed && strcmp(host->volumes[i].uuid, vm->uuid) == 0)
            act(actions, ACTION_DELETE_VOLUME, vm, (struct reason){REASON_SEED_READ})->volume =
                host->volumes[i].name;
}

/* Volumes that bear a UUID of which there is neither a record nor a domain. */
static void remove_orphans(const struct world *w, const struct trust *trust, const struct vms *vms,
                           struct actions *actions)
{
    for (size_t h = 0; h < w->n_hosts; h++) {
        for (size_t i = 0; trust->host[h] && i < w->hosts[h].n_volumes; i++) {
            const struct world_volume *volume = &w->hosts[h].volumes[i];
            if (order_find(vms->by_uuid, vms->n_by_uuid, volume->uuid))
                continue;
            struct plan_action *action = actions_add(actions, ACTION_DELETE_VOLUME,
                                                     (struct reason){REASON_LEFTOVER});
            action->uuid = volume->uuid;
            action->name = volume->name;
            action->host = w->hosts[h].name;
            action->volume = volume->name;
        }
    }
}

void remove_choose(const struct policy *p, const struct world *w, const struct trust *trust,
                   const struct vms *vms, struct actions *actions, struct later *later)
{
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->seen_joined && vm->domain)
            remove_seed(w, vm, actions);
        if (vm->state == VM_GONE)
            remove_rest(w, trust, vm, actions);
        else if (!trust->pool)
            continue;
        else if (vm->state == VM_BOOTING)
            remove_if_never_joined(p, w, vm, actions, later);
        else if (vm->state == VM_DRAINING)
            remove_if_drained(p, w, vm, actions, later);
        else if (vm->state == VM_LEAVING)
            remove_if_overdue(p, w, vm, actions, later);
    }
    remove_orphans(w, trust, vms, actions);
}
