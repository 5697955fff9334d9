/*
 * What a fragment says plainly: NAME = VALUE, and NAME = $(NAME) words, which adds to a list. A
 * daemon that goes by the fragment has that value, and those words. What other macros make of a
 * value, and texts of several lines, are left out.
 */
#pragma once

#include "act/knob.h"

struct plain {
    const struct knob_rule *rules; /* KNOB_IS, or KNOB_HAS for each word; in the fragment's order */
    size_t n;
};

/** Read a rendered fragment. Memory is of @a. */
struct plain plain_read(struct arena *a, const char *fragment);
