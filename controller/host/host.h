/*
 * eyrie-host: the worker of one hypervisor host. The main thread turns libvirt's event loop, which
 * also watches the socket to eyried; four threads do the requests, one of them only lists. It lives as long as eyried
 * does: at the end of its input, or on SIGTERM, it finishes the calls under way and goes.
 */
#pragma once

#include "base/err.h"

struct host_options {
    const char *uri;          /* libvirt's */
    const char *pool;         /* ours: prefix of every name */
    const char *storage_pool; /* libvirt's */
    int in;                   /* requests */
    int out;                  /* answers and events */
};

/**
 * Run until the input ends or a signal says so. To be called once, before any thread was made.
 * Returns 0, -ETIMEDOUT when calls under way did not finish, or another -errno.
 */
int host_run(const struct host_options *options, struct err *e);
