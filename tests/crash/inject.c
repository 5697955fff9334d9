/*
 * Runs a program and gives it one fault, at one system call of its own:
 *
 *     inject --list -- PROGRAM ARG…             no fault; the name of each call, one a line
 *     inject --call=NAME --nth=N --fault=FAULT -- PROGRAM ARG…
 *
 * FAULT is "kill", which is SIGKILL before that call, or an error that the call gives without having been
 * made. Counted are the calls of all threads from the exec on, not those of its children. With --from=FILE
 * they are counted from the first call on that names a file with FILE in its path.
 *
 * NAME is the kernel's, and for some what it is about, as that tells which faults can be: read@socket,
 * write@eventfd, openat@create (a file that may be made by it), futex@wait.
 *
 * What is said (the list, or the name of the call that was hit; nothing when the program ended
 * before it) goes to --out=FILE. After the fault the program runs on at its own speed. SIGTERM is
 * handed on to it, and its exit status is ours; 128 + SIGNAL when one ended it; 124 when it had not ended after
 * --seconds=N and was killed, 125 when it could not be run so.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/futex.h>
#include <linux/ptrace.h>

static const char *const call_names[] = {
#include "call-names.h"
};

static const struct {
    const char *name;
    int error; /* 0: SIGKILL */
} faults[] = {{"kill", 0},        {"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
              {"ENOMEM", ENOMEM}, {"EMFILE", EMFILE}, {"EAGAIN", EAGAIN}};

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
enum { DEADLINE = 124, CANNOT = 125 };

struct run {
    /* what is wanted */
    const char *call; /* NULL: list */
    long nth;
    int error;
    const char *from; /* NULL: from the exec on */
    FILE *out;
    /* what is so */
    pid_t pid;
    bool counting;
    bool over;    /* the fault was given: nothing more is to be seen */
    pid_t failing; /* the thread whose call is about to fail */
    long seen;
};

static volatile sig_atomic_t asked_to_stop, out_of_time;

static void on_signal(int signal)
{
    if (signal == SIGALRM)
        out_of_time = 1;
    else
        asked_to_stop = 1;
}

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    exit(CANNOT);
}

enum { NAME_SIZE = 64 };

/* What file descriptor @fd of @pid is. */
static const char *kind_of(pid_t pid, uint64_t fd)
{
    static const struct {
        const char *begins, *kind;
    } kinds[] = {{"/", "file"},
                 {"socket:", "socket"},
                 {"pipe:", "pipe"},
                 {"anon_inode:[eventfd]", "eventfd"},
                 {"anon_inode:[timerfd]", "timerfd"},
                 {"anon_inode:[signalfd]", "signalfd"},
                 {"anon_inode:inotify", "inotify"},
                 {"anon_inode:[inotify]", "inotify"}};
    char path[64], target[4096];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)fd);
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    target[n > 0 ? n : 0] = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (strncmp(target, kinds[i].begins, strlen(kinds[i].begins)) == 0)
            return kinds[i].kind;
    return "other";
}

static void name_call(pid_t pid, const struct __ptrace_syscall_info *info, char name[static NAME_SIZE])
{
    uint64_t nr = info->entry.nr;
    const uint64_t *args = info->entry.args;
    const char *known = nr < ARRAY_LENGTH(call_names) ? call_names[nr] : NULL, *about = NULL;
    switch (nr) {
    case SYS_read:
    case SYS_readv:
    case SYS_write:
    case SYS_writev:
        about = kind_of(pid, args[0]);
        break;
    case SYS_openat:
        about = args[2] & O_CREAT ? "create" : NULL;
        break;
    case SYS_open:
        about = args[1] & O_CREAT ? "create" : NULL;
        break;
    case SYS_futex:
        about = (args[1] & FUTEX_CMD_MASK) == FUTEX_WAKE ? "wake" : "wait";
        break;
    default:
        break;
    }
    (void)snprintf(name, NAME_SIZE, "%s%s%s", known ? known : "unknown", about ? "@" : "",
                   about ? about : "");
}

/* Whether the text at @address of @pid contains @r->from; what is no address holds no text. */
static bool names_file(const struct run *r, pid_t pid, uint64_t address)
{
    char text[4096];
    struct iovec here = {text, sizeof(text) - 1}, there = {(void *)(uintptr_t)address, sizeof(text) - 1};
    ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, r->from) != NULL;
}

static void registers(pid_t pid, void (*change)(struct user_regs_struct *, int), int error)
{
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
        die("PTRACE_GETREGS");
    change(&regs, error);
    if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) < 0)
        die("PTRACE_SETREGS");
}
static void make_no_call(struct user_regs_struct *regs, int error)
{
    (void)error;
    regs->orig_rax = (unsigned long long)-1;
}
static void set_result(struct user_regs_struct *regs, int error)
{
    regs->rax = (unsigned long long)-error;
}

