/*
 * A worker from inside: its life and its facts (host.c), its calls (host-call.c), and the text of them
 * (host-request.c).
 */
#pragma once

#include "sense/host.h"

enum host_op {
    HOST_LIST,
    HOST_CREATE,
    HOST_SHUTDOWN,
    HOST_DESTROY,
    HOST_DELETE_VOLUME,
    HOST_RENEW,
};

/* A request. In host.queue until it is written, then in host.written until it is answered. */
struct call {
    struct call *next;
    struct host *host;
    enum host_op op;
    int64_t id;
    char *line; /* NULL once written */
    size_t length;
    usec asked;
    struct loop_timer *deadline;
    bool late;
    host_done done;
    void *userdata;
};

struct host {
    struct loop *loop;
    struct host_callbacks callbacks;
    char *name, *program, *pool, *storage_pool, *uri;
    struct worker *worker; /* NULL: down */
    char *why_down;
    struct loop_timer *respawn;
    usec respawn_after;
    struct loop_poke *refuse;

    struct call *queue, *written, *refused;
    size_t n_written;
    bool list_written; /* at most one of them is */
    int64_t last_id, starts;

    struct inventory *inventory; /* of the last complete list; NULL: none yet */
    usec asked, failed;
    char *error;
    bool looking, look_again;
    struct inventory *doubted; /* the last list, when it lacked a domain; else NULL */

    bool busy;  /* callbacks are being called */
    bool freed; /* during that */
};

/* ---- calls: host-call.c ---------------------------------------------------------------------- */

const char *host_op_name(enum host_op op);
int64_t host_next_id(struct host *host);
/* Take over @line, which ends in a newline, and is the request @id. */
void host_call(struct host *host, enum host_op op, int64_t id, char *line, size_t length,
               host_done done, void *userdata);
/* Write what may be written. */
void host_pump(struct host *host);
/* Answer @c, which is in no list any more, and free it. */
void call_answer(struct call *c, const struct host_answer *answer);
/* The same of all of @list, which is empty then; between host_hold and host_release. */
void calls_answer(struct host *host, struct call **list, enum world_answer answer,
                  const char *why);
/* Free all of @list; nobody is told. */
void calls_free(struct call **list);

/* ---- requests: host-request.c ---------------------------------------------------------------- */

/* A request with one member, or none when @key is NULL. */
void host_ask(struct host *host, enum host_op op, const char *key, const char *value,
              host_done done, void *userdata);

/* ---- facts: host.c --------------------------------------------------------------------------- */

/* Callbacks may free the host: between these two it stays, and after the second, when that says
 * false, it is gone. */
void host_hold(struct host *host);
bool host_release(struct host *host);
/* That there are none now. */
void host_facts_failed(struct host *host, const char *why);
/* The facts are other ones now; between host_hold and host_release. */
void host_say_looked(struct host *host);
