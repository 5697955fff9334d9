/*
 * What is in use, by the tests' own reckoning: every domain that is listed, every VM that is
 * decided and not proven gone, foreign domains on their hosts.
 */
#pragma once

#include "property/trial.h"

struct use {
    int64_t vms, cpus, memory;
    int64_t in_flight, last_minute;
    int64_t disk; /* hosts: taken of what is available, by VMs that have no volume yet */
};

struct books {
    const struct trial *trial;
    struct use all;
    struct use *groups;    /* as in the policy */
    struct use *templates; /* as in the policy */
    struct use *hosts;     /* as in the world; foreign domains included, but not in vms */
};

/** The books before the plan's actions; lives in the trial's arena. */
struct books *books_open(const struct trial *t);
/** Enter a create. */
void books_create(struct books *b, const struct plan_action *create);
/** Whether a host could take one more VM of a template: no limit of its own stands against it. */
bool books_host_fits(const struct books *b, size_t host, size_t template);
/**
 * The host on which one more VM of @template for @group (SIZE_MAX: none) could be started, or NULL
 * when something may stand against it: a limit, the ramp, or all hosts. What the tests do not
 * reckon (rests after failures, slow start) counts as something.
 */
const char *books_open_host(const struct books *b, size_t group, size_t template);
/** Memory that a domain takes beside the guest's. */
extern const int64_t books_overhead;
