/*
 * A walk through the resolved policy in the order of the table of keys: what is printed as YAML and
 * what is given as JSON are the same values, from the same places.
 */
#pragma once

#include "config/keys.h"
#include "config/policy.h"
#include "config/tree.h"

enum walk_kind {
    WALK_HEAD,  /* of a section, list, map or element: what is below follows */
    WALK_VALUE, /* one value */
    WALK_NONE,  /* a list that is not there: key->otherwise says what that means */
};

struct walk_step {
    enum walk_kind kind;
    int indent;
    const char *dash;      /* in front of the name: "- ", "  " or "" */
    const char *name;      /* as YAML */
    const char *path;      /* "groups.juno.max", "hosts[0].uri" */
    const char *text;      /* of a value: as YAML; of a head: "", or "{}" or "[]" when nothing follows */
    const struct key *key; /* of a value */
    const unsigned char *base;    /* the struct that the key is in */
    const struct tree_node *node; /* what set it; NULL: the default */
};

typedef void (*walk_visit)(void *userdata, const struct walk_step *step);

/** Call @on_step for each step, which lasts until it returns. */
void walk_policy(const struct policy *p, const struct tree_node *root, walk_visit on_step,
                 void *userdata);
