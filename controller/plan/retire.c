/*
 * Rung 8. Which VMs to drain: those that must leave, and idle ones that nobody wants once they were
 * idle long enough, the longest idle first. One that is wanted, joined, and never got a job must leave
 * as well, in time. Only facts that are all trusted retire anything (S8),
 * and a drain waits for every job (S1), so the only harm that a wrong choice does is a VM too few
 * for a while.
 */
#include "plan/rungs.h"

#include <stdlib.h>
#include <string.h>

static void drain(struct actions *actions, const struct plan_vm *vm, struct reason reason)
{
    struct plan_action *action = actions_add(actions, ACTION_DRAIN, reason);
    action->uuid = vm->uuid;
    action->name = vm->name;
    action->host = vm->host;
    action->machine = vm->startd->machine;
}

static usec last_start(const struct world *w, const char *template)
{
    for (size_t i = 0; i < w->n_templates; i++)
        if (strcmp(w->templates[i].name, template) == 0)
            return w->templates[i].last_start;
    return 0;
}

/* An idle VM that nobody wants: when it may go, and not before. */
static usec idle_until(const struct policy *p, const struct world *w, const struct plan_vm *vm)
{
    usec until = vm->idle_since + p->timing.idle_before_drain.value;
    usec grown_up = vm->born + p->timing.min_life.value;
    if (grown_up > until)
        until = grown_up;
    if (p->timing.cool_down.value > 0) {
        usec cool = last_start(w, vm->template) + p->timing.cool_down.value;
        if (cool > until)
            until = cool;
    }
    return until;
}

static int longest_idle_first(const void *left, const void *right)
{
    const struct plan_vm *a = *(const struct plan_vm *const *)left;
    const struct plan_vm *b = *(const struct plan_vm *const *)right;
    if (a->idle_since != b->idle_since)
        return a->idle_since < b->idle_since ? -1 : 1;
    if (a->born != b->born)
        return a->born < b->born ? -1 : 1;
    return strcmp(a->uuid, b->uuid);
}

/* Whether it counts as one of its template's spare VMs. */
static bool may_be_spare(const struct plan_vm *vm)
{
    return vm->policy_template != SIZE_MAX && !vm->exclusive;
}

void retire_choose(const struct policy *p, const struct world *w, const struct trust *trust,
                   const struct vms *vms, const struct leavers *leavers, const struct supply *s,
                   struct actions *actions, struct later *later)
{
    for (size_t i = 0; i < leavers->n; i++)
        drain(actions, &vms->items[leavers->items[i].vm], leavers->items[i].why);
    if (!trust->pool || !trust->queues)
        return;
    const struct setting *first = &p->timing.first_job_within;
    for (size_t i = 0; first->value && i < vms->n; i++)
        if (s->jobless[i])
            later_at(later, w->now - elapsed_since(w, s->jobless[i]) + first->value);

    struct arena *a = actions->arena;
    const struct plan_vm **idle = arena_take(a, vms->n, sizeof(const struct plan_vm *));
    int64_t *surplus = arena_take(a, p->n_templates, sizeof(*surplus)); /* beyond the spare ones */
    size_t n = 0;
    for (size_t t = 0; t < p->n_templates; t++)
        surplus[t] = -p->templates[t].spare;
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->state != VM_IDLE || s->wanted[i] || leavers->leaves[i] || vm->request != NO_REQUEST)
            continue;
        idle[n++] = vm;
        if (may_be_spare(vm))
            surplus[vm->policy_template]++;
    }
    if (n > 1)
        qsort(idle, n, sizeof(*idle), longest_idle_first);
    const struct setting *allowed = &p->timing.idle_before_drain;
    for (size_t i = 0; i < n; i++) {
        const struct plan_vm *vm = idle[i];
        usec until = idle_until(p, w, vm);
        if (may_be_spare(vm) && surplus[vm->policy_template] <= 0)
            continue;
        if (w->now < until) {
            later_at(later, until);
            continue;
        }
        if (may_be_spare(vm))
            surplus[vm->policy_template]--;
        usec jobless = s->jobless[vm - vms->items]; /* a startd may be an owner's for a moment */
        bool useless = jobless && !vm->startd->usable && w->now - jobless >= SLOT_SHOWS_WITHIN;
        drain(actions, vm,
              (struct reason){useless ? REASON_TAKES_NO_JOBS : REASON_IDLE, w->now - vm->idle_since,
                              allowed->value, allowed->at});
    }
    arena_drop(a, idle);
}
