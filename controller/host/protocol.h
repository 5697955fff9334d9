/*
 * The protocol with eyried: one JSON object a line. A line from eyried becomes a `struct request`
 * that is complete and within its limits, or a fault; what goes back is rendered here.
 *
 * Requests, answers and events are described in README.md beside this file.
 */
#pragma once

#include "base/json.h"
#include "host/fault.h"
#include "host/vm.h"

enum protocol_op {
    PROTOCOL_CHECK,
    PROTOCOL_CREATE,
    PROTOCOL_DELETE_VOLUME,
    PROTOCOL_DESTROY,
    PROTOCOL_LIST,
    PROTOCOL_PING,
    PROTOCOL_PUSH,
    PROTOCOL_RENEW,
    PROTOCOL_SHUTDOWN,
    PROTOCOL_OP_MAX,
};

struct request {
    int64_t id;
    enum protocol_op op;
    struct vm vm;     /* create: all of it; check: memory and cpus; shutdown, destroy, renew, delete_volume: the uuid */
    char *domain_xml; /* create, check: the template */
    char *image;      /* create, check: name of a volume in the storage pool */
    char *seed;       /* create: a secret; NULL for none */
    char *token;      /* renew: a secret */
    char *rules;      /* renew: who may submit; NULL: nothing is said of it */
    int64_t disk;     /* create: bytes; 0 is the size of the image */
    char *volume;     /* delete_volume, push: the name */
    char *file;       /* push: where it is on this machine */
    int64_t watch;    /* create: µs for which its console is watched */
    enum vm_volume volume_kind;
};

/** The word for @op in a request. */
const char *protocol_op_name(enum protocol_op op);

/**
 * Parse one line of @length bytes (without the newline).
 * @pool: our pool; names that are not of it are refused
 * @ret_id: the id of the request also when it is refused, 0 when it has none
 * Returns 0 and the request, owned by the caller (protocol_free), or a fault (VIR_ERR_INVALID_ARG).
 */
int protocol_parse(const char *line, size_t length, const char *pool, struct request **ret,
                   int64_t *ret_id, struct fault *f);
/** Free @q; accepts NULL; returns NULL. */
struct request *protocol_free(struct request *q);

/** An answer to fill, `{"id":…,"ok":true}`; owned by the caller. */
struct json_object *protocol_answer(int64_t id);
/** A refusal or failure; owned by the caller. */
struct json_object *protocol_failure(int64_t id, const struct fault *f);
/** An event, `{"event":…}`; owned by the caller. */
struct json_object *protocol_event(const char *name);

static inline void protocol_free_p(struct request **q)
{
    (void)protocol_free(*q);
}
