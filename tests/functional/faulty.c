/*
 * The faulty filter (controller/sim/filter.h) as a program: under the name of eyrie-host, or of one
 * of HTCondor's tools, it stands before the true one and does to a call what the rules say. All of
 * it is in the folder $FAULTY:
 *
 *     rules            which calls are struck, and how
 *     over             if there, none is any more
 *     true/            eyrie-host and the tools that it stands before
 *     counts           what the rules have seen and struck so far
 *     late.*           for each success that is still to come
 *
 *     faulty print     for each rule how many calls it struck of those that it saw: "N of M"
 *     faulty late      how many successes are still to come
 *
 * What comes late is done by a process of its own, since a caller that gives up kills us with our
 * group.
 */
#include "faulty.h"

#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum { RULES_MOST = 16, INPUT_BYTES = 64 * 1024 };

static char late_mark[sizeof("late.XXXXXX")];

_Noreturn void faulty_die(const char *what)
{
    perror(what);
    exit(125);
}

bool faulty_write(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n <= 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

static struct filter *read_rules(int lock)
{
    char text[4096];
    struct err e;
    struct filter *f = NULL;
    size_t n = 0;
    FILE *file = fopen("rules", "re");
    size_t length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[length] = '\0';
    if (file)
        (void)fclose(file);
    if (filter_parse(text, 1, &f, &e) < 0) {
        (void)fprintf(stderr, "rules: %s\n", e.text);
        exit(125);
    }
    struct filter_count *counts = filter_counts(f, &n);
    if (pread(lock, counts, n * sizeof(*counts), 0) < 0)
        faulty_die("counts");
    return f;
}

static int lock_counts(void)
{
    int lock = open("counts", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) < 0)
        faulty_die("counts");
    return lock;
}

struct filter_verdict faulty_decide(enum filter_call call)
{
    size_t n;
    AUTOCLOSE int lock = lock_counts();
    CLEANUP(filter_free_p) struct filter *f = read_rules(lock);
    if (access("over", F_OK) == 0)
        return (struct filter_verdict){FILTER_NONE, 0, 0};
    struct filter_verdict v = filter_decide(f, call);
    struct filter_count *counts = filter_counts(f, &n);
    if (pwrite(lock, counts, n * sizeof(*counts), 0) < 0)
        faulty_die("counts");
    return v;
}

static void rest(usec time)
{
    struct timespec t = {time / USEC_PER_SEC, time % USEC_PER_SEC * 1000};
    while (nanosleep(&t, &t) < 0)
        ;
}

bool faulty_late(usec delay)
{
    (void)strcpy(late_mark, "late.XXXXXX");
    int mark = mkstemp(late_mark); /* before anybody can think that nothing more will come */
    if (mark < 0)
        faulty_die(late_mark);
    (void)close(mark);
    pid_t pid = fork();
    if (pid < 0)
        faulty_die("fork");
    if (pid > 0) {
        (void)waitpid(pid, NULL, 0);
        return false;
    }
    (void)setsid();
    if (fork() != 0)
        _exit(0);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        (void)dup2(nothing, fd);
    (void)close_range(3, ~0U, 0);
    for (usec step = USEC_PER_SEC / 10; delay > 0; delay -= step) {
        if (access(late_mark, F_OK) < 0)
            _exit(0);
        rest(delay < step ? delay : step);
    }
    return true;
}

_Noreturn void faulty_late_done(void)
{
    (void)unlink(late_mark);
    _exit(0);
}

/* --- a tool --- */

struct run {
    const char *tool;
    char **argv;
    char input[INPUT_BYTES];
    size_t n_input;
    struct text output;
};

static int memory_file(const char *bytes, size_t length)
{
    int fd = memfd_create("faulty", 0);
    if (fd < 0 || !faulty_write(fd, bytes, length) || lseek(fd, 0, SEEK_SET) < 0)
        faulty_die("memory");
    return fd;
}

