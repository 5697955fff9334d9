/*
 * The API: HTTP/1.1 over a unix socket, on the controller's own loop (libmicrohttpd brings the
 * protocol, no threads). The kernel says who the peer is; route.h has what is answered. Sizes,
 * connections, connections of one user and idle time are limited, so that a client who misbehaves
 * harms himself only.
 */
#pragma once

#include "base/err.h"
#include "loop/loop.h"
#include "serve/route.h"

struct api;

/**
 * Listen on @path, of which an older socket is replaced in one step; its folder is made when it is
 * missing. @port and @userdata must outlive the API. Returns 0 and the API (owned by the caller,
 * api_free), or -errno.
 */
int api_new(struct loop *loop, const char *path, const struct api_port *port, void *userdata,
            struct api **ret, struct err *e);
/** Close all connections and remove the socket; accepts NULL; returns NULL. */
struct api *api_free(struct api *a);

static inline void api_free_p(struct api **a)
{
    (void)api_free(*a);
}
