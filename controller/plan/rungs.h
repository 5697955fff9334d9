/*
 * The rungs of the ladder, in the order in which plan_make() climbs them. Each takes the results of
 * earlier rungs as const and returns a new value in the arena; none edits another's.
 */
#pragma once

#include "plan/plan.h"

/* Collects the earliest moment at which a decision could change without news. */
struct later {
    usec at;
};
void later_at(struct later *l, usec at);

/* A list of actions that grows. */
struct actions {
    struct arena *arena;
    struct plan_action *items;
    size_t n;
    size_t capacity;
};
struct plan_action *actions_add(struct actions *list, enum action_kind kind, struct reason reason);

/* 1. Which facts are complete and fresh. */
struct trust {
    const struct plan_trust *rows;
    size_t n_rows;
    bool pool;
    bool queues;       /* all of them */
    const bool *queue; /* as world.queues */
    const bool *host;  /* as world.hosts */
    struct reason why_not; /* the first source that is not trusted, of pool and queues */
};
const struct trust *trust_judge(struct arena *a, const struct policy *p, const struct world *w,
                                struct later *later);

/* 2. Facts × intents → the state of every VM. */
struct vms {
    const struct plan_vm *items;
    size_t n;
    usec vanished_at;
    struct reason vanished; /* REASON_FROZEN while too many are missing at once (S8) */
};
const struct vms *recognise(struct arena *a, const struct policy *p, const struct world *w,
                            const struct trust *trust, struct later *later);

/* 3. Which shapes count, largest first. */
struct want {
    const char *schedd;
    const struct world_shape *shape;
    size_t group;         /* in the policy; SIZE_MAX: does not count */
    int64_t memory;       /* that a slot gives to one job: its request, rounded up */
    int64_t jobs;         /* idle jobs that count */
    struct reason reason; /* why they do not */
};
struct demand {
    const struct want *wants;
    size_t n;
};
const struct demand *demand_gather(struct arena *a, const struct policy *p, const struct world *w,
                                   const struct trust *trust);

/* 4. What the VMs that exist or are being born will take. */
struct supply {
    const int64_t *served;   /* jobs, as demand.wants: by VMs that are up */
    const int64_t *starting; /* by VMs being born */
    const bool *wanted;      /* as vms.items: some demand counts on it */
};
const struct supply *supply_match(struct arena *a, const struct policy *p, const struct world *w,
                                  const struct demand *d, const struct vms *vms);

/* 5–7. Share, place and ramp: the VMs to start, and what stops the rest. @stop: nothing may grow. */
struct growth {
    const int64_t *starting;       /* jobs, as demand.wants: by VMs that this plan starts */
    const struct plan_group *groups; /* as in the policy */
    int64_t started;
};
const struct growth *share_grow(struct arena *a, const struct policy *p, const struct world *w,
                                const struct trust *trust, const struct vms *vms,
                                const struct demand *d, const struct supply *s, struct reason stop,
                                struct actions *actions, struct later *later);

/* 6. The books of the hosts: what is in use, foreign domains included. */
struct places;
struct places *places_open(struct arena *a, const struct policy *p, const struct world *w,
                           const struct trust *trust, const struct vms *vms);
/* The best host for one more VM of a template, or SIZE_MAX and the reason. */
size_t places_pick(const struct places *places, size_t template, struct reason *ret_why,
                   struct later *later);
void places_take(struct places *places, size_t host, size_t template);

/* 7. How many starts are left: in flight, in the last minute, in this step. */
struct ramp {
    int64_t in_flight;
    int64_t last_minute;
    int64_t this_step;
};
struct ramp ramp_open(const struct world *w, const struct vms *vms);
/* Whether one more VM may be started now; else the reason. */
bool ramp_allows(const struct ramp *r, const struct policy *p, const struct world *w,
                 struct reason *ret_why, struct later *later);

/* 8. VMs to drain. */
void retire_choose(const struct policy *p, const struct world *w, const struct trust *trust,
                   const struct vms *vms, const struct supply *s, struct actions *actions,
                   struct later *later);

/* 9. VMs to power off, destroy and forget, and leftovers to remove. */
void remove_choose(const struct policy *p, const struct world *w, const struct trust *trust,
                   const struct vms *vms, struct actions *actions, struct later *later);

/* 10. Fragments to apply or to take away. */
void flock_choose(const struct world *w, struct actions *actions, struct later *later);

/* Whether a VM has reached the age at which it is replaced. */
bool vm_too_old(const struct policy *p, const struct world *w, const struct plan_vm *vm);
/* The index of the group or template of that name in the policy, or SIZE_MAX. */
size_t policy_find_group(const struct policy *p, const char *name);
size_t policy_find_template(const struct policy *p, const char *name);
/* Whether VMs of the template may be started for the group. */
bool policy_group_uses(const struct policy_group *g, size_t template);
/* Whether a job of @want fits a template, or how many fit into free cpus and memory. */
bool want_fits_template(const struct want *want, const struct policy_template *t);
int64_t want_fits(const struct want *want, int64_t free_cpus, int64_t free_memory);
