/*
 * Start a process: no shell, a process group of its own, default signals, only the fds it is meant
 * to have. posix_spawn, so the size of the controller does not matter and no code runs between fork
 * and exec.
 */
#pragma once

#include <sys/types.h>

struct process_args {
    const char *const *argv;        /* NULL-terminated */
    const char *tools;              /* the folder of argv[0]; NULL or "" = PATH */
    const char *const *environment; /* "NAME=VALUE" besides our own, NULL-terminated; may be NULL */
    int in;                         /* becomes fd 0; -1 = /dev/null. All stay the caller's */
    int out;                        /* fd 1 */
    int error;                      /* fd 2 */
};

/** Returns 0 and the pid, which is also its process group; or -errno (-ENOENT: no such program). */
int process_start(const struct process_args *args, pid_t *ret_pid);
/** A pipe, close-on-exec; @ours (0 or 1) is the end that does not block. 0 or -errno. */
int process_pipe(int ret_fds[static 2], int ours);
