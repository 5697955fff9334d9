/*
 * One request as microhttpd hands it over: headers, then pieces of a body, then its end. What is too
 * long is refused; the rest becomes a question for route.h, whose answer goes back.
 */
#pragma once

#include <microhttpd.h>

#include "loop/loop.h"
#include "serve/remote.h"
#include "serve/route.h"
#include "serve/shared.h"
#include "serve/traffic.h"

enum {
    REQUEST_PATH_BYTES = 1024,
    REQUEST_HEAD_BYTES = 16 * 1024, /* request line and headers */
    REQUEST_POOL_BYTES = 64 * 1024, /* what microhttpd may use for one; it cuts longer heads itself */
    REQUEST_BODY_BYTES = 64 * 1024,
};

/** What all requests share. */
struct requests {
    struct loop *loop;
    const struct api_port *port; /* NULL: agents ask, and @remote answers */
    void *userdata;
    struct remote *remote;
    struct shared shared;
    struct traffic traffic;
    struct loop_poke *wake;  /* turns to microhttpd, once an answer is there */
    struct request *waiting; /* those whose answer takes a while; the first of a list */
    int asking;              /* those of them that wait for the name of who asks */
};

/** Let nobody wait any more: each gets a refusal. Before the server is stopped. */
void requests_stop(struct requests *rs);

/** MHD_AccessHandlerCallback; @userdata: struct requests. The socket's context is a struct peer. */
enum MHD_Result request_take(void *userdata, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **context);
/** The request is over; @context as of request_take. */
void request_free(void **context);
