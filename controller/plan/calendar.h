/*
 * The calendar: what is booked, and whether more can be. A pure function, like the plan: the same
 * policy, world and ask give the same answer.
 *
 * What counts is what the site is configured to have, not what is free just now: limits, the room of
 * hosts (as the YAML says, or as they were last seen), what templates need, maxima and quotas of the
 * groups, blackouts, and everything else that is granted, each from when its VMs are started. A grant
 * names a seat for each of its VMs, a host that has the room for all of its time, whatever else is
 * granted; so two grants that cannot both be honoured are never both given.
 */
#pragma once

#include "base/arena.h"
#include "config/policy.h"
#include "plan/reason.h"
#include "plan/world.h"

/** What somebody would like to book. Strings are never NULL. */
struct calendar_ask {
    const char *group, *template;
    int64_t vms;
    usec from, until;
    bool exclusive, whole_host;
    const char *replaces; /* the request that is changed or extended, which counts no more; "": none */
};

/** What would be granted instead, if asked for. */
struct calendar_offer {
    int64_t vms;
    usec from, until;
};

enum { CALENDAR_OFFERS = 3 };

struct calendar_answer {
    struct reason reason; /* REASON_NONE: it can be granted; else what is in the way, and where in
                             the YAML it is set */
    usec starts;          /* when its VMs begin to be started */
    const struct world_seat *seats; /* to be kept with the grant, as world_request.seats */
    size_t n_seats;
    struct calendar_offer offers[CALENDAR_OFFERS]; /* fewer VMs, then later, then shorter */
    size_t n_offers;
};

/**
 * Whether @ask can be granted. Nothing is booked by it: the caller puts what is granted into the next
 * world. The answer lives in @a, and its texts as long as @p, @w and @ask.
 */
struct calendar_answer calendar_ask(struct arena *a, const struct policy *p, const struct world *w,
                                    const struct calendar_ask *ask);
