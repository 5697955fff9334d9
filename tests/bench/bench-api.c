/*
 * The API under load, and what that does to the steps of eyried: three phases on one running eyried
 * (nobody asks; so many requests a second; the same beside clients that idle or are slow), each
 * with how long steps took. tests/bench/bench-api starts the eyried.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum {
    ASKERS = 16,    /* connections that carry the load */
    SLOW = 200,     /* clients that idle or are slow */
    SAMPLE_MS = 50, /* how often the duration of the last step is looked at */
    STEPS_MAX = 100000,
};

/* What is asked, in turn. */
static const char *const paths[] = {
    "/v1/status", "/v1/vms", "/metrics", "/v1/status", "/v1/plan",
    "/v1/hosts",  "/readyz", "/v1/vms",  "/v1/status", "/v1/explain/group/juno",
};

struct asker {
    int fd;
    double due; /* when the request that is under way should have been sent; 0: free */
    struct text answer;
};

struct phase {
    const char *name;
    bool load, slow;
    double *latencies;
    size_t answers, failures, capacity;
    double steps[STEPS_MAX]; /* seconds each */
    size_t n_steps;
    double cpu; /* seconds that eyried used */
};

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int slow[SLOW];

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int dial(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        perror(address.sun_path);
        exit(EXIT_FAILURE);
    }
    return fd;
}

static void ask(int fd, const char *path)
{
    char request[256];
    int n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: eyried\r\n\r\n", path);
    if (send(fd, request, (size_t)n, MSG_NOSIGNAL) != n) {
        perror("send");
        exit(EXIT_FAILURE);
    }
}

/* Whether the answer is all there. */
static bool complete(const struct text *answer)
{
    const char *body = strstr(text_get(answer), "\r\n\r\n");
    const char *length = body ? strcasestr(answer->data, "\r\nContent-Length: ") : NULL;
    return length &&
           answer->length >= (size_t)(body + 4 - answer->data) + strtoul(length + 18, NULL, 10);
}

/* Read what is there; false: the connection has ended. */
static bool take(int fd, struct text *answer)
{
    char bytes[65536];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    if (n > 0)
        text_add_bytes(answer, bytes, (size_t)n);
    return n > 0;
}

static double number_in(const char *json, const char *key)
{
    AUTOFREE char *quoted = mem_printf("\"%s\":", key);
    const char *at = strstr(json, quoted);
    return at ? strtod(at + strlen(quoted), NULL) : 0;
}

/* The duration of the last step, if it is another one than before. */
static void sample_step(struct phase *p, struct asker *sampler)
{
    static double last;
    text_clear(&sampler->answer);
    ask(sampler->fd, "/v1/status");
    while (!complete(&sampler->answer) && take(sampler->fd, &sampler->answer))
        continue;
    double steps = number_in(text_get(&sampler->answer), "steps");
    if (steps > last && last > 0 && p->n_steps < STEPS_MAX)
        p->steps[p->n_steps++] = number_in(sampler->answer.data, "last_step_took") / 1e6;
    last = steps;
}

static void note(struct phase *p, double latency, bool ok)
{
    if (!ok)
        p->failures++;
    if (p->answers == p->capacity) {
        p->capacity = p->capacity ? 2 * p->capacity : 1024;
        p->latencies = mem_resize(p->latencies, p->capacity, sizeof(*p->latencies));
    }
    p->latencies[p->answers++] = latency;
}

