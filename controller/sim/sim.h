/*
 * The simulator: the real planner with a clock that is moved by hand and a site that is made up.
 * The same setup gives the same result, byte for byte.
 */
#pragma once

#include "base/arena.h"
#include "base/text.h"
#include "config/policy.h"
#include "plan/plan.h"
#include "plan/world.h"
#include "sim/fault.h"
#include "sim/workload.h"

enum { SIM_VIOLATIONS_SHOWN = 8, SIM_VIOLATION_BYTES = 400 };

struct sim_setup {
    const struct policy *policy;
    const struct workload *workload;
    uint64_t seed;
    usec horizon;       /* 0: until all jobs are done and the pool is empty, or nothing moves (L1) */
    fault_set faults;
    int n_faults;       /* how many strike in all; 0: each kind of the set once */
    usec faults_until;  /* 0: up to the last submission */
    int64_t until_step; /* 0: no end */
    void (*progress)(void *userdata, usec at, int64_t steps, int64_t jobs_done);
    /* Each step, before its actions are carried out. */
    void (*on_step)(void *userdata, int64_t step, const struct world *w, const struct plan *plan);
    /* A line on what happens in the site, for a replay. */
    void (*say)(void *userdata, const char *line);
    void *userdata;
};

struct sim_group {
    const char *name;
    int64_t jobs;     /* that started */
    usec wait_median;
    usec wait_p95;
    usec wait_most;
    double cpu_hours; /* delivered to its jobs */
};

struct sim_result {
    usec simulated;
    int64_t steps, looks;
    int64_t jobs, jobs_done, jobs_lost; /* lost: ran in a VM that died, and were queued again */
    int64_t jobs_held;                  /* lost too often, and run no more */
    int64_t vms_started, vms_peak;
    double vm_hours, vm_cpu_hours, cpu_hours;
    double utilisation;                 /* cpu_hours / vm_cpu_hours */
    double utilisation_full;            /* the same while demand exceeds capacity; -1: it never did */
    double hours_full;
    double bound_vm_hours;              /* no schedule needs less: README.md */
    int64_t unseen;                     /* VMs destroyed for never having joined that had, unseen */
    int64_t unseen_claimed;             /* of these, with a job */
    struct sim_group *groups;           /* as policy.groups */
    size_t n_groups;
    int64_t faults;
    int64_t faults_of[FAULT_COUNT]; /* that struck, by kind */
    int64_t calls[FILTER_CALLS]; /* of the controller, by port and verb */
    int64_t struck[FILTER_CALLS][FILTER_EFFECTS];
    int64_t violations;
    int64_t violation_step;             /* of the first */
    char violation[SIM_VIOLATIONS_SHOWN][SIM_VIOLATION_BYTES];
};

/** Simulate; fills @ret (sim_result_done). */
void sim_run(const struct sim_setup *setup, struct sim_result *ret);
void sim_result_done(struct sim_result *r);
