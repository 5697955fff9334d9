/*
 * Reading eyrie.yaml: text → tree of strings with places (tree, libyaml) → values by the table of
 * keys (keys, value, read) → what was left open (resolve) → contradictions (check). Errors are given
 * as compilers give them, with file:line:column, the key, the offending text and what to do.
 */
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "config/policy.h"

struct config;

/**
 * Load @path. Returns 0 and a new config (config_free), or -errno: -EINVAL with all errors of the
 * file, one a line, in *@ret_messages (owned by the caller, free); -ENOENT, -EACCES, -EFBIG…
 * likewise with one. On failure *@ret is untouched; on success *@ret_messages is NULL.
 */
int config_load(const char *path, struct config **ret, char **ret_messages);
struct config *config_free(struct config *c);
/** The policy; belongs to @c. */
const struct policy *config_policy(const struct config *c);
/** Print the resolved policy as YAML with the source line of each value as a comment. */
void config_print(const struct config *c, FILE *out);

static inline void config_free_p(struct config **c)
{
    (void)config_free(*c);
}
