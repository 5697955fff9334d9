#include "loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include "base/mem.h"

/* How late a timer may fire, so that sd-event can serve several at once. */
enum { TIMER_ACCURACY = 1000 };

struct loop {
    sd_event *event;
    int code; /* negative: run on */
};

/* Adding a source fails for want of memory or fds only when the process is beyond help, or because
 * of a bug of ours; where the world can be the cause, the functions below return it instead. */
static void must(int r)
{
    if (r == -ENOMEM)
        mem_exhausted();
    assert(r >= 0);
}

/* A later pipe must not become 0, 1 or 2: spawning moves fds there one after the other. */
static int open_stdio(void)
{
    for (;;) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0)
            return -errno;
        if (fd > STDERR_FILENO) {
            (void)close(fd);
            return 0;
        }
    }
}

int loop_new(struct loop **ret, struct err *e)
{
    int r = open_stdio();
    if (r < 0)
        return err_set(e, -r, "cannot open /dev/null: %s", strerror(-r));
    sigset_t chld;
    (void)sigemptyset(&chld);
    (void)sigaddset(&chld, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &chld, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return err_set(e, errno, "cannot set up signals: %s", strerror(errno));
    sd_event *event = NULL;
    r = sd_event_new(&event);
    if (r < 0)
        return err_set(e, -r, "cannot make an event loop: %s", strerror(-r));
    struct loop *loop = mem_new(1, sizeof(*loop));
    loop->event = event;
    loop->code = -1;
    *ret = loop;
    return 0;
}

struct loop *loop_free(struct loop *loop)
{
    if (!loop)
        return NULL;
    (void)sd_event_unref(loop->event);
    free(loop);
    return NULL;
}

int loop_run(struct loop *loop)
{
    /* not sd_event_loop with sd_event_exit: after that a loop cannot run again, as tests do */
    loop->code = -1;
    while (loop->code < 0) {
        int r = sd_event_run(loop->event, UINT64_MAX);
        if (r < 0)
            return r;
    }
    return loop->code;
}

void loop_quit(struct loop *loop, int code)
{
    assert(code >= 0);
    loop->code = code;
}

static usec clock_get(struct loop *loop, clockid_t clock)
{
    uint64_t now = 0;
    must(sd_event_now(loop->event, clock, &now));
    return (usec)now;
}

usec loop_now(struct loop *loop)
{
    return clock_get(loop, CLOCK_REALTIME);
}

usec loop_ticks(struct loop *loop)
{
    return clock_get(loop, CLOCK_MONOTONIC);
}

struct loop_timer {
    struct loop *loop;
    sd_event_source *source;
    loop_callback callback;
    void *userdata;
};

static int timer_fired(sd_event_source *source, uint64_t at, void *userdata)
{
    (void)source;
    (void)at;
    struct loop_timer *t = userdata;
    t->callback(t->userdata);
    return 0;
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_callback callback, void *userdata)
{
    struct loop_timer *t = mem_new(1, sizeof(*t));
    *t = (struct loop_timer){.loop = loop, .callback = callback, .userdata = userdata};
    must(sd_event_add_time(loop->event, &t->source, CLOCK_MONOTONIC, UINT64_MAX, TIMER_ACCURACY,
                           timer_fired, t));
    must(sd_event_source_set_enabled(t->source, SD_EVENT_OFF));
    return t;
}

void loop_timer_set(struct loop_timer *t, usec delay)
{
    if (delay == USEC_NEVER) {
        must(sd_event_source_set_enabled(t->source, SD_EVENT_OFF));
        return;
    }
    usec now = loop_ticks(t->loop);
    usec at = delay <= 0 ? now : delay > USEC_NEVER - 1 - now ? USEC_NEVER - 1 : now + delay;
    must(sd_event_source_set_time(t->source, (uint64_t)at));
    must(sd_event_source_set_enabled(t->source, SD_EVENT_ONESHOT));
}

int loop_timer_armed(const struct loop_timer *t)
{
    return sd_event_source_get_enabled(t->source, NULL) > 0;
}

struct loop_timer *loop_timer_free(struct loop_timer *t)
{
    if (!t)
        return NULL;
    (void)sd_event_source_disable_unref(t->source);
    free(t);
    return NULL;
}

struct loop_poke {
    sd_event_source *source;
    loop_callback callback;
    void *userdata;
};

static int poke_ran(sd_event_source *source, void *userdata)
{
    (void)source;
    struct loop_poke *p = userdata;
    p->callback(p->userdata);
    return 0;
}

struct loop_poke *loop_poke_new(struct loop *loop, loop_callback callback, void *userdata)
{
    struct loop_poke *p = mem_new(1, sizeof(*p));
    *p = (struct loop_poke){.callback = callback, .userdata = userdata};
    must(sd_event_add_defer(loop->event, &p->source, poke_ran, p));
    must(sd_event_source_set_enabled(p->source, SD_EVENT_OFF));
    return p;
}

void loop_poke(struct loop_poke *p)
{
    must(sd_event_source_set_enabled(p->source, SD_EVENT_ONESHOT));
}

struct loop_poke *loop_poke_free(struct loop_poke *p)
{
    if (!p)
        return NULL;
    (void)sd_event_source_disable_unref(p->source);
    free(p);
    return NULL;
}

struct loop_io {
    sd_event_source *source;
    loop_io_callback callback;
    void *userdata;
};

static int io_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    struct loop_io *io = userdata;
    io->callback(io->userdata, fd, events);
    return 0;
}

