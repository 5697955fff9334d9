/*
 * A faulty filter around the ports through which eyried reaches the world: which calls there are,
 * what can be done to one, and rules that say when. It decides only; the simulator and the filter
 * program of the functional tests carry it out, each in its own time.
 *
 * Rules are text, one a line (or with ";" between them), "#" begins a comment:
 *
 *     CALLS: EFFECT [TIME[-TIME]] [, every Nth] [, Nth] [, P%] [, N times]
 *
 *     host.create: late 3s, every 4th, 5 times
 *     condor_q: lie, 30%
 *     host.*: delay 100ms-2s
 *
 * CALLS is one call, or a port with ".*": all its calls that can have that effect. Without a
 * condition each call is struck. The first rule that strikes is the one. What a rule does depends
 * on the seed and on how many calls it has seen, and on nothing else.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/units.h"

enum filter_effect {
    FILTER_NONE,
    FILTER_DELAY,     /* it happens, and its answer comes that much later */
    FILTER_FAIL,      /* nothing happens, and that is the answer */
    FILTER_HANG,      /* nothing happens, and no answer comes */
    FILTER_LIE,       /* the answer is well-formed and not true: filter_lie() */
    FILTER_DUPLICATE, /* it is asked for twice */
    FILTER_LATE,      /* late success: no answer comes, and it happens that much later */
    FILTER_EFFECTS,
};

enum filter_call {
    FILTER_HOST_LIST,
    FILTER_HOST_CREATE,
    FILTER_HOST_SHUTDOWN,
    FILTER_HOST_DESTROY,
    FILTER_HOST_DELETE_VOLUME,
    FILTER_HOST_RENEW,
    FILTER_CONDOR_Q,
    FILTER_CONDOR_STATUS,
    FILTER_CONDOR_DRAIN,
    FILTER_CONDOR_ADVERTISE,
    FILTER_CONDOR_TOKEN_CREATE,
    FILTER_CONDOR_CONFIG_VAL,
    FILTER_CONDOR_RECONFIG,
    FILTER_LEDGER_WRITE,
    FILTER_CALLS,
};

struct filter_verdict {
    enum filter_effect effect;
    usec time;       /* of delay and late */
    uint64_t chance; /* whatever else is to be drawn, from the seed */
};

/** How many calls a rule has seen, and how many it has struck. */
struct filter_count {
    int64_t seen, struck;
};

struct filter;

/**
 * Parse rules; none are none. @line of a sentence counts from 1. Returns 0 and what is the caller's
 * (filter_free), or -EINVAL.
 */
int filter_parse(const char *rules, uint64_t seed, struct filter **ret, struct err *e);
struct filter *filter_free(struct filter *f);
/** What is to be done to this call, which is counted. */
struct filter_verdict filter_decide(struct filter *f, enum filter_call call);
/** The counts by rule, @ret_n of them; belong to @f, and may be set: they are all that it
 * remembers. */
struct filter_count *filter_counts(struct filter *f, size_t *ret_n);

/** "delay", "fail", … */
const char *filter_effect_name(enum filter_effect effect);
/** "host.create", "condor_q", … */
const char *filter_call_name(enum filter_call call);
/** The call of that name, or FILTER_CALLS. */
enum filter_call filter_call_find(const char *name);
/** Whether the call can have that effect: what only asks cannot succeed late. */
int filter_applies(enum filter_call call, enum filter_effect effect);
/** What is said when the call lies; NULL: it does not. */
const char *filter_lie(enum filter_call call);

static inline void filter_free_p(struct filter **f)
{
    (void)filter_free(*f);
}
