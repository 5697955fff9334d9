/*
 * One job, asked for by itself: the queue is only known as shapes, so `eyrie explain job` asks the
 * schedd.
 */
#pragma once

#include "config/policy.h"
#include "loop/loop.h"
#include "plan/world.h"

/** How long it may take; shorter than the API's patience. */
#define JOB_DEADLINE (10 * USEC_PER_SEC)

struct job_query;

/** @job: what the schedd said, valid during the call; or NULL, and @error is a sentence. */
typedef void (*job_done)(void *userdata, const struct world_job *job, const char *error);

/**
 * Ask policy.schedds[@schedd], which need not live on, for the job @cluster.@proc. @done is called
 * once, and not from inside here. Owned by the caller (job_query_free), who may free it in @done.
 */
struct job_query *job_query_new(struct loop *loop, const struct policy *p, size_t schedd,
                                int64_t cluster, int64_t proc, job_done done, void *userdata)
    __attribute__((returns_nonnull));
/** Gives up a query under way; accepts NULL; returns NULL. */
struct job_query *job_query_free(struct job_query *q);
