/*
 * The last lines that a machine wrote to its console, as one line of text that may be shown and kept:
 * UTF-8 without control characters, and without anything that looks like a token (rule S7).
 */
#pragma once

#include "base/text.h"

enum { TAIL_BYTES = 2048 };

struct tail {
    char bytes[TAIL_BYTES]; /* a ring */
    size_t written;         /* in all */
};

void tail_add(struct tail *t, const char *bytes, size_t count);
/** Its lines with " | " between them, appended to @out; the first is left out if it is cut. */
void tail_render(const struct tail *t, struct text *out);
