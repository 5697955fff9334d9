/*
 * A listening socket: a unix socket in the file system, or an address of the network; and who is at
 * the other end of a connection.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct listen;

/**
 * Listen on @path. The socket is made beside it and moved into place, so that clients find the old
 * one or the new one; its folder is made when it is missing. Returns 0 (owned by the caller,
 * listen_free), or -errno.
 */
int listen_new(const char *path, struct listen **ret, struct err *e);
/**
 * Listen on @endpoint, host:port or [host]:port. Returns 0 (owned by the caller, listen_free), or
 * -errno.
 */
int listen_new_network(const char *endpoint, struct listen **ret, struct err *e);
/** Close it, and remove the socket if it is still ours; accepts NULL; returns NULL. */
struct listen *listen_free(struct listen *l);
/** Belongs to @l; non-blocking. */
int listen_fd(const struct listen *l);
/** The uid of the process that opened the connection @fd. Returns 0, or -errno: nobody knows. */
int listen_peer(int fd, uid_t *ret);
/**
 * That process's groups when it connected, the primary one first. Returns how many; of one that has
 * more than @max only the primary one.
 */
size_t listen_groups(int fd, gid_t *groups, size_t max);

static inline void listen_free_p(struct listen **l)
{
    (void)listen_free(*l);
}