/* A thread is about to make a call. */
static void entered(struct run *r, pid_t pid, const struct __ptrace_syscall_info *info)
{
    char name[NAME_SIZE];
    if (!r->counting && r->from)
        r->counting = names_file(r, pid, info->entry.args[0]) || names_file(r, pid, info->entry.args[1]);
    if (!r->counting)
        return;
    name_call(pid, info, name);
    if (!r->call) {
        (void)fprintf(r->out, "%s\n", name);
        return;
    }
    if (strcmp(name, r->call) != 0 || ++r->seen < r->nth)
        return;
    (void)fprintf(r->out, "%s\n", name);
    (void)fflush(r->out);
    r->over = true;
    if (r->error == 0) {
        (void)kill(r->pid, SIGKILL);
        return;
    }
    registers(pid, make_no_call, 0);
    r->failing = pid;
}

/* A thread stopped. Returns the signal that it is to get. */
static int stopped(struct run *r, pid_t pid, int status)
{
    struct __ptrace_syscall_info info;
    int event = status >> 16, signal = WSTOPSIG(status);
    if (event == PTRACE_EVENT_EXEC && !r->from)
        r->counting = true;
    if (event)
        return 0;
    if (signal != (SIGTRAP | 0x80))
        return signal;
    if (pid == r->failing) {
        registers(pid, set_result, r->error);
        r->failing = 0;
    } else if (!r->over && ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
               info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        entered(r, pid, &info);
    }
    return 0;
}

static int follow(struct run *r)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno != EINTR)
            die("waitpid");
        if (out_of_time)
            (void)kill(r->pid, SIGKILL);
        if (asked_to_stop)
            (void)kill(r->pid, SIGTERM);
        asked_to_stop = 0;
        if (pid < 0)
            continue;
        if (WIFSTOPPED(status)) {
            int signal = stopped(r, pid, status);
            /* it may have been killed meanwhile */
            (void)ptrace(r->over && pid != r->failing ? PTRACE_CONT : PTRACE_SYSCALL, pid, NULL, signal);
        } else if (pid == r->pid) {
            return out_of_time ? DEADLINE : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
    }
}

static void start(struct run *r, char **argv)
{
    int go[2];
    char byte = 0;
    if (pipe2(go, O_CLOEXEC) < 0 || (r->pid = fork()) < 0)
        die("cannot start");
    if (r->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)personality(ADDR_NO_RANDOMIZE); /* the same calls for memory each time */
        (void)close(go[1]);
        if (read(go[0], &byte, 1) == 1)
            (void)execvp(argv[0], argv);
        die(argv[0]);
    }
    if (ptrace(PTRACE_SEIZE, r->pid, NULL,
               PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE) < 0 ||
        ptrace(PTRACE_INTERRUPT, r->pid, NULL, NULL) < 0 || write(go[1], &byte, 1) != 1)
        die("ptrace");
    (void)close(go[0]);
    (void)close(go[1]);
}

static int fault_error(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++)
        if (strcmp(name, faults[i].name) == 0)
            return faults[i].error;
    errno = EINVAL;
    die(name);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"list", no_argument, NULL, 'l'},          {"call", required_argument, NULL, 'c'},
        {"nth", required_argument, NULL, 'n'},     {"fault", required_argument, NULL, 'f'},
        {"from", required_argument, NULL, 'F'},    {"out", required_argument, NULL, 'o'},
        {"seconds", required_argument, NULL, 's'}, {0},
    };
    struct run r = {.nth = 1};
    const char *out = NULL;
    unsigned seconds = 60;
    for (int c; (c = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        switch (c) {
        case 'l':
            r.call = NULL;
            break;
        case 'c':
            r.call = optarg;
            break;
        case 'n':
            r.nth = strtol(optarg, NULL, 10);
            break;
        case 'f':
            r.error = fault_error(optarg);
            break;
        case 'F':
            r.from = optarg;
            break;
        case 'o':
            out = optarg;
            break;
        case 's':
            seconds = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            return CANNOT;
        }
    }
    r.out = out ? fopen(out, "we") : NULL;
    if (!r.out || !argv[optind]) {
        if (r.out)
            (void)fclose(r.out);
        (void)fprintf(stderr, "inject: --out=FILE, which can be written to, and a program are needed\n");
        return CANNOT;
    }
    struct sigaction action = {.sa_handler = on_signal}; /* which interrupts waitpid */
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)setvbuf(r.out, NULL, _IOLBF, 0); /* who traces a child may be killed with it */
    start(&r, argv + optind);
    (void)alarm(seconds);
    int status = follow(&r);
    (void)fclose(r.out);
    return status;
}
