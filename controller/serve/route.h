/*
 * What the API answers, without the protocol around it: method, path, who asks → status, JSON.
 *
 *   GET  /healthz                   the loop turns
 *   GET  /readyz                    there is a plan, and it is not an old one
 *   GET  /v1/{status,vms,plan,groups,hosts,flock,demand,world}
 *   GET  /v1/explain/{vm,host,group}/NAME
 *   POST /v1/{pause,resume,look}, /v1/flock/{apply,remove}      for admins
 *
 * Anyone may look. A call that changes something is for admins: root, and the user eyried runs as.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "serve/snapshot.h"

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

struct answer {
    unsigned status;          /* HTTP's */
    const char *allow;        /* the method that would have been right, for 405; else NULL */
    struct json_object *body; /* the caller's (json_object_put) */
};

/** Answer one request. @path: unescaped, without the query. */
struct answer route_answer(const struct api_port *port, void *userdata, usec now,
                           const char *method, const char *path, uid_t who);
/**
 * Whether a GET of @path shows the same to everyone until the next step, so that its answer may be
 * given again for a moment.
 */
bool route_is_shared(const char *path);
