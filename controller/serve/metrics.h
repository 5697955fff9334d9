/*
 * The metrics: a snapshot, and what was counted, as OpenMetrics. Two tables have them: the pool's
 * (metrics-pool.c) and the server's (metrics-server.c). Labels are names from the policy, and words
 * of ours, never what a job says of itself: their number is bounded by the policy.
 */
#pragma once

#include "serve/openmetrics.h"
#include "serve/snapshot.h"
#include "serve/traffic.h"

/** Append all metrics to @out. @s: NULL before the first step, when only the API's are known. */
void metrics_render(const struct snapshot *s, const struct traffic *t, usec now, struct text *out);

/* ---- for the tables
 * ------------------------------------------------------------------------------ */

/** What became of the jobs of a group. */
enum metrics_jobs {
    METRICS_RUNNING,
    METRICS_HELD,
    METRICS_SERVED,   /* idle, and fit into VMs that are up */
    METRICS_STARTING, /* idle, and VMs are being started for them */
    METRICS_WAITING,  /* idle, for another reason */
    METRICS_JOBS,
};

/** One rendering: the facts, and sums over VMs and shapes that several metrics share. */
struct metrics {
    const struct snapshot *s;
    const struct traffic *traffic;
    usec now;
    struct text *out;
    int64_t (*hosts)[VM_STATE_COUNT];     /* as world.hosts */
    int64_t (*templates)[VM_STATE_COUNT]; /* as policy.templates */
    int64_t (*groups)[VM_STATE_COUNT];    /* as policy.groups */
    int64_t (*jobs)[METRICS_JOBS];        /* as policy.groups; then one for all other jobs */
    int64_t (*waiting)[REASON_COUNT];     /* likewise */
};

struct metric {
    struct openmetrics_family family;
    void (*add)(const struct metrics *m, const struct openmetrics_family *f); /* its samples */
};

extern const struct metric metrics_pool[];
extern const size_t metrics_pool_count;
/** These do not need a snapshot. */
extern const struct metric metrics_server[];
extern const size_t metrics_server_count;
