/*
 * An ask that makes sense, held against what its group may ask for, blackouts, and what is booked.
 */
#pragma once

#include "plan/booked.h"

struct asking {
    const struct policy *p;
    const struct world *w;
    const struct calendar_ask *ask;
    const struct policy_group *group;
    const struct policy_template *template;
    usec boot;    /* of one of its VMs */
    int64_t open; /* other requests of the group */
    struct booked *booked;
};

/* How long before its time so many of its VMs are started. */
usec asking_lead(const struct asking *q, int64_t vms);
/* Whether the ask would be granted with these instead of its own. */
struct fit asking_judge(struct asking *q, int64_t vms, usec from, usec until);
/* What would be granted instead: @fit says what is in the way of the ask itself. */
void offer_nearest(struct asking *q, const struct fit *fit, struct calendar_answer *answer);
