/*
 * The views: a snapshot as JSON. There is one model for the API, the command line's tables and its
 * `-o json`; whoever shows something shows one of these. Each has "version": 1 and "now".
 *
 * Points in time are µs since the epoch and durations µs, null for never; sizes are bytes.
 * A reason is {"code", "text", "n", "limit", "file", "line", "subject"}, or null when there is none.
 * All functions return a new object, owned by the caller (json_object_put).
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "record/ledger.h"
#include "config/difference.h"
#include "serve/snapshot.h"

enum {
    VIEW_VERSION = 1,
    VIEW_STATUS_SHAPES_MAX = 100, /* of the demand, in the status */
    VIEW_SHAPES_MAX = 10000,      /* in the demand itself */
    VIEW_ORDERS_MAX = 100,        /* of admins, in the status */
};

/** The pool on one screen: sizes against limits, demand, groups, facts, flocking, what is wrong. */
struct json_object *view_status(const struct snapshot *s, usec now);
/** Every VM with its state and the reason for it. */
struct json_object *view_vms(const struct snapshot *s, usec now);
/** Which of them, and in which order; NULL: all, and by UUID. */
struct vms_wanted {
    const char *state, *host, *group;
    const char *sort; /* "age" (the oldest first), "group", "host", "name" or "state" (as in life) */
};
/** Returns 0, or -ENOENT with a sentence: no such state, host, group or order. */
int view_vms_wanted(const struct snapshot *s, usec now, const struct vms_wanted *wanted,
                    struct json_object **ret, struct err *e);
/** What the last step decided: actions and text, and a count of each kind ("create", …). */
struct json_object *view_plan(const struct snapshot *s, usec now);
/** The shapes with the most waiting jobs first, each with a sentence. */
struct json_object *view_demand(const struct snapshot *s, usec now);
/** All facts of the last step, as record/world.h has them. */
struct json_object *view_world(const struct snapshot *s, usec now);
struct json_object *view_groups(const struct snapshot *s, usec now);
/** The fragment of each schedd. */
struct json_object *view_flock(const struct snapshot *s, usec now);
struct json_object *view_hosts(const struct snapshot *s, usec now);
/**
 * All that is known of one VM. @name: its name, its UUID, or the beginning of either when that is
 * the beginning of one VM's only. Returns 0 and the view; -ENOENT (with the nearest name in @e),
 * or -ENOTUNIQ (with some of the VMs it could be).
 */
/** The same of a VM that is not there any more: nothing. Owned by the caller. */
struct json_object *view_gone_vm(usec now);
int view_explain_vm(const struct snapshot *s, usec now, const char *name, struct json_object **ret,
                    struct err *e);
/** Whether a host takes VMs, and what else is known of it. Returns 0, or -ENOENT. */
int view_explain_host(const struct snapshot *s, usec now, const char *name,
                      struct json_object **ret, struct err *e);
/**
 * What a group has, may have, asks for and waits for. A group that only jobs know is explained too.
 * Returns 0, or -ENOENT.
 */
int view_explain_group(const struct snapshot *s, usec now, const char *name,
                       struct json_object **ret, struct err *e);
/**
 * What must be so for the pool to be taken care of, one by one. @s: NULL before the first step.
 * Returns whether all of it is so; *ret is set in any case.
 */
bool view_ready(const struct snapshot *s, usec now, struct json_object **ret);
/** As ledger_events, of the ledger that @userdata has. */
typedef int (*events_function)(void *userdata, const struct ledger_events_wanted *wanted,
                               void (*callback)(void *userdata, const struct ledger_event *event),
                               void *callback_userdata, struct err *e);
/**
 * The history: {"events": [{"id", "at", "kind", "subject", "text"}], "last": the last one's id}. A VM
 * or host of which there is neither an event nor anything in @s, which may be NULL, is -ENOENT.
 */
int view_events(const struct snapshot *s, usec now, const struct ledger_events_wanted *wanted,
                events_function events, void *userdata, struct json_object **ret, struct err *e);
/** As ledger_requests; @all: the last LIMIT_REQUESTS_SHOWN of the history, or only @number if that is
 * not 0. */
typedef int (*requests_function)(void *userdata, int64_t number, bool all,
                                 void (*callback)(void *userdata, const struct ledger_request *r),
                                 void *callback_userdata, struct err *e);
struct requests_wanted {
    bool all;          /* the history, too; else only those that are waiting or granted */
    const char *group; /* NULL: of any */
};
/** What groups have booked. */
int view_requests(const struct snapshot *s, usec now, const struct requests_wanted *wanted,
                  requests_function requests, void *userdata, struct json_object **ret,
                  struct err *e);
/** All that is known of one request. Returns 0, or -ENOENT. */
int view_request(const struct snapshot *s, usec now, const char *name, requests_function requests,
                 void *userdata, struct json_object **ret, struct err *e);
/**
 * What came of reading the policy again: the changes, and the plan; or {"error"}. A file that is saved
 * is taken over by itself: who asks after that is told what changed then.
 */
struct server_reload {
    const char *file;
    const char *refused; /* all that is wrong; NULL: the policy was taken over */
    const struct difference *changes;
    const struct plan *plan; /* that the new policy makes of the pool as it was then */
    usec last;               /* when it changed last; 0: not since eyried started */
    const char *last_who;    /* why it was read then */
    const char *last_text;   /* the changes, a line each */
};
struct json_object *view_reload(const struct server_reload *r, usec now);
/** {"version", "error"}: what the API answers when it refuses. */
struct json_object *view_error(const char *text);
