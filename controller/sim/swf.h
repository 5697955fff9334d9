/*
 * Traces in the Standard Workload Format, plain or gzip: lines of 18 numbers, -1 for unknown, comments
 * after ";". Defined by Chapin et al., "Benchmarks and Standards for the Evaluation of Parallel Job
 * Schedulers", JSSPP 1999; see the Parallel Workloads Archive, whose traces come in it.
 *
 * Of each job its submit time, run time, processors, memory, user and group are used. A group of the
 * trace stands for a group of the policy: the one called "g" and its number, else number modulo
 * the number of groups. A trace without memory gives each processor what a template has for one.
 */
#pragma once

#include "base/err.h"
#include "sim/workload.h"

struct swf_figures {
    int64_t jobs;
    int64_t skipped; /* jobs that never ran, or have no submit time */
};

/**
 * Read @path. Returns 0 and a workload (the caller's, workload_free), or -errno and a sentence with
 * the line: -EBADMSG when it is not such a file, or ends in the middle.
 */
int swf_read(const char *path, const struct policy *p, struct workload **ret,
             struct swf_figures *ret_figures, struct err *e);
