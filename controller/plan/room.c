#include "plan/room.h"

#include <stdlib.h>

/* Classes are linked in their order twice: those of one group, and those that are shared. */
enum link { OWN, SHARED, LINKS };

/* Rooms [from, until) that are alike; @like is one of them. */
struct class
{
    struct room like;
    size_t from, until;
    size_t next[LINKS]; /* SIZE_MAX ends the chain */
};

/* The classes of one tier and group, or those of one tier that are shared. */
struct chain {
    size_t first;
    int64_t cpus, memory; /* no class has more left */
};

struct rooms {
    struct arena *arena;
    const struct bookings *bookings;
    struct room *items;
    struct class *classes;
    size_t n_classes, capacity;
    int64_t least_cpus, least_memory; /* no job asks for less */
    struct chain *own[TIER_COUNT];    /* as policy.groups */
    struct chain shared[TIER_COUNT];
};

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int same_room(const struct room *a, const struct room *b)
{
    int order = compare(a->rank, b->rank);
    if (!order)
        order = compare(a->group == SIZE_MAX, b->group == SIZE_MAX); /* spare ones last */
    if (!order) /* booked ones first: they stay anyway */
        order = compare(a->request == NO_REQUEST, b->request == NO_REQUEST);
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
        order = compare(a->turn, b->turn);
    if (!order)
        order = compare(a->exclusive, b->exclusive);
    return order ? order : compare(a->life, b->life);
}

/* Within a class the one in use longest comes first, so that the longest idle is let go; by UUID.
 */
static int room_order(const void *left, const void *right)
{
    const struct room *a = left, *b = right;
    int order = same_room(a, b);
    if (!order)
        order = -compare(a->idle_since, b->idle_since);
    return order ? order : (a->vm > b->vm) - (a->vm < b->vm);
}

static enum tier tier_of(const struct room *room)
{
    return room->rank == RANK_DRAINING  ? TIER_DRAINING
           : room->rank == RANK_NEWBORN ? TIER_NEWBORN
                                        : TIER_UP;
}

static size_t add_class(struct rooms *r, struct class class)
{
    r->classes = arena_grow(r->arena, r->classes, r->n_classes, &r->capacity, sizeof(*r->classes));
    r->classes[r->n_classes] = class;
    return r->n_classes++;
}

/* Put the class @at in front of a chain. */
static void link_class(struct rooms *r, struct chain *chain, enum link link, size_t at)
{
    struct class *class = &r->classes[at];
    class->next[link] = chain->first;
    chain->first = at;
    if (class->like.cpus > chain->cpus)
        chain->cpus = class->like.cpus;
    if (class->like.memory > chain->memory)
        chain->memory = class->like.memory;
}

struct rooms *rooms_open(struct arena *a, const struct policy *p, const struct bookings *b,
                         const struct demand *d, struct room *items, size_t n)
{
    struct rooms *r = arena_take(a, 1, sizeof(*r));
    *r = (struct rooms){
        .arena = a, .bookings = b, .items = items, .least_cpus = INT64_MAX, .least_memory = INT64_MAX};
    for (size_t i = 0; i < d->n; i++) {
        const struct want *want = &d->wants[i];
        if (want->jobs > 0 && want->shape->cpus < r->least_cpus)
            r->least_cpus = want->shape->cpus;
        if (want->jobs > 0 && want->memory < r->least_memory)
            r->least_memory = want->memory;
    }
    for (int tier = 0; tier < TIER_COUNT; tier++) {
        r->own[tier] = arena_take(a, p->n_groups, sizeof(struct chain));
        for (size_t g = 0; g < p->n_groups; g++)
            r->own[tier][g].first = SIZE_MAX;
        r->shared[tier].first = SIZE_MAX;
    }
    if (n > 1)
        qsort(items, n, sizeof(*items), room_order);
    for (size_t from = 0, until; from < n; from = until) {
        for (until = from + 1; until < n && same_room(&items[from], &items[until]) == 0;)
            until++;
        (void)add_class(r, (struct class){items[from], from, until, {SIZE_MAX, SIZE_MAX}});
    }
    for (size_t at = r->n_classes; at-- > 0;) {
        const struct room *like = &r->classes[at].like;
        enum tier tier = tier_of(like);
        if (like->group != SIZE_MAX)
            link_class(r, &r->own[tier][like->group], OWN, at);
        if (!like->exclusive)
            link_class(r, &r->shared[tier], SHARED, at);
    }
    return r;
}

