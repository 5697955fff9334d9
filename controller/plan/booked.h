/*
 * What is booked at each moment, and whether an ask fits beside it: everything that is granted is a
 * span of time that holds VMs, cpus and memory under the limits, and seats on hosts. A window is
 * swept from one moment at which something begins or ends to the next.
 */
#pragma once

#include "plan/calendar.h"
#include "plan/seat.h"

/* One ask, and what it is held against. */
struct booked;
struct booked *booked_open(struct arena *a, const struct policy *p, const struct world *w,
                           const struct calendar_ask *ask);

/* Whether it fits. */
struct fit {
    struct reason reason; /* REASON_NONE: it does; else the first that is in the way */
    usec free_from;       /* before it VMs cannot be started: something is in the way until then */
    usec free_until;      /* it would have to end by then */
    int64_t room;         /* no more VMs would fit */
};
/* @vms VMs that are started at @starts, until @until. */
struct fit booked_fit(struct booked *b, int64_t vms, usec starts, usec until);
/* The seats of what fitted last. */
const struct world_seat *booked_seats(const struct booked *b, size_t *ret_n);
