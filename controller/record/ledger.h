/*
 * The ledger: what must survive kill -9. Intents (a VM is written down before it is created, a drain
 * before it is asked for), what admins ordered, what groups booked, and the history of events. Losing it may
 * lose history and bookings, never VMs or jobs: what matters for those lives in the domains and slots themselves.
 *
 * A copy of the open records and of the orders is kept in memory; a change is on disk when the function returns 0 (an event may
 * wait for the next of the others: a kill loses none, a power failure the last ones). When
 * the disk refuses, the copy is changed all the same and the error is returned, so that a running
 * pool goes on with what it knows. Only these fail as a whole: ledger_vm_add of a VM that is not there
 * yet (no intent, no create), and what admins order (who is told so).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "plan/world.h"

struct ledger;

enum ledger_mark {
    LEDGER_JOINED,
    LEDGER_FIRST_JOB,
    LEDGER_GIVEN_UP, /* it joined and got no job */
    LEDGER_DRAIN_DECIDED,
    LEDGER_DRAIN_ACCEPTED,
    LEDGER_POWEROFF_DECIDED,
    LEDGER_DESTROY_DECIDED,
};

/** What an admin may order that lasts until it is taken back. */
enum ledger_order_kind {
    LEDGER_PAUSE,      /* nothing is changed; subject "" */
    LEDGER_LEAVE,      /* no flocking fragments; subject "" */
    LEDGER_CORDON,     /* of a host, by name */
    LEDGER_DRAIN_HOST,
    LEDGER_DRAIN_VM,   /* by UUID */
    LEDGER_FENCE,      /* of a host that is off */
};

/** "pause", "drain-host", … */
const char *ledger_order_name(enum ledger_order_kind kind);

struct ledger_order {
    enum ledger_order_kind kind;
    const char *subject;
    bool now; /* of a drain: jobs may be lost */
    uid_t uid;
    struct world_order who;
};

struct ledger_event {
    int64_t id; /* grows; given by the ledger */
    usec at;
    const char *kind; /* "create", "joined", "drain-failed", … */
    const char *subject;
    const char *text;
};

/** Which events; what is left out (0, NULL) restricts nothing. */
struct ledger_events_wanted {
    int64_t after; /* id */
    usec since;
    const char *vm;   /* its name, or the beginning of its UUID */
    const char *host; /* its own and those of VMs on it */
    size_t max;
    bool last; /* the last @max of them, else the first */
};

/**
 * Open or make the SQLite file @path (absolute). Where it can be read and not written, ledger_error
 * says why, and ledger_mend mends it; a damaged one is moved aside (ledger_aside) and a new one made.
 * Returns 0 or -errno; owned by the caller (ledger_close).
 */
int ledger_open(const char *path, struct ledger **ret, struct err *e);
/** Open @path to look at its orders only: nothing is made or changed, and all of it is read to see
 * that it is whole. Returns 0 or -errno; owned by the caller (ledger_close). */
int ledger_open_read(const char *path, struct ledger **ret, struct err *e);
struct ledger *ledger_close(struct ledger *l);

/** Write down a VM that is about to be created, or was found: that one is known also when this fails.
 * All strings are copied. */
int ledger_vm_add(struct ledger *l, const struct world_record *record, struct err *e);
/** Set one of a VM's times and why. An unknown @uuid is ignored. */
int ledger_vm_mark(struct ledger *l, const char *uuid, enum ledger_mark mark, usec at,
                   const char *why, struct err *e);
int ledger_vm_answer(struct ledger *l, const char *uuid, enum world_answer answer, usec at,
                     struct err *e);
/** In memory only: after a restart a VM's idle time starts anew, and so does the time that it waits for its
 * first job, which is the safe side. */
void ledger_vm_idle(struct ledger *l, const char *uuid, usec since, usec jobless_since);
/** Whether a power-off must be told again; in memory only: after a restart each one is. */
void ledger_vm_poweroff_lost(struct ledger *l, const char *uuid, bool lost);
/** Nothing of the VM is left: close its record. */
int ledger_vm_close(struct ledger *l, const char *uuid, usec at, struct err *e);

/** The open records; valid until the next change of the ledger. */
const struct world_record *ledger_records(const struct ledger *l, size_t *ret_n);
/** The creates decided after @after, oldest first, in @a. */
struct world_start *ledger_starts(struct ledger *l, struct arena *a, usec after, size_t *ret_n);

/**
 * How long the last @max VMs took from the create to their first slot, oldest first, one by one to
 * @callback, which must not change the ledger. Those that were found on their hosts are left out.
 */
