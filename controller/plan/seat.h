/*
 * Seats: which hosts have room for the VMs of a request for all of a time. VMs do not move, so what
 * counts is the most that each host has booked at any moment of it.
 *
 * A VM whose seat is on a host that is gone, or that never had one, takes the room of some other
 * host, in the order of requests.
 */
#pragma once

#include "plan/rungs.h"

/* What a granted request holds, from when its VMs are started until it ends. */
struct span {
    usec from, until;
    int64_t vms;
    uint32_t group, template; /* in the policy */
    const struct world_request *facts;
    uint32_t *hosts; /* of its seats, in policy.hosts, or NO_HOST; NULL: not looked up yet */
};
#define NO_HOST UINT32_MAX

/* For one ask: VMs of one template. */
struct seating;
struct seating *seating_open(struct arena *a, const struct policy *p, const struct world *w,
                             size_t template, bool whole_host);
/* Begin with a window in which nothing is booked yet. */
void seating_clear(struct seating *s);
/* From here on in the window @span holds its seats; @sign -1: no more. */
void seating_hold(struct seating *s, struct span *span, int64_t sign);
/* How many VMs there is room for at the moment. */
int64_t seating_room(const struct seating *s);
/* The cpus of all hosts, and those of them that are booked at the moment. */
int64_t seating_cpus(const struct seating *s);
int64_t seating_booked_cpus(const struct seating *s);
/*
 * Find @vms seats for all of the window. Those that @old has come first; when it @stays, its VMs are
 * there already and keep them. Returns how many were found; @ret_cpus: that they take from hosts.
 */
int64_t seating_choose(struct seating *s, int64_t vms, const struct world_request *old, bool stays,
                       int64_t *ret_cpus);
/* What was chosen last. */
const struct world_seat *seating_list(const struct seating *s, size_t *ret_n);