int loop_io_new(struct loop *loop, int fd, uint32_t events, loop_io_callback callback,
                void *userdata, struct loop_io **ret)
{
    struct loop_io *io = mem_new(1, sizeof(*io));
    *io = (struct loop_io){.callback = callback, .userdata = userdata};
    int r = sd_event_add_io(loop->event, &io->source, fd, events, io_ready, io);
    if (r < 0) {
        free(io);
        return r;
    }
    *ret = io;
    return 0;
}

void loop_io_set(struct loop_io *io, uint32_t events)
{
    must(sd_event_source_set_io_events(io->source, events));
    must(sd_event_source_set_enabled(io->source, events ? SD_EVENT_ON : SD_EVENT_OFF));
}

struct loop_io *loop_io_free(struct loop_io *io)
{
    if (!io)
        return NULL;
    (void)sd_event_source_disable_unref(io->source);
    free(io);
    return NULL;
}

struct loop_signal {
    sd_event_source *source;
    loop_signal_callback callback;
    void *userdata;
};

static int signal_came(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    struct loop_signal *s = userdata;
    (void)info;
    s->callback(s->userdata, sd_event_source_get_signal(source));
    return 0;
}

int loop_signal_new(struct loop *loop, int signal, loop_signal_callback callback, void *userdata,
                    struct loop_signal **ret)
{
    sigset_t set;
    if (sigemptyset(&set) < 0 || sigaddset(&set, signal) < 0 ||
        sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    struct loop_signal *s = mem_new(1, sizeof(*s));
    *s = (struct loop_signal){.callback = callback, .userdata = userdata};
    int r = sd_event_add_signal(loop->event, &s->source, signal, signal_came, s);
    if (r < 0) {
        free(s);
        return r;
    }
    *ret = s;
    return 0;
}

struct loop_signal *loop_signal_free(struct loop_signal *s)
{
    if (!s)
        return NULL;
    (void)sd_event_source_disable_unref(s->source);
    free(s);
    return NULL;
}

struct loop_child {
    sd_event_source *source;
    struct loop *loop;
    pid_t pid;
    bool ended;
    loop_child_callback callback;
    void *userdata;
};

static int child_ended(sd_event_source *source, const siginfo_t *info, void *userdata)
{
    (void)source;
    struct loop_child *c = userdata;
    int status = info->si_code == CLD_EXITED ? W_EXITCODE(info->si_status, 0)
                                             : W_EXITCODE(0, info->si_status);
    c->ended = true;
    c->callback(c->userdata, c->pid, status);
    return 0;
}

int loop_child_new(struct loop *loop, pid_t pid, loop_child_callback callback, void *userdata,
                   struct loop_child **ret)
{
    struct loop_child *c = mem_new(1, sizeof(*c));
    *c = (struct loop_child){.loop = loop, .pid = pid, .callback = callback, .userdata = userdata};
    int r = sd_event_add_child(loop->event, &c->source, pid, WEXITED, child_ended, c);
    if (r < 0) {
        free(c);
        return r;
    }
    *ret = c;
    return 0;
}

/* The loop's own reference was the only one: giving it up frees the source after this call. */
static int stray_ended(sd_event_source *source, const siginfo_t *info, void *userdata)
{
    (void)info;
    (void)userdata;
    must(sd_event_source_set_floating(source, 0));
    return 0;
}

struct loop_child *loop_child_free(struct loop_child *c)
{
    if (!c)
        return NULL;
    (void)sd_event_source_disable_unref(c->source);
    if (!c->ended) /* without a handle the loop keeps the source ("floating") */
        (void)sd_event_add_child(c->loop->event, NULL, c->pid, WEXITED, stray_ended, NULL);
    free(c);
    return NULL;
}
