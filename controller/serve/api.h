/*
 * The API: HTTP/1.1 over a unix socket, on the controller's own loop (libmicrohttpd brings the
 * protocol, no threads). The kernel says who the peer is; route.h has what is answered, request.h
 * the limits of one request. Connections are limited, in all and of one user, and so is the time in
 * which one must complete a request: a client who misbehaves harms himself only.
 */
#pragma once

#include "base/err.h"
#include "loop/loop.h"
#include "serve/remote.h"
#include "serve/route.h"

struct api;

/** In which the head of a request must come, and again its body and the answer pass. */
#define API_PATIENCE (15 * USEC_PER_SEC)

/**
 * Listen on @path, of which an older socket is replaced in one step; its folder is made when it is
 * missing. @port and @userdata must outlive the API. Returns 0 and the API (owned by the caller,
 * api_free), or -errno.
 */
int api_new(struct loop *loop, const char *path, const struct api_port *port, void *userdata,
            struct api **ret, struct err *e);
/** How long that is for agents, whose questions may wait for news. */
#define API_REMOTE_PATIENCE (4 * REMOTE_WAIT_SECONDS * USEC_PER_SEC)

/** Listen for agents at @place, with TLS; @remote answers them. Returns 0 or -errno, as api_new. */
int api_new_remote(struct loop *loop, const struct remote_place *place, struct remote *remote,
                   struct api **ret, struct err *e);
/** Close all connections and remove the socket; accepts NULL; returns NULL. */
struct api *api_free(struct api *a);
/** For tests. @patience: > 0. */
void api_set_patience(struct api *a, usec patience);

static inline void api_free_p(struct api **a)
{
    (void)api_free(*a);
}