int ledger_boots(struct ledger *l, size_t max,
                 void (*callback)(void *userdata, const char *template, const char *host, usec took),
                 void *userdata, struct err *e);

/** Why the file lacks what is known, as a sentence; "" when it does not. Valid until the next call. */
const char *ledger_error(const struct ledger *l);
/** Where a damaged file was moved since ledger_open; "" when there was none. Valid as above. */
const char *ledger_aside(const struct ledger *l);
/** When writes have failed: try again, and write what was not. 0 when nothing is missing. */
int ledger_mend(struct ledger *l, struct err *e);

/** Whether the history has an event of that kind about @subject. */
bool ledger_event_known(struct ledger *l, const char *kind, const char *subject);
/** Append to the history, of which LIMIT_EVENTS are kept. */
int ledger_event_add(struct ledger *l, const struct ledger_event *event, struct err *e);
/** Events, oldest first, given one by one to @callback. */
int ledger_events(struct ledger *l, const struct ledger_events_wanted *wanted,
                  void (*callback)(void *userdata, const struct ledger_event *event),
                  void *userdata, struct err *e);

/** Write down an order; it replaces one of that kind about the same. All strings are copied. */
int ledger_order_set(struct ledger *l, const struct ledger_order *order, struct err *e);
/** Take it back; none is no error. */
int ledger_order_clear(struct ledger *l, enum ledger_order_kind kind, const char *subject,
                       struct err *e);
/** The order, or NULL; valid until the next change. */
const struct ledger_order *ledger_order_find(const struct ledger *l, enum ledger_order_kind kind,
                                             const char *subject);

/**
 * Where things of ours are: the hosts and fragments that the policy named at last. When it names one no
 * more, this is how what is left there can still be taken away, also after a restart.
 */
enum ledger_site_kind {
    LEDGER_HOST,   /* @place: its URI, @detail: its storage pool */
    LEDGER_SCHEDD, /* @place: the path of its fragment, @detail: the folder of its tools */
    LEDGER_SHARES, /* likewise, of the virtual pool's central manager */
};
struct ledger_site {
    const char *name;
    const char *place;
    const char *detail;
};
/** Keep these besides those that are there. A host has one place, the last one. */
int ledger_sites_keep(struct ledger *l, enum ledger_site_kind kind, const struct ledger_site *sites,
                      size_t n, struct err *e);
/** Nothing of ours is there any more. */
int ledger_site_drop(struct ledger *l, enum ledger_site_kind kind, const char *name,
                     const char *place, struct err *e);
/** All of a kind, by name, one by one to @callback, which must not change the ledger. */
int ledger_sites(struct ledger *l, enum ledger_site_kind kind,
                 void (*callback)(void *userdata, const struct ledger_site *site), void *userdata,
                 struct err *e);
/** The open records of a host that has another name now. */
int ledger_host_rename(struct ledger *l, const char *from, const char *to, struct err *e);

/**
 * An agent that keeps a fragment on another machine. Of tokens the ledger has digests only: who reads
 * it can neither join nor ask.
 */
struct ledger_agent {
    const char *name;    /* whose fragment: a schedd, or the virtual pool's central manager */
    const char *invite;  /* digest of the token to join with; "" = none */
    usec invited_until;
    const char *token;   /* digest of its own token; "" = it has not joined */
    usec joined;
    int64_t revision;    /* of the last fragment that it was to have; 0 = none yet */
    const char *mark;    /* which one that was; "" = it was to take the fragment away */
};
/** Write all of it down, in the place of what was there by that name. */
int ledger_agent_set(struct ledger *l, const struct ledger_agent *agent, struct err *e);
int ledger_agent_drop(struct ledger *l, const char *name, struct err *e);
/** All, by name, one by one to @callback, which must not change the ledger. */
int ledger_agents(struct ledger *l,
                  void (*callback)(void *userdata, const struct ledger_agent *agent),
                  void *userdata, struct err *e);
/**
 * The id of the controller that this ledger belongs to, made when it is first asked for. Returns 0
 * and the id (owned by the caller, free), or -errno.
 */
int ledger_controller(struct ledger *l, char **ret, struct err *e);

/** What became of a request. The numbers are those on disk. */
enum ledger_request_state {
    LEDGER_REQUEST_WAITING, /* an admin is to approve or deny it */
    LEDGER_REQUEST_GRANTED,
    LEDGER_REQUEST_DENIED,
    LEDGER_REQUEST_CANCELLED,   /* by somebody, before its end */
    LEDGER_REQUEST_HANDED_BACK, /* nobody used it */
    LEDGER_REQUEST_ENDED,       /* its time is over */
    LEDGER_REQUEST_STATES,
};

