/*
 * What one policy changes of another, key by key, by the table of keys: for those who changed a file
 * to see what eyried made of it. And what no running eyried can change.
 */
#pragma once

#include "base/arena.h"
#include "base/text.h"
#include "config/policy.h"
#include "config/tree.h"

struct change {
    const char *key;  /* "limits.cpus", "groups.juno.max", "hosts.hv03" */
    const char *old;  /* as the file would say it; NULL: a host, group… that was not there */
    const char *new;  /* likewise; NULL: one that is not there any more */
    const char *file; /* of the new policy's files, the one that says so; NULL: it is the default */
    unsigned line;
};

struct difference {
    const struct change *items; /* in the order of the table of keys; belongs to an arena */
    size_t n;
};

/** A good policy, and the file that it was read from. */
struct difference_side {
    const struct policy *policy;
    const struct tree_node *root;
};

/**
 * What @new changes of @old, in @a. Places alone are no change. What cannot change while eyried runs
 * is reported, too.
 */
struct difference difference_make(struct arena *a, struct report *report,
                                  struct difference_side old, struct difference_side new);
/** One line without its end: `limits.cpus: 400 → 200 (eyrie.yaml:12)`, `groups.juno: removed`. */
void change_render(const struct change *change, struct text *out);
