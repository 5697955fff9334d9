/*
 * The resolved policy as YAML that reads as the same policy, each value with where it comes from.
 */
#pragma once

#include <stdio.h>

#include "config/policy.h"
#include "config/tree.h"

/** Print @p, which was read from @root. */
void print_policy(const struct policy *p, const struct tree_node *root, FILE *out);
