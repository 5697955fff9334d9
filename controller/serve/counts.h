/*
 * What eyried counts from its start on, for the metrics: events by kind, and how long steps and
 * looks take. A value: a snapshot has a copy.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

enum {
    COUNTS_KINDS = 64,      /* of events; what is beyond counts as "other" */
    COUNTS_KIND_BYTES = 32, /* a longer one, too */
    HISTOGRAM_BOUNDS = 12,
};

/** Durations by size. */
struct histogram {
    int64_t
        buckets[HISTOGRAM_BOUNDS + 1]; /* not cumulative; the last is for what is over all bounds */
    usec sum;
};

struct count {
    char kind[COUNTS_KIND_BYTES];
    int64_t n;
};

/** All zero at the start. */
struct counts {
    struct count events[COUNTS_KINDS];
    size_t n_events;
    struct histogram steps;
    struct histogram looks;
    int64_t look_failures; /* sources that failed */
    int64_t queue_bytes;   /* read from the queues in the last look */
    int64_t pool_bytes;
};

/** One more event of that kind. */
void counts_event(struct counts *c, const char *kind);
/** How many there were. */
int64_t counts_of(const struct counts *c, const char *kind);

void histogram_add(struct histogram *h, usec took);
int64_t histogram_count(const struct histogram *h);
/** The upper bound of bucket @i < HISTOGRAM_BOUNDS, in seconds as text. */
const char *histogram_bound(size_t i);
