/*
 * Answers that are given more than once: what everyone sees is made once a step, or once a second
 * if that comes first (ages grow), however many ask.
 */
#pragma once

#include <microhttpd.h>

#include "base/units.h"
#include "serve/route.h"
#include "serve/snapshot.h"

enum { SHARED_MAX = 32 }; /* paths; a path more would not be kept */

struct shared_answer {
    char *path;
    const struct plan *plan; /* only compared */
    int64_t steps;
    usec made;
    unsigned status;
    const char *route;
    struct MHD_Response *response;
};

/** All zero at the start. */
struct shared {
    struct shared_answer list[SHARED_MAX];
};

/** The answer that was kept for @path and still holds, or NULL. @now: the current snapshot. */
const struct shared_answer *shared_find(const struct shared *s, const char *path,
                                        const struct snapshot *now, usec at);
/** Keep @response, which is taken over; returns what shared_find will. */
const struct shared_answer *shared_keep(struct shared *s, const char *path,
                                        const struct snapshot *now, usec at,
                                        const struct answer *answer, struct MHD_Response *response);
void shared_done(struct shared *s);
