/*
 * Rendering the HTCondor fragments of flock-config/: text with @NAME@ placeholders, and lines that are
 * repeated for each group. A placeholder that nobody gave a value for is an error, never an empty
 * knob.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

struct fragment_value {
    const char *name; /* without the @ signs */
    const char *value;
};

/** What the lines between "#@each" and "#@end" are repeated for: a table of strings. */
struct fragment_rows {
    const char *const *columns; /* names, without the @ signs */
    size_t n_columns;
    const char *const *cells; /* row by row */
    size_t n;
};

/**
 * Render @template_text (@file: its name for errors) into @out; @rows: NULL when the fragment repeats
 * nothing. Returns 0, or -EINVAL with file:line and the placeholder. A value with a line break is
 * refused: it could smuggle in a knob.
 */
int fragment_render(const char *file, const char *template_text,
                    const struct fragment_value *values, size_t n_values,
                    const struct fragment_rows *rows, struct text *out, struct err *e);

/** Room for the text of a digest. */
enum { FRAGMENT_DIGEST_MAX = 33 };
/** 32 hex digits that name a content (SHA-1 based, RFC 4122 version 5); returns @buffer. */
const char *fragment_digest(const char *content, size_t length,
                            char buffer[static FRAGMENT_DIGEST_MAX]);

/** Read the whole of @path, at most @limit bytes. Returns 0 or -errno (-ENOENT says nothing in @e). */
int fragment_read(const char *path, size_t limit, struct text *out, struct err *e);
