/*
 * Booking: a group asks for capacity for a time, and changes its mind. How an ask is read, who may ask,
 * what the calendar says to it, and all of that in sentences. Nothing is changed here: whoever has
 * the ledger writes the answer down before it is given.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "plan/calendar.h"
#include "plan/plan.h"
#include "record/ledger.h"

enum booking_verb {
    BOOKING_ADD,
    BOOKING_EXTEND,
    BOOKING_CANCEL,
    BOOKING_APPROVE,
    BOOKING_DENY,
};

/** What is asked. Strings are never NULL; "" and 0 were not given. */
struct booking {
    enum booking_verb verb;
    const char *id; /* the request that it is about; "": a new one */
    const char *group;
    const char *template; /* "": the only one of the group */
    int64_t cpus, vms;    /* either */
    const char *from;     /* as base/when.h reads it; "": now */
    const char *until;    /* either this */
    const char *length;   /* or a duration; of BOOKING_EXTEND with a + before it */
    bool shared, whole_host;
    const char *reason;   /* why it is asked, approved or denied */
    bool preview;         /* the same answer, and nothing booked */
    uid_t uid;            /* who asks */
    const char *user;
    bool admin;
};

/** What there is. */
struct booking_facts {
    const struct policy *policy;
    const struct world *world; /* with all that is granted now */
    const struct plan *plan;   /* the last one; it may be older */
    const struct ledger_request *requests; /* as ledger_requests */
    size_t n_requests;
};

/** What is to be written down, and said. Lives in the arena, and as long as what was asked. */
struct booking_answer {
    bool refused;                  /* the calendar has no room: nothing is to be written down */
    struct ledger_request request; /* number 0: a new one */
    struct calendar_answer calendar;
    const char *event;             /* the kind of the event: "request-granted", … */
};

/** Fill @b from what was sent along. Strings are @body's. Returns 0, or -EINVAL with a sentence. */
int booking_read(struct json_object *body, struct booking *b, struct err *e);
/**
 * Decide. Returns 0 and the answer; or -EPERM, -ENOENT or -EINVAL with a sentence: who asks may not,
 * there is no such thing, it makes no sense.
 */
int booking_decide(struct arena *a, const struct booking_facts *f, const struct booking *b,
                   struct booking_answer *ret, struct err *e);
/**
 * The answer: {"preview", "text", "lines", "starts", "request"}, the request with its id once it is
 * written down; or, refused, {"preview", "error", "reason", "offers"}. The caller's.
 */
struct json_object *view_booking(const struct booking_facts *f, const struct booking *b,
                                 const struct booking_answer *answer);
