#include "loop/child.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "loop/process.h"

enum { PIECE_BYTES = 64 * 1024, SAID_BYTES = 400 };

/* One of our ends of the child's three pipes. */
struct pipe_end {
    int fd; /* -1: closed */
    struct loop_io *io;
};

struct child {
    struct loop *loop;
    char *name; /* of the program, for sentences */
    child_output output;
    child_done done;
    void *userdata;
    usec deadline;
    size_t limit;
    bool secret;

    pid_t pid; /* 0: not running */
    struct loop_child *watch;
    struct loop_timer *timer;
    struct loop_poke *not_started;
    struct pipe_end in, out, error;
    char *input;
    size_t input_length;
    size_t written;

    struct text collected;
    struct text messages;
    size_t bytes;
    usec started;
    bool exited;
    int status;
    struct err why; /* of CHILD_REFUSED and CHILD_NOT_STARTED */
    int start_error;
};

const char *child_end_name(enum child_end end)
{
    static const char *const names[] = {
        [CHILD_EXITED] = "exited",     [CHILD_KILLED] = "killed",
        [CHILD_DEADLINE] = "deadline", [CHILD_TOO_MUCH] = "too-much",
        [CHILD_REFUSED] = "refused",   [CHILD_NOT_STARTED] = "not-started",
    };
    assert((size_t)end < ARRAY_SIZE(names));
    return names[end];
}

static void pipe_close(struct pipe_end *p)
{
    p->io = loop_io_free(p->io);
    mem_close_p(&p->fd);
    p->fd = -1;
}

/* The group's id stays the child's until the child is reaped, which the watch does after its
 * callback: up to then this cannot hit anybody else. */
static void group_kill(struct child *c)
{
    if (c->pid > 0)
        (void)kill(-c->pid, SIGKILL);
}

static void child_stop(struct child *c)
{
    group_kill(c);
    c->pid = 0;
    c->watch = loop_child_free(c->watch);
    c->timer = loop_timer_free(c->timer);
    pipe_close(&c->in);
    pipe_close(&c->out);
    pipe_close(&c->error);
}

static void wipe(char *bytes, size_t length)
{
    if (bytes)
        explicit_bzero(bytes, length);
}

struct child *child_free(struct child *c)
{
    if (!c)
        return NULL;
    child_stop(c);
    c->not_started = loop_poke_free(c->not_started);
    if (c->secret) {
        wipe(c->input, c->input_length);
        wipe(c->collected.data, c->collected.capacity);
    }
    free(c->input);
    text_done(&c->collected);
    text_done(&c->messages);
    free(c->name);
    free(c);
    return NULL;
}

/* What stderr said, as one line that can stand in a sentence: its first paragraph (HTCondor's tools
 * give general advice after it), lines joined, cut, printable. */
static void say(const struct text *messages, char said[static SAID_BYTES])
{
    size_t n = 0;
    bool gap = false;
    for (const char *p = text_get(messages); *p && n + 5 < SAID_BYTES; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '\n') {
            if (gap)
                break;
            while (n > 0 && said[n - 1] == ' ')
                n--;
            gap = n > 0;
        } else if (!(gap && isspace(c))) {
            if (gap)
                said[n++] = ';', said[n++] = ' ';
            gap = false;
            said[n++] = iscntrl(c) ? ' ' : (char)c;
        }
    }
    said[n] = '\0';
}

static void sentence(const struct child *c, enum child_end end, int code, struct err *e)
{
    char said[SAID_BYTES], time[UNITS_TEXT_MAX], size[UNITS_TEXT_MAX];
    say(&c->messages, said);
    const char *colon = *said ? ": " : "";
    switch (end) {
    case CHILD_EXITED:
        (void)err_set(e, EIO, "%s ended with status %d%s%s", c->name, code, colon, said);
        break;
    case CHILD_KILLED:
        (void)err_set(e, EIO, "%s was killed by signal %d%s%s", c->name, code, colon, said);
        break;
    case CHILD_DEADLINE:
        (void)err_set(e, EIO, "%s had not ended after %s and was killed%s%s", c->name,
                      units_format_duration(c->deadline, time), colon, said);
        break;
    case CHILD_TOO_MUCH:
        (void)err_set(e, EIO, "%s printed more than %s and was killed", c->name,
                      units_format_bytes((int64_t)c->limit, size));
        break;
    case CHILD_REFUSED:
        (void)err_set(e, EIO, "the output of %s is not usable: %s", c->name, c->why.text);
        break;
    case CHILD_NOT_STARTED:
        (void)err_set(e, EIO, "%s cannot be started: %s", c->name, strerror(code));
        break;
    }
}

/* The last thing done with @c here: done() may free it. */
static void finish(struct child *c, enum child_end end, int code)
{
    struct err e = {.text = ""};
    bool good = end == CHILD_EXITED && code == 0;
    if (!good)
        sentence(c, end, code, &e);
    child_stop(c);
    struct child_result result = {
        .end = end,
        .code = code,
        .error = good ? NULL : e.text,
        .output = text_get(&c->collected),
        .output_length = c->collected.length,
        .messages = text_get(&c->messages),
        .bytes = c->bytes,
        .took = loop_ticks(c->loop) - c->started,
    };
    c->done(c->userdata, &result);
}

static void finish_if_over(struct child *c)
{
    if (!c->exited || c->out.fd >= 0 || c->error.fd >= 0)
        return;
    if (WIFEXITED(c->status))
        finish(c, CHILD_EXITED, WEXITSTATUS(c->status));
    else
        finish(c, CHILD_KILLED, WTERMSIG(c->status));
}

