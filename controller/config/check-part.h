/*
 * What the checks share.
 */
#pragma once

#include "config/policy.h"
#include "config/tree.h"

struct check {
    struct arena *arena;
    struct report *report;
    const struct tree_node *root;
    const struct policy *policy;
};

/** The value of @key in @parent, or @parent: what a message is about. */
const struct tree_node *check_node(const struct tree_node *parent, const char *key);
/** Where something else is said, for a message about @here: "line 5", or with another file's name.
 */
const char *check_where(struct check *c, const struct tree_node *here, struct policy_place at);

/** Templates that fit on no host or in no limit, groups that could never use what they have. */
void check_sizes(struct check *c);
