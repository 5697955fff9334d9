/*
 * A file that was read whole: its text, and the line of it that a message shows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct source {
    const char *name;  /* as messages name it */
    const char *folder; /* absolute: what relative paths in it start from; NULL: not known */
    unsigned index;     /* of a file of the policy: in policy.files */
    const char *bytes; /* ends in a NUL that does not count */
    size_t length;
    bool binary; /* not text after all: no line of it is shown */
};

/** A place in a source; line and column count from 1, the column in characters. 0: no place. */
struct place {
    const struct source *source;
    unsigned line;
    unsigned column;
};

/**
 * Read the regular file @path of at most @limit bytes. Returns 0 and a source that belongs to @a,
 * or -errno (-EFBIG when it is larger, -EISDIR for a folder) with the reason alone in @e: the
 * caller knows better what to call the file.
 */
int source_read(struct arena *a, const char *path, size_t limit, struct source **ret,
                struct err *e);
/** The place of the byte at @offset. */
struct place source_place(const struct source *s, size_t offset);
/** The line of @at without its end, and its length in bytes; NULL when there is none. */
const char *source_line(struct place at, size_t *ret_length);
