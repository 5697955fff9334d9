/*
 * A YAML file as a tree of strings, lists and maps in which every node knows where it stands.
 *
 * Built from libyaml's events rather than with libcyaml, which has no positions after the load,
 * stops at the first error, knows no maps with free keys, and reads `10k` as 10. What is not needed
 * to say a configuration is refused: anchors, aliases, tags, several documents, keys twice.
 */
#pragma once

#include <stdbool.h>

#include "config/policy.h"
#include "config/report.h"

enum { TREE_DEPTH_MAX = 16, TREE_NODES_MAX = 100000 };

enum tree_kind {
    TREE_SCALAR,
    TREE_LIST,
    TREE_MAP,
};

struct tree_node {
    enum tree_kind kind;
    struct place place;
    const struct tree_node *parent; /* in its file; NULL: the root */
    size_t index;                   /* among its siblings in its file */
    size_t position;                /* in parent's items, also after a merge */
    const struct tree_node *over;   /* the value of an earlier file that it replaced; or NULL */
    const struct tree_node *key;    /* of a value in a map; a key is its own key */
    const char *text;               /* of a scalar */
    bool null;                      /* a scalar that is not there: `key:` */
    struct tree_node **items;       /* of a list or map: the values, in the order of the file */
    struct tree_node **sorted;      /* of a map: the values by key */
    size_t n, capacity;
    size_t n_sorted, sorted_capacity; /* n_sorted: less than n after tree_append */
};

/**
 * Parse @source. Returns 0 and the root (belongs to @a), or -EINVAL; what is wrong is in @report.
 * The root may be there although keys are given twice: then @report is not empty.
 */
int tree_parse(struct arena *a, struct source *source, struct report *report,
               struct tree_node **ret_root);
/** Add @item of another tree at the end of a list or map; a map must be sorted afterwards. */
void tree_append(struct arena *a, struct tree_node *node, struct tree_node *item);
/** Put the keys of @map in order for tree_get; after a change. */
void tree_sort(struct arena *a, struct tree_node *map);
/** The value of @key in @map; NULL when it has none, or when @map is NULL or no map. */
const struct tree_node *tree_get(const struct tree_node *map, const char *key);
/** Item @index of @list; NULL when there is none, or when @list is NULL. */
const struct tree_node *tree_item(const struct tree_node *list, size_t index);
/** Where @node is named: its key's place if it has one, else its own. */
struct place tree_place(const struct tree_node *node);
/** The same for a struct setting. */
struct policy_place tree_policy_place(const struct tree_node *node);
/** Report about @node: `file:line:column: path.to[2].node: sentence`. */
void tree_complain(struct report *report, const struct tree_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
