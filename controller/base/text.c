#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void text_reserve(struct text *t, size_t more)
{
    if (more > SIZE_MAX / 2 - t->length)
        mem_exhausted();
    size_t want = t->length + more + 1;
    if (want <= t->capacity)
        return;
    size_t capacity = t->capacity ? t->capacity : 64;
    while (capacity < want)
        capacity *= 2;
    t->data = mem_resize(t->data, capacity, 1);
    t->capacity = capacity;
}

void text_add_bytes(struct text *t, const char *bytes, size_t count)
{
    text_reserve(t, count);
    if (count)
        memcpy(t->data + t->length, bytes, count);
    t->length += count;
    t->data[t->length] = '\0';
}

void text_add(struct text *t, const char *piece)
{
    text_add_bytes(t, piece, strlen(piece));
}

void text_printf(struct text *t, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (n < 0)
        mem_exhausted();
    text_reserve(t, (size_t)n);
    (void)vsnprintf(t->data + t->length, (size_t)n + 1, format, again);
    va_end(again);
    t->length += (size_t)n;
}

void text_clear(struct text *t)
{
    t->length = 0;
    if (t->data)
        t->data[0] = '\0';
}

void text_cut(struct text *t, size_t length)
{
    if (length >= t->length)
        return;
    t->length = length;
    t->data[length] = '\0';
}

void text_drop(struct text *t, size_t count)
{
    if (count >= t->length) {
        text_clear(t);
        return;
    }
    memmove(t->data, t->data + count, t->length - count + 1);
    t->length -= count;
}

void text_done(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}

const char *text_get(const struct text *t)
{
    return t->data ? t->data : "";
}

int text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

int text_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

int text_compare(const char *a, const char *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}
