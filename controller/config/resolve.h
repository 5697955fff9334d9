/*
 * What a value means when the file leaves it open: names from URIs, times from other times, the
 * text of the domain XML and the digest of all that a template's VMs are made from.
 */
#pragma once

#include "config/policy.h"
#include "config/tree.h"

/** Complete @p, which read_policy filled from @root. Files that cannot be read go to @report. */
void resolve_policy(struct arena *a, struct report *report, const struct tree_node *root,
                    struct policy *p);