/** "waiting", "handed-back", … */
const char *ledger_request_state_name(enum ledger_request_state state);

/** What was seen of a request's jobs and VMs. */
struct ledger_request_seen {
    usec used;         /* when one of its jobs was first seen; 0: never */
    int64_t delivered; /* cpus × µs that jobs had in its VMs */
    usec up;           /* since when VMs of it are up; 0: none is. In memory only */
};

struct ledger_request {
    struct world_request booking; /* id, group, …; without seats until it is granted */
    int64_t number;               /* in the id; grows; given by the ledger */
    enum ledger_request_state state;
    int64_t cpus;               /* that were asked for; the VMs may have more */
    const char *reason;         /* as its user gave it */
    uid_t uid;
    usec asked;                 /* when */
    struct world_order decided; /* who approved, denied, cancelled or extended it last, and why */
    struct ledger_request_seen seen;
    bool unsaved;               /* that is newer than what is on disk */
    int64_t told;               /* for whoever notifies: a bit for each thing that was told */
};

/** The number in a request's name, "r-17"; 0: it is no such name. */
int64_t ledger_request_number(const char *id);
/** Whether it may still become, or is, something that the planner serves. */
bool ledger_request_is_open(const struct ledger_request *r);
/** Write a new request down; @ret_number, if not NULL, becomes its number. It is on disk then. */
int ledger_request_add(struct ledger *l, const struct ledger_request *r, int64_t *ret_number,
                       struct err *e);
/** Write @r down in the place of the one with its number. */
int ledger_request_set(struct ledger *l, const struct ledger_request *r, struct err *e);
/** In memory, until it is written down with the next change or by ledger_requests_keep_seen. */
void ledger_request_see(struct ledger *l, int64_t number, const struct ledger_request_seen *seen);
/** Write down what was seen of all of them since then. */
int ledger_requests_keep_seen(struct ledger *l, struct err *e);
/**
 * The requests that are open, and those that ended since the last ledger_requests_forget, in the order of
 * their numbers; valid until the next change of the ledger.
 */
const struct ledger_request *ledger_requests(const struct ledger *l, size_t *ret_n);
/** Keep those no more in memory that ended before @before; they stay in the history. */
void ledger_requests_forget(struct ledger *l, usec before);
/** The history: the @max last ones, or @number alone if that is not 0; the oldest first to @callback,
 * which must not change the ledger. */
int ledger_requests_read(struct ledger *l, int64_t number, size_t max,
                         void (*callback)(void *userdata, const struct ledger_request *r),
                         void *userdata, struct err *e);

/** Who is the controller, and for how long it is sure to be. */
struct ledger_lease {
    const char *holder; /* of this run of eyried, and no other */
    const char *host;
    const char *boot;   /* of the kernel that the lock of the state folder is good for */
    int64_t pid;
    usec until;
};
/**
 * Take the lease, or renew it. It may be taken when it is ours, nobody's, over, or of this very kernel,
 * whose lock we hold. Returns 0; -EEXIST and who holds it; -errno when it cannot be written. (A ledger
 * that cannot be written at all is lent to those only who need not write it down.)
 */
int ledger_lease_take(struct ledger *l, const struct ledger_lease *own, usec now, struct err *e);

/** What a group is still to be told of a request. */
struct ledger_notice {
    int64_t number; /* grows, and no two have the same; given by the ledger */
    const char *group;
    const char *about; /* for the log: "r-17 ready" */
    const char *body;
    usec at;
    int64_t owed; /* for whoever tells: a bit for each way in which it is still to be told */
};

/**
 * Write notices down, and that @told is what was told of the request with that number; both are on disk
 * then, or neither. Returns 0 or -errno.
 */
int ledger_notices_add(struct ledger *l, int64_t request, int64_t told,
                       const struct ledger_notice *notices, size_t n, struct err *e);
/** These ways are not owed any more; when none is, it is forgotten. */
int ledger_notice_settle(struct ledger *l, int64_t number, int64_t ways, struct err *e);
/** All that is owed, the oldest first, one by one to @callback, which must not change the ledger. */
int ledger_notices(struct ledger *l,
                   void (*callback)(void *userdata, const struct ledger_notice *notice),
                   void *userdata, struct err *e);
