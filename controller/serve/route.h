/*
 * What the API answers, without the protocol around it: a question → a status and a body. One table
 * (route.c) has every route; docs/openapi.yaml describes them all, and a test holds the two together.
 *
 * Anyone may look. A call that changes something is for admins (access.h).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "serve/access.h"
#include "serve/answer.h"
#include "serve/booking.h"
#include "serve/job.h"
#include "serve/order.h"
#include "serve/snapshot.h"
#include "serve/traffic.h"
#include "serve/view.h"

/**
 * What the controller does for the API. Every member is required. The calls that change something
 * only store the wish and poke the loop; they return 0 or -errno with a sentence. @who: peer's uid.
 */
struct api_port {
    /** A new reference to the current snapshot; NULL before the first step. */
    struct snapshot *(*snapshot)(void *userdata);
    /** 0, or -EPERM with a sentence: whether @asker may change something. */
    int (*allow)(void *userdata, const struct asker *asker, struct err *e);
    int (*look)(void *userdata, uid_t who, struct err *e);
    events_function events;
    /** Ask @schedd for a job; NULL with a sentence: too many are asked for. Belongs to the caller. */
    struct job_query *(*ask_job)(void *userdata, const char *schedd, int64_t cluster, int64_t proc,
                                 job_told told, void *told_userdata, struct err *e);
    /** Accepts NULL. */
    void (*forget_job)(void *userdata, struct job_query *q);
    /** Carry out what an admin, who was allowed to, asked for; @o is valid during the call. */
    int (*order)(void *userdata, const struct order *o, struct err *e);
    /** Read the policy again, as @user wants it: view_reload, the caller's. It is done then. */
    struct json_object *(*reload)(void *userdata, const char *user, bool *ret_refused);
    /** The agents: an array, the caller's. */
    struct json_object *(*agents)(void *userdata);
    /** Let an agent join for @name: what is needed for that, the caller's; or -errno. */
    int (*agent_add)(void *userdata, const char *name, const char *user, struct json_object **ret,
                     struct err *e);
    int (*agent_remove)(void *userdata, const char *name, const char *user, struct err *e);
    requests_function requests;
    /**
     * Do what @b asks, which @asker may or may not: uid and admin are filled in here. Returns 0 and
     * view_booking, the caller's, when it is written down or *@ret_refused; or as booking_decide.
     */
    int (*book)(void *userdata, struct booking *b, const struct asker *asker,
                struct json_object **ret, bool *ret_refused, struct err *e);
};

/** One `key=value` after the path's question mark. */
struct parameter {
    const char *key;
    const char *value;
};

/** What is asked. Strings are unescaped and never NULL. */
struct question {
    const char *method;
    const char *path; /* without the parameters */
    const struct parameter *parameters;
    size_t n_parameters;
    struct json_object *body;      /* what was sent along: an object, or NULL */
    const char *accept;            /* the Accept header; NULL: anything will do */
    const char *authorization;     /* that header; NULL: there is none */
    const struct traffic *traffic; /* for the metrics */
    struct asker who;              /* with groups only when the method is POST */
    usec now;
    struct later later;            /* for an answer that takes a while */
};

/** Answer one question; the answer is the caller's (answer_done). */
struct answer route_answer(const struct api_port *port, void *userdata, const struct question *q);
/** The value of a parameter, or NULL. */
const char *question_parameter(const struct question *q, const char *key);

/**
 * Whether what is asked for shows the same to everyone until the next step, so that its answer may
 * be given again for a moment.
 */
bool route_is_shared(const struct question *q);
/** The table, one by one: "GET /v1/explain/vm/{name}"; NULL at its end. */
const char *route_name(size_t i);
/** The parameters that route @i takes, one by one; NULL at their end. */
const char *route_parameter(size_t i, size_t k);
