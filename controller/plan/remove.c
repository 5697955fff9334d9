/*
 * Rung 9. A VM is powered off once one ad says that it is drained and empty; destroyed only when it
 * was powered off and is still there, or never joined; at once when an admin said that its jobs may be
 * lost, which needs no answer of the pool; and forgotten when nothing of it is left:
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
    usec due = w->now - elapsed_since(w, vm->born) + allowed->value;
    /* A collector that was away hears of a VM only with the startd's next update. */
    if (due < w->pool.fact.since + SLOT_SHOWS_WITHIN)
        due = w->pool.fact.since + SLOT_SHOWS_WITHIN;
    if (w->pool.fact.asked > due)
        act(actions, ACTION_DESTROY, vm,
            (struct reason){REASON_NEVER_JOINED, w->now - vm->born, allowed->value, allowed->at});
    else
        later_at(later, due);
}

static void remove_if_drained(const struct policy *p, const struct world *w,
                              const struct plan_vm *vm, struct actions *actions,
                              struct later *later)
{
    const struct setting *allowed = &p->timing.drain_within;
    usec accepted = vm->record ? vm->record->drain_accepted : 0;
    if (vm->startd->drained && vm->startd->claimed == 0)
        act(actions, ACTION_POWEROFF, vm, (struct reason){REASON_DRAINED});
    else if (vm_drain_overdue(p, w, vm))
        act(actions, ACTION_POWEROFF, vm,
            (struct reason){REASON_DRAIN_OVERDUE, w->now - accepted, allowed->value,
                            allowed->at});
    else if (p->timing.on_drain_timeout == POLICY_DRAIN_KILL && allowed->value && accepted)
        later_at(later, w->now - elapsed_since(w, accepted) + allowed->value);
}

/* Whether it can be told again to power off, at no risk for a job that got in meanwhile. */
static bool may_tell_again(const struct world *w, const struct plan_vm *vm)
{
    return vm->record->poweroff_lost &&
           (!vm->startd || (vm->startd->drained && vm->startd->claimed == 0) ||
            vm_ordered_now(w, vm).code);
}

static void remove_if_overdue(const struct policy *p, const struct world *w,
                              const struct plan_vm *vm, struct actions *actions,
                              struct later *later)
{
    const struct setting *join = &p->timing.join_within, *off = &p->timing.poweroff_within;
    const struct world_record *record = vm->record;
    if (vm->startd && vm->startd->claimed > 0 && !vm_drain_overdue(p, w, vm) &&
        !vm_ordered_now(w, vm).code)
        return; /* somebody cancelled the drain and a job got in: S1 */
    if (!record->poweroff_decided) /* it was to be destroyed, and is still there */
        act(actions, ACTION_DESTROY, vm,
            (struct reason){REASON_NEVER_JOINED, w->now - vm->born, join->value, join->at});
    else if (record->destroy_decided || elapsed_since(w, record->poweroff_decided) >= off->value)
        act(actions, ACTION_DESTROY, vm,
            (struct reason){REASON_POWEROFF_OVERDUE, w->now - record->poweroff_decided, off->value,
                            off->at});
    else {
        if (may_tell_again(w, vm))
            act(actions, ACTION_POWEROFF, vm,
                (struct reason){REASON_POWEROFF_LOST, w->now - record->poweroff_decided});
        later_at(later, w->now - elapsed_since(w, record->poweroff_decided) + off->value);
    }
}

/* S3: only a volume whose whole name says so is ours, whoever listed it. */
static bool is_ours(const struct policy *p, const struct world_volume *volume)
{
    size_t pool = strlen(p->pool.name), uuid = strlen(volume->uuid);
    const char *name = volume->name;
    return strncmp(name, p->pool.name, pool) == 0 && name[pool] == '.' &&
           strncmp(name + pool + 1, volume->uuid, uuid) == 0 &&
           strcmp(name + pool + 1 + uuid, volume->seed ? ".seed" : ".disk") == 0;
}

/* Whether a host that an admin fenced had a domain with that UUID when it was last heard of: one volume may
 * serve two hosts, and what the admin says may be wrong. */
static bool was_on_fenced(const struct world *w, const char *uuid)
{
    for (size_t h = 0; h < w->n_hosts; h++)
        for (size_t i = 0; world_host_is_off(&w->hosts[h]) && i < w->hosts[h].n_domains; i++)
            if (strcmp(w->hosts[h].domains[i].uuid, uuid) == 0)
                return true;
    return false;
}

static void remove_rest(const struct policy *p, const struct world *w, const struct trust *trust,
                        const struct plan_vm *vm, struct actions *actions)
{
    const struct world_host *host = &w->hosts[vm->world_host];
    bool clean = true;
    /* The volumes on a host that is off can wait until it is back. */
    for (size_t i = 0; i < (world_host_is_off(host) ? 0 : host->n_volumes); i++) {
        if (strcmp(host->volumes[i].uuid, vm->uuid) != 0 || !is_ours(p, &host->volumes[i]))
            continue;
        clean = false;
        if (was_on_fenced(w, vm->uuid))
            continue;
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

/*
 * Volumes that bear a UUID of which there is neither a record nor a domain; and the seeds of VMs that
 * have joined, which the worker that was to remove them left behind when it was killed.
 */
static void remove_volumes(const struct policy *p, const struct world *w, const struct trust *trust,
                           const struct vms *vms, struct actions *actions)
{
    for (size_t h = 0; h < w->n_hosts; h++) {
        for (size_t i = 0; trust->host[h] && i < w->hosts[h].n_volumes; i++) {
            const struct world_volume *volume = &w->hosts[h].volumes[i];
            size_t found = names_find(vms->by_uuid, volume->uuid);
            const struct plan_vm *vm = found == SIZE_MAX ? NULL : &vms->items[found];
            bool seed_is_read = vm && volume->seed && vm->seen_joined && vm->domain;
            if ((vm && !seed_is_read) || !is_ours(p, volume) ||
                names_find(vms->foreign, volume->uuid) != SIZE_MAX ||
                (!vm && was_on_fenced(w, volume->uuid)))
                continue;
            struct plan_action *action =
                actions_add(actions, ACTION_DELETE_VOLUME,
                            (struct reason){vm ? REASON_SEED_READ : REASON_LEFTOVER});
            action->uuid = volume->uuid;
            action->name = vm ? vm->name : volume->name;
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
        if (vm->state == VM_GONE)
            remove_rest(p, w, trust, vm, actions);
        else if (vm_ends_now(w, vm))
            act(actions, ACTION_POWEROFF, vm, vm_ordered_now(w, vm));
        else if (!trust->pool && !(vm->state == VM_LEAVING && vm_ordered_now(w, vm).code))
            continue;
        else if (vm->state == VM_BOOTING)
            remove_if_never_joined(p, w, vm, actions, later);
        else if (vm->state == VM_DRAINING)
            remove_if_drained(p, w, vm, actions, later);
        else if (vm->state == VM_LEAVING)
            remove_if_overdue(p, w, vm, actions, later);
    }
    remove_volumes(p, w, trust, vms, actions);
}
