#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* What is LARGE has a block of its own, so that it can be dropped. */
enum { BLOCK_SIZE = 64 * 1024, LARGE = 4 * 1024 };

struct block {
    struct block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *shared; /* of what is small, newest first */
    struct block *large;
    size_t used;
    size_t peak;
};

struct arena *arena_new(void)
{
    return mem_new(1, sizeof(struct arena));
}

static void free_blocks(struct block *b)
{
    for (struct block *next; b; b = next) {
        next = b->next;
        free(b);
    }
}

struct arena *arena_free(struct arena *a)
{
    if (!a)
        return NULL;
    free_blocks(a->shared);
    free_blocks(a->large);
    free(a);
    return NULL;
}

static void add_block(struct block **list, size_t size)
{
    struct block *b = mem_new(1, sizeof(*b) + size);
    b->size = size;
    b->next = *list;
    *list = b;
}

void *arena_take(struct arena *a, size_t count, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size && count > (SIZE_MAX / 2) / size)
        mem_exhausted();
    size_t want = (count * size + align - 1) / align * align;
    struct block **list = want < LARGE ? &a->shared : &a->large;
    if (want >= LARGE)
        add_block(list, want);
    else if (!*list || (*list)->size - (*list)->used < want)
        add_block(list, BLOCK_SIZE);
    struct block *b = *list;
    void *p = b->bytes + b->used;
    b->used += want;
    a->used += want;
    if (a->used > a->peak)
        a->peak = a->used;
    return p;
}

void arena_drop(struct arena *a, void *p)
{
    struct block **at = &a->large;
    while (*at && (*at)->bytes != p)
        at = &(*at)->next;
    struct block *b = *at;
    if (!p || !b)
        return;
    *at = b->next;
    a->used -= b->used;
    free(b);
}

char *arena_strdup(struct arena *a, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(arena_take(a, 1, size), text, size);
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (n < 0)
        mem_exhausted();
    char *text = arena_take(a, 1, (size_t)n + 1);
    (void)vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}

size_t arena_peak(const struct arena *a)
{
    return a->peak;
}

void *arena_grow(struct arena *a, void *array, size_t count, size_t *capacity, size_t size)
{
    if (array && count < *capacity)
        return array;
    size_t room = *capacity ? *capacity * 2 : 8;
    void *larger = arena_take(a, room, size);
    if (array)
        memcpy(larger, array, count * size);
    arena_drop(a, array);
    *capacity = room;
    return larger;
}
