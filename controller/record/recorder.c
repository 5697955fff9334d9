#include "record/recorder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "record/recording.h"

#define NAME_PATTERN "????????T??????.??????Z.json.gz"
#define SCRATCH_PATTERN "." NAME_PATTERN ".new"

static const usec quiet_interval = USEC_PER_MINUTE;
static const usec deadline = 30 * USEC_PER_SEC;

/* Steps come fast when something happens, and those are the ones that are wanted. */
enum { CHILDREN_MAX = 8 };

struct worker {
    struct recorder *recorder;
    pid_t pid;
    int error;                /* the child's sentence comes from here */
    struct loop_child *child; /* NULL: it is not at work */
    struct loop_timer *timer;
    bool overdue; /* the child was killed for it */
};

struct recorder {
    struct loop *loop;
    char *folder;
    int64_t keep;
    recorder_event event;
    void *userdata;
    bool off;
    bool missed; /* a step came while all children were at work */
    usec last;   /* the world of the last recording */
    struct worker workers[CHILDREN_MAX];
};

/* ---- in the child ---------------------------------------------------------------------------- */

static int is_recording(const struct dirent *entry)
{
    return fnmatch(NAME_PATTERN, entry->d_name, 0) == 0;
}

static int is_scratch(const struct dirent *entry)
{
    return fnmatch(SCRATCH_PATTERN, entry->d_name, 0) == 0;
}

