/*
 * What the controller publishes after each step: one plan with the world and the policy it was made
 * from, and a few facts about the server itself. A snapshot never changes. It is held by reference
 * count, so that an answer under way keeps its own while the next step replaces the current one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/units.h"
#include "config/policy.h"
#include "plan/plan.h"
#include "plan/world.h"
#include "serve/counts.h"

/** Something that happened, for the last lines of `eyrie status`. */
struct server_event {
    usec at;
    const char *text; /* one line */
};

/** The server as it was when the step ended. Strings are never NULL. */
struct server_facts {
    const char *version;
    pid_t pid;
    usec started;             /* point in time */
    int64_t steps;            /* since then */
    usec last_step;           /* when the last step began */
    usec last_step_took;      /* duration */
    int64_t under_way;        /* actions that were started and have not ended */
    int64_t looks;            /* queue queries since the start */
    int64_t last_query_bytes; /* output of the last queue query */
    usec last_query_took;     /* duration */
    usec policy_loaded;       /* since when the policy is in force */
    const char *refused;      /* all that is wrong with its files since then; "" = nothing */
    usec refused_at;
    const char *last_error;   /* one sentence; "" = none yet */
    usec last_error_at;
    int64_t refused_jobs;     /* that are on hold because a VM refused them */
    const struct server_event *events; /* oldest first; a few */
    size_t n_events;
    int64_t requests_waiting; /* for an admin */
    const char *ledger_error; /* why the ledger lacks what is known; "" = it does not */
    const char *ledger_aside; /* where a damaged one was moved since the start; "" = none */
    struct counts counts;
};

struct snapshot {
    const struct policy *policy;
    const struct world *world;
    const struct plan *plan;
    struct server_facts server;
    /* Private to snapshot.c. */
    size_t refs;
    void (*free)(void *userdata);
    void *userdata;
};

/**
 * A snapshot with one reference, the caller's. What the pointers and @server point to must live
 * until @free, which is called once with @userdata when the last reference goes; NULL = nobody.
 */
struct snapshot *snapshot_new(const struct policy *policy, const struct world *world,
                              const struct plan *plan, const struct server_facts *server,
                              void (*free)(void *userdata), void *userdata)
    __attribute__((returns_nonnull));
/** Without a step for so long, steps have stopped. */
usec snapshot_steps_within(const struct policy *p);
/** Another reference; accepts and returns NULL. */
struct snapshot *snapshot_ref(struct snapshot *s);
/** Give a reference back; accepts NULL; returns NULL. */
struct snapshot *snapshot_unref(struct snapshot *s);

static inline void snapshot_unref_p(struct snapshot **s)
{
    (void)snapshot_unref(*s);
}
