/*
 * What a group is told of its requests: that one was granted, is ready, is short, and so on. Which of
 * it is due follows from the request as it is now, what the plan has of it and what was told
 * before; so nothing is missed or told twice, whenever eyried was stopped in between.
 */
#pragma once

#include <stdint.h>

#include "plan/plan.h"
#include "record/ledger.h"

/** The numbers are those on disk: a bit each of ledger_request.told. */
enum notice_event {
    NOTICE_GRANTED,
    NOTICE_READY,  /* all of its VMs are up; also again after it was short */
    NOTICE_SHORT,  /* its time has begun and something keeps VMs away, or they are not up yet */
    NOTICE_ENDING, /* in a quarter of its length, and an hour at most */
    NOTICE_ENDED,  /* its time is over, or it was cancelled */
    NOTICE_DENIED,
    NOTICE_HANDED_BACK,
    NOTICE_EVENTS,
};

/** "granted", "handed-back", … */
const char *notice_event_name(enum notice_event event);

/**
 * What is due at @now, a bit for each event. @row: what the plan has of the request; NULL: not known,
 * or the facts cannot be trusted. @ret_told becomes what was told then, and @next the earliest time at
 * which more is due, if that is sooner than what it holds.
 */
int64_t notice_due(const struct ledger_request *r, const struct plan_request *row, usec now,
                   int64_t *ret_told, usec *next);
/**
 * The JSON that is told, one line; docs/eyried.8 has its members. @row as above, and @files as
 * reason_render has it. Owned by the caller (free).
 */
char *notice_body(const struct ledger_request *r, const struct plan_request *row,
                  enum notice_event event, usec now, const char *const *files);
