/*
 * An arena: many small values that live and die together (a world, a plan, a policy). Freed as a
 * whole; nothing in it is ever freed alone.
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
/** A copy of @text in the arena; NULL gives NULL. */
char *arena_strdup(struct arena *a, const char *text);
/** printf into the arena. */
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2), returns_nonnull));
/** Bytes handed out so far. */
size_t arena_used(const struct arena *a);
/**
 * Make room for one more element in an array that grows inside the arena: returns @array, or a
 * larger copy of it, so that index @count is valid. *@capacity is kept up to date.
 */
void *arena_grow(struct arena *a, void *array, size_t count, size_t *capacity, size_t size)
    __attribute__((returns_nonnull));

static inline void arena_free_p(struct arena **a)
{
    (void)arena_free(*a);
}
