/*
 * The one wrapper around libcurl here: a question to eyried over TLS, on the loop. What the
 * server's key must be, or who must have signed its certificate, is checked before anything is
 * sent.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "base/units.h"
#include "loop/loop.h"

struct fetch;

/** What is to be known of a server; strings are not copied. */
struct fetch_server {
    const char *server; /* host:port */
    const char *pin;    /* of its key, "sha256//…"; "": @ca is used */
    const char *ca;     /* PEM file with who signed its certificate; "": the system's */
};

/** In the place of HTTP's status. */
enum {
    FETCH_NO_ANSWER = 0,
    FETCH_OTHER_KEY = 1, /* the server is not the one that it should be; nothing was sent to it */
};

/**
 * What came of it. @status is HTTP's, or one of the above; @error is NULL only for 200, else
 * one sentence; @body is what was answered, or NULL. They are valid during the call.
 */
typedef void (*fetch_done)(void *userdata, long status, const char *error,
                           struct json_object *body);

/**
 * POST @json to @path. @token: the bearer's; NULL: none. @deadline: from now. Strings are copied.
 * @done comes once, never from inside this. Owned by the caller (fetch_free).
 */
struct fetch *fetch_start(struct loop *loop, const struct fetch_server *server, const char *path,
                          const char *token, const char *json, usec deadline, fetch_done done,
                          void *userdata) __attribute__((returns_nonnull));
/** Give it up, if it still is under way, and free it; may be called from @done; accepts NULL. */
struct fetch *fetch_free(struct fetch *f);
