#include "loop/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "loop/process.h"

enum { PIECE_BYTES = 64 * 1024, LOG_LINE_BYTES = 2000 };

/* A queued write. Each has memory of its own, so that it can be wiped: a buffer that grows would
 * leave copies behind. */
struct chunk {
    struct chunk *next;
    size_t length;
    size_t written;
    char bytes[];
};

/* Bytes that have come and are not a whole line yet. */
struct lines {
    struct text text;
    size_t searched; /* no line end in the first that many bytes */
};

struct worker {
    struct loop *loop;
    struct worker_args args;
    char *name;
    pid_t pid; /* 0: not running */
    struct loop_child *watch;
    int fd; /* our end of the socket; -1: closed */
    struct loop_io *io;
    int log_fd;
    struct loop_io *log_io;
    struct lines in, log;
    struct chunk *first, **last;
    struct loop_poke *gone;
    struct err why;
    bool over;  /* gone() was or will be called */
    bool busy;  /* a callback of ours is on the stack */
    bool freed; /* during that */
};

static struct chunk *chunk_free(struct chunk *k)
{
    explicit_bzero(k->bytes, k->length);
    free(k);
    return NULL;
}

static void fds_close(struct worker *w)
{
    w->io = loop_io_free(w->io);
    w->log_io = loop_io_free(w->log_io);
    mem_close_p(&w->fd);
    mem_close_p(&w->log_fd);
    w->fd = w->log_fd = -1;
    while (w->first) {
        struct chunk *k = w->first;
        w->first = k->next;
        (void)chunk_free(k);
    }
    w->last = &w->first;
}

/* As in child.c: the id cannot have been given to another process before the child is reaped. */
static void process_stop(struct worker *w)
{
    if (w->pid > 0)
        (void)kill(-w->pid, SIGKILL);
    w->pid = 0;
    w->watch = loop_child_free(w->watch);
}

struct worker *worker_free(struct worker *w)
{
    if (!w)
        return NULL;
    process_stop(w);
    fds_close(w);
    w->gone = loop_poke_free(w->gone);
    w->over = true;
    if (w->busy) {
        w->freed = true;
        return NULL;
    }
    text_done(&w->in.text);
    text_done(&w->log.text);
    free(w->name);
    free(w);
    return NULL;
}

/* End it and let gone() come from the loop: whoever is on the stack now is not surprised by it. */
static void worker_end(struct worker *w)
{
    if (w->over)
        return;
    w->over = true;
    process_stop(w);
    fds_close(w);
    loop_poke(w->gone);
}

void worker_kill(struct worker *w, const char *why)
{
    if (w->over)
        return;
    (void)err_set(&w->why, EIO, "%s was killed: %s", w->name, why);
    worker_end(w);
}

static void say_gone(void *userdata)
{
    struct worker *w = userdata;
    w->args.gone(w->args.userdata, w->why.text);
}

/* Hand out the whole lines. Returns false when @w was freed or ended by a callback. */
static bool lines_take(struct worker *w, struct lines *l)
{
    size_t at = 0;
    bool is_log = l == &w->log;
    w->busy = true;
    for (;;) {
        char *base = l->text.data ? l->text.data : NULL;
        size_t from = l->searched > at ? l->searched : at;
        char *end = base ? memchr(base + from, '\n', l->text.length - from) : NULL;
        if (!end)
            break;
        char *line = base + at;
        at = (size_t)(end - base) + 1;
        *end = '\0';
        if (is_log)
            w->args.log(w->args.userdata, line);
        else
            w->args.line(w->args.userdata, line, (size_t)(end - line));
        if (w->over)
            break;
    }
    w->busy = false;
    if (w->freed) {
        (void)worker_free(w);
        return false;
    }
    text_drop(&l->text, at);
    l->searched = l->text.length;
    return !w->over;
}

static ssize_t piece_take(int fd, struct lines *l)
{
    char piece[PIECE_BYTES];
    ssize_t n = read(fd, piece, sizeof(piece));
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? -EAGAIN : 0; /* a reset is an end too */
    if (n > 0)
        text_add_bytes(&l->text, piece, (size_t)n);
    return n;
}

/* Read a piece. 0: the end; -EAGAIN: nothing there; -ECANCELED: @w is over or freed, hands off. */
static ssize_t socket_read(struct worker *w)
{
    ssize_t n = piece_take(w->fd, &w->in);
    if (n <= 0)
        return n;
    if (!lines_take(w, &w->in))
        return -ECANCELED;
    if (w->in.text.length > LIMIT_LINE_BYTES) {
        worker_kill(w, "its line is too long");
        return -ECANCELED;
    }
    return n;
}

