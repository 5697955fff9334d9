/*
 * The way to eyried for agents: HTTP over TLS, and three routes. An agent that asks for news says
 * with it how it is, and may wait for them: its question is answered when there are some.
 *
 *     POST /v1/join    {"secret"} → who it is now, and its token
 *     POST /v1/news    Authorization: Bearer TOKEN; a report (act/agents-report.c) and "wait", in
 *                      seconds → a signed fragment (act/parcel.h), or {"version": 1} when there is
 *                      nothing new
 *     GET  /healthz
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "loop/loop.h"
#include "serve/route.h"

enum { REMOTE_WAIT_SECONDS = 20 }; /* at most */

/** What the controller does for agents. Every member is required. Results are the caller's. */
struct remote_port {
    /** 0, or -EACCES. */
    int (*join)(void *userdata, const char *secret, struct json_object **ret, struct err *e);
    /** Take the report of who bears @token. 0, or -EACCES: nobody does. */
    int (*report)(void *userdata, const char *token, struct json_object *report, struct err *e);
    /** What is new for who bears @token and sent that report; NULL in *@ret: nothing. 0 or -EACCES.
     */
    int (*news)(void *userdata, const char *token, struct json_object *report,
                struct json_object **ret, struct err *e);
};

/** How to listen. Strings are needed during remote_new only. */
struct remote_place {
    const char *listen;      /* host:port */
    const char *certificate; /* PEM, the text itself */
    const char *key;
};

struct remote;

/**
 * Listen for agents. @port and @userdata must outlive it. Returns 0 (owned by the caller,
 * remote_free), or -errno.
 */
int remote_new(struct loop *loop, const struct remote_place *place, const struct remote_port *port,
               void *userdata, struct remote **ret, struct err *e);
struct remote *remote_free(struct remote *r);
/** There may be something new: answer those who wait for it. */
void remote_wake(struct remote *r);
/** The answer to one question; the caller's (answer_done). */
struct answer remote_answer(struct remote *r, const struct question *q);
