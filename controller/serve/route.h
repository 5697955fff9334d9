/*
 * What the API answers, without the protocol around it: a question → a status and a body. One table
 * (route.c) has every route; docs/openapi.yaml describes them all, and a test holds the two together.
 *
 * Anyone may look. A call that changes something is for admins: root, and the user eyried runs as.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "serve/snapshot.h"
#include "serve/traffic.h"

/**
 * What the controller does for the API. Every member is required. The calls that change something
 * only store the wish and poke the loop; they return 0 or -errno with a sentence. @who: peer's uid.
 */
struct api_port {
    /** A new reference to the current snapshot; NULL before the first step. */
    struct snapshot *(*snapshot)(void *userdata);
    int (*pause)(void *userdata, uid_t who, struct err *e);
    int (*resume)(void *userdata, uid_t who, struct err *e);
    int (*look)(void *userdata, uid_t who, struct err *e);
    int (*flock_apply)(void *userdata, uid_t who, struct err *e);
    int (*flock_remove)(void *userdata, uid_t who, struct err *e);
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
    const struct traffic *traffic; /* for the metrics */
    uid_t who;
    usec now;
};

struct answer {
    unsigned status;          /* HTTP's */
    const char *route;        /* as route_name; NULL: none was found */
    const char *allow;        /* 405: the methods that this path takes; else NULL */
    const char *type;         /* media type of @text; NULL: the body is JSON */
    struct json_object *body;
    struct text text;
};

/** Answer one question; the answer is the caller's (answer_done). */
struct answer route_answer(const struct api_port *port, void *userdata, const struct question *q);
void answer_done(struct answer *a);
/** An answer that says no: {"version", "error"}. */
struct answer answer_refusal(unsigned status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Whether what is asked for shows the same to everyone until the next step, so that its answer may
 * be given again for a moment.
 */
bool route_is_shared(const struct question *q);
/** The table, one by one: "GET /v1/explain/vm/{name}"; NULL at its end. */
const char *route_name(size_t i);
