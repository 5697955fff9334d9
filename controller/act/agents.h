/*
 * The agents that keep fragments on other machines (eyrie-agent): who they are, which fragment each
 * is to have, and what it said last. Nothing here sends or waits: what is on the shelf is there for
 * an agent whenever it asks, and it asks again as soon as it has an answer.
 *
 * An agent is known by a token of its own, of which the ledger has the digest. It gets that for a
 * token to join with, which an admin carries to its machine, and which is good once, for an hour.
 */
#pragma once

#include "act/flock.h"
#include "base/json.h"
#include "record/ledger.h"

struct agents;
struct agent;

/** How long a token to join with is good. */
#define AGENTS_INVITED (USEC_PER_HOUR)

struct agents_callbacks {
    /** What an agent is to have changed: those who wait may look again. */
    void (*changed)(void *userdata);
    /** What the flocking facts are made of changed. */
    void (*reported)(void *userdata);
    /** Something happened that a person wants to know; as controller_note. */
    void (*event)(void *userdata, const char *kind, const char *subject, const char *text);
    void *userdata;
};

/** The agents that the ledger knows. Returns 0 or -errno; owned by the caller (agents_free). */
int agents_new(struct loop *loop, struct ledger *ledger, const struct agents_callbacks *callbacks,
               struct agents **ret, struct err *e);
struct agents *agents_free(struct agents *a);
/** What a struct flock_target needs, valid as long as @a. */
const struct flock_remote *agents_remote(const struct agents *a);

/* ---- for admins ---- */

/** Let an agent join for @name. Returns 0 and the token (owned by the caller, secret_free), or
 * -errno. */
int agents_invite(struct agents *a, const char *name, char **ret, struct err *e);
/** It is none any more; what it keeps stays there. -ENOENT: there is none. */
int agents_remove(struct agents *a, const char *name, struct err *e);
/** All of them, for people: an array; owned by the caller. */
struct json_object *agents_view(const struct agents *a);

/* ---- for agents ---- */

/**
 * Join with a @secret that was handed out. Returns 0 and {"version", "controller", "name", "token"}
 * (owned by the caller), or -EACCES.
 */
int agents_join(struct agents *a, const char *secret, struct json_object **ret, struct err *e);
/** Who bears @token; NULL: nobody. Valid until the next call that changes the agents. */
struct agent *agents_find(struct agents *a, const char *token);
/** What an agent says of itself and its fragment; see agents.c. It may be anything. */
void agents_report(struct agents *a, struct agent *agent, struct json_object *report);
/**
 * What is on the shelf for an agent that has, or has refused, these revisions: a parcel signed with
 * its @token, or NULL when that is nothing else. Owned by the caller.
 */
struct json_object *agents_news(const struct agents *a, const struct agent *agent,
                                const char *token, int64_t have, int64_t refused);

static inline void agents_free_p(struct agents **a)
{
    (void)agents_free(*a);
}
