/*
 * Rung 4. Demand is laid into the VMs that are there: first into busy ones (what is full anyway
 * stays full), then idle ones, then those being born, and at last into those that drain only
 * because they were idle: their drain is cancelled. What no demand was laid into is not wanted, and
 * may be retired. A VM that leaves, is lost, must go anyway, or will not live as long as the job
 * supplies nothing.
 *
 * Of those that are up, and then of those being born, each group's jobs come first in the VMs that
 * were started for it, and anyone's in what is left of those; spare VMs come last, and jobs that
 * may start none yet come last into VMs being born. Else the next step would see VMs taken by
 * others than those for whom this one started them, and start them once more.
 */
#include "plan/room.h"

static uint8_t life_left(const struct policy *p, const struct world *w, const struct plan_vm *vm)
{
    usec ends = vm->request < w->n_requests ? w->requests[vm->request].until
                : vm->born                  ? vm->born + p->timing.max_age.value
                                            : USEC_NEVER;
    if (ends == USEC_NEVER)
        return LIFE_FOREVER;
    int64_t minutes = (ends - w->now) / USEC_PER_MINUTE;
    uint8_t life = 0;
    while (life < LIFE_FOREVER && minutes >> (life + 1) > 0)
        life++;
    return life;
}

/* Not full, nor no supply at all, as most are. */
static bool may_have_room(const struct plan_vm *vm)
{
    return vm->state == VM_DRAINING || (vm->state < VM_DRAINING && vm->free_cpus > 0);
}

/* Whether the VM supplies anything, and what. @stays: with it staying as well. */
static bool open_room(const struct policy *p, const struct world *w,
                      const struct bookings *bookings, const struct plan_vm *vm,
                      struct tally *stays, struct room *room)
{
    struct reason over = {0};
    const struct world_startd *startd = vm->startd;
    *room = (struct room){.group = vm->policy_group,
                          .request = vm->request,
                          .turn = vm->request < bookings->n ? bookings->items[vm->request].turn : 0,
                          .exclusive = vm->exclusive,
                          .disk = vm->policy_template == SIZE_MAX
                                      ? INT64_MAX
                                      : p->templates[vm->policy_template].disk,
                          .cpus = vm->free_cpus,
                          .memory = vm->free_memory,
                          .gpus = startd ? startd->free_gpus : 0,
                          .idle_since = vm->idle_since,
                          .vm = vm};
    switch (vm->state) {
    case VM_CREATING:
    case VM_BOOTING:
        room->rank = RANK_NEWBORN;
        room->gpus = p->templates[vm->policy_template].gpus;
        break;
    case VM_IDLE:
    case VM_BUSY:
        room->rank = vm->state == VM_BUSY ? RANK_BUSY : RANK_IDLE;
        break;
    case VM_DRAINING: /* only a drain that we asked for, and only while it is not over */
        if (!startd || startd->drained || !vm->record || !vm->record->drain_accepted ||
            vm_drain_overdue(p, w, vm))
            return false;
        tally_add(stays, vm, 1);
        if (tally_exceeds(stays, vm, &over)) {
            tally_add(stays, vm, -1);
            return false;
        }
        room->rank = RANK_DRAINING;
        room->cpus = startd->free_cpus;
        room->memory = startd->free_memory;
        break;
    default:
        return false;
    }
    if ((vm->exclusive && vm->policy_group == SIZE_MAX) || room->cpus <= 0 ||
        (startd && !startd->usable) || vm_must_go(p, w, vm).code)
        return false;
    /* A job that was demand is shorter than what is left once a VM being born has joined; unless the
     * VM leaves with the request that it was started for. */
    room->life = room->rank == RANK_NEWBORN && vm->request == NO_REQUEST ? LIFE_FOREVER
                                                                         : life_left(p, w, vm);
    return true;
}

/*
 * Since when a VM that never had a job is one that jobs wait for, or one that would take none. A VM that
 * is given up for it stays so. Nothing of this is said of VMs of requests, which are held.
 */
