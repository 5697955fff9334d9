/*
 * The simulated future: a heap of events, the earliest first; those of the same time in the order in
 * which they were added, so that a run can be repeated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

struct event {
    usec at;
    uint64_t order;
    int kind;
    uint32_t subject; /* what it is about: a job, a VM, a host… */
    uint32_t epoch;   /* it is void when the subject has another one by then */
};

struct events {
    struct event *items;
    size_t n;
    size_t capacity;
    uint64_t order;
};

void events_add(struct events *e, usec at, int kind, uint32_t subject, uint32_t epoch);
/** Take the earliest; false when there is none. */
bool events_take(struct events *e, struct event *ret);
void events_done(struct events *e);
