/*
 * Rung 8. Which VMs to drain. Only facts that are all trusted retire anything (S8), and a drain waits
 * for every job (S1), so the only harm that a wrong choice does is a VM too few for a while.
 */
#include "plan/rungs.h"

#include <stdlib.h>

static void drain(struct actions *actions, const struct plan_vm *vm, struct reason reason)
{
    struct plan_action *action = actions_add(actions, ACTION_DRAIN, reason);
    action->uuid = vm->uuid;
    action->name = vm->name;
    action->host = vm->host;
    action->machine = vm->startd->machine;
}

/* Idle VMs of a template that must stay as spare: those that no demand counts on come last. */
static int64_t spare_left(const struct policy *p, const struct vms *vms, const struct supply *s,
                          size_t template)
{
    int64_t n = 0;
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        n += vm->policy_template == template && vm->state == VM_IDLE && !vm->exclusive &&
             !s->wanted[i];
    }
    return n - p->templates[template].spare;
}

void retire_choose(const struct policy *p, const struct world *w, const struct trust *trust,
                   const struct vms *vms, const struct supply *s, struct actions *actions,
                   struct later *later)
{
    int64_t *surplus = arena_take(actions->arena, p->n_templates, sizeof(*surplus));
    if (!trust->pool || !trust->queues)
        return;
    for (size_t t = 0; t < p->n_templates; t++)
        surplus[t] = spare_left(p, vms, s, t);
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->state != VM_IDLE && vm->state != VM_BUSY)
            continue;
        if (vm_too_old(p, w, vm)) {
            drain(actions, vm, (struct reason){REASON_TOO_OLD, w->now - vm->born,
                                               p->timing.max_age.value, p->timing.max_age.line});
            continue;
        }
        if (vm->born)
            later_at(later, vm->born + p->timing.max_age.value);
        if (vm->state != VM_IDLE || s->wanted[i])
            continue;
        const struct setting *allowed = &p->timing.idle_before_drain;
        usec idle = w->now - vm->idle_since;
        bool may_be_spare = vm->policy_template != SIZE_MAX && !vm->exclusive;
        if (may_be_spare && surplus[vm->policy_template] <= 0)
            continue;
        if (idle < allowed->value) {
            later_at(later, vm->idle_since + allowed->value);
            continue;
        }
        if (may_be_spare)
            surplus[vm->policy_template]--;
        drain(actions, vm, (struct reason){REASON_IDLE, idle, allowed->value, allowed->line});
    }
}
