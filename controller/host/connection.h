/*
 * The one connection to a host's libvirt. It is opened by the thread that needs it first, given to
 * as many as ask, and opened again, with a growing pause, after it was lost. Keepalive ends a call
 * to a hung daemon after 3 s; opening has no timeout at all, so a worker that hangs there is for
 * eyried to kill.
 *
 * Events between a loss and the next opening are lost: whoever hears `connected` must list again.
 */
#pragma once

#include "host/fault.h"

struct connection;

/* Called from any thread, never with a lock held; they must not call back. */
struct connection_hooks {
    void *userdata;
    void (*connected)(void *userdata, const char *driver, unsigned long libvirt_version);
    void (*disconnected)(void *userdata, const char *reason);
    /** A domain changed: @what and, where libvirt says why, @detail (else NULL). */
    void (*domain)(void *userdata, const char *uuid, const char *name, const char *what,
                   const char *detail);
    /** It is time to try again: have some thread acquire and release. */
    void (*retry)(void *userdata);
};

/** What a call may use until connection_release. */
struct lease {
    virConnectPtr conn;
    bool has_owner; /* whether uid and gid are known: those of QEMU on this host */
    long uid;
    long gid;
    int events; /* the connection's own: libvirt's number for the event callback, or -1 */
};

/**
 * A connection to @uri, not yet open. virEventRegisterDefaultImpl must have been called, and some
 * thread must turn that loop. @hooks must outlive the result, which the caller owns.
 */
struct connection *connection_new(const char *uri, const struct connection_hooks *hooks);
/** Close and free @c, of which no lease may be out; accepts NULL; returns NULL. */
struct connection *connection_free(struct connection *c);

/**
 * Get the connection, opening it when it is not open: blocks. Fails at once with the last reason
 * while the pause after a failure lasts.
 */
int connection_acquire(struct connection *c, struct lease *ret, struct fault *f);
/** Give @lease back. @failed: a call on it failed, so that it is to be tested. */
void connection_release(struct connection *c, struct lease *lease, bool failed);
/** Whether this is libvirt's test driver, which lacks some calls. */
bool connection_is_test(const struct connection *c);