static void child_ended(void *userdata, pid_t pid, int status)
{
    struct child *c = userdata;
    (void)pid;
    group_kill(c); /* what it left behind; its last words are still in the pipes */
    c->pid = 0;
    c->exited = true;
    c->status = status;
    pipe_close(&c->in);
    finish_if_over(c);
}

static void deadline_passed(void *userdata)
{
    struct child *c = userdata;
    finish(c, CHILD_DEADLINE, 0);
}

static void input_ready(void *userdata, int fd, uint32_t events)
{
    struct child *c = userdata;
    (void)events;
    ssize_t n = write(fd, c->input + c->written, c->input_length - c->written);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        c->written += (size_t)n;
    if (n < 0 || c->written == c->input_length) /* EPIPE: it wants no more; its status will tell */
        pipe_close(&c->in);
}

static ssize_t piece_read(int fd, char piece[static PIECE_BYTES])
{
    ssize_t n = read(fd, piece, PIECE_BYTES);
    return n < 0 && errno != EAGAIN && errno != EINTR ? 0 : n;
}

static void output_ready(void *userdata, int fd, uint32_t events)
{
    struct child *c = userdata;
    (void)events;
    char piece[PIECE_BYTES];
    ssize_t n = piece_read(fd, piece);
    bool secret = c->secret;
    if (n == 0) {
        pipe_close(&c->out);
        finish_if_over(c);
        return;
    }
    if (n < 0)
        return;
    c->bytes += (size_t)n;
    if (c->bytes > c->limit) {
        finish(c, CHILD_TOO_MUCH, 0);
    } else if (!c->output) {
        text_add_bytes(&c->collected, piece, (size_t)n);
    } else if (c->output(c->userdata, piece, (size_t)n, &c->why) < 0) {
        finish(c, CHILD_REFUSED, 0);
    }
    if (secret)
        wipe(piece, (size_t)n);
}

static void error_ready(void *userdata, int fd, uint32_t events)
{
    struct child *c = userdata;
    (void)events;
    char piece[PIECE_BYTES];
    ssize_t n = piece_read(fd, piece);
    if (n == 0) {
        pipe_close(&c->error);
        finish_if_over(c);
    } else if (n > 0) {
        size_t room = LIMIT_ERROR_BYTES - c->messages.length;
        text_add_bytes(&c->messages, piece, (size_t)n < room ? (size_t)n : room);
    }
}

static void not_started(void *userdata)
{
    struct child *c = userdata;
    finish(c, CHILD_NOT_STARTED, c->start_error);
}

static int child_start(struct child *c, const struct child_args *args)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, error[2] = {-1, -1};
    int r = process_pipe(out, 0);
    if (r == 0)
        r = process_pipe(error, 0);
    if (r == 0 && c->input)
        r = process_pipe(in, 1);
    struct process_args process_args = {
        .argv = args->argv, .tools = args->tools, .environment = args->environment,
        .in = in[0], .out = out[1], .error = error[1],
    };
    if (r == 0)
        r = process_start(&process_args, &c->pid);
    mem_close_p(&in[0]);
    mem_close_p(&out[1]);
    mem_close_p(&error[1]);
    c->in.fd = in[1];
    c->out.fd = out[0];
    c->error.fd = error[0];
    if (r == 0)
        r = loop_child_new(c->loop, c->pid, child_ended, c, &c->watch);
    if (r == 0)
        r = loop_io_new(c->loop, c->out.fd, EPOLLIN, output_ready, c, &c->out.io);
    if (r == 0)
        r = loop_io_new(c->loop, c->error.fd, EPOLLIN, error_ready, c, &c->error.io);
    if (r == 0 && c->input)
        r = loop_io_new(c->loop, c->in.fd, EPOLLOUT, input_ready, c, &c->in.io);
    return r;
}

struct child *child_run(struct loop *loop, const struct child_args *args)
{
    assert(args->argv && args->argv[0] && args->done && args->deadline >= 0);
    const char *slash = strrchr(args->argv[0], '/');
    struct child *c = mem_new(1, sizeof(*c));
    *c = (struct child){
        .loop = loop,
        .name = mem_strdup(slash ? slash + 1 : args->argv[0]),
        .output = args->output,
        .done = args->done,
        .userdata = args->userdata,
        .deadline = args->deadline,
        .limit = args->limit ? args->limit : LIMIT_QUERY_BYTES,
        .secret = args->secret,
        .in.fd = -1,
        .out.fd = -1,
        .error.fd = -1,
        .started = loop_ticks(loop),
    };
    if (args->input) {
        c->input_length = args->input_length;
        c->input = mem_new(c->input_length, 1);
        memcpy(c->input, args->input, c->input_length);
    }
    if (c->secret && !c->output) { /* room for all of it: growing would leave copies behind */
        AUTOFREE char *blank = mem_new(c->limit, 1);
        text_add_bytes(&c->collected, blank, c->limit);
        text_clear(&c->collected);
    }
    int r = child_start(c, args);
    if (r < 0) {
        child_stop(c);
        c->start_error = -r;
        c->not_started = loop_poke_new(loop, not_started, c);
        loop_poke(c->not_started);
        return c;
    }
    if (c->deadline > 0) {
        c->timer = loop_timer_new(loop, deadline_passed, c);
        loop_timer_set(c->timer, c->deadline);
    }
    return c;
}
