/*
 * A long-lived child that speaks lines over one socket, its stdin and stdout; its stderr are log
 * lines. Lines to it are queued and written as it takes them. There is no restart here: whoever
 * opened it decides about that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "loop/loop.h"

struct worker;

struct worker_args {
    const char *const *argv; /* NULL-terminated; argv[0] is an absolute path, or a name in PATH */
    /** A line without its end, terminated; @line may be changed by the callee. */
    void (*line)(void *userdata, char *line, size_t length);
    /** A line of stderr; may be NULL. */
    void (*log)(void *userdata, const char *line);
    /** The end, once, with one sentence; never from inside worker_open. May free the worker. */
    void (*gone)(void *userdata, const char *error);
    void *userdata;
};

/** Start a worker; @args is copied. The caller owns the result (worker_free). */
struct worker *worker_open(struct loop *loop, const struct worker_args *args)
    __attribute__((returns_nonnull));
/**
 * Queue @length bytes, which should end a line. The copy is wiped once it is written. Returns
 * false, and nothing will be sent, when the worker is at its end and gone() is on its way.
 */
bool worker_write(struct worker *w, const char *bytes, size_t length);
/** Kill it; gone() follows with @why. */
void worker_kill(struct worker *w, const char *why);
/** Kill and free it; gone() is not called. May be called from any of its callbacks. */
struct worker *worker_free(struct worker *w);
