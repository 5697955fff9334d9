/*
 * Rung 8, what must leave whatever the demand; it is climbed before the supply is counted, for what
 * leaves supplies nothing. VMs that an admin wants gone, whose request is over, that are too old,
 * of an old generation or of no template; and, when a limit was lowered, or there is no room under
 * it for what is booked, as few more as bring the pool back under it. VMs of a request that is not
 * over stay, but for an admin.
 *
 * The order: what an admin or the end of a request wants gone, idle before busy, old generation
 * before new, the emptiest first, the oldest first. What is idle disturbs nobody. Of busy ones not
 * more of a group's drain at once than its disruption budget allows; the others keep the budget as
 * the reason why they are still there. Only facts that are all trusted make anything leave (S8);
 * what an admin wants needs no queue, and no budget holds it back, though it counts in the budget.
 */
#include "plan/rungs.h"

#include <stdlib.h>
#include <string.h>

/* Without a budget in the policy a tenth of a group's VMs may drain at once, so that a new
 * generation or VMs of one age do not leave a hole. */
static const struct policy_budget usual_budget = {
    .days = POLICY_EVERY_DAY, .until = POLICY_DAY_MINUTES, .number = 10, .percent = true};

struct candidate {
    const struct plan_vm *vm;
    struct reason must; /* NONE: it may be one too many */
    bool unbounded; /* no budget holds it back: an admin or the end of its request wants it gone */
    bool leaves;
};

/* What drains of a group, and how much of it may. */
struct drains {
    int64_t n; /* VMs that a budget counts */
    const struct policy_budget *budget;
};

struct chooser {
    const struct policy *p;
    const struct world *w;
    struct tally *stays;
    struct drains *groups; /* as in the policy; one more for VMs of no group */
    struct candidate *candidates;
    size_t n, capacity;
    bool *leaves;
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
    return ((b->days & today) && minute >= b->from) || ((b->days & yesterday) && minute < b->until);
}

static const struct policy_budget *budget_now(const struct policy_group *g, const struct world *w)
{
    for (size_t i = 0; g && i < g->n_disruption; i++)
        if (budget_holds(&g->disruption[i], w))
            return &g->disruption[i];
    return g && g->n_disruption ? NULL : &usual_budget;
}

static size_t group_of(const struct chooser *c, const struct plan_vm *vm)
{
    return vm->policy_group == SIZE_MAX ? c->p->n_groups : vm->policy_group;
}

/* How many busy VMs of the group may drain at once; INT64_MAX: any number. */
static int64_t budget_number(const struct chooser *c, const struct plan_vm *vm)
{
    const struct drains *d = &c->groups[group_of(c, vm)];
    if (!d->budget)
        return INT64_MAX;
    if (!d->budget->percent)
        return d->budget->number;
    int64_t allowed =
        (tally_group_vms(c->stays, vm->policy_group) + d->n) * d->budget->number / 100;
    return allowed == 0 && d->budget->number > 0 ? 1 : allowed;
}

/* Make it leave, or stay after all. */
static void move(struct chooser *c, struct candidate *candidate, bool leaves)
{
    const struct plan_vm *vm = candidate->vm;
    candidate->leaves = leaves;
    tally_add(c->stays, vm, leaves ? -1 : 1);
    if (vm->claimed > 0)
        c->groups[group_of(c, vm)].n += leaves ? 1 : -1;
}

static bool budget_allows(const struct chooser *c, const struct candidate *candidate)
{
    const struct plan_vm *vm = candidate->vm;
    return vm->state == VM_IDLE || candidate->unbounded ||
           c->groups[group_of(c, vm)].n < budget_number(c, vm);
}

/* As few as bring the pool back under a limit that was lowered, or make room for what is booked. */
static void shrink(struct chooser *c)
{
    struct reason over = {0};
    for (size_t i = 0; i < c->n; i++) {
        struct candidate *candidate = &c->candidates[i];
        if (candidate->must.code || !tally_exceeds(c->stays, candidate->vm, &over) ||
            !budget_allows(c, candidate))
            continue;
        move(c, candidate, true);
        candidate->must = over;
    }
    /* A small one may have gone before a large one, and fit again without it. */
    for (size_t i = c->n; i-- > 0;) {
        struct candidate *candidate = &c->candidates[i];
        if (!candidate->leaves || (candidate->must.code != REASON_OVER_LIMIT &&
                                   candidate->must.code != REASON_ROOM_FOR_REQUEST &&
                                   candidate->must.code != REASON_HOST_FOR_REQUEST))
            continue;
        move(c, candidate, false);
        if (tally_exceeds(c->stays, candidate->vm, &over))
            move(c, candidate, true);
        else
            candidate->must = (struct reason){0};
    }
}

static void send_off(struct chooser *c)
{
    for (size_t i = 0; i < c->n; i++) /* what must go makes room under the limits */
        if (c->candidates[i].must.code && budget_allows(c, &c->candidates[i]))
            move(c, &c->candidates[i], true);
    for (int round = 0; round < 2; round++) /* one that fits again makes room in the budget */
        shrink(c);
}

