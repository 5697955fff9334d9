/*
 * VMs hold tokens that live for a few hours only; as long as a VM is there it gets a new one each
 * quarter of that life, through its host (act/token.h makes it). With the VM the renewals end, and
 * soon after them whatever was stolen from it is worth nothing.
 *
 * Nothing is kept on disk: a controller that was started anew gives each VM that is older than a
 * quarter a new token. This changes nothing in the pool, so a pause does not hold it back.
 *
 * With its token a VM is told who may submit, for whom it knows from its start only: when that changes,
 * all that run are due at once. A controller that was started anew does not know what they know.
 */
#pragma once

#include "loop/loop.h"
#include "plan/plan.h"
#include "sense/host.h"

struct renewals;

struct renewals_callbacks {
    /** One has ended: take a step, another may begin. */
    void (*changed)(void *userdata);
    /** The host worker of that name, or NULL. */
    struct host *(*host)(void *userdata, const char *name);
    /** A VM has taken its new token. */
    void (*renewed)(void *userdata);
    /** For the log and the history: "renew-failed", the VM and a sentence. */
    void (*event)(void *userdata, const char *kind, const char *subject, const char *text);
    void *userdata;
};

/** Everything given must outlive the result, which the caller owns (renewals_free). */
struct renewals *renewals_new(struct loop *loop, const struct renewals_callbacks *callbacks)
    __attribute__((returns_nonnull));
/** Give up everything under way. */
struct renewals *renewals_free(struct renewals *r);
/** A step was taken: forget VMs that are gone, and renew what is due. Only reads @plan. */
void renewals_step(struct renewals *r, const struct plan *plan);
