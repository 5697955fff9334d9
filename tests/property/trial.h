/*
 * A trial: one policy, one world, the plan made of them, and the rules that it is held to.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "plan/plan.h"
#include "property/draw.h"

struct trial {
    struct arena *arena;
    struct draw *draw; /* for rules that vary the world */
    const struct policy *policy;
    const struct world *world;
    const struct plan *plan;
};

/** A site from @d and the plan for it; lives in @a. */
struct trial trial_make(struct arena *a, struct draw *d);

/** 0, or -EINVAL and in @e what breaks the rule. */
typedef int (*trial_rule)(const struct trial *t, struct err *e);

struct rule {
    const char *name; /* says what must hold */
    trial_rule holds;
};

/**
 * Hold @t to every rule: 0, or -EINVAL, the name in @ret_rule and the sentence in @e.
 */
int trial_check(const struct trial *t, const char **ret_rule, struct err *e);

#define BROKEN(e, ...) err_set((e), EINVAL, __VA_ARGS__)

/* What the rules look up, by their own reckoning and not the planner's. */

/** Whether an answer is complete, not older than timing.trust_for, and not from the future. */
bool trial_trusts(const struct trial *t, const struct world_fact *f);
/** Whether an admin said that the host is off, and it said nothing since. */
bool trial_is_off(const struct world_host *host);
bool trial_trusts_host(const struct trial *t, const struct world_host *host);
const struct world_host *trial_host(const struct world *w, const char *name);
const struct world_record *trial_record(const struct world *w, const char *uuid);
const struct plan_vm *trial_vm(const struct plan *plan, const char *uuid);
/** The domain of ours with that UUID, on whichever host; @ret_host may be NULL. */
const struct world_domain *trial_domain(const struct world *w, const char *uuid,
                                        const struct world_host **ret_host);
/** The next startd with that UUID after @last (NULL: the first), or NULL. */
const struct world_startd *trial_startd(const struct world *w, const char *uuid,
                                        const struct world_startd *last);
/** Whether a slot of that VM is claimed. */
bool trial_claimed(const struct world *w, const char *uuid);
bool trial_is(const struct plan_action *action, enum action_kind kind);
/** Cancels a drain. */
bool trial_is_undrain(const struct plan_action *action);
/** Whether a job of the shape fits a template of the policy. */
bool trial_fits(const struct trial *t, const struct world_shape *s, size_t template);
/** The group for which a shape asks, by facts that are trusted; SIZE_MAX: it need not be served. */
size_t trial_asks_for(const struct trial *t, const struct plan_shape *shape);
/**
 * Whether the jobs wait for a host that starts others just now: until it may start theirs, a VM
 * elsewhere that wastes much more is no answer.
 */
bool trial_waits_a_moment(const struct plan_shape *shape);
/** Whether VMs of a request that is open are missing, or have their hosts alone: room is kept. */
bool trial_keeps_room(const struct trial *t);
int64_t trial_count(const struct plan *plan, enum action_kind kind);

/* The rules, a file for each kind. */
extern const struct rule rules_safety[], rules_limits[], rules_demand[], rules_leftovers[],
    rules_request[], rules_share[], rules_variants[];