/* When a group's budget becomes another one. */
static void look_at_next_budget(const struct chooser *c, const struct plan_vm *vm)
{
    usec local = c->w->now + c->w->utc_offset;
    usec midnight = c->w->now - local % USEC_PER_DAY;
    for (size_t i = 0; vm->policy_group != SIZE_MAX; i++) {
        const struct policy_group *g = &c->p->groups[vm->policy_group];
        if (i == g->n_disruption)
            return;
        const usec ends[] = {g->disruption[i].from, g->disruption[i].until};
        for (size_t k = 0; k < 2; k++) {
            usec at = midnight + ends[k] * USEC_PER_MINUTE;
            later_at(c->later, at > c->w->now ? at : at + USEC_PER_DAY);
        }
    }
}

/* Those that only their group's budget keeps: what must go, and what would bring the pool under its
 * limits. */
static const struct leaver *list_held(struct arena *a, struct chooser *c, const struct vms *vms,
                                      size_t *ret_n)
{
    struct leaver *held = arena_take(a, c->n, sizeof(*held));
    size_t n = 0;
    struct reason why = {0};
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < c->n; i++) {
            const struct candidate *candidate = &c->candidates[i];
            const struct plan_vm *vm = candidate->vm;
            if (candidate->leaves || !candidate->must.code != (pass == 1))
                continue;
            why = candidate->must;
            if (pass == 1 && !tally_exceeds(c->stays, vm, &why))
                continue;
            const struct drains *d = &c->groups[group_of(c, vm)];
            held[n++] = (struct leaver){
                (size_t)(vm - vms->items),
                {REASON_BUDGET, d->n, budget_number(c, vm), d->budget->at, reason_name(why.code)}};
            look_at_next_budget(c, vm);
            if (pass == 1)
                tally_add(c->stays, vm, -1);
        }
    }
    *ret_n = n;
    return held;
}

static bool is_old(const struct candidate *c)
{
    return c->must.code == REASON_OLD_GENERATION || c->must.code == REASON_IMAGE_CHANGED;
}

static int candidate_order(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->unbounded != b->unbounded)
        return a->unbounded ? -1 : 1;
    if ((a->vm->state == VM_IDLE) != (b->vm->state == VM_IDLE))
        return a->vm->state == VM_IDLE ? -1 : 1;
    bool old_a = is_old(a), old_b = is_old(b);
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

static void list_candidates(struct arena *a, struct chooser *c, const struct trust *trust,
                            const struct vms *vms)
{
    struct reason any = {0};
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->state == VM_DRAINING)
            c->groups[group_of(c, vm)].n += vm->claimed > 0;
        if (vm->state != VM_DRAINING && vm_ends_now(c->w, vm)) { /* ended, not drained */
            c->leaves[i] = true;
            tally_add(c->stays, vm, -1);
            continue;
        }
        bool ordered = vm_ordered(c->w, vm).code != REASON_NONE;
        if (!trust->pool || (!trust->queues && !ordered) ||
            (vm->state != VM_IDLE && vm->state != VM_BUSY) || !vm->startd)
            continue;
        struct reason must = vm_must_go(c->p, c->w, vm);
        if (vm->born && must.code != REASON_TOO_OLD)
            later_at(c->later, vm->born + c->p->timing.max_age.value);
        /* Only these can come into question: the rest need no sorting. */
        if (!must.code && (vm->request != NO_REQUEST || !tally_exceeds(c->stays, vm, &any)))
            continue;
        c->candidates = arena_grow(a, c->candidates, c->n, &c->capacity, sizeof(*c->candidates));
        c->candidates[c->n++] =
            (struct candidate){vm, must, ordered || must.code == REASON_REQUEST_ENDED, false};
    }
    if (c->n > 1)
        qsort(c->candidates, c->n, sizeof(*c->candidates), candidate_order);
}

const struct leavers *leave_choose(struct arena *a, const struct policy *p, const struct world *w,
                                   const struct trust *trust, const struct bookings *bookings,
                                   const struct vms *vms, struct later *later)
{
    struct leavers *l = arena_take(a, 1, sizeof(*l));
    struct chooser c = {
        .p = p,
        .w = w,
        .stays = tally_open(a, p, w, vms, bookings),
        .groups = arena_take(a, p->n_groups + 1, sizeof(*c.groups)),
        .leaves = arena_take(a, vms->n, sizeof(*c.leaves)),
        .later = later,
    };
    for (size_t g = 0; g <= p->n_groups; g++)
        c.groups[g].budget = budget_now(g < p->n_groups ? &p->groups[g] : NULL, w);
    list_candidates(a, &c, trust, vms);
    send_off(&c);

    struct leaver *items = arena_take(a, c.n, sizeof(*items));
    for (size_t i = 0; i < c.n; i++) {
        if (!c.candidates[i].leaves)
            continue;
        size_t vm = (size_t)(c.candidates[i].vm - vms->items);
        items[l->n++] = (struct leaver){vm, c.candidates[i].must};
        c.leaves[vm] = true;
    }
    l->items = items;
    l->leaves = c.leaves;
    l->held = list_held(a, &c, vms, &l->n_held);
    arena_drop(a, c.candidates);
    return l;
}
