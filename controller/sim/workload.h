/*
 * A workload: jobs by the time of their submission, each of a kind (owner, group, requests). It comes
 * from a trace (swf.h) or from a description (synthetic.h), and a simulation only reads it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "config/policy.h"

/** What the jobs of a shape have in common. */
struct kind {
    const char *owner;
    const char *group;
    size_t policy_group; /* index; SIZE_MAX: the policy does not know it */
    int64_t cpus;
    int64_t memory; /* bytes */
    int64_t disk;
};

struct job {
    usec submit; /* since the beginning */
    usec runtime;
    uint32_t kind;
};

struct workload {
    struct job *jobs; /* by submit */
    size_t n_jobs;
    size_t jobs_capacity;
    struct kind *kinds; /* by owner, group, cpus, memory */
    size_t n_kinds;
    size_t kinds_capacity;
    struct arena *arena; /* of the names */
};

struct workload *workload_new(void) __attribute__((returns_nonnull));
struct workload *workload_free(struct workload *w);
/** Add a job; @kind's strings are copied when it is a new one. */
void workload_add(struct workload *w, usec submit, usec runtime, const struct kind *kind);
/** Bring jobs and kinds into order; to be called once, after the last was added. */
void workload_sort(struct workload *w);
/** The memory that a job gets when nobody says how much: a cpu's part of the leanest template. */
int64_t workload_memory_per_cpu(const struct policy *p);
/** The group of the policy that stands for the @number-th of a workload; SIZE_MAX: there are none. */
size_t workload_group(const struct policy *p, int64_t number);
/** An owner that may use that group; belongs to @w or the policy. */
const char *workload_owner(struct workload *w, const struct policy *p, size_t group, int64_t number);

static inline void workload_free_p(struct workload **w)
{
    (void)workload_free(*w);
}
