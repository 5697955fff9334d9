/*
 * Rung 4. Demand is laid into the VMs that are there: first into busy ones (what is full anyway stays
 * full), then idle ones, then those being born. What no demand was laid into is not wanted, and may
 * be retired. A VM that drains, leaves, is lost or is too old supplies nothing.
 */
#include "plan/rungs.h"

#include <stdlib.h>
#include <string.h>

struct room {
    size_t vm;
    int64_t cpus;
    int64_t memory;
    const struct plan_vm *facts;
};

static int state_order(enum vm_state state)
{
    return state == VM_BUSY ? 0 : state == VM_IDLE ? 1 : 2;
}

/* Busy, idle, newborn; the fullest first; the longest in use first; by UUID. */
static int room_order(const void *left, const void *right)
{
    const struct room *a = left, *b = right;
    int order = state_order(a->facts->state) - state_order(b->facts->state);
    if (order)
        return order;
    if (a->cpus != b->cpus)
        return a->cpus < b->cpus ? -1 : 1;
    if (a->facts->idle_since != b->facts->idle_since)
        return a->facts->idle_since > b->facts->idle_since ? -1 : 1;
    return strcmp(a->facts->uuid, b->facts->uuid);
}

static bool supplies(const struct plan_vm *vm)
{
    switch (vm->state) {
    case VM_CREATING:
    case VM_BOOTING:
        return true;
    case VM_IDLE:
    case VM_BUSY:
        return !vm->startd || vm->startd->usable;
    default:
        return false;
    }
}

const struct supply *supply_match(struct arena *a, const struct policy *p, const struct world *w,
                                  const struct demand *d, const struct vms *vms)
{
    struct supply *s = arena_take(a, 1, sizeof(*s));
    int64_t *served = arena_take(a, d->n, sizeof(*served));
    int64_t *starting = arena_take(a, d->n, sizeof(*starting));
    bool *wanted = arena_take(a, vms->n, sizeof(*wanted));
    struct room *rooms = arena_take(a, vms->n, sizeof(*rooms));
    size_t n = 0;

    for (size_t i = 0; i < vms->n; i++)
        if (supplies(&vms->items[i]) && !vm_too_old(p, w, &vms->items[i]))
            rooms[n++] = (struct room){i, vms->items[i].free_cpus, vms->items[i].free_memory,
                                       &vms->items[i]};
    if (n > 1)
        qsort(rooms, n, sizeof(*rooms), room_order);
    for (size_t i = 0; i < d->n; i++) {
        const struct want *want = &d->wants[i];
        int64_t left = want->jobs;
        for (size_t r = 0; r < n && left > 0; r++) {
            const struct plan_vm *vm = rooms[r].facts;
            if (vm->exclusive && strcmp(vm->group, p->groups[want->group].name) != 0)
                continue;
            int64_t take = want_fits(want, rooms[r].cpus, rooms[r].memory);
            if (take > left)
                take = left;
            if (take == 0)
                continue;
            rooms[r].cpus -= take * want->shape->cpus;
            rooms[r].memory -= take * want->memory;
            *(vm->state == VM_IDLE || vm->state == VM_BUSY ? &served[i] : &starting[i]) += take;
            wanted[rooms[r].vm] = true;
            left -= take;
        }
    }
    *s = (struct supply){served, starting, wanted};
    return s;
}
