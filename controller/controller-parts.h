/*
 * The controller from inside, for the files that are its parts: the step (controller.c), what others
 * tell it (-news), that it is the only one (-lease), its hosts, fragments and agents (-hosts, -flocks, -agents), a new policy
 * (-reload), what admins order (-order), what groups book (-request), the API's side (-port), set-up and tear-down (-setup).
 */
#pragma once

#include <systemd/sd-id128.h>
#include <uuid/uuid.h>

#include "act/act.h"
#include "act/agents.h"
#include "act/messenger.h"
#include "act/renewals.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loop/files.h"
#include "controller.h"
#include "record/boots.h"
#include "record/ledger.h"
#include "record/recorder.h"
#include "sense/host.h"
#include "sense/job.h"
#include "sense/look.h"
#include "sense/refused.h"
#include "serve/access.h"
#include "serve/api.h"
#include "serve/booking.h"
#include "serve/order.h"
#include "serve/remote.h"
#include "serve/snapshot.h"
#include "serve/view-part.h"

enum {
    CONTROLLER_EVENTS = 20,          /* shown by `eyrie status` */
    CONTROLLER_DEBOUNCE = 50 * 1000, /* µs: how long news are collected before a step */
};

/* How VMs fare on a host, or those of a template. */
struct record_of_starts {
    int64_t failures; /* in a row */
    usec last_failure;
    int64_t joined;   /* since the last failure */
    int64_t jobless;  /* of the failures, VMs that joined and got no job */
    usec last_start;
    usec worked;      /* when a VM of it last had a job */
};

/* A host: one of the policy, or one that was, as long as something of ours may be there. */
struct host_slot {
    char *name;
    char *uri;
    char *storage_pool;
    struct host *worker;
    bool removed; /* the policy does not name it any more */
    struct record_of_starts starts;
    char *changed_images; /* that were said to be changed; NULL: none */
};

/*
 * The fragment of a schedd. What goes comes before what comes: of the slots of one schedd the first
 * is the present one.
 */
struct flock_slot {
    struct flocking *flock;
    bool leaving;    /* the policy does not name it any more: it goes when its fragment is gone */
    bool superseded; /* the next slot is about the same file: it goes when it has ended */
};

struct controller_event {
    usec at;
    char *text;
};

struct controller {
    struct loop *loop;
    struct config *config; /* a reference */
    const struct policy *policy;
    int lock; /* fd; holds the state folder */
    struct ledger *ledger;
    char *ledger_aside; /* where a damaged one was moved; NULL: there was none */
    struct {
        char holder[UUID_STR_LEN];
        char host[LIMIT_NAME_BYTES + 1];
        char boot[SD_ID128_STRING_MAX];
        usec until;
        struct loop_timer *timer; /* NULL: it is not ours */
    } lease;
    struct look *look;
    struct refused *refused_jobs;
    struct act *act;
    struct renewals *renewals;
    struct recorder *recorder;
    struct api *api;
    struct agents *agents;
    struct remote *remote;         /* NULL: agents are not listened for */
    char *remote_place;            /* what it is made of */
    char *remote_pin;              /* of its key */
    struct loop_poke *remote_wake;
    size_t jobs_asked; /* queries for one job under way */
    struct access *access; /* of policy.access */
    struct host_slot *hosts; /* as policy.hosts; then those that were removed */
    size_t n_hosts;
    struct host **old_workers; /* that end what they were asked; others have taken their place */
    size_t n_old_workers;
    struct record_of_starts *templates; /* as policy.templates */
    struct record_of_starts *groups;    /* as policy.groups; only of VMs that got no job */
    struct boots *boots;
    struct messenger *messenger;
    struct loop_timer *notice_timer; /* when a group is to be told something */
    struct flock_slot *flocks;
    size_t n_flocks;
    char *vm_fragment;
    struct files *files; /* of the policy */
    usec policy_loaded;
    char *refused; /* all that is wrong with the files now; NULL: they are the policy in force */
    usec refused_at;
    usec changed; /* when a new policy changed something; 0: not yet */
    char *changed_by;
    char *changed_text;
    struct loop_timer *step_timer; /* debounce */
    struct loop_timer *next_timer; /* what the plan wants to be looked at again */
    struct loop_timer *look_timer;
    bool step_due;
    usec vanished_at;
    usec clock_offset; /* of the wall clock to the one that never jumps */
    usec clock_jumped;
    struct snapshot *snapshot;
    usec started;
    int64_t steps;
    usec last_step; /* ticks, when it ended; at first, when all began */
    char *last_error;
    usec last_error_at;
    usec pool_counted;   /* which answer of the pool the requests' cpu time is counted up to */
    usec requests_saved; /* when it was last written down */
    struct counts counts;
    struct controller_event events[CONTROLLER_EVENTS]; /* a ring */
    size_t n_events;
};

