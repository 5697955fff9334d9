#include "loop/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

extern char **environ;

int process_pipe(int ret_fds[static 2], int ours)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    if (fcntl(fds[ours], F_SETFL, O_NONBLOCK) < 0) { /* the other end has flags of its own */
        int r = -errno;
        (void)close(fds[0]);
        (void)close(fds[1]);
        return r;
    }
    memcpy(ret_fds, fds, sizeof(fds));
    return 0;
}

static size_t count(const char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    return n;
}

static bool names_same(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return n == strcspn(b, "=") && memcmp(a, b, n) == 0;
}

/* Our environment without what @more replaces, then @more. The strings are borrowed. */
static char **environment_with(const char *const *more)
{
    size_t extra = count(more), n = 0;
    char **all = mem_new(count((const char *const *)environ) + extra + 1, sizeof(*all));
    for (char **own = environ; own && *own; own++) {
        bool replaced = false;
        for (size_t i = 0; i < extra && !replaced; i++)
            replaced = names_same(*own, more[i]);
        if (!replaced)
            all[n++] = *own;
    }
    for (size_t i = 0; i < extra; i++)
        all[n++] = (char *)(uintptr_t)more[i];
    return all;
}

static int actions_fill(posix_spawn_file_actions_t *actions, const struct process_args *args)
{
    int r = args->in < 0
                ? posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
                : posix_spawn_file_actions_adddup2(actions, args->in, STDIN_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, args->out, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, args->error, STDERR_FILENO);
    return r;
}

static int attributes_fill(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETSIGDEF);
    if (r == 0)
        r = posix_spawnattr_setpgroup(attributes, 0);
    if (r == 0)
        r = posix_spawnattr_setsigmask(attributes, &none);
    if (r == 0)
        r = posix_spawnattr_setsigdefault(attributes, &all);
    return r;
}

int process_start(const struct process_args *args, pid_t *ret_pid)
{
    assert(args->in != 0 && args->out > STDERR_FILENO && args->error > STDERR_FILENO);
    bool in_folder = args->tools && *args->tools;
    AUTOFREE char *program = in_folder ? mem_printf("%s/%s", args->tools, args->argv[0])
                                       : mem_strdup(args->argv[0]);
    AUTOFREE char **environment = environment_with(args->environment);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attributes) != 0)
        mem_exhausted();
    int r = actions_fill(&actions, args);
    if (r == 0)
        r = attributes_fill(&attributes);
    pid_t pid = 0;
    if (r == 0) /* the arguments are char *const * for history's sake only: POSIX, exec */
        r = posix_spawnp(&pid, program, &actions, &attributes,
                         (char *const *)(uintptr_t)args->argv, environment);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (r == 0)
        *ret_pid = pid;
    return -r;
}
