/*
 * Memory. An allocation that fails ends the process: to be killed at any point is a normal way to
 * stop (rule list of the design), so no caller carries a path for it. `CLEANUP(f)` frees a variable
 * when its scope ends; destructors accept NULL.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))
#define AUTOFREE CLEANUP(mem_free_p)
#define AUTOCLOSE CLEANUP(mem_close_p)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/** Zeroed memory for @count objects of @size bytes; never NULL; owned by the caller (free). */
void *mem_new(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/** As realloc of an array, but never NULL. New elements are not zeroed. */
void *mem_resize(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
/** A copy of @text; NULL gives NULL; owned by the caller (free). */
char *mem_strdup(const char *text);
/** printf into new memory; owned by the caller (free). */
char *mem_printf(const char *format, ...)
    __attribute__((format(printf, 1, 2), malloc, returns_nonnull));
/** Say "out of memory", by the name of the program, and abort. */
_Noreturn void mem_exhausted(void);

static inline void mem_free_p(void *p)
{
    free(*(void **)p);
}

static inline void mem_close_p(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/** Free *@slot and store a copy of @text there. */
void mem_replace(char **slot, const char *text);