/* ---- set-up: controller-setup.c -------------------------------------------------------------- */

/* A file of paths.fragments, owned by the caller; NULL and a sentence in @e. */
char *controller_read_fragment(const struct policy *p, const char *name, struct err *e);

/* ---- one controller: controller-lease.c ------------------------------------------------------ */

/* Lock the state folder; -EEXIST and who holds it. */
int controller_lock_state(struct controller *c, struct err *e);
/* Take the lease in the ledger; -EEXIST and who has it. */
int controller_take_lease(struct controller *c, struct err *e);
/* Renew it when it is time; false when it is another's: then everything ends. */
bool controller_keep_lease(struct controller *c);
void controller_give_lease_back(struct controller *c);

/* ---- hosts: controller-hosts.c --------------------------------------------------------------- */

/* Have the hosts of c->policy, and drain those that it does not name any more. */
void controller_set_hosts(struct controller *c);
/* Let go of removed hosts on which nothing of ours is, and of old workers that have ended. */
void controller_settle_hosts(struct controller *c);
/* The hosts that the ledger knows, before the first controller_set_hosts. */
void controller_remember_hosts(struct controller *c);
void controller_free_hosts(struct controller *c);
struct host_slot *controller_find_slot(struct controller *c, const char *name);

/* ---- flocking: controller-flocks.c ----------------------------------------------------------- */

/* The flocking of each schedd of @p, for controller_set_flocks; else a sentence in @e. */
int controller_make_flocks(struct controller *c, const struct policy *p, struct flocking ***ret,
                           struct err *e);
/* Have these, as c->policy.schedds, of which it takes over all, and let the others leave. */
void controller_set_flocks(struct controller *c, struct flocking **made);
void controller_settle_flocks(struct controller *c);
/* The fragments that the ledger knows, before the first controller_set_flocks. */
void controller_remember_flocks(struct controller *c);
/* The facts of the present ones; valid until the next event. */
const struct world_flock *controller_fill_flocks(struct controller *c, struct arena *a,
                                                 size_t *ret_n);
void controller_look_flocks(struct controller *c);
/* Whether the flocking fragments should be there. */
void controller_want_flocks(struct controller *c, bool wanted);
void controller_free_flocks(struct controller *c);

/* ---- agents: controller-agents.c ---------------------------------------------------------------- */

/* The agents that the ledger knows. */
int controller_open_agents(struct controller *c, struct err *e);
/* Listen for agents where c->policy says, if it does; what is so already stays. */
int controller_listen_agents(struct controller *c, struct err *e);
void controller_free_agents(struct controller *c);
/* As api_port has them. */
int controller_agent_add(void *userdata, const char *name, const char *user,
                         struct json_object **ret, struct err *e);
int controller_agent_remove(void *userdata, const char *name, const char *user, struct err *e);
struct json_object *controller_agents(void *userdata);

/* ---- the step: controller.c ------------------------------------------------------------------ */

/* A timer's callback. */
void controller_step(void *userdata);
/* The facts of now; what they point at lives in the arena or until the next event. */
const struct world *controller_build_world(struct controller *c, struct arena *a);

