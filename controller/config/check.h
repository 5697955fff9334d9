/*
 * What values say together: names given twice, limits that contradict each other, templates that
 * fit nowhere. Each check is a few lines and complains about the value that is easiest to change.
 */
#pragma once

#include "config/policy.h"
#include "config/tree.h"

/** Check @p, complete, which was read from @root; its groups still in the order of the file. */
void check_policy(struct arena *a, struct report *report, const struct tree_node *root,
                  const struct policy *p);