static struct room less(struct room room, const struct want *want, int64_t jobs)
{
    room.cpus -= jobs * want->shape->cpus;
    room.memory -= jobs * want->memory;
    room.gpus -= jobs * want->shape->gpus;
    return room;
}

static bool takes(const struct rooms *r, const struct room *room, const struct want *want)
{
    return booking_takes(r->bookings, room->request, want) && want->shape->disk <= room->disk &&
           (!want->shape->runtime || room->life >= LIFE_FOREVER ||
            want->shape->runtime <= (USEC_PER_MINUTE << room->life));
}

/* The rooms of the class @at from @from on become a class of their own, right behind it. */
static void split(struct rooms *r, size_t at, size_t from)
{
    struct class behind = r->classes[at];
    if (from >= behind.until)
        return;
    behind.from = from;
    size_t added = add_class(r, behind);
    r->classes[at].until = from;
    for (int link = 0; link < LINKS; link++)
        r->classes[at].next[link] = added;
}

/* Note in the rooms themselves what goes into their class: @each into each of the first ones. */
static void note(struct room *rooms, const struct want *want, int64_t each, int64_t jobs)
{
    for (; jobs > 0; rooms++) {
        int64_t here = each < jobs ? each : jobs;
        *rooms = less(*rooms, want, here);
        rooms->jobs += here;
        jobs -= here;
    }
}

/*
 * Lay up to @left jobs into the class @at: the VMs that get as many as fit stay this class, then
 * perhaps comes one that gets the rest, then those that stay as they were.
 */
static int64_t fill_class(struct rooms *r, size_t at, const struct want *want, int64_t left)
{
    const struct room like = r->classes[at].like;
    const size_t from = r->classes[at].from;
    int64_t each = want_fits(want, like.cpus, like.memory, like.gpus);
    if (each == 0 || !takes(r, &like, want))
        return 0;
    int64_t vms = (int64_t)(r->classes[at].until - from);
    if (each > left)
        each = left;
    int64_t full = left / each < vms ? left / each : vms;
    int64_t rest = full < vms ? left - full * each : 0;
    split(r, at, from + (size_t)full + (rest > 0));
    if (rest > 0) {
        split(r, at, from + (size_t)full);
        r->classes[r->n_classes - 1].like = less(like, want, rest);
    }
    r->classes[at].like = less(like, want, each);
    note(&r->items[from], want, each, full * each + rest);
    return full * each + rest;
}

/* Take a class out of the chain; @before: the one in front of it, or SIZE_MAX. */
static void unlink_class(struct rooms *r, struct chain *chain, enum link link, size_t before,
                         size_t at)
{
    *(before == SIZE_MAX ? &chain->first : &r->classes[before].next[link]) =
        r->classes[at].next[link];
}

int64_t rooms_lay(struct rooms *r, enum tier tier, bool own, const struct want *want, int64_t left)
{
    const enum link link = own ? OWN : SHARED;
    struct chain *chain = own ? &r->own[tier][want->group] : &r->shared[tier];
    int64_t laid = 0, cpus = 0, memory = 0;
    size_t at = chain->first, before = SIZE_MAX;
    if (chain->cpus < want->shape->cpus || chain->memory < want->memory)
        return 0;
    for (; at != SIZE_MAX && laid < left; at = r->classes[at].next[link]) {
        const struct room *like = &r->classes[at].like;
        if (own || like->group != want->group)
            laid += fill_class(r, at, want, left - laid);
        like = &r->classes[at].like; /* there may be more classes now */
        if (like->cpus < r->least_cpus || like->memory < r->least_memory) {
            unlink_class(r, chain, link, before, at);
            continue;
        }
        before = at;
        cpus = like->cpus > cpus ? like->cpus : cpus;
        memory = like->memory > memory ? like->memory : memory;
    }
    if (at == SIZE_MAX) { /* all were looked at */
        chain->cpus = cpus;
        chain->memory = memory;
    }
    return laid;
}
