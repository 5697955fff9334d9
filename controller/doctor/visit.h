/*
 * A visit: what the checks of one `eyrie doctor` share. A check sends errands (commands with a
 * deadline each) that run side by side, and notes what it found. The visit is over when no errand
 * is out.
 */
#pragma once

#include "base/arena.h"
#include "config/policy.h"
#include "doctor/finding.h"
#include "doctor/identity.h"
#include "loop/child.h"

/** The checks; their table is in doctor.c. */
enum check_id {
    CHECK_STATE, /* first: the others want to know whether eyried ever ran here */
    CHECK_TOOLS,
    CHECK_PROGRAMS,
    CHECK_DAEMON,
    CHECK_UNIT,
    CHECK_CREDENTIALS,
    CHECK_SECRETS,
    CHECK_KEY,
    CHECK_QUEUE,
    CHECK_GATE,
    CHECK_SCHEDD_KNOBS,
    CHECK_RECONFIGURE,
    CHECK_FLOCKING,
    CHECK_COLLECTOR,
    CHECK_NEGOTIATOR,
    CHECK_SHARES,
    CHECK_RIGHTS,
    CHECK_TOKEN,
    CHECK_CLOCK,
    CHECK_FRAGMENT,
    CHECK_SLOTS,
    CHECK_HOST,
    CHECK_STORAGE,
    CHECK_IMAGE,
    CHECK_TEMPLATE,
    CHECK_COUNT,
};

struct visit;

/** What begins a check. */
typedef void (*begin_check)(struct visit *v);

struct check {
    const char *name;
    enum finding_part part;
    /** Begin; NULL: another check begins this one when it knows that it makes sense. */
    begin_check begin;
    const char *text; /* what it looks at, for the manual */
};

/** The table, indexed by check_id. */
extern const struct check doctor_checks[CHECK_COUNT];

struct visit {
    struct loop *loop;
    const struct policy *policy;
    const char *file;         /* of the policy, as it was named */
    const char *eyrie;        /* this program */
    const char *socket;       /* of eyried */
    bool ran_here;            /* there is a ledger: eyried has run with this state folder */
    struct identity identity; /* of eyried, by its unit */
    bool looked;              /* root has looked at what the unit hands over, which is: */
    struct identity_secret *given;
    size_t n_given, given_capacity;
    char *credentials;        /* folder with copies of it; NULL: there are none */
    const char **may_flock;   /* by schedd: "" it may, NULL not tried, else why not */
    bool left;                /* and an admin told it to leave: no fragments */
    struct arena *arena;      /* what findings and errands point at */
    struct finding *findings;
    size_t n, capacity;
    struct errand *waiting, **last_waiting, *out;
    size_t n_out; /* errands, and what holds the visit besides */
};

/** What ends an errand; @r as of child_run. Called once. */
typedef void (*errand_done)(struct visit *v, const void *about, const struct child_result *r);

struct errand_args {
    const char *const *argv;        /* NULL-terminated; copied, but not the words */
    const char *tools;              /* as of child_run */
    const char *const *environment; /* likewise; copied as argv is */
    usec deadline;                  /* 0: that of HTCondor's tools */
    const void *about;              /* for @done */
    errand_done done;
};

/** Send a command. */
void visit_send(struct visit *v, const struct errand_args *args);
/** Something besides errands is under way; the visit is not over before visit_release. */
void visit_hold(struct visit *v);
void visit_release(struct visit *v);
/** Give up all errands; their done is not called. */
void visit_end(struct visit *v);

/* Note what was found. @subject: "" or what lives as long as the visit. */
void visit_ok(struct visit *v, enum check_id check, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void visit_skip(struct visit *v, enum check_id check, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** All three are copied. */
void visit_wrong(struct visit *v, enum check_id check, const char *subject, const char *what,
                 const char *why, const char *mend);
/** printf into memory that lives as long as the visit. */
#define visit_text(v, ...) arena_printf((v)->arena, __VA_ARGS__)
/** The last line of what a command said: its reason, after the headings. */
const char *visit_reason(struct visit *v, const struct child_result *r);
