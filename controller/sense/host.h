/*
 * The controller's end of one eyrie-host worker: requests with answers, a deadline each, and the
 * facts of the last complete list. A worker past a deadline is killed and started again; what it
 * had been asked is then *unknown*, and only the next list can tell. No answer is ever guessed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/policy.h"
#include "loop/loop.h"
#include "plan/world.h"

struct host;

struct host_answer {
    enum world_answer answer; /* WORLD_ANSWER_NONE: unknown, it may have happened */
    bool gone;                /* ok, because there was nothing to do it to */
    int code;                 /* libvirt's error number; 0 = none */
    const char *error;        /* one sentence unless ok; else "" */
};

/** The answer to one request; called once, never from inside the request's own function. */
typedef void (*host_done)(void *userdata, const struct host_answer *answer);

struct host_callbacks {
    /** What host_fill tells is other now: a look has ended, is late, or cannot be. May be NULL. */
    void (*looked)(void *userdata);
    /** A line for the log, without secrets. May be NULL. */
    void (*log)(void *userdata, const char *host, const char *line);
    /** A VM that was made a while ago has ended; its console's last lines. May be NULL. */
    void (*console)(void *userdata, const char *uuid, const char *name, const char *text);
    void *userdata;
};

struct host_create_args {
    const char *name;
    const char *uuid;
    const char *domain_xml; /* the template's text */
    const char *image;
    int64_t cpus;
    int64_t memory; /* bytes */
    int64_t disk;   /* bytes */
    const char *template;
    const char *generation;
    const char *group;
    const char *request; /* NULL = "" */
    bool exclusive;
    usec born;
    usec watch;       /* for so long its console is watched */
    const char *seed; /* secret: copied, written, wiped; never logged */
};

struct host_figures {
    int64_t starts;    /* of the worker */
    int64_t in_flight; /* requests written and not answered */
    int64_t queued;
};

/**
 * The worker for @h, which is started at once (strings of @h and @p are copied). Owned by the
 * caller (host_free).
 */
struct host *host_new(struct loop *loop, const struct policy *p, const struct policy_host *h,
                      const struct host_callbacks *callbacks) __attribute__((returns_nonnull));
/** Kill the worker and free; callbacks of open requests are not called. */
struct host *host_free(struct host *host);
const char *host_name(const struct host *host);
/** Whether the worker is as @h and @p want it; otherwise another one is needed. */
bool host_is_for(const struct host *host, const struct policy *p, const struct policy_host *h);
/** Whether nothing that it was asked is unanswered. */
bool host_is_idle(const struct host *host);

/**
 * Look at the host: now, or once more when it is being looked at. Whatever is heard of the host has it
 * looked at, too; a worker that is down looks as soon as it is up.
 */
void host_look(struct host *host);

/* Requests. Everything is copied. While the worker is down they fail with a sentence that says so
 * (nothing was sent, so this is a failure and not unknown). @done may be NULL. */
void host_create(struct host *host, const struct host_create_args *args, host_done done,
                 void *userdata);
/** Ask the guest to power off. */
void host_shutdown(struct host *host, const char *uuid, host_done done, void *userdata);
void host_destroy(struct host *host, const char *uuid, host_done done, void *userdata);
/** Have the guest take @token, a secret as the seed is, and @rules, who may submit (NULL, "": none). */
void host_renew(struct host *host, const char *uuid, const char *rules, const char *token,
                host_done done, void *userdata);
void host_delete_volume(struct host *host, const char *name, host_done done, void *userdata);

/**
 * Set name, fact, cpus, memory, storage_available, domains and volumes of @w; the rest is left as
 * it is. What they point at is valid until the next list is answered.
 */
void host_fill(const struct host *host, struct world_host *w);
void host_get_figures(const struct host *host, struct host_figures *ret);
