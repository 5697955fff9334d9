/*
 * An arena: many small values that live and die together (a world, a plan, a policy). Freed as a
 * whole; only large arrays that were needed for a while may be dropped before.
 */
#pragma once

#include <stddef.h>

struct arena;

/** A new, empty arena; owned by the caller (arena_free). */
struct arena *arena_new(void) __attribute__((returns_nonnull));
/** Free @a and everything in it; accepts NULL; returns NULL. */
struct arena *arena_free(struct arena *a);
/** Zeroed, aligned memory for @count objects of @size bytes; belongs to the arena. */
void *arena_take(struct arena *a, size_t count, size_t size) __attribute__((returns_nonnull));
/**
 * Give back @p, which arena_take or arena_grow returned and nobody uses any more: an array of 4 KiB
 * or more is freed at once, what is smaller with the arena. Accepts NULL.
 */
void arena_drop(struct arena *a, void *p);
/** A copy of @text in the arena; NULL gives NULL. */
char *arena_strdup(struct arena *a, const char *text);
/** printf into the arena. */
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2), returns_nonnull));
/** Bytes in use: handed out and not dropped. */
size_t arena_used(const struct arena *a);
/** The most bytes that were in use at once. */
size_t arena_peak(const struct arena *a);
/**
 * Make room for one more element in an array that grows inside the arena: returns @array, or a
 * larger copy of it in its stead, so that index @count is valid. *@capacity is kept up to date.
 */
void *arena_grow(struct arena *a, void *array, size_t count, size_t *capacity, size_t size)
    __attribute__((returns_nonnull));

static inline void arena_free_p(struct arena **a)
{
    (void)arena_free(*a);
}
