/*
 * What an admin probably meant, where a key is unknown or not there.
 */
#pragma once

#include "config/keys.h"
#include "config/tree.h"

/** Report that @key is none of @s, with the one that was meant or where it belongs. */
void advise_unknown(struct report *report, const struct section *s, const struct tree_node *key);
/**
 * Report that @node, a map for @s, lacks @key; unless a slip in another key is why, which
 * advise_unknown says.
 */
void advise_missing(struct report *report, const struct section *s, const struct tree_node *node,
                    const struct key *key);
