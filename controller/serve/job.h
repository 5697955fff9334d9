/*
 * `explain job`: the one answer that takes a while, because a schedd is asked. What was started is a
 * waiting; the answer goes to whoever said where it is wanted.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "serve/view.h"

struct api_port;
struct answer;
struct question;

/** As sense/job.h: the job, valid during the call, or NULL and a sentence. */
typedef void (*job_told)(void *userdata, const struct world_job *job, const char *error);

/** Where an answer goes that is not there yet. */
struct later {
    usec (*now)(void *userdata);
    /** Called once; the answer is the callee's (answer_done). The waiting may be freed in it. */
    void (*ready)(void *userdata, struct answer *answer);
    void *userdata;
};

struct job_query; /* the controller's */

/** What is under way for an answer; the first member of whatever makes one. */
struct waiting {
    /** Give it up, if it still is under way, and free it. */
    void (*free)(struct waiting *w);
};

/** Accepts NULL; returns NULL. */
static inline struct waiting *waiting_free(struct waiting *w)
{
    if (w)
        w->free(w);
    return NULL;
}

/**
 * Begin to explain the job @id: "12.3", "schedd#12.3", or a GlobalJobId; its schedd may also be a
 * parameter of @q. Returns an answer with status 0 and a waiting (waiting_free), or a refusal.
 */
struct answer job_explain(const struct api_port *port, void *userdata, const struct snapshot *s,
                          const char *id, const struct question *q);

/**
 * What becomes of a job: {"job": what the schedd said, "state", "text": the answer in a sentence,
 * "why": more of them, "vm", "shape"}. @schedd: its name; @id: "12.3". Owned by the caller.
 */
struct json_object *view_job(const struct snapshot *s, usec now, const char *schedd, const char *id,
                             const struct world_job *job);
