/*
 * Rung 4. Demand is laid into the VMs that are there: first into busy ones (what is full anyway stays
 * full), then idle ones, then those being born, and at last into those that drain only because they
 * were idle: their drain is cancelled. What no demand was laid into is not wanted, and may be retired.
 * A VM that leaves, is lost, must go anyway, or will not live as long as the job supplies nothing.
 *
 * Of those that are up, and then of those being born, each group's jobs come first in the VMs that were
 * started for it, and anyone's in what is left of those; spare VMs come last, and jobs that may start
 * none yet come last into VMs being born. Else the next step would see VMs taken by others than those
 * for whom this one started them, and start them once more.
 *
 * VMs with the same room are one class, so that the work is shapes × classes and not shapes × VMs.
 */
#include "plan/rungs.h"

#include <stdlib.h>
#include <string.h>

enum rank { RANK_BUSY, RANK_IDLE, RANK_NEWBORN, RANK_DRAINING };

/* The ranks that are served alike: what is up, is being born, drains. */
enum tier { TIER_UP, TIER_NEWBORN, TIER_DRAINING, TIER_COUNT };

struct room {
    enum rank rank;
    size_t group; /* for which it was started; SIZE_MAX: for nobody */
    bool exclusive; /* it takes that group's jobs only */
    int64_t cpus, memory, gpus;
    int64_t disk; /* of the whole VM */
    int life;     /* it lives for at least 2^life minutes more */
    const struct plan_vm *facts;
};

/* Rooms [from, until) that are alike. */
struct class {
    struct room room;
    size_t from, until;
    size_t next; /* in the list; SIZE_MAX ends it */
};

struct classes {
    struct arena *arena;
    struct class *items;
    size_t n, capacity;
    size_t first[TIER_COUNT]; /* of each tier's list; SIZE_MAX: none */
};

enum { LIFE_FOREVER = 40 };

static int life_left(const struct policy *p, const struct world *w, const struct plan_vm *vm)
{
    if (!vm->born)
        return LIFE_FOREVER;
    int64_t minutes = (vm->born + p->timing.max_age.value - w->now) / USEC_PER_MINUTE;
    int life = 0;
    while (life < LIFE_FOREVER && minutes >> (life + 1) > 0)
        life++;
    return life;
}

