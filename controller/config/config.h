/*
 * Reading eyrie.yaml: text → tree of strings with places (tree, libyaml), one of all files (files,
 * merge) → values by the table of keys (keys, value, read) → what was left open (resolve) → contradictions (check). Errors are given
 * as compilers give them, with file:line:column, the key, the offending text and what to do.
 */
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "config/difference.h"
#include "config/policy.h"

struct config;

/**
 * Load @path. Returns 0 and a new config with one reference (config_free), or -errno: -EINVAL with all errors of the
 * file, one a line, in *@ret_messages (owned by the caller, free); -ENOENT, -EACCES, -EFBIG…
 * likewise with one. On failure *@ret is untouched; on success *@ret_messages is NULL.
 */
int config_load(const char *path, struct config **ret, char **ret_messages);
/**
 * As config_load, but on failure there is a config too: without a policy, only for config_files and
 * config_folders. Whoever waits for a file to be mended must know where.
 */
int config_try(const char *path, struct config **ret, char **ret_messages);
/** Another reference, for who holds on to the policy. */
struct config *config_ref(struct config *c);
/** Give a reference back: the last one frees. Accepts NULL; returns NULL. */
struct config *config_free(struct config *c);
/** The policy; belongs to @c. NULL when config_try found errors. */
const struct policy *config_policy(const struct config *c);
/**
 * The absolute paths of the YAML files that make up the policy, the given one first, also of those
 * that could not be read; belong to @c.
 */
const char *const *config_files(const struct config *c, size_t *ret_n);
/**
 * The absolute paths of the folders in which patterns look for files, whether they exist or not: a
 * file that appears there may belong to the policy. Belong to @c.
 */
const char *const *config_folders(const struct config *c, size_t *ret_n);
/**
 * What @new changes of @old, both with a policy; lives in @a. Returns 0; or -EBUSY when @new sets
 * what cannot change while eyried runs, with a message for each such key as config_load has them in
 * *@ret_messages (owned by the caller, free), else NULL.
 */
int config_compare(const struct config *old, const struct config *new, struct arena *a,
                   struct difference *ret, char **ret_messages);
/** Print the resolved policy as YAML with the source line of each value as a comment. */
void config_print(const struct config *c, FILE *out);
/**
 * The same as JSON, or what is wrong when config_try found errors: {"version", "file", "files",
 * "good", "errors": [{"file", "line", "column", "text"}…], "more", "values": [{"key", "value",
 * "text", "file", "line", "over"}…]}. A value is in µs or bytes, null when it is unlimited or not
 * there; its file and line are null when it is the default. Owned by the caller (json_object_put).
 */
struct json_object *config_view(const struct config *c);

static inline void config_free_p(struct config **c)
{
    (void)config_free(*c);
}
