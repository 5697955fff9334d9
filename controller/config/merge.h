/*
 * One tree over another: the later file wins, key by key.
 */
#pragma once

#include "config/tree.h"

/**
 * Merge @from into @into, both maps. A map in both is merged in turn. So is a list of maps (hosts,
 * schedds): items of the same name are one, others are added. Any other value takes the place of
 * the one before, which it keeps as `over`, unless it is the same word. An item that @from
 * gives twice goes to @report. Both trees belong to @a and are one afterwards.
 */
void merge_trees(struct arena *a, struct report *report, struct tree_node *into,
                 struct tree_node *from);
