/*
 * The agents from inside: who they are and what is on the shelf (agents.c), what they say
 * (agents-report.c).
 */
#pragma once

#include "act/agents.h"
#include "act/parcel.h"
#include "base/mem.h"

/** How long an agent may be silent beyond the time in which it said that it would ask again. */
#define AGENTS_PATIENCE (30 * USEC_PER_SEC)

struct agent {
    /* in the ledger */
    char *name;
    char *invite; /* digest */
    usec invited_until;
    char *token; /* digest */
    usec joined;
    int64_t revision;
    char *mark;
    /* the shelf */
    char *daemon;
    char *knob;
    char *text; /* NULL: nothing was offered since eyried started */
    /* its last report */
    usec heard; /* 0: never */
    usec due;   /* when it is silent; 0: it is heard of when it pleases (from cron) */
    bool silent;
    int64_t has; /* revision */
    char *present;
    char *believed;
    usec failed; /* since when there is an error */
    char *error;
    char *program; /* its version */
};

struct agents {
    struct loop *loop;
    struct ledger *ledger;
    struct agents_callbacks callbacks;
    struct flock_remote remote;
    struct loop_timer *timer; /* for the next that may fall silent */
    char *controller;         /* our id */
    usec started;
    struct agent **list;
    size_t n;
};

/* The members of struct flock_remote. */
int agents_offer(void *userdata, const struct flock_target *target, const char *knob,
                 const char *mark, const char *text, struct err *e);
void agents_fill(void *userdata, const struct flock_target *target, struct world_flock *w);

/* See who has fallen silent, and when the next one may have. A timer's callback. */
void agents_watch(void *userdata);
/* Of an agent that joins anew. */
void agents_forget_report(struct agent *agent);
