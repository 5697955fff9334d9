/*
 * The agent's conversation with eyried: it asks for news, with a report of how it is, and waits for
 * the answer; and asks again. When nobody answers, what it keeps stays, and it asks less often.
 */
#pragma once

#include <stdbool.h>

#include "agent/state.h"
#include "base/units.h"
#include "loop/loop.h"

/** What eyrie-agent exits with, besides 0 and 1; sysexits.h has the numbers. */
enum {
    AGENT_USAGE = 64,
    AGENT_UNREACHABLE = 69, /* eyried does not answer */
    AGENT_REFUSED = 77,     /* it does not know us, or our token to join with */
    AGENT_NOT_JOINED = 78,
};

struct agent;

/**
 * Begin. @once: ask, apply, report and end, with loop_quit of the exit status. @folder and @joined
 * must outlive it. Owned by the caller (agent_free).
 */
struct agent *agent_new(struct loop *loop, const char *folder, const struct state_joined *joined,
                        bool once) __attribute__((returns_nonnull));
struct agent *agent_free(struct agent *a);
/** Ask now, whatever the rest that is under way. */
void agent_ask(struct agent *a);
/**
 * How long to wait after @failures in a row: at most 2 s after the first four, 32 s after many.
 * @chance: anything; agents that lost their controller at once do not come back at once.
 */
usec agent_rest(unsigned failures, uint32_t chance);

/** What to join, and what to keep there; the other members of @joined come with the answer. */
int agent_join(struct loop *loop, const char *folder, const struct state_joined *joined,
               const char *secret);
