/*
 * Workloads made from a description and a seed:
 *
 *   jobs=10000 rate=12/min runtime=exp:10m cpus=1:70,2:20,4:10 groups=juno:2,lhaaso:1
 *
 * jobs     how many (default 1000)
 * rate     mean arrivals N/s, N/min, N/h or N/d, exponentially apart (default 10/min)
 * runtime  exp:MEAN, uniform:LEAST-MOST, or one duration (default exp:10m)
 * cpus     requests and their weights (default 1)
 * memory   of a job for each cpu (default: what a cpu of the leanest template has)
 * groups   names of the policy and their weights (default: all groups alike)
 * owners   of each group (default 3; of a group with submitters: those)
 * burst    jobs that arrive together (default 1)
 */
#pragma once

#include "base/err.h"
#include "sim/workload.h"

/** Returns 0 and a workload (the caller's, workload_free), or -EINVAL and a sentence. */
int synthetic_make(const char *spec, const struct policy *p, uint64_t seed, struct workload **ret,
                   struct err *e);
