/*
 * Room for jobs in the VMs that are there, for rung 4. Rooms that are alike are one class, and a
 * job looks only at classes that may have room for it, so that the work is near to shapes + VMs.
 */
#pragma once

#include "plan/rungs.h"

/* In the order in which rooms are filled. */
enum rank { RANK_BUSY, RANK_IDLE, RANK_NEWBORN, RANK_DRAINING };

/* The ranks that are served alike: what is up, is being born, drains. */
enum tier { TIER_UP, TIER_NEWBORN, TIER_DRAINING, TIER_COUNT };

/* That lives for long enough, whatever the job. */
enum { LIFE_FOREVER = 40 };

struct room {
    const struct plan_vm *vm;
    size_t group;               /* for which it was started; SIZE_MAX: for nobody */
    int64_t cpus, memory, gpus; /* that are left */
    int64_t disk;               /* of the whole VM */
    usec idle_since;            /* as the VM's; at hand for the sort */
    int64_t jobs;               /* laid into it */
    uint32_t request;           /* NO_REQUEST: of none */
    uint32_t turn;              /* of its request */
    enum rank rank;
    uint8_t life;   /* it lives for at least 2^life minutes more */
    bool exclusive; /* it takes that group's jobs only */
};

struct rooms;

/* @items, of which there are @n, are put in order, and stay the caller's to read. */
struct rooms *rooms_open(struct arena *a, const struct policy *p, const struct bookings *b,
                         const struct demand *d, struct room *items, size_t n);

/*
 * Lay up to @left jobs of @want into rooms of @tier: those of VMs started for its group (@own), or
 * the others that are shared. Returns how many found room.
 */
int64_t rooms_lay(struct rooms *r, enum tier tier, bool own, const struct want *want, int64_t left);
