/*
 * A graceful drain of one VM's startd: it takes no new jobs, and the jobs it has run to their end
 * (its MAXJOBRETIREMENTTIME is beyond any walltime). It then stays drained, so that the next look
 * can see "drained and empty" in one ad.
 */
#pragma once

#include "config/policy.h"
#include "loop/loop.h"

struct drain;

/** @error is NULL when the startd took the drain, or was draining already; else one sentence. */
typedef void (*drain_done)(void *userdata, const char *error);

/** Drain the startd on @machine; @why is shown to those who ask the startd. @done comes once. */
struct drain *drain_start(struct loop *loop, const struct policy *p, const char *machine,
                          const char *why, drain_done done, void *userdata)
    __attribute__((returns_nonnull));
/** Cancel the drain of the startd on @machine: it takes jobs again. Also good when none was on. */
struct drain *drain_cancel(struct loop *loop, const struct policy *p, const char *machine,
                           drain_done done, void *userdata) __attribute__((returns_nonnull));
/** Free; one under way is given up and its done not called. May be called from its done. */
struct drain *drain_free(struct drain *d);
