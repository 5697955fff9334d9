/*
 * The tree into the policy, by the table of keys: every key in its place, every value well formed,
 * every default filled in. What values mean together is looked at later (resolve, check).
 */
#pragma once

#include "config/policy.h"
#include "config/tree.h"

/**
 * Fill @p from @root; what is wrong goes to @report and leaves the default, or "" and 0. Each item
 * of a list or map in the file makes one element, in the order of the file. Values with a meaning
 * when absent that is no constant stay NULL and 0. A value that
 * a later file replaced is read too, so that what is wrong with it is said.
 */
void read_policy(struct arena *a, struct report *report, const struct tree_node *root,
                 struct policy *p);
