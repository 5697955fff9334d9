/*
 * Rung 8. Which VMs to drain. Only facts that are all trusted retire anything (S8), and a drain waits
 * for every job (S1), so the only harm that a wrong choice does is a VM too few for a while. What an
 * admin wants drained needs no queue, and no budget holds it back; it counts in the budget, though.
 *
 * The order: idle before busy, old generation before new, the emptiest first, the oldest first. Idle
 * VMs that nobody wants go when they were idle long enough. The others go because they must (age,
 * generation, template), or because a limit was lowered; not more of a group's at once than
 * its disruption budget allows.
 */
#include "plan/rungs.h"

#include <stdlib.h>
#include <string.h>

/* Without a budget in the policy a tenth of a group's VMs may drain at once, so that a new generation
 * or VMs of one age do not leave a hole. */
static const struct policy_budget usual_budget = {
    .days = POLICY_EVERY_DAY, .until = POLICY_DAY_MINUTES, .number = 10, .percent = true};

struct candidate {
    const struct plan_vm *vm;
    struct reason must;
    bool ordered; /* by an admin */
    bool wanted;
};

/* What drains of a group, and how much of it may. */
struct drains {
    int64_t n; /* VMs that a budget counts */
    const struct policy_budget *budget;
};

struct retirer {
    const struct policy *p;
    const struct world *w;
    struct tally *stays;
    struct drains *groups; /* as in the policy; one more for VMs of no group */
    int64_t *surplus;     /* idle VMs beyond the spare ones, as policy.templates */
    struct actions *actions;
    struct later *later;
};

static bool budget_holds(const struct policy_budget *b, const struct world *w)
{
    usec local = w->now + w->utc_offset;
    int64_t day = local / USEC_PER_DAY; /* 1 January 1970 was a Thursday */
    int minute = (int)(local % USEC_PER_DAY / USEC_PER_MINUTE);
    unsigned today = 1u << ((day + 3) % 7), yesterday = 1u << ((day + 2) % 7);
    if (b->from < b->until)
        return (b->days & today) && minute >= b->from && minute < b->until;
    return ((b->days & today) && minute >= b->from) ||
           ((b->days & yesterday) && minute < b->until);
}

static const struct policy_budget *budget_now(const struct policy_group *g, const struct world *w)
{
    for (size_t i = 0; g && i < g->n_disruption; i++)
        if (budget_holds(&g->disruption[i], w))
            return &g->disruption[i];
    return g && g->n_disruption ? NULL : &usual_budget;
}

static struct drains *drains_of(struct retirer *r, const struct plan_vm *vm)
{
    return &r->groups[vm->policy_group == SIZE_MAX ? r->p->n_groups : vm->policy_group];
}

static void count_drains(struct retirer *r, const struct vms *vms, const struct supply *s)
{
    for (size_t g = 0; g <= r->p->n_groups; g++)
        r->groups[g].budget = budget_now(g < r->p->n_groups ? &r->p->groups[g] : NULL, r->w);
    for (size_t t = 0; t < r->p->n_templates; t++)
        r->surplus[t] = -r->p->templates[t].spare;
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->state == VM_DRAINING)
            drains_of(r, vm)->n += vm->claimed > 0;
        if (vm->state == VM_IDLE && !s->wanted[i] && !vm->exclusive &&
            vm->policy_template != SIZE_MAX)
            r->surplus[vm->policy_template]++;
    }
}

/* Whether one more busy VM of the group may be drained. */
static bool budget_allows(struct retirer *r, const struct plan_vm *vm)
{
    const struct drains *d = drains_of(r, vm);
    if (!d->budget)
        return true;
    int64_t allowed = d->budget->number;
    if (d->budget->percent) {
        allowed = (tally_group_vms(r->stays, vm->policy_group) + d->n) * d->budget->number / 100;
        if (allowed == 0 && d->budget->number > 0)
            allowed = 1;
    }
    return d->n < allowed;
}

static void drain(struct retirer *r, const struct plan_vm *vm, struct reason reason)
{
    struct plan_action *action = actions_add(r->actions, ACTION_DRAIN, reason);
    action->uuid = vm->uuid;
    action->name = vm->name;
    action->host = vm->host;
    action->machine = vm->startd->machine;
    tally_add(r->stays, vm, -1);
    drains_of(r, vm)->n += vm->claimed > 0;
}

static usec last_start(const struct world *w, const char *template)
{
    for (size_t i = 0; i < w->n_templates; i++)
        if (strcmp(w->templates[i].name, template) == 0)
            return w->templates[i].last_start;
    return 0;
}

