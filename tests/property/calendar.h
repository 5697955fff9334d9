/*
 * Random calendars: a small site, and requests that are asked for, changed and cancelled while time
 * passes.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "plan/calendar.h"
#include "plan/plan.h"
#include "property/draw.h"

enum { BOOKED_MOST = 60 };

struct calendar {
    struct arena *arena;
    struct draw *draw;
    struct policy *policy;
    struct world world;
    struct world_request booked[BOOKED_MOST]; /* world.requests */
    usec starts[BOOKED_MOST];                 /* as the answer said */
    struct {
        uint64_t asked, granted, offers, changed, cancelled;
    } seen;
};

/** A site without requests. */
struct calendar *calendar_new(struct arena *a, struct draw *d);

/**
 * Whether all that is booked can be honoured, by the tests' own reckoning: each VM has a seat, and at
 * no moment does a host, a limit or a maximum have too many. 0, or -EINVAL and @e.
 */
int calendar_is_honest(const struct calendar *c, struct err *e);

/**
 * Live through all of it with the planner: VMs of others are in the way, and at the beginning of each
 * request all of its VMs are in their seats. 0, or -EINVAL and @e.
 */
int calendar_live(const struct calendar *c, struct err *e);
