/*
 * The only view of time and events: a thin wrapper around sd-event. One thread; a callback runs to
 * its end before the next one starts. A simulator with a virtual clock implements the same header.
 *
 * Every source is owned by whoever made it (…_free, which accepts NULL, returns NULL and may be
 * called from any callback, also the source's own). A callback that fails has to deal with it:
 * nothing is returned to the loop.
 */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/units.h"

struct loop;
struct loop_timer;
struct loop_poke;
struct loop_io;
struct loop_signal;
struct loop_child;

typedef void (*loop_callback)(void *userdata);
/** @events: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR. */
typedef void (*loop_io_callback)(void *userdata, int fd, uint32_t events);
typedef void (*loop_signal_callback)(void *userdata, int signal);
/** @status: as of waitpid; the process is reaped only after the callback. */
typedef void (*loop_child_callback)(void *userdata, pid_t pid, int status);

/** A new loop; blocks SIGCHLD and ignores SIGPIPE. Returns 0 or -errno; owned by the caller. */
int loop_new(struct loop **ret, struct err *e);
struct loop *loop_free(struct loop *loop);
/** Run until loop_quit. Returns its code, or -errno when the loop itself fails. May run again. */
int loop_run(struct loop *loop);
/** Let loop_run return @code (0 or more) once the callback that says so has ended. */
void loop_quit(struct loop *loop, int code);
/** The wall clock, µs since the epoch; the same during one callback. */
usec loop_now(struct loop *loop);
/** A clock that never jumps, µs; only differences mean something. */
usec loop_ticks(struct loop *loop);

/** A timer, disarmed. It measures on the clock that never jumps. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_callback callback, void *userdata)
    __attribute__((returns_nonnull));
/** Fire once, @delay µs from now (at once when ≤ 0); USEC_NEVER disarms. Replaces what was set. */
void loop_timer_set(struct loop_timer *t, usec delay);
int loop_timer_armed(const struct loop_timer *t);
struct loop_timer *loop_timer_free(struct loop_timer *t);

/**
 * A poke: @callback runs once after the present callback has ended, however often it was poked, and
 * before anything else that waits. (So one that pokes itself each time lets nothing else run.)
 */
struct loop_poke *loop_poke_new(struct loop *loop, loop_callback callback, void *userdata)
    __attribute__((returns_nonnull));
void loop_poke(struct loop_poke *p);
struct loop_poke *loop_poke_free(struct loop_poke *p);

/** Watch @fd, which stays the caller's, for @events (level-triggered). Returns 0 or -errno. */
int loop_io_new(struct loop *loop, int fd, uint32_t events, loop_io_callback callback,
                void *userdata, struct loop_io **ret);
/** Watch for other events; 0 = none. */
void loop_io_set(struct loop_io *io, uint32_t events);
struct loop_io *loop_io_free(struct loop_io *io);

/** Block @signal and get it as an event. Returns 0 or -errno. */
int loop_signal_new(struct loop *loop, int signal, loop_signal_callback callback, void *userdata,
                    struct loop_signal **ret);
struct loop_signal *loop_signal_free(struct loop_signal *s);

/** Tell once when the child process @pid ends; it is reaped then. Returns 0 or -errno. */
int loop_child_new(struct loop *loop, pid_t pid, loop_child_callback callback, void *userdata,
                   struct loop_child **ret);
/** Stop watching. A child that has not ended is still reaped when it does; nobody is told. */
struct loop_child *loop_child_free(struct loop_child *c);