static void socket_write(struct worker *w)
{
    while (w->first) {
        struct chunk *k = w->first;
        ssize_t n = send(w->fd, k->bytes + k->written, k->length - k->written, MSG_NOSIGNAL);
        if (n < 0)
            break; /* EAGAIN: later; EPIPE: its end will be seen when reading */
        k->written += (size_t)n;
        if (k->written < k->length)
            continue;
        w->first = k->next;
        if (!w->first)
            w->last = &w->first;
        (void)chunk_free(k);
    }
    loop_io_set(w->io, w->first ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void socket_ready(void *userdata, int fd, uint32_t events)
{
    struct worker *w = userdata;
    (void)fd;
    if (events & EPOLLOUT)
        socket_write(w);
    if (!(events & ~(uint32_t)EPOLLOUT))
        return;
    if (socket_read(w) == 0) {
        (void)err_set(&w->why, EIO, "%s closed its connection", w->name);
        worker_end(w);
    }
}

/* As socket_read. */
static ssize_t log_read(struct worker *w)
{
    ssize_t n = piece_take(w->log_fd, &w->log);
    if (n <= 0)
        return n;
    if (w->args.log && !lines_take(w, &w->log))
        return -ECANCELED;
    if (!w->args.log || w->log.text.length > LOG_LINE_BYTES) {
        text_clear(&w->log.text);
        w->log.searched = 0;
    }
    return n;
}

static void log_ready(void *userdata, int fd, uint32_t events)
{
    struct worker *w = userdata;
    (void)fd;
    (void)events;
    if (log_read(w) == 0)
        w->log_io = loop_io_free(w->log_io);
}

static void process_ended(void *userdata, pid_t pid, int status)
{
    struct worker *w = userdata;
    (void)pid;
    (void)kill(-w->pid, SIGKILL);
    w->pid = 0;
    ssize_t n = 1;
    while (n > 0) /* its last answers */
        n = socket_read(w);
    if (n == -ECANCELED)
        return;
    for (n = 1; n > 0;) /* its last words */
        n = log_read(w);
    if (n == -ECANCELED)
        return;
    if (WIFEXITED(status))
        (void)err_set(&w->why, EIO, "%s ended with status %d", w->name, WEXITSTATUS(status));
    else
        (void)err_set(&w->why, EIO, "%s was killed by signal %d", w->name, WTERMSIG(status));
    worker_end(w);
}

static int worker_start(struct worker *w)
{
    int pair[2] = {-1, -1}, log[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    int r = fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : process_pipe(log, 0);
    struct process_args args = {
        .argv = w->args.argv, .in = pair[1], .out = pair[1], .error = log[1],
    };
    if (r == 0)
        r = process_start(&args, &w->pid);
    mem_close_p(&pair[1]);
    mem_close_p(&log[1]);
    w->fd = pair[0];
    w->log_fd = log[0];
    if (r == 0)
        r = loop_child_new(w->loop, w->pid, process_ended, w, &w->watch);
    if (r == 0)
        r = loop_io_new(w->loop, w->fd, EPOLLIN, socket_ready, w, &w->io);
    if (r == 0)
        r = loop_io_new(w->loop, w->log_fd, EPOLLIN, log_ready, w, &w->log_io);
    return r;
}

struct worker *worker_open(struct loop *loop, const struct worker_args *args)
{
    assert(args->argv && args->argv[0] && args->line && args->gone);
    const char *slash = strrchr(args->argv[0], '/');
    struct worker *w = mem_new(1, sizeof(*w));
    *w = (struct worker){
        .loop = loop,
        .args = *args,
        .name = mem_strdup(slash ? slash + 1 : args->argv[0]),
        .fd = -1,
        .log_fd = -1,
    };
    w->last = &w->first;
    w->gone = loop_poke_new(loop, say_gone, w);
    int r = worker_start(w);
    w->args.argv = NULL;
    if (r < 0) {
        (void)err_set(&w->why, -r, "%s cannot be started: %s", w->name, strerror(-r));
        worker_end(w);
    }
    return w;
}

bool worker_write(struct worker *w, const char *bytes, size_t length)
{
    if (w->over)
        return false;
    struct chunk *k = mem_new(1, sizeof(*k) + length);
    k->length = length;
    memcpy(k->bytes, bytes, length);
    *w->last = k;
    w->last = &k->next;
    loop_io_set(w->io, EPOLLIN | EPOLLOUT);
    return true;
}
