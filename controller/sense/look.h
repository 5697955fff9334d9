/*
 * A look: the pool first, then all queues, as facts that belong together. The order matters: with a
 * queue younger than the pool a job that starts in between is no longer idle and not yet seen
 * running, so demand can be under-counted for a moment, never doubled.
 *
 * The facts of a look replace the ones before all at once when it has ended. A source that failed
 * keeps its last good facts and says since when it fails. Looks never overlap.
 */
#pragma once

#include <stdbool.h>

#include "config/policy.h"
#include "loop/loop.h"
#include "plan/world.h"

struct look;

/** For figures and metrics. */
struct look_figures {
    int64_t looks;       /* ended so far */
    int64_t failures;    /* sources that failed, so far */
    int64_t children;    /* tools that run now */
    int64_t queue_bytes; /* read from the queue queries of the last look */
    int64_t pool_bytes;
    usec took;           /* the last look */
};

typedef void (*look_done)(void *userdata);

struct look *look_new(struct loop *loop) __attribute__((returns_nonnull));
/** Give up a look under way (its tools are killed, its done is not called) and free. */
struct look *look_free(struct look *look);
/**
 * Begin a look; @done is called when its facts are committed, never from inside this. What is
 * needed of @p is copied. Returns false, and does nothing, while a look is under way.
 */
bool look_start(struct look *look, const struct policy *p, look_done done, void *userdata);
bool look_under_way(const struct look *look);
/**
 * Set @w->queues (in the policy's order) and @w->pool; valid until the next done. Before the first
 * done there are no queues at all, and the pool was never asked.
 */
void look_fill(const struct look *look, struct world *w);
void look_get_figures(const struct look *look, struct look_figures *ret);
