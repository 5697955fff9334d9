/*
 * Tells groups what the ledger says they are still to be told: a webhook by eyrie-notify, a command by
 * itself, each a child with a deadline. What fails is tried again, with pauses that double up to half an
 * hour, for a day. A notice is told at least once: whoever is stopped after the telling and before it is
 * written down tells it again, with the same id.
 *
 * A group's notices go out in their order, one at a time each way; a group that cannot be reached
 * delays no other.
 */
#pragma once

#include "config/policy.h"
#include "loop/loop.h"
#include "record/ledger.h"

/** Bits of ledger_notice.owed. */
enum messenger_way {
    MESSENGER_POST = 1, /* groups.G.notify.url */
    MESSENGER_RUN = 2,  /* groups.G.notify.command */
};

struct messenger;

struct messenger_args {
    usec pause; /* after the first failure */
    /** The policy in force. */
    const struct policy *(*policy)(void *userdata);
    /** For the log and the history: "notified" or "notify-failed", "r-17 ready", a sentence. */
    void (*event)(void *userdata, const char *kind, const char *subject, const char *text);
    void *userdata;
};

/** Everything given must outlive the result, which the caller owns (messenger_free). */
struct messenger *messenger_new(struct loop *loop, struct ledger *ledger,
                                const struct messenger_args *args)
    __attribute__((returns_nonnull));
/** In which ways a group is to be told anything; 0: in none. */
int64_t messenger_ways(const struct policy_group *group);
/** There may be something to tell: start what can be started. */
void messenger_wake(struct messenger *m);
/** Give up what is under way; it stays owed. */
struct messenger *messenger_free(struct messenger *m);