/* Whether the VM supplies anything, and what. @stays: with it staying as well. */
static bool open_room(const struct policy *p, const struct world *w, const struct plan_vm *vm,
                      struct tally *stays, struct room *room)
{
    struct reason over = {0};
    const struct world_startd *startd = vm->startd;
    *room = (struct room){.group = vm->policy_group,
                          .exclusive = vm->exclusive,
                          .disk = vm->policy_template == SIZE_MAX
                                      ? INT64_MAX
                                      : p->templates[vm->policy_template].disk,
                          .cpus = vm->free_cpus,
                          .memory = vm->free_memory,
                          .gpus = startd ? startd->free_gpus : 0,
                          .facts = vm};
    if (vm->state != VM_DRAINING && vm->free_cpus <= 0)
        return false; /* full, or no supply at all: the most by far */
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
    /* A job that was demand is shorter than what is left once a VM being born has joined. */
    room->life = room->rank == RANK_NEWBORN ? LIFE_FOREVER : life_left(p, w, vm);
    return true;
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int same_room(const struct room *a, const struct room *b)
{
    int order = compare(a->rank, b->rank);
    if (!order)
        order = compare(a->group == SIZE_MAX, b->group == SIZE_MAX); /* spare ones last */
    if (!order)
        order = compare(a->cpus, b->cpus); /* the fullest first */
    if (!order)
        order = compare(a->memory, b->memory);
    if (!order)
        order = compare(a->gpus, b->gpus);
    if (!order)
        order = compare(a->disk, b->disk);
    if (!order && a->group != b->group)
        order = a->group < b->group ? -1 : 1;
    if (!order)
        order = compare(a->exclusive, b->exclusive);
    return order ? order : compare(a->life, b->life);
}

/* Within a class the one in use longest comes first, so that the longest idle is let go; by UUID. */
static int room_order(const void *left, const void *right)
{
    const struct room *a = left, *b = right;
    int order = same_room(a, b);
    if (!order)
        order = -compare(a->facts->idle_since, b->facts->idle_since);
    return order ? order : strcmp(a->facts->uuid, b->facts->uuid);
}

static size_t add_class(struct classes *c, struct class class)
{
    c->items = arena_grow(c->arena, c->items, c->n, &c->capacity, sizeof(*c->items));
    c->items[c->n] = class;
    return c->n++;
}

static enum tier tier_of(const struct room *room)
{
    return room->rank == RANK_DRAINING ? TIER_DRAINING
           : room->rank == RANK_NEWBORN ? TIER_NEWBORN
                                        : TIER_UP;
}

static struct classes classify(struct arena *a, const struct room *rooms, size_t n)
{
    struct classes c = {.arena = a};
    enum tier last = TIER_COUNT;
    for (int tier = 0; tier < TIER_COUNT; tier++)
        c.first[tier] = SIZE_MAX;
    for (size_t i = 0; i < n;) {
        size_t until = i + 1;
        while (until < n && same_room(&rooms[i], &rooms[until]) == 0)
            until++;
        size_t added = add_class(&c, (struct class){rooms[i], i, until, SIZE_MAX});
        enum tier tier = tier_of(&rooms[i]);
        if (tier == last)
            c.items[added - 1].next = added;
        else
            c.first[tier] = added;
        last = tier;
        i = until;
    }
    return c;
}

static struct room less(struct room room, const struct want *want, int64_t jobs)
{
    room.cpus -= jobs * want->shape->cpus;
    room.memory -= jobs * want->memory;
    room.gpus -= jobs * want->shape->gpus;
    return room;
}

static bool takes(const struct room *room, const struct want *want)
{
    if ((room->exclusive && room->group != want->group) || want->shape->disk > room->disk)
        return false;
    return !want->shape->runtime || room->life >= LIFE_FOREVER ||
           want->shape->runtime <= (USEC_PER_MINUTE << room->life);
}

/*
 * Lay up to @left jobs of @want into the class @at: the VMs that get as many as fit become a class
 * of their own in front, then perhaps one that gets the rest, then those that stay as they were.
 */
static int64_t fill_class(struct classes *c, size_t at, const struct want *want, int64_t left)
{
    struct class class = c->items[at];
    int64_t each = want_fits(want, class.room.cpus, class.room.memory, class.room.gpus);
    if (each == 0 || !takes(&class.room, want))
        return 0;
    int64_t vms = (int64_t)(class.until - class.from);
    int64_t full = each >= left ? 0 : left / each;
    if (full > vms)
        full = vms;
    int64_t rest = full < vms ? left - full * each : 0;
    if (rest > each)
        rest = each;
    size_t cut = class.from + (size_t)full, end = cut + (rest > 0);
    size_t next = class.next;
    if (end < class.until)
        next = add_class(c, (struct class){class.room, end, class.until, next});
    if (rest > 0)
        next = add_class(c, (struct class){less(class.room, want, rest), cut, end, next});
    if (full > 0) {
        c->items[at] = (struct class){less(class.room, want, each), class.from, cut, next};
    } else { /* nothing was filled up: this place in the list is the one that got the rest */
        c->items[at] = c->items[next];
    }
    return full * each + rest;
}

/* Note in the rooms themselves what went into their class: the first ones get as many as fit. */
static void lay(struct room *rooms, int64_t *jobs, size_t from, const struct want *want,
                int64_t taken)
{
    for (size_t k = from; taken > 0; k++) {
        int64_t each = want_fits(want, rooms[k].cpus, rooms[k].memory, rooms[k].gpus);
        int64_t here = each < taken ? each : taken;
        rooms[k] = less(rooms[k], want, here);
        jobs[k] += here;
        taken -= here;
    }
}

static void cancel_drains(const struct room *rooms, size_t n, const int64_t *jobs,
                          struct actions *actions)
{
    for (size_t i = 0; i < n; i++) {
        if (rooms[i].rank != RANK_DRAINING || jobs[i] == 0)
            continue;
        struct plan_action *action = actions_add(
            actions, ACTION_UNDRAIN, (struct reason){REASON_WANTED_AGAIN, jobs[i]});
        action->uuid = rooms[i].facts->uuid;
        action->name = rooms[i].facts->name;
        action->host = rooms[i].facts->host;
        action->machine = rooms[i].facts->startd->machine;
    }
}

/* Whose jobs are laid into which VMs, one pass after the other. */
static const struct {
    enum tier tier;
    bool own;      /* VMs that were started for the group */
    bool settling; /* of those being born: jobs that may start none yet */
} passes[] = {
    {TIER_UP, true, false},          {TIER_UP, false, false},
    {TIER_NEWBORN, true, false},     {TIER_NEWBORN, false, false},
    {TIER_NEWBORN, true, true},      {TIER_NEWBORN, false, true},
    {TIER_DRAINING, true, false},    {TIER_DRAINING, false, false},
};

const struct supply *supply_match(struct arena *a, const struct policy *p, const struct world *w,
                                  const struct demand *d, const struct vms *vms,
                                  const struct leavers *leavers, struct actions *actions)
{
    struct supply *s = arena_take(a, 1, sizeof(*s));
    int64_t *served = arena_take(a, d->n, sizeof(*served));
    int64_t *starting = arena_take(a, d->n, sizeof(*starting));
    bool *wanted = arena_take(a, vms->n, sizeof(*wanted));
    struct room *rooms = arena_take(a, vms->n, sizeof(*rooms));
    int64_t *jobs = arena_take(a, vms->n, sizeof(*jobs)); /* laid into each room, from its class */
    struct tally *stays = tally_open(a, p, vms);
    size_t n = 0;

    for (size_t i = 0; i < vms->n; i++)
        if (leavers->leaves[i])
            tally_add(stays, &vms->items[i], -1);
    for (size_t i = 0; i < vms->n; i++)
        n += !leavers->leaves[i] && open_room(p, w, &vms->items[i], stays, &rooms[n]);
    if (n > 1)
        qsort(rooms, n, sizeof(*rooms), room_order);
    struct classes classes = classify(a, rooms, n);
    for (size_t k = 0; k < sizeof(passes) / sizeof(passes[0]); k++) {
        const enum tier tier = passes[k].tier;
        for (size_t i = 0; i < d->n; i++) {
            const struct want *want = &d->wants[i];
            int64_t left = want->jobs - served[i] - starting[i];
            if (tier == TIER_NEWBORN && want->settling != passes[k].settling)
                continue;
            for (size_t at = classes.first[tier]; at != SIZE_MAX && left > 0;
                 at = classes.items[at].next) {
                const struct class class = classes.items[at];
                if ((class.room.group == want->group) != passes[k].own)
                    continue;
                int64_t taken = fill_class(&classes, at, want, left);
                *(tier == TIER_NEWBORN ? &starting[i] : &served[i]) += taken;
                left -= taken;
                lay(rooms, jobs, class.from, want, taken);
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        wanted[rooms[i].facts - vms->items] = jobs[i] > 0;
    cancel_drains(rooms, n, jobs, actions);
    *s = (struct supply){served, starting, wanted};
    return s;
}
