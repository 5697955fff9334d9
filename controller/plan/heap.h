/*
 * A heap of indices: the best of many at hand, in the arena. Whoever changes what the order depends
 * on says so (heap_moved).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct heap;

/** Whether index @a comes before @b; a total order. */
typedef bool (*heap_before)(const void *context, size_t a, size_t b);

/** The indices 0 … @n - 1 for which @member says so (NULL: all). */
struct heap *heap_new(struct arena *arena, size_t n, const bool *member, heap_before before,
                      const void *context);
/** The first of all, or SIZE_MAX when none is left. */
size_t heap_first(const struct heap *h);
/** Take the first one out. */
void heap_drop_first(struct heap *h);
/** Index @i has another place now; nothing happens when it is not in the heap. */
void heap_moved(struct heap *h, size_t i);
