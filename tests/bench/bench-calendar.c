/*
 * How long the calendar takes to answer, by how much is booked. Nothing is asserted; the figures are
 * for people. Processor time, the median of many answers.
 *
 * The site has 500 hosts, 4 templates and 15 groups; requests are for 1 to 20 VMs and 1 to 48 hours
 * each, within a year, or within a month.
 *
 * usage: bench-calendar [--once KIND REQUESTS DAYS]    one answer of a kind, for callgrind
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "plan/calendar.h"

enum { HOSTS = 500, TEMPLATES = 4, GROUPS = 15, ANSWERS = 51 };

static uint64_t mix(uint64_t z)
{
    z = (z + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int64_t draw(uint64_t *state, int64_t low, int64_t high)
{
    *state = mix(*state);
    return low + (int64_t)(*state % (uint64_t)(high - low + 1));
}

static struct setting value(int64_t v)
{
    return (struct setting){v, {1}};
}

static const struct policy *make_policy(struct arena *a)
{
    static const int64_t cpus[TEMPLATES] = {2, 4, 8, 16};
    static const char *const files[] = {"eyrie.yaml"};
    struct policy *p = arena_take(a, 1, sizeof(*p));
    struct policy_template *t = arena_take(a, TEMPLATES, sizeof(*t));
    struct policy_group *g = arena_take(a, GROUPS, sizeof(*g));
    struct policy_host *h = arena_take(a, HOSTS, sizeof(*h));
    size_t *all = arena_take(a, TEMPLATES, sizeof(*all));
    *p = (struct policy){.file = "eyrie.yaml", .files = files, .n_files = 1,
                         .limits = {value(POLICY_UNLIMITED), value(60000),
                                    value(POLICY_UNLIMITED), value(40), value(120)},
                         .placement.overcommit = value(100),
                         .timing.join_within = value(10 * USEC_PER_MINUTE),
                         .hosts = h, .n_hosts = HOSTS, .templates = t, .n_templates = TEMPLATES,
                         .groups = g, .n_groups = GROUPS};
    for (size_t i = 0; i < TEMPLATES; i++) {
        all[i] = i;
        t[i] = (struct policy_template){.name = arena_printf(a, "template%zu", i),
                                        .cpus = cpus[i],
                                        .memory = cpus[i] * 2 * GIB,
                                        .max_vms = value(POLICY_UNLIMITED)};
    }
    for (size_t i = 0; i < GROUPS; i++)
        g[i] = (struct policy_group){.name = arena_printf(a, "group%02zu", i),
                                     .quota = value(i % 3 ? 0 : 400),
                                     .max = value(POLICY_UNLIMITED),
                                     .max_vms = value(POLICY_UNLIMITED),
                                     .max_memory = value(POLICY_UNLIMITED),
                                     .templates = all,
                                     .n_templates = TEMPLATES,
                                     .requests = {.max_cpus = value(POLICY_UNLIMITED),
                                                  .max_open = value(POLICY_UNLIMITED)}};
    for (size_t i = 0; i < HOSTS; i++)
        h[i] = (struct policy_host){.name = arena_printf(a, "hv%03zu", i),
                                    .cpus = 128,
                                    .memory = 512 * GIB,
                                    .max_vms = value(POLICY_UNLIMITED)};
    return p;
}

/* @n requests within @days. Asking for each would take minutes under callgrind: their seats are on
 * hosts by chance, mostly two VMs on each. */
static const struct world *fill(struct arena *a, const struct policy *p, size_t n, int64_t days)
{
    struct world *w = arena_take(a, 1, sizeof(*w));
    struct world_request *booked = arena_take(a, n, sizeof(*booked));
    uint64_t state = 7;
    w->now = INT64_C(1700000000) * USEC_PER_SEC;
    w->requests = booked;
    for (; w->n_requests < n; w->n_requests++) {
        struct world_request *r = &booked[w->n_requests];
        struct world_seat *seats = arena_take(a, 10, sizeof(*seats));
        usec from = w->now + draw(&state, 0, days * 24 * 60) * USEC_PER_MINUTE;
        *r = (struct world_request){.id = arena_printf(a, "r-%zu", w->n_requests),
                                    .group = p->groups[draw(&state, 0, GROUPS - 1)].name,
                                    .template = p->templates[draw(&state, 0, TEMPLATES - 1)].name,
                                    .vms = draw(&state, 1, 20),
                                    .user = "alice",
                                    .seats = seats,
                                    .from = from,
                                    .until = from + draw(&state, 1, 48) * USEC_PER_HOUR};
        for (int64_t left = r->vms; left > 0; left -= 2)
            seats[r->n_seats++] = (struct world_seat){p->hosts[draw(&state, 0, HOSTS - 1)].name,
                                                      left > 1 ? 2 : 1};
    }
    return w;
}

/* What is asked for in the middle of it all. */
static const struct {
    const char *name;
    int64_t vms;
    usec length;
} kinds[] = {
    {"granted", 10, 12 * USEC_PER_HOUR},
    {"granted, for a fortnight", 10, 14 * USEC_PER_DAY},
    {"refused, but fits at times", 3580, 12 * USEC_PER_HOUR},
    {"refused, whatever is booked", 100000, 12 * USEC_PER_HOUR},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

__attribute__((noinline)) static struct calendar_answer answer_kind(struct arena *a, const struct policy *p,
                                          const struct world *w, size_t kind, int64_t days)
{
    usec from = w->now + days * USEC_PER_DAY / 2;
    const struct calendar_ask ask = {.group = "group01",
                                     .template = "template3",
                                     .vms = kinds[kind].vms,
                                     .from = from,
                                     .until = from + kinds[kind].length,
                                     .replaces = ""};
    return calendar_ask(a, p, w, &ask);
}

static int by_size(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static double processor_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void measure(const struct policy *p, const struct world *w, int64_t days)
{
    for (size_t kind = 0; kind < KINDS; kind++) {
        double took[ANSWERS];
        struct calendar_answer answer = {0};
        for (int i = 0; i < ANSWERS; i++) {
            CLEANUP(arena_free_p) struct arena *a = arena_new();
            double before = processor_ms();
            answer = answer_kind(a, p, w, kind, days);
            took[i] = processor_ms() - before;
        }
        qsort(took, ANSWERS, sizeof(took[0]), by_size);
        (void)printf("%9zu %5" PRId64 " %8.2f %8.2f  %s (%s, %zu offers)\n", w->n_requests, days,
                     took[ANSWERS / 2], took[ANSWERS - 1], kinds[kind].name,
                     answer.reason.code ? reason_name(answer.reason.code) : "granted",
                     answer.n_offers);
    }
}

int main(int argc, char **argv)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const struct policy *p = make_policy(a);
    if (argc == 5 && strcmp(argv[1], "--once") == 0) {
        int64_t days = atoll(argv[4]);
        const struct world *w = fill(a, p, (size_t)atoll(argv[3]), days);
        (void)answer_kind(a, p, w, (size_t)atoll(argv[2]) % KINDS, days);
        return 0;
    }
    (void)printf("%9s %5s %8s %8s  ask\n", "requests", "days", "median", "most ms");
    for (int64_t days = 365; days >= 30; days -= 335)
        for (size_t n = 1000; n <= 10000; n *= 10)
            measure(p, fill(a, p, n, days), days);
    return 0;
}
