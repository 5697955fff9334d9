/*
 * A string that grows, for what is rendered: fragments, seeds, tables, JSON lines.
 */
#pragma once

#include <stddef.h>

struct text {
    char *data; /* always terminated once anything was added; NULL before */
    size_t length;
    size_t capacity;
};

void text_add(struct text *t, const char *piece);
void text_add_bytes(struct text *t, const char *bytes, size_t count);
void text_printf(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
/** Forget the content, keep the memory. */
void text_clear(struct text *t);
/** Keep only the first @length bytes. */
void text_cut(struct text *t, size_t length);
/** Remove the first @count bytes. */
void text_drop(struct text *t, size_t count);
/** Free the memory; @t can be used again. */
void text_done(struct text *t);
/** The content, never NULL; valid until the next change. */
const char *text_get(const struct text *t);

/** Whether @text begins with @prefix. */
int text_starts_with(const char *text, const char *prefix);
int text_ends_with(const char *text, const char *end);
/** Compare strings of which either may be NULL (NULL sorts first). */
int text_compare(const char *a, const char *b);
#define text_equal(a, b) (text_compare((a), (b)) == 0)