/* Remove what killed children left: a living one has no file that was not touched for long. */
static void sweep(int folder)
{
    struct dirent **entries = NULL;
    int n = scandirat(folder, ".", &entries, is_scratch, NULL);
    for (int i = 0; i < n; i++) {
        struct stat st;
        if (fstatat(folder, entries[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtime + 2 * deadline / USEC_PER_SEC < time(NULL))
            (void)unlinkat(folder, entries[i]->d_name, 0);
        free(entries[i]);
    }
    free(entries);
}

/* Remove all recordings but the newest @keep; names sort as time does. */
static int prune(int folder, int64_t keep, struct err *e)
{
    struct dirent **entries = NULL;
    int n = scandirat(folder, ".", &entries, is_recording, alphasort), r = 0;
    if (n < 0)
        return err_set(e, errno, "%s", strerror(errno));
    for (int i = 0; i < n; i++) {
        if (r == 0 && i < n - keep && unlinkat(folder, entries[i]->d_name, 0) < 0 &&
            errno != ENOENT)
            r = err_set(e, errno, "%s: %s", entries[i]->d_name, strerror(errno));
        free(entries[i]);
    }
    free(entries);
    return r;
}

static void name_of(usec at, char name[static 64])
{
    time_t seconds = (time_t)(at / USEC_PER_SEC);
    struct tm tm;
    char clock[32];
    if (!gmtime_r(&seconds, &tm) || strftime(clock, sizeof(clock), "%Y%m%dT%H%M%S", &tm) == 0)
        (void)strcpy(clock, "00000000T000000");
    (void)snprintf(name, 64, "%s.%06dZ.json.gz", clock, (int)(at % USEC_PER_SEC));
}

static int write_recording(int folder, const struct world *w, const struct plan *plan,
                           struct err *e)
{
    char name[64];
    name_of(w->now, name);
    AUTOFREE char *scratch = mem_printf(".%s.new", name);
    AUTOCLOSE int fd =
        openat(folder, scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return err_set(e, errno, "%s: %s", scratch, strerror(errno));
    int r = recording_write(fd, w, plan, e);
    if (r < 0)
        (void)err_prefix(e, r, "%s", name);
    else if (renameat(folder, scratch, folder, name) < 0)
        r = err_set(e, errno, "%s: %s", name, strerror(errno));
    if (r < 0)
        (void)unlinkat(folder, scratch, 0);
    return r;
}

static int record(const struct recorder *r, const struct world *w, const struct plan *plan,
                  struct err *e)
{
    if (mkdir(r->folder, 0750) < 0 && errno != EEXIST)
        return err_set(e, errno, "%s", strerror(errno));
    AUTOCLOSE int folder = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return err_set(e, errno, "%s", strerror(errno));
    sweep(folder); /* room first */
    int k = prune(folder, r->keep - 1, e);
    return k < 0 ? k : write_recording(folder, w, plan, e);
}

/* The controller's descriptors are closed first, lest a client's connection lives on in here. */
_Noreturn static void child_main(const struct recorder *r, const struct world *w,
                                 const struct plan *plan, pid_t parent, int error)
{
    enum { ERROR_FD = STDERR_FILENO + 1 };
    struct err e = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || (error != ERROR_FD && dup2(error, ERROR_FD) < 0))
        _exit(EXIT_FAILURE);
    (void)close_range(ERROR_FD + 1, ~0U, 0);
    errno = 0;
    (void)!nice(10);
    if (record(r, w, plan, &e) == 0)
        _exit(EXIT_SUCCESS);
    (void)!write(ERROR_FD, e.text, strlen(e.text));
    _exit(EXIT_FAILURE);
}

/* ---- in the controller ----------------------------------------------------------------------- */

static void switch_off(struct recorder *r, const char *why)
{
    AUTOFREE char *text =
        mem_printf("%s; worlds are not recorded any more until eyried starts again", why);
    if (r->off)
        return;
    r->off = true;
    r->event(r->userdata, "record-failed", r->folder, text);
}

static void worker_forget(struct worker *worker)
{
    worker->child = loop_child_free(worker->child);
    loop_timer_set(worker->timer, USEC_NEVER);
    if (worker->error >= 0)
        (void)close(worker->error);
    worker->error = -1;
}

static void on_child(void *userdata, pid_t pid, int status)
{
    struct worker *worker = userdata;
    struct err e = {0};
    (void)pid;
    ssize_t n = read(worker->error, e.text, sizeof(e.text) - 1);
    worker_forget(worker);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (worker->overdue)
        (void)err_set(&e, ETIMEDOUT, "a world was not written within %d s",
                      (int)(deadline / USEC_PER_SEC));
    else if (n <= 0 && WIFSIGNALED(status))
        (void)err_set(&e, EIO, "the child that writes was killed by signal %d", WTERMSIG(status));
    else if (n <= 0)
        (void)err_set(&e, EIO, "the child that writes failed");
    switch_off(worker->recorder, e.text);
}

static void on_deadline(void *userdata)
{
    struct worker *worker = userdata;
    worker->overdue = true;
    (void)kill(worker->pid, SIGKILL);
}

static int start(struct worker *worker, const struct world *w, const struct plan *plan)
{
    struct recorder *r = worker->recorder;
    int fds[2];
    pid_t parent = getpid();
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0)
        child_main(r, w, plan, parent, fds[1]);
    int k = pid < 0 ? -errno : 0;
    (void)close(fds[1]);
    worker->error = fds[0];
    worker->pid = pid;
    worker->overdue = false;
    if (k == 0)
        k = loop_child_new(r->loop, pid, on_child, worker, &worker->child);
    if (k < 0 && pid > 0) { /* nobody would reap it */
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
    if (k < 0)
        worker_forget(worker);
    else
        loop_timer_set(worker->timer, deadline);
    return k;
}

void recorder_take(struct recorder *r, const struct world *w, const struct plan *plan)
{
    if (!r || r->off)
        return;
    bool due = plan->n_actions > 0 || r->missed || w->now < r->last ||
               w->now - r->last >= quiet_interval;
    if (!due)
        return;
    struct worker *idle = NULL;
    for (size_t i = 0; i < CHILDREN_MAX && !idle; i++)
        if (!r->workers[i].child)
            idle = &r->workers[i];
    r->missed = !idle;
    if (!idle)
        return;
    r->last = w->now;
    int k = start(idle, w, plan);
    if (k < 0)
        switch_off(r, strerror(-k));
}

struct recorder *recorder_new(struct loop *loop, const char *folder, int64_t keep,
                              recorder_event event, void *userdata)
{
    if (!*folder)
        return NULL;
    struct recorder *r = mem_new(1, sizeof(*r));
    *r = (struct recorder){
        .loop = loop,
        .folder = mem_strdup(folder),
        .keep = keep,
        .event = event,
        .userdata = userdata,
    };
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct worker *worker = &r->workers[i];
        *worker = (struct worker){.recorder = r, .error = -1};
        worker->timer = loop_timer_new(loop, on_deadline, worker);
    }
    return r;
}

struct recorder *recorder_free(struct recorder *r)
{
    if (!r)
        return NULL;
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct worker *worker = &r->workers[i];
        if (worker->child)
            (void)kill(worker->pid, SIGKILL);
        worker_forget(worker);
        (void)loop_timer_free(worker->timer);
    }
    free(r->folder);
    free(r);
    return NULL;
}
