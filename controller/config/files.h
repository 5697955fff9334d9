/*
 * The files that a policy is made of: the given one, and those that its `include` names, which
 * belong to the owners of hosts and groups. Read one after the other, each over those before it.
 */
#pragma once

#include "config/tree.h"

struct files {
    const char **paths; /* absolute, the given one first; also those that could not be read */
    const char **names; /* as reasons name them: "eyrie.yaml", "conf.d/juno.yaml" */
    size_t n, capacity, names_capacity;
    const char **folders; /* absolute; in which patterns look, whether they exist or not */
    size_t n_folders, folders_capacity;
};

/**
 * Read @path and what it includes into one tree. Returns 0 and the root, or -errno (-EINVAL: what
 * is in the files is wrong) with all reasons in @report; @ret is filled in either case. Everything
 * belongs to @a.
 */
int files_read(struct arena *a, struct report *report, const char *path, struct files *ret,
               const struct tree_node **ret_root);
