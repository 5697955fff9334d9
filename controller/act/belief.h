/*
 * What a running daemon goes by, against what a fragment says plainly (act/plain.h): it is asked once for
 * all those knobs, and tells the file and line that set each. So a later file of the site is found that
 * overrides one of them, and a daemon that has read something else.
 */
#pragma once

#include "act/plain.h"
#include "base/err.h"
#include "loop/child.h"

struct belief_difference {
    const char *name;
    const char *wanted; /* the value, or a word of the list */
    const char *value;  /* NULL: not defined */
    const char *at;     /* the file and line that set it; "" unknown */
    const char *text;   /* a sentence */
};

struct belief {
    const char *revision; /* what it says when asked for that knob; "" not defined */
    const struct belief_difference *rows;
    size_t n;
};

/** What to ask, after the tool's name and the daemon's; NULL-terminated, in @a. */
const char *const *belief_argv(struct arena *a, const char *daemon, const struct plain *plain);
/**
 * Read the answer @r. @knob: the one that is the revision; @path: the fragment's. Of a daemon that
 * has read no revision of it that is the one difference. Returns 0, or -EIO when it tells nothing.
 * Memory is of @a.
 */
int belief_read(struct arena *a, const struct plain *plain, const char *knob, const char *path,
                const struct child_result *r, struct belief *ret, struct err *e);
