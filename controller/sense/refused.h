/*
 * Jobs that a VM refused: they slipped past the schedd's gates, and eyrie-job-check in the VM had them put
 * on hold with a sentence of ours. The queue is only known as shapes, so their schedd is asked for them,
 * and only when its count of held jobs is another than when it was asked last.
 */
#pragma once

#include "config/policy.h"
#include "loop/loop.h"
#include "plan/world.h"

struct refused;

/** A job on hold. Strings are made printable, and valid during the call. */
struct refused_job {
    const char *schedd;
    int64_t cluster, proc;
    const char *owner;
    const char *group;
    const char *reason; /* HoldReason */
};

struct refused_callbacks {
    /** A job of an answer, at every answer that has it: telling what is new is up to the caller. */
    void (*found)(void *userdata, const struct refused_job *job);
    /** An answer has ended, good or not. */
    void (*answered)(void *userdata);
    void *userdata;
};

/** Owned by the caller (refused_free), who must not free it in a callback. */
struct refused *refused_new(struct loop *loop, const struct refused_callbacks *callbacks)
    __attribute__((returns_nonnull));
/** Give up what is under way and free. */
struct refused *refused_free(struct refused *r);
/** After a look: ask the schedds of @p, as @queues are, whose held jobs are others than before. */
void refused_look(struct refused *r, const struct policy *p, const struct world_queue *queues,
                  size_t n_queues);
/** How many such jobs are on hold, by the last answers. */
int64_t refused_count(const struct refused *r);