/* Say which images were written to since they were pushed; once. */
void controller_see_images(struct controller *c, const struct world *w);

/* ---- a new policy: controller-reload.c ------------------------------------------------------- */

/* Read the files again when one of them is saved. */
void controller_watch(struct controller *c);
/* Write the hosts and schedds of the policy into the ledger. */
void controller_keep_sites(struct controller *c);

/* ---- what others tell it: controller-news.c -------------------------------------------------- */

/* Try to write again what could not be; say when the ledger was damaged, or is well again. */
void controller_mend_ledger(struct controller *c);
/* Say what is wrong with the ledger, where that is news. */
void controller_note_ledger(struct controller *c);
/* News: take a step soon. */
void controller_poke(void *userdata);
/* A VM has a new token: only counted, for it happens several times a day to each. */
void controller_renewed(void *userdata);
/* Something happened: into the log, the ledger and the status. */
void controller_note(void *userdata, const char *kind, const char *subject, const char *text);
/* A job that a VM refused is recorded once. */
void controller_refused_job(void *userdata, const struct refused_job *job);
/* Ask everyone for facts; a timer's callback, which it sets again. */
void controller_look(void *userdata);
/* The last lines of a VM's console: kept when it has not joined. */
void controller_console(void *userdata, const char *uuid, const char *name, const char *text);
void controller_log_host(void *userdata, const char *host, const char *line);
/* The callbacks of act.h. */
struct host *controller_find_host(void *userdata, const char *name);
struct flocking *controller_find_flock(void *userdata, const char *schedd);
void controller_start_failed(void *userdata, const char *host, const char *template);
/* A VM joined. */
void controller_start_succeeded(struct controller *c, const char *host, const char *template,
                                usec took);
/* A VM has a job, and @first: its first one. */
void controller_got_job(struct controller *c, const struct plan_vm *vm, bool first);
/* A VM joined and was given up, for no job came: its host, template and group failed, but those of which
 * another VM ran a job meanwhile. */
void controller_got_no_job(struct controller *c, const struct plan_vm *vm, const char *why);

/* ---- the API's side: controller-port.c ------------------------------------------------------- */

extern const struct api_port controller_port;

/* Look the names of policy.access up. */
void controller_read_access(struct controller *c);

/* ---- what admins order: controller-order.c --------------------------------------------------- */

/* Write an order down, and record it as an event; -errno when the ledger refuses. */
int controller_order(void *userdata, const struct order *o, struct err *e);
/* Whether there is an order about the whole pool. */
bool controller_is_ordered(const struct controller *c, enum ledger_order_kind kind);
/* Put the orders into the facts; what they point to is valid until the next order. */
void controller_fill_orders(const struct controller *c, struct world *w);
void controller_fill_host_orders(const struct controller *c, struct world_host *h);

/* ---- what groups book: controller-request.c -------------------------------------------------- */

/* What is granted, and what was of late; what it points to is valid until the ledger changes. */
const struct world_request *controller_fill_requests(const struct controller *c, struct arena *a,
                                                     size_t *ret_n);
/* How many wait for an admin. */
int64_t controller_waiting_requests(const struct controller *c);
/* Those whose time is over have ended. */
void controller_settle_requests(struct controller *c);
/* What a step shows of them: who used them, how much; those that nobody uses are handed back. */
void controller_see_requests(struct controller *c, const struct world *w, const struct plan *plan);
/* As api_port has them. */
int controller_requests(void *userdata, int64_t number, bool all,
                        void (*callback)(void *userdata, const struct ledger_request *r),
                        void *callback_userdata, struct err *e);
int controller_book(void *userdata, struct booking *b, const struct asker *asker,
                    struct json_object **ret, bool *ret_refused, struct err *e);

/* ---- what groups are told: controller-notices.c ---------------------------------------------- */

/* Write down what is to be told of requests as they are now, and have it told. */
void controller_tell(struct controller *c, const struct plan *plan);
