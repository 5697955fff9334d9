/*
 * The threads that wait for libvirt, so that the main thread never does. Their number is the
 * number of calls in flight: with five on a connection libvirtd's max_client_requests (5) holds
 * back keepalive answers and the connection is torn down although the calls succeed (seen with
 * libvirt 9.0).
 *
 * One thread is for what is urgent: a QEMU that hangs holds each call about it for 10 s and more, and
 * three such must not hide a host that answers.
 *
 * Work on one VM is done one after the other, in the order it came, so that a destroy does not
 * overtake the create before it; a key names the VM.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct jobs;

enum { JOBS_QUEUE_MAX = 20000 };

struct jobs_hooks {
    void *userdata;
    /** Do @work, in a thread of the pool; takes it over. */
    void (*run)(void *userdata, void *work);
    /** Free @work that will not be done; any thread. */
    void (*drop)(void *userdata, void *work);
    /** A piece of work was done; in a thread of the pool. */
    void (*done)(void *userdata);
};

/** Start @threads threads. @hooks must outlive the result, which the caller owns (jobs_free). */
struct jobs *jobs_new(size_t threads, const struct jobs_hooks *hooks);
/** Stop as jobs_stop, wait for the work under way, and free; accepts NULL; returns NULL. */
struct jobs *jobs_free(struct jobs *j);
/**
 * Queue @work.
 * @key: the UUID that it is about, or NULL; copied
 * @urgent: before what is queued and not urgent
 * Returns false, and leaves @work to the caller, when the queue is full or stopped.
 */
bool jobs_add(struct jobs *j, void *work, const char *key, bool urgent);
/** Take no more work and drop what has not begun. */
void jobs_stop(struct jobs *j);
/** Whether nothing is queued or under way. */
bool jobs_idle(struct jobs *j);
