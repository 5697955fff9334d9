#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK_SIZE = 64 * 1024 };

struct block {
    struct block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *newest;
    size_t used;
};

struct arena *arena_new(void)
{
    return mem_new(1, sizeof(struct arena));
}

struct arena *arena_free(struct arena *a)
{
    if (!a)
        return NULL;
    for (struct block *b = a->newest, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
    return NULL;
}

void *arena_take(struct arena *a, size_t count, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size && count > (SIZE_MAX / 2) / size)
        mem_exhausted();
    size_t want = (count * size + align - 1) / align * align;
    struct block *b = a->newest;
    if (!b || b->size - b->used < want) {
        size_t room = want > BLOCK_SIZE ? want : BLOCK_SIZE;
        b = mem_new(1, sizeof(*b) + room);
        b->size = room;
        b->next = a->newest;
        a->newest = b;
    }
    void *p = b->bytes + b->used;
    b->used += want;
    a->used += want;
    return p;
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

void *arena_grow(struct arena *a, void *array, size_t count, size_t *capacity, size_t size)
{
    if (array && count < *capacity)
        return array;
    size_t room = *capacity ? *capacity * 2 : 8;
    void *larger = arena_take(a, room, size);
    if (array)
        memcpy(larger, array, count * size);
    *capacity = room;
    return larger;
}
