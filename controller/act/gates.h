/*
 * What the policy says of groups, in the words of the HTCondor fragments: who belongs to one, what
 * fits its VMs, how much of the pool it may have. Pure: a policy in, values for placeholders out.
 */
#pragma once

#include "act/fragment.h"
#include "base/arena.h"
#include "config/policy.h"

/** The values that are the same for all groups, of every fragment but a VM's own. */
struct gates {
    const struct fragment_value *values;
    size_t n_values;
    struct fragment_rows rows; /* one a group */
};

/**
 * The values for flock-config's main-schedd.conf, main-cm.conf and virtual-cm-shares.conf, but for
 * @REVISION@. All memory is of @a.
 */
struct gates gates_of(struct arena *a, const struct policy *p);

/** "<prefix>_<pool>", a knob of the pool's own. Owned by the caller (free). */
char *gates_knob(const char *prefix, const struct policy *p);

/** The rules of eyrie-job-check: "GROUP/OWNER …", with an owner * for anyone. Of @a. */
const char *gates_rules(struct arena *a, const struct policy *p);

/**
 * What each group gets of the pool in cpus when all have work without end: its quota, and of the
 * rest a share by weight up to its max. 0 for each when nothing says how large the pool may be.
 * Array of p->n_groups, of @a. As plan/share.c deals out VMs.
 */
const int64_t *gates_shares(struct arena *a, const struct policy *p);