/* Run the true tool; its output is kept. Returns its exit status. */
static int run_tool(struct run *r)
{
    AUTOFREE char *path = mem_printf("true/%s", r->tool);
    AUTOCLOSE int in = memory_file(r->input, r->n_input);
    AUTOCLOSE int out = memory_file("", 0);
    int status;
    pid_t pid = fork();
    if (pid < 0)
        faulty_die("fork");
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (dup2(in, 0) == 0 && dup2(out, 1) == 1)
            (void)execv(path, r->argv);
        _exit(126);
    }
    if (waitpid(pid, &status, 0) < 0 || lseek(out, 0, SEEK_SET) < 0)
        faulty_die(path);
    char piece[4096];
    text_clear(&r->output);
    for (ssize_t n; (n = read(out, piece, sizeof(piece))) > 0;)
        text_add_bytes(&r->output, piece, (size_t)n);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

/* Of each kind of jobs only half. */
static void print_half(const char *queue)
{
    static const char count[] = "\"JobCount\": ";
    for (const char *at; (at = strstr(queue, count)) != NULL;) {
        char *end;
        at += strlen(count);
        int64_t n = strtoll(at, &end, 10);
        (void)printf("%.*s%" PRId64, (int)(at - queue), queue, n / 2);
        queue = end;
    }
    (void)fputs(queue, stdout);
}

static int lie(struct run *r, enum filter_call call)
{
    switch (call) {
    case FILTER_CONDOR_Q:
        (void)run_tool(r);
        print_half(text_get(&r->output));
        return 0;
    case FILTER_CONDOR_TOKEN_CREATE:
        (void)puts("eyJhbGciOiJIUzI1NiJ9.canary-of-the-fake-token.of-nobody");
        return 0;
    case FILTER_CONDOR_DRAIN:
        (void)puts("Sent request to drain");
        return 0;
    case FILTER_CONDOR_CONFIG_VAL:
        (void)printf("Not defined: %s\n", r->argv[1] ? r->argv[1] : "");
        return 0;
    default:
        return 0;
    }
}

static int answer(const struct run *r, int status)
{
    return faulty_write(1, text_get(&r->output), r->output.length) ? status : 1;
}

static _Noreturn void hang(void)
{
    (void)alarm(600); /* if nobody is left to kill it */
    for (;;)
        (void)pause();
}

static int faulty_tool(struct run *r, enum filter_call call)
{
    struct filter_verdict v = faulty_decide(call);
    ssize_t n = 0;
    while (r->n_input < sizeof(r->input) &&
           (n = read(0, r->input + r->n_input, sizeof(r->input) - r->n_input)) > 0)
        r->n_input += (size_t)n;
    if (n < 0)
        faulty_die("stdin");
    int status;
    switch (v.effect) {
    case FILTER_FAIL:
        (void)fprintf(stderr, "%s: the filter failed it\n", r->tool);
        return 1;
    case FILTER_HANG:
        hang();
    case FILTER_LATE:
        if (!faulty_late(v.time))
            hang();
        (void)run_tool(r);
        faulty_late_done();
    case FILTER_LIE:
        return lie(r, call);
    case FILTER_DELAY:
        status = run_tool(r);
        rest(v.time);
        return answer(r, status);
    case FILTER_DUPLICATE:
        (void)run_tool(r);
        break;
    default:
        break;
    }
    return answer(r, run_tool(r));
}

static int print(void)
{
    size_t n;
    AUTOCLOSE int lock = lock_counts();
    CLEANUP(filter_free_p) struct filter *f = read_rules(lock);
    const struct filter_count *counts = filter_counts(f, &n);
    for (size_t i = 0; i < n; i++)
        (void)printf("%" PRId64 " of %" PRId64 "\n", counts[i].struck, counts[i].seen);
    return 0;
}

static int print_late(void)
{
    glob_t late = {0};
    (void)glob("late.*", 0, NULL, &late);
    (void)printf("%zu\n", late.gl_pathc);
    globfree(&late);
    return 0;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    const char *folder = getenv("FAULTY");
    static struct run r;
    if (!folder || chdir(folder) < 0)
        faulty_die("FAULTY");
    if (strcmp(name, "eyrie-host") == 0)
        return faulty_host(argv);
    if (strcmp(name, "faulty") == 0 && argc == 2)
        return strcmp(argv[1], "late") == 0 ? print_late() : print();
    enum filter_call call = filter_call_find(name);
    if (call == FILTER_CALLS) {
        (void)fprintf(stderr, "%s: no call that is filtered\n", name);
        return 125;
    }
    r.tool = name;
    r.argv = argv;
    int status = faulty_tool(&r, call);
    text_done(&r.output);
    return fflush(stdout) == 0 ? status : 1;
}
