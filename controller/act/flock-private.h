/*
 * A fragment from inside: what it is and what is known of it (flock.c), its text (flock-target.c),
 * applying it on this host (flock-local.c), and asking the daemon now and then (flock-ask.c).
 */
#pragma once

#include "act/flock.h"
#include "act/fragment.h"
#include "loop/child.h"

/* A moment after an apply, so that an agent that runs once is not kept by a question. */
#define FLOCK_ASK_AFTER USEC_PER_SEC

struct flocking {
    struct loop *loop;
    char *name;
    char *daemon;
    char *file;
    char *path;
    char *tools;
    const struct flock_remote *remote;
    char *knob;          /* EYRIE_REVISION_<pool> */
    char *content;       /* rendered */
    char revision[FRAGMENT_DIGEST_MAX];
    bool wanted;
    char present[FRAGMENT_DIGEST_MAX];
    char believed[FRAGMENT_DIGEST_MAX];
    usec failed;
    char *error;
    /* what the daemon was asked since the last apply */
    usec ask_at;         /* ticks: not sooner */
    usec differs;        /* since when; 0: it goes by the fragment */
    char *difference;    /* a sentence */
    /* while an apply is under way */
    flock_done done;
    void *userdata;
    struct child *child; /* or asking is */
    struct loop_timer *timer;
    usec confirm_until;  /* ticks */
    bool placing;        /* it was wanted when this apply began */
    bool rolling_back;
    char *trouble;       /* why we roll back */
    char *before;        /* what was in the file; NULL: nothing */
    bool changed;        /* the file was replaced */
};

/* The fragment's text and its revision, which has room for one. */
int flock_render(const struct policy *p, const char *file, const char *template_text, char *revision,
                 struct text *out, struct err *e);
/* Begin to make the file and the daemon as wanted; flock_end is called when it is over. */
void flock_apply_here(struct flocking *f);
/* Ask what the daemon believes, until it is what is wanted; a timer's callback. */
void flock_confirm(void *userdata);
/* The apply is over, with @error or NULL. */
void flock_end(struct flocking *f, const char *error);
/* Ask the daemon what it goes by, if nothing else is under way and it was not asked a moment ago. */
void flock_ask(struct flocking *f);