/* A third says nothing, a third half a request, a third does not read the answer. */
static void open_slow(void)
{
    static const char *const says[] = {"", "GET /v1/vms HTTP/1.1\r\nHost", ""};
    for (size_t i = 0; i < SLOW; i++) {
        char byte;
        if (slow[i] > 0 && recv(slow[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0 &&
            (errno == EAGAIN || i % 3 == 2))
            continue; /* not cut yet */
        if (slow[i] > 0)
            (void)close(slow[i]);
        slow[i] = dial();
        (void)send(slow[i], says[i % 3], strlen(says[i % 3]), MSG_NOSIGNAL);
        for (int k = 0; i % 3 == 2 && k < 50; k++)
            ask(slow[i], "/v1/demand");
    }
}

static void close_slow(void)
{
    for (size_t i = 0; i < SLOW; i++)
        if (slow[i] > 0)
            (void)close(slow[i]);
    memset(slow, 0, sizeof(slow));
}

static void wait_for_answers(struct phase *p, struct asker *askers, double until)
{
    struct pollfd polled[ASKERS];
    for (size_t i = 0; i < ASKERS; i++)
        polled[i] = (struct pollfd){.fd = askers[i].due > 0 ? askers[i].fd : -1, .events = POLLIN};
    double left = until - seconds();
    struct timespec t = {.tv_nsec = left > 0 ? (long)(left * 1e9) : 0};
    if (ppoll(polled, ASKERS, &t, NULL) <= 0)
        return;
    for (size_t i = 0; i < ASKERS; i++) {
        struct asker *a = &askers[i];
        if (!polled[i].revents)
            continue;
        if (!take(a->fd, &a->answer)) {
            note(p, 0, false);
            (void)close(a->fd);
            *a = (struct asker){.fd = dial(), .answer = a->answer};
        } else if (complete(&a->answer)) {
            note(p, seconds() - a->due, strncmp(a->answer.data, "HTTP/1.1 200", 12) == 0);
            a->due = 0;
        }
    }
}

/* Requests are due at even times whether or not earlier ones were answered, so what waits counts.
 */
static void run(struct phase *p, struct asker *askers, struct asker *sampler, double rate,
                double length)
{
    double begun = seconds(), next = begun, sample = begun, end = begun + length;
    size_t turn = 0;
    while (seconds() < end) {
        double now = seconds();
        if (now >= sample) {
            sample_step(p, sampler);
            if (p->slow)
                open_slow();
            sample += SAMPLE_MS / 1e3;
        }
        for (size_t i = 0; p->load && i < ASKERS && next <= now; i++) {
            if (askers[i].due > 0)
                continue;
            askers[i].due = next;
            next += 1 / rate;
            text_clear(&askers[i].answer);
            ask(askers[i].fd, paths[turn++ % ARRAY_SIZE(paths)]);
        }
        double until = p->load && next > now && next < sample ? next : sample;
        wait_for_answers(p, askers, until < now + 0.001 ? until : now + 0.001);
    }
    for (double patience = seconds() + 5; seconds() < patience;) {
        size_t open = 0;
        for (size_t i = 0; i < ASKERS; i++)
            open += askers[i].due > 0;
        if (!open)
            break;
        wait_for_answers(p, askers, seconds() + 0.01);
    }
}

/* Seconds of processor that the process has used. */
static double cpu_of(const char *pid)
{
    unsigned long user = 0, kernel = 0;
    AUTOFREE char *path = mem_printf("/proc/%s/stat", pid);
    FILE *stat = fopen(path, "re");
    if (!stat || fscanf(stat, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                        &kernel) != 2)
        (void)fprintf(stderr, "%s cannot be read\n", path);
    if (stat)
        (void)fclose(stat);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double share(double *sorted, size_t n, double at)
{
    return n ? sorted[(size_t)((double)(n - 1) * at)] : 0;
}

static double print(struct phase *p, double length, double quiet)
{
    qsort(p->latencies, p->answers, sizeof(double), order);
    qsort(p->steps, p->n_steps, sizeof(double), order);
    double median = share(p->steps, p->n_steps, 0.5);
    (void)printf(
        "%-24s %8.0f %8zu %9.2f %9.2f %9.2f %7.1f %7zu %10.3f %9.3f %7.2f\n", p->name,
        (double)p->answers / length, p->failures, share(p->latencies, p->answers, 0.5) * 1e3,
        share(p->latencies, p->answers, 0.99) * 1e3, share(p->latencies, p->answers, 1) * 1e3,
        p->cpu / length * 100, p->n_steps, median * 1e3, share(p->steps, p->n_steps, 0.95) * 1e3,
        quiet > 0 ? median / quiet : 1);
    (void)fflush(stdout);
    return median;
}

int main(int argc, char **argv)
{
    static struct phase phases[] = {
        {.name = "nobody asks"},
        {.name = "load", .load = true},
        {.name = "load, 200 slow clients", .load = true, .slow = true},
        {.name = "nobody asks, again"},
    };
    struct asker askers[ASKERS] = {0}, sampler = {0};
    double rate = argc > 3 ? atof(argv[3]) : 1000, length = argc > 4 ? atof(argv[4]) : 10;
    double quiet = 0;
    if (argc < 3 || rate <= 0 || length <= 0 || strlen(argv[1]) >= sizeof(address.sun_path)) {
        (void)fprintf(stderr, "usage: bench-api SOCKET PID [REQUESTS-A-SECOND [SECONDS]]\n");
        return 64;
    }
    memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
    (void)printf("%-24s %8s %8s %9s %9s %9s %7s %7s %10s %9s %7s\n", "", "answers", "", "median",
                 "99 %", "worst", "cpu", "", "median", "95 %", "ratio");
    (void)printf("%-24s %8s %8s %9s %9s %9s %7s %7s %10s %9s %7s\n", "", "a second", "failed", "ms",
                 "ms", "ms", "%", "steps", "step ms", "step ms", "of it");
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
        for (size_t k = 0; k < ASKERS; k++)
            askers[k].fd = dial();
        sampler.fd = dial();
        double used = cpu_of(argv[2]);
        run(&phases[i], askers, &sampler, rate, length);
        phases[i].cpu = cpu_of(argv[2]) - used;
        double median = print(&phases[i], length, quiet);
        quiet = i == 0 ? median : quiet;
        close_slow();
        for (size_t k = 0; k < ASKERS; k++) {
            (void)close(askers[k].fd);
            askers[k].due = 0;
        }
        (void)close(sampler.fd);
        free(phases[i].latencies);
    }
    for (size_t k = 0; k < ASKERS; k++)
        text_done(&askers[k].answer);
    text_done(&sampler.answer);
    return 0;
}
