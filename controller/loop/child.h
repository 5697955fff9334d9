/*
 * One command, run to its end: no shell, a deadline, a byte limit, nothing that blocks. The command
 * gets a process group of its own; past its deadline or limit, or when it is given up, the whole
 * group is killed. What a command that ended leaves behind in its group is killed too.
 *
 * There is one way to hear of every outcome, also of a command that could not be started: @done.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/units.h"
#include "loop/loop.h"

struct child;

enum child_end {
    CHILD_EXITED,      /* @code is the exit status */
    CHILD_KILLED,      /* by somebody else; @code is the signal */
    CHILD_DEADLINE,    /* by us, past the deadline */
    CHILD_TOO_MUCH,    /* by us, for more output than @limit */
    CHILD_REFUSED,     /* by us, because @output said so */
    CHILD_NOT_STARTED, /* @code is the errno */
};

/** "exited", "deadline", … */
const char *child_end_name(enum child_end end);

struct child_result {
    enum child_end end;
    int code;
    const char *error;   /* NULL only for exit status 0; else one sentence with what stderr said */
    const char *output;  /* all of stdout when there was no @output callback; never NULL */
    size_t output_length;
    const char *messages; /* stderr, its first LIMIT_ERROR_BYTES; never NULL */
    size_t bytes;         /* read from stdout */
    usec took;
};

/** A piece of stdout. A negative result (its sentence in @e) kills the command: CHILD_REFUSED. */
typedef int (*child_output)(void *userdata, const char *bytes, size_t length, struct err *e);
/** The end; called once, never from inside child_run. @r is valid during the call. */
typedef void (*child_done)(void *userdata, const struct child_result *r);

struct child_args {
    const char *const *argv;        /* NULL-terminated; argv[0] is a name, or an absolute path */
    const char *tools;              /* the folder of argv[0]; NULL or "" = PATH */
    const char *const *environment; /* "NAME=VALUE" besides our own, NULL-terminated; may be NULL */
    const char *input;              /* stdin; NULL = /dev/null */
    size_t input_length;
    usec deadline;       /* from now; 0 = none */
    size_t limit;        /* bytes of stdout; 0 = LIMIT_QUERY_BYTES */
    bool secret;         /* wipe input and output from memory when done; wants a small limit */
    child_output output; /* NULL: collected for the result */
    child_done done;
    void *userdata;
};

/** Start a command; everything in @args is copied. The caller owns the result (child_free). */
struct child *child_run(struct loop *loop, const struct child_args *args)
    __attribute__((returns_nonnull));
/** Free @c; if it still runs it is killed, and @done is not called. May be called from @done. */
struct child *child_free(struct child *c);