/* An idle VM that nobody wants: when it may go, and not before. */
static usec idle_until(const struct retirer *r, const struct plan_vm *vm)
{
    usec until = vm->idle_since + r->p->timing.idle_before_drain.value;
    usec grown_up = vm->born + r->p->timing.min_life.value;
    if (grown_up > until)
        until = grown_up;
    if (r->p->timing.cool_down.value > 0) {
        usec cool = last_start(r->w, vm->template) + r->p->timing.cool_down.value;
        if (cool > until)
            until = cool;
    }
    return until;
}

static void consider(struct retirer *r, const struct candidate *c)
{
    const struct plan_vm *vm = c->vm;
    struct reason why = c->must;
    if (why.code || tally_exceeds(r->stays, vm, &why)) {
        /* What is idle disturbs nobody; neither does a job that waits for it mind another VM. */
        if (vm->state == VM_IDLE || c->ordered || budget_allows(r, vm))
            drain(r, vm, why);
        return;
    }
    if (vm->state != VM_IDLE || c->wanted)
        return;
    bool may_be_spare = vm->policy_template != SIZE_MAX && !vm->exclusive;
    if (may_be_spare && r->surplus[vm->policy_template] <= 0)
        return;
    usec until = idle_until(r, vm);
    if (r->w->now < until) {
        later_at(r->later, until);
        return;
    }
    if (may_be_spare)
        r->surplus[vm->policy_template]--;
    const struct setting *allowed = &r->p->timing.idle_before_drain;
    drain(r, vm, (struct reason){REASON_IDLE, r->w->now - vm->idle_since, allowed->value,
                                 allowed->at});
}

static int candidate_order(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->ordered != b->ordered)
        return a->ordered ? -1 : 1;
    if ((a->vm->state == VM_IDLE) != (b->vm->state == VM_IDLE))
        return a->vm->state == VM_IDLE ? -1 : 1;
    if (a->wanted != b->wanted)
        return a->wanted ? 1 : -1;
    bool old_a = a->must.code == REASON_OLD_GENERATION, old_b = b->must.code == REASON_OLD_GENERATION;
    if (old_a != old_b)
        return old_a ? -1 : 1;
    if (a->vm->claimed != b->vm->claimed)
        return a->vm->claimed < b->vm->claimed ? -1 : 1;
    if (a->vm->idle_since != b->vm->idle_since)
        return a->vm->idle_since < b->vm->idle_since ? -1 : 1;
    if (a->vm->born != b->vm->born)
        return a->vm->born < b->vm->born ? -1 : 1;
    return strcmp(a->vm->uuid, b->vm->uuid);
}

void retire_choose(const struct policy *p, const struct world *w, const struct trust *trust,
                   const struct vms *vms, const struct supply *s, struct actions *actions,
                   struct later *later)
{
    struct arena *a = actions->arena;
    struct retirer r = {
        .p = p,
        .w = w,
        .stays = tally_open(a, p, vms),
        .groups = arena_take(a, p->n_groups + 1, sizeof(*r.groups)),
        .surplus = arena_take(a, p->n_templates, sizeof(*r.surplus)),
        .actions = actions,
        .later = later,
    };
    struct candidate *candidates = arena_take(a, vms->n, sizeof(*candidates));
    size_t n = 0;
    if (!trust->pool)
        return;
    count_drains(&r, vms, s);
    struct reason any = {0};
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if ((vm->state != VM_IDLE && vm->state != VM_BUSY) || !vm->startd)
            continue;
        bool ordered = vm_ordered(w, vm).code != REASON_NONE;
        if ((!trust->queues && !ordered) || vm_ordered_now(w, vm).code)
            continue;
        struct reason must = vm_must_go(p, w, vm);
        if (vm->born && must.code != REASON_TOO_OLD)
            later_at(later, vm->born + p->timing.max_age.value);
        /* Only these can come into question: the rest need no sorting. */
        if (must.code || (vm->state == VM_IDLE && !s->wanted[i]) || tally_exceeds(r.stays, vm, &any))
            candidates[n++] = (struct candidate){vm, must, ordered, s->wanted[i]};
    }
    if (n > 1)
        qsort(candidates, n, sizeof(*candidates), candidate_order);
    for (size_t i = 0; i < n; i++) /* what must go makes room under the limits */
        if (candidates[i].must.code)
            consider(&r, &candidates[i]);
    for (size_t i = 0; i < n; i++)
        if (!candidates[i].must.code)
            consider(&r, &candidates[i]);
}
