/*
 * The filter program as eyrie-host: lines go through it both ways. Whether a request is struck is
 * decided when it comes; what that does to its answer is remembered by its id.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "faulty.h"

/* A request whose answer is not to be what it is. */
struct waiting {
    struct waiting *next;
    int64_t id;
    enum filter_call call;
    struct filter_verdict verdict;
};

/* A line that is held back. */
struct held {
    struct held *next;
    usec due;
    char *line;
};

struct relay {
    char **argv;
    pid_t pid;
    int to, from; /* the true eyrie-host */
    struct text requests, answers;
    struct waiting *waiting;
    struct held *held;
};

static usec ticks(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

static void start(struct relay *r)
{
    int in[2], out[2];
    if (pipe(in) < 0 || pipe(out) < 0 || (r->pid = fork()) < 0)
        faulty_die("eyrie-host");
    if (r->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        (void)close_range(3, ~0U, 0);
        (void)execv("true/eyrie-host", r->argv);
        _exit(126);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    r->to = in[1];
    r->from = out[0];
}

static void say(const char *line)
{
    if (!faulty_write(1, line, strlen(line)) || !faulty_write(1, "\n", 1))
        exit(0); /* eyried is gone */
}

static void say_object(struct json_object *o)
{
    say(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
}

static void pass(const struct relay *r, const char *line)
{
    if (!faulty_write(r->to, line, strlen(line)) || !faulty_write(r->to, "\n", 1))
        exit(1);
}

static struct json_object *answer_new(int64_t id, bool ok)
{
    struct json_object *o = json_object_new_object();
    json_add_int(o, "id", id);
    json_add_bool(o, "ok", ok);
    json_add_int(o, "took", 1);
    return o;
}

static void say_failed(int64_t id)
{
    AUTOJSON struct json_object *o = answer_new(id, false);
    json_add_int(o, "code", 1);
    json_add_string(o, "error", "the filter failed it");
    json_add_bool(o, "unknown", false);
    say_object(o);
}

/* It was not asked, and is said to be done. */
static void say_done(int64_t id, enum filter_call call)
{
    AUTOJSON struct json_object *o = answer_new(id, true);
    json_add_bool(o, "gone", call == FILTER_HOST_DESTROY || call == FILTER_HOST_DELETE_VOLUME);
    say_object(o);
}

/* The next line of @t, which is taken; NULL: there is no whole one. */
static char *take_line(struct text *t)
{
    char *end = t->length ? memchr(t->data, '\n', t->length) : NULL;
    if (!end)
        return NULL;
    *end = '\0';
    char *line = mem_strdup(t->data);
    text_drop(t, (size_t)(end - t->data) + 1);
    return line;
}

/* False: its end. */
static bool take_bytes(int fd, struct text *t)
{
    char piece[65536];
    ssize_t n = read(fd, piece, sizeof(piece));
    if (n > 0)
        text_add_bytes(t, piece, (size_t)n);
    return n > 0;
}

/* In a process of its own: with an eyrie-host of its own, as ours is killed by who gave up. */
static _Noreturn void do_late(struct relay *r, const char *line, int64_t id)
{
    bool asked = false;
    start(r);
    text_done(&r->answers);
    while (take_bytes(r->from, &r->answers)) {
        for (char *said; (said = take_line(&r->answers)) != NULL; free(said)) {
            AUTOJSON struct json_object *o = NULL;
            struct err e;
            if (json_parse(said, strlen(said), &o, &e) < 0)
                continue;
            if (!asked && strcmp(json_string_or(o, "event", ""), "connected") == 0) {
                pass(r, line);
                asked = true;
            }
            if (json_int_or(o, "id", 0) == id)
                (void)close(r->to); /* it ends then */
        }
    }
    (void)waitpid(r->pid, NULL, 0);
    faulty_late_done();
}

static void wait_for(struct relay *r, int64_t id, enum filter_call call, struct filter_verdict v)
{
    struct waiting *w = mem_new(1, sizeof(*w));
    *w = (struct waiting){.next = r->waiting, .id = id, .call = call, .verdict = v};
    r->waiting = w;
}

static void take_request(struct relay *r, const char *line)
{
    AUTOJSON struct json_object *o = NULL;
    struct err e;
    if (json_parse(line, strlen(line), &o, &e) < 0) {
        pass(r, line);
        return;
    }
    int64_t id = json_int_or(o, "id", 0);
    AUTOFREE char *name = mem_printf("host.%s", json_string_or(o, "op", ""));
    enum filter_call call = filter_call_find(name);
    struct filter_verdict v = {FILTER_NONE, 0, 0};
    if (call != FILTER_CALLS)
        v = faulty_decide(call);
    switch (v.effect) {
    case FILTER_FAIL:
        say_failed(id);
        return;
    case FILTER_HANG:
        return;
    case FILTER_LATE:
        if (faulty_late(v.time))
            do_late(r, line, id);
        return;
    case FILTER_LIE:
        if (call != FILTER_HOST_LIST && call != FILTER_HOST_CREATE) {
            say_done(id, call);
            return;
        }
        wait_for(r, id, call, v);
        break;
    case FILTER_DELAY:
        wait_for(r, id, call, v);
        break;
    case FILTER_DUPLICATE: /* both are answered */
        pass(r, line);
        break;
    default:
        break;
    }
    pass(r, line);
}

static void drop_domain(struct json_object *answer, uint64_t chance)
{
    struct json_object *domains = json_array_or_null(answer, "domains");
    size_t n = domains ? json_object_array_length(domains) : 0, ours = 0, which[64];
    for (size_t i = 0; i < n && ours < ARRAY_SIZE(which); i++)
        if (json_bool_or(json_object_array_get_idx(domains, i), "ours", false))
            which[ours++] = i;
    if (ours > 0)
        (void)json_object_array_del_idx(domains, which[chance % ours], 1);
}

static void hold(struct relay *r, const char *line, usec time)
{
    struct held *h = mem_new(1, sizeof(*h)), **at = &r->held;
    *h = (struct held){.due = ticks() + time, .line = mem_strdup(line)};
    while (*at && (*at)->due <= h->due)
        at = &(*at)->next;
    h->next = *at;
    *at = h;
}

static void take_answer(struct relay *r, const char *line)
{
    AUTOJSON struct json_object *o = NULL;
    struct err e;
    struct waiting **at = &r->waiting;
    int64_t id = json_parse(line, strlen(line), &o, &e) < 0 ? 0 : json_int_or(o, "id", 0);
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    AUTOFREE struct waiting *w = *at;
    if (!w) {
        say(line);
        return;
    }
    *at = w->next;
    if (w->verdict.effect == FILTER_DELAY) {
        hold(r, line, w->verdict.time);
    } else if (w->call == FILTER_HOST_CREATE) {
        say_failed(id);
    } else {
        drop_domain(o, w->verdict.chance);
        say_object(o);
    }
}

/* Say what was held back long enough; returns the milliseconds to the next, or -1. */
static int let_go(struct relay *r)
{
    while (r->held && r->held->due <= ticks()) {
        struct held *h = r->held;
        r->held = h->next;
        say(h->line);
        free(h->line);
        free(h);
    }
    return r->held ? (int)((r->held->due - ticks()) / 1000) + 1 : -1;
}

int faulty_host(char **argv)
{
    static struct relay r;
    int status = 0;
    bool goes_on = true;
    r.argv = argv;
    (void)signal(SIGPIPE, SIG_IGN);
    start(&r);
    struct pollfd fds[] = {{.fd = 0, .events = POLLIN}, {.fd = r.from, .events = POLLIN}};
    while (goes_on) {
        if (poll(fds, 2, let_go(&r)) < 0)
            faulty_die("poll");
        if (fds[0].revents && !take_bytes(0, &r.requests)) {
            fds[0].fd = -1;
            (void)close(r.to);
        }
        if (fds[1].revents)
            goes_on = take_bytes(r.from, &r.answers);
        for (char *line; (line = take_line(&r.requests)) != NULL; free(line))
            take_request(&r, line);
        for (char *line; (line = take_line(&r.answers)) != NULL; free(line))
            take_answer(&r, line);
    }
    (void)waitpid(r.pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