static usec jobless_since(const struct policy *p, const struct world *w, const struct plan_vm *vm,
                          bool wanted)
{
    if (!vm_had_no_job(vm) || vm->request != NO_REQUEST)
        return 0;
    usec since = vm->record->jobless_since;
    if (vm_is_given_up(p, w, vm))
        return since;
    if (vm->state != VM_IDLE || (!wanted && vm->startd->usable))
        return 0;
    return since && since < w->now ? since : w->now;
}

static void cancel_drains(const struct room *rooms, size_t n, struct actions *actions)
{
    for (size_t i = 0; i < n; i++) {
        const struct plan_vm *vm = rooms[i].vm;
        if (rooms[i].rank != RANK_DRAINING || rooms[i].jobs == 0)
            continue;
        struct plan_action *action = actions_add(
            actions, ACTION_UNDRAIN, (struct reason){REASON_WANTED_AGAIN, rooms[i].jobs});
        action->uuid = vm->uuid;
        action->name = vm->name;
        action->host = vm->host;
        action->machine = vm->startd->machine;
    }
}

/* Whose jobs are laid into which VMs, one pass after the other. */
static const struct {
    enum tier tier;
    bool own;      /* VMs that were started for the group */
    bool settling; /* of those being born: jobs that may start none yet */
} passes[] = {
    {TIER_UP, true, false},       {TIER_UP, false, false},       {TIER_NEWBORN, true, false},
    {TIER_NEWBORN, false, false}, {TIER_NEWBORN, true, true},    {TIER_NEWBORN, false, true},
    {TIER_DRAINING, true, false}, {TIER_DRAINING, false, false},
};

const struct supply *supply_match(struct arena *a, const struct policy *p, const struct world *w,
                                  const struct bookings *bookings, const struct demand *d,
                                  const struct vms *vms, const struct leavers *leavers,
                                  struct actions *actions)
{
    struct supply *s = arena_take(a, 1, sizeof(*s));
    int64_t *served = arena_take(a, d->n, sizeof(*served));
    int64_t *starting = arena_take(a, d->n, sizeof(*starting));
    bool *wanted = arena_take(a, vms->n, sizeof(*wanted));
    usec *jobless = arena_take(a, vms->n, sizeof(*jobless));
    struct tally *stays = tally_open(a, p, w, vms, bookings);
    size_t n = 0, most = 0;

    for (size_t i = 0; i < vms->n; i++) {
        if (leavers->leaves[i])
            tally_add(stays, &vms->items[i], -1);
        else
            most += may_have_room(&vms->items[i]);
    }
    struct room *items = arena_take(a, most, sizeof(*items));
    for (size_t i = 0; i < vms->n; i++)
        n += !leavers->leaves[i] && may_have_room(&vms->items[i]) &&
             open_room(p, w, bookings, &vms->items[i], stays, &items[n]);
    struct rooms *rooms = rooms_open(a, p, bookings, d, items, n);
    for (size_t k = 0; k < sizeof(passes) / sizeof(passes[0]); k++) {
        const enum tier tier = passes[k].tier;
        for (size_t i = 0; i < d->n; i++) {
            const struct want *want = &d->wants[i];
            int64_t left = want->jobs - served[i] - starting[i];
            if (left > 0 && (tier != TIER_NEWBORN || want->settling == passes[k].settling))
                (tier == TIER_NEWBORN ? starting : served)[i] +=
                    rooms_lay(rooms, tier, passes[k].own, want, left);
        }
    }
    for (size_t i = 0; i < n; i++)
        wanted[items[i].vm - vms->items] = items[i].jobs > 0;
    for (size_t i = 0; i < vms->n; i++)
        jobless[i] = jobless_since(p, w, &vms->items[i], wanted[i]);
    cancel_drains(items, n, actions);
    arena_drop(a, items);
    *s = (struct supply){served, starting, wanted, jobless};
    return s;
}
