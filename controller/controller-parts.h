/*
 * The controller from inside, for the files that are its parts: the step (controller.c), what others
 * tell it (controller-news.c), the API's side (controller-port.c), what admins order (controller-order.c), set-up and tear-down
 * (controller-setup.c).
 */
#pragma once

#include "act/act.h"
#include "base/mem.h"
#include "controller.h"
#include "record/ledger.h"
#include "record/recorder.h"
#include "sense/host.h"
#include "sense/job.h"
#include "sense/look.h"
#include "serve/access.h"
#include "serve/api.h"
#include "serve/order.h"
#include "serve/snapshot.h"

enum {
    CONTROLLER_EVENTS = 20,          /* shown by `eyrie status` */
    CONTROLLER_DEBOUNCE = 50 * 1000, /* µs: how long news are collected before a step */
};

/* How VMs fare on a host, or those of a template. */
struct record_of_starts {
    int64_t failures; /* in a row */
    usec last_failure;
    int64_t joined;   /* since the last failure */
    usec last_start;
};

struct host_slot {
    struct host *worker;
    struct record_of_starts starts;
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
    struct look *look;
    struct act *act;
    struct recorder *recorder;
    struct api *api;
    size_t jobs_asked; /* queries for one job under way */
    struct access *access; /* of policy.access */
    struct host_slot *hosts; /* as policy.hosts */
    struct record_of_starts *templates; /* as policy.templates */
    struct flocking **flocks;   /* as policy.schedds */
    char *vm_fragment;
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
    char *last_error;
    usec last_error_at;
    struct counts counts;
    struct controller_event events[CONTROLLER_EVENTS]; /* a ring */
    size_t n_events;
};

/* ---- the step: controller.c --------------------------------------------------------------------- */

/* A timer's callback. */
void controller_step(void *userdata);

/* ---- what others tell it: controller-news.c ----------------------------------------------------- */

/* News: take a step soon. */
void controller_poke(void *userdata);
/* Something happened: into the log, the ledger and the status. */
void controller_note(void *userdata, const char *kind, const char *subject, const char *text);
/* Ask everyone for facts; a timer's callback, which it sets again. */
void controller_look(void *userdata);
/* Ask all hosts what they have. */
void controller_list_hosts(void *userdata);
void controller_log_host(void *userdata, const char *host, const char *line);
/* The callbacks of act.h. */
struct host *controller_find_host(void *userdata, const char *name);
struct flocking *controller_find_flock(void *userdata, const char *schedd);
void controller_start_failed(void *userdata, const char *host, const char *template);
/* A VM joined. */
void controller_start_succeeded(struct controller *c, const char *host, const char *template);

/* ---- the API's side: controller-port.c ---------------------------------------------------------- */

extern const struct api_port controller_port;

/* Look the names of policy.access up. */
void controller_read_access(struct controller *c);

/* ---- what admins order: controller-order.c ------------------------------------------------------ */

/* Write an order down, and record it as an event; -errno when the ledger refuses. */
int controller_order(void *userdata, const struct order *o, struct err *e);
/* Whether there is an order about the whole pool. */
bool controller_is_ordered(const struct controller *c, enum ledger_order_kind kind);
/* Put the orders into the facts; what they point to is valid until the next order. */
void controller_fill_orders(const struct controller *c, struct world *w);
void controller_fill_host_orders(const struct controller *c, struct world_host *h);
/* Whether the flocking fragments should be there. */
void controller_want_flocks(struct controller *c, bool wanted);
