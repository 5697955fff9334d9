/*
 * How long a plan takes: a table over jobs × shapes × VMs × hosts, then a growth curve in which
 * everything doubles. Nothing is asserted; the figures are for people.
 *
 * The sites are in full swing: 15 groups, 4 templates, most VMs busy, some idle, booting, draining
 * or gone, every shape with idle jobs, a hundred or so VMs to be started.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "plan/plan.h"

enum { GROUPS = 15, TEMPLATES = 4, SCHEDDS = 3, OWNERS = 300 };

struct size {
    int64_t jobs, shapes, vms, hosts;
};

/* Linked with --wrap: what the planner's arena asks the C library for. */
static uint64_t allocations;
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    allocations++;
    return __real_calloc(n, size);
}

static uint64_t mix(uint64_t z)
{
    z = (z + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static struct setting value(int64_t v)
{
    return (struct setting){v, {1}};
}

static struct policy *make_policy(struct arena *a, const struct size *size)
{
    static const int64_t cpus[TEMPLATES] = {2, 4, 8, 16};
    struct policy *p = arena_take(a, 1, sizeof(*p));
    struct policy_template *t = arena_take(a, TEMPLATES, sizeof(*t));
    struct policy_group *g = arena_take(a, GROUPS, sizeof(*g));
    struct policy_host *h = arena_take(a, (size_t)size->hosts, sizeof(*h));
    struct policy_schedd *s = arena_take(a, SCHEDDS, sizeof(*s));
    size_t *all = arena_take(a, TEMPLATES, sizeof(*all));
    *p = (struct policy){
        .file = "eyrie.yaml",
        .pool.name = "vpool",
        .limits = {value(2 * size->vms), value(POLICY_UNLIMITED), value(POLICY_UNLIMITED),
                   value(size->vms / 5 + 100), value(500), value(POLICY_UNLIMITED),
                   value(POLICY_UNLIMITED), value(0)},
        .placement.overcommit = value(100),
        .timing = {.idle_before_drain = value(10 * USEC_PER_MINUTE),
                   .join_within = value(10 * USEC_PER_MINUTE),
                   .poweroff_within = value(2 * USEC_PER_MINUTE),
                   .max_age = value(14 * USEC_PER_DAY),
                   .rest_after_failure = value(10 * USEC_PER_SEC),
                   .rest_at_most = value(10 * USEC_PER_MINUTE),
                   .trust_for = value(USEC_PER_MINUTE)},
        .schedds = s,
        .n_schedds = SCHEDDS,
        .hosts = h,
        .n_hosts = (size_t)size->hosts,
        .templates = t,
        .n_templates = TEMPLATES,
        .groups = g,
        .n_groups = GROUPS,
    };
    for (size_t i = 0; i < SCHEDDS; i++)
        s[i].name = arena_printf(a, "schedd%zu", i);
    for (size_t i = 0; i < TEMPLATES; i++) {
        all[i] = i;
        t[i] = (struct policy_template){.name = arena_printf(a, "t%" PRId64, cpus[i]),
                                        .image = "image",
                                        .generation = "g1",
                                        .cpus = cpus[i],
                                        .memory = cpus[i] * 2 * GIB,
                                        .disk = 20 * GIB,
                                        .spare = 1,
                                        .max_vms = value(POLICY_UNLIMITED)};
    }
    for (size_t i = 0; i < GROUPS; i++)
        g[i] = (struct policy_group){.name = arena_printf(a, "group%02zu", i),
                                     .quota = value(i % 2 ? 100 : 0),
                                     .max = value(POLICY_UNLIMITED),
                                     .max_vms = value(POLICY_UNLIMITED),
                                     .max_memory = value(POLICY_UNLIMITED),
                                     .weight = value(1),
                                     .templates = all,
                                     .n_templates = TEMPLATES,
                                     .exclusive = i % 5 == 0};
    for (size_t i = 0; i < p->n_hosts; i++)
        h[i] = (struct policy_host){.name = arena_printf(a, "hv%05zu", i),
                                    .uri = "test:///default",
                                    .max_vms = value(POLICY_UNLIMITED)};
    return p;
}

static void make_queues(struct arena *a, const struct policy *p, struct world *w,
                        const struct size *size)
{
    struct world_queue *queues = arena_take(a, SCHEDDS, sizeof(*queues));
    w->queues = queues;
    w->n_queues = SCHEDDS;
    for (size_t q = 0; q < SCHEDDS; q++) {
        size_t n = (size_t)(size->shapes / SCHEDDS) + (q < (size_t)(size->shapes % SCHEDDS));
        struct world_shape *shapes = arena_take(a, n, sizeof(*shapes));
        queues[q] =
            (struct world_queue){p->schedds[q].name, {.asked = w->now, .error = ""}, shapes, n};
        for (size_t i = 0; i < n; i++) {
            uint64_t r = mix(q * n + i);
            shapes[i] = (struct world_shape){
                .owner = arena_printf(a, "user%03" PRIu64, r % OWNERS),
                .group = arena_printf(a, "group%02" PRIu64, r % GROUPS),
                .cpus = (int64_t)(1 + (r >> 8) % 4),
                .memory = (int64_t)(1 + (r >> 16) % 40) * 200 * MIB,
                .disk = (int64_t)((r >> 24) % 10) * GIB,
                .first_seen = w->now - USEC_PER_HOUR,
                .idle = size->jobs / size->shapes,
                .running = size->vms / size->shapes,
            };
        }
    }
}

/* VM number @i; returns whether its host lists a domain. */
static bool make_vm(struct arena *a, const struct policy *p, struct world *w, size_t i,
                    struct world_record *record, struct world_domain *domain,
                    struct world_startd *startd, bool *ret_startd)
{
    uint64_t r = mix(i * 3 + 1), kind = r % 100;
    const struct policy_template *t = &p->templates[(r >> 8) % TEMPLATES];
    const struct policy_group *g = &p->groups[(r >> 16) % GROUPS];
    const char *uuid = arena_printf(a, "%08" PRIx64 "-%04" PRIx64 "-4000-8000-%012zx",
                                    r & 0xffffffff, (r >> 32) & 0xffff, i);
    const char *name = arena_printf(a, "vpool-%s-%.8s", t->name, uuid);
    usec born = w->now - (usec)((r >> 20) % 86400 + 600) * USEC_PER_SEC;
    bool up = kind < 94, booting = kind >= 94 && kind < 96;
    if (booting)
        born = w->now - USEC_PER_MINUTE;
    *record = (struct world_record){uuid,
                                    name,
                                    w->hosts[i % w->n_hosts].name,
                                    t->name,
                                    "g1",
                                    g->name,
                                    g->exclusive,
                                    born,
                                    WORLD_ANSWER_OK,
                                    born + USEC_PER_SEC,
                                    .joined = up ? born + USEC_PER_MINUTE : 0,
                                    .why = "demand"};
    *domain = (struct world_domain){uuid, name,    "running",    true, "",      t->name,
                                    "g1", g->name, g->exclusive, born, t->cpus, t->memory};
    *startd = (struct world_startd){uuid,
                                    name,
                                    arena_printf(a, "%s.vpool", name),
                                    "",
                                    t->cpus,
                                    t->memory,
                                    .usable = true,
                                    .heard = w->now,
                                    .job = ""};
    if (kind < 85) {
        startd->claimed = t->cpus;
        startd->job = "1234.0";
        if (kind < 20) { /* room for one more */
            startd->claimed--;
            startd->free_cpus = 1;
            startd->free_memory = t->memory / t->cpus;
        }
    } else {
        startd->free_cpus = t->cpus;
        startd->free_memory = t->memory;
        record->idle_since = w->now - USEC_PER_MINUTE;
    }
    if (kind >= 90 && up) {
        startd->draining = true;
        startd->drained = kind < 92;
        record->drain_accepted = w->now - USEC_PER_HOUR;
    }
    *ret_startd = up;
    return up || booting; /* the others are gone */
}

static const struct world *make_world(struct arena *a, const struct policy *p,
                                      const struct size *size)
{
    size_t n_vms = (size_t)size->vms, n_hosts = (size_t)size->hosts;
    struct world *w = arena_take(a, 1, sizeof(*w));
    struct world_host *hosts = arena_take(a, n_hosts, sizeof(*hosts));
    struct world_record *records = arena_take(a, n_vms, sizeof(*records));
    struct world_startd *startds = arena_take(a, n_vms, sizeof(*startds));
    const char **images = arena_take(a, 1, sizeof(*images));
    size_t room = n_vms / n_hosts + 1;
    images[0] = "image";
    *w = (struct world){.now = INT64_C(1700000000) * USEC_PER_SEC,
                        .hosts = hosts,
                        .n_hosts = n_hosts,
                        .records = records,
                        .n_records = n_vms};
    w->pool.fact = (struct world_fact){.asked = w->now, .error = ""};
    w->pool.startds = startds;
    for (size_t i = 0; i < n_hosts; i++)
        hosts[i] = (struct world_host){.name = p->hosts[i].name,
                                       .fact = {.asked = w->now, .error = ""},
                                       .cpus = (int64_t)room * 9,
                                       .memory = (int64_t)room * 20 * GIB,
                                       .storage_available = 100 * TIB,
                                       .joined = 100,
                                       .images = images,
                                       .n_images = 1,
                                       .domains = arena_take(a, room, sizeof(struct world_domain)),
                                       .volumes = arena_take(a, room, sizeof(struct world_volume))};
    make_queues(a, p, w, size);
    for (size_t i = 0; i < n_vms; i++) {
        struct world_host *host = &hosts[i % n_hosts];
        struct world_domain *domain = (struct world_domain *)&host->domains[host->n_domains];
        bool has_startd = false;
        host->n_domains +=
            make_vm(a, p, w, i, &records[i], domain, &startds[w->pool.n_startds], &has_startd);
        w->pool.n_startds += has_startd;
        ((struct world_volume *)host->volumes)[host->n_volumes++] = (struct world_volume){
            arena_printf(a, "vpool.%s.disk", records[i].uuid), records[i].uuid, false};
    }
    return w;
}

/* Of the processor, not on the wall: what else runs on the machine disturbs less. */
static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int time_order(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double measure(const struct size *size, int runs, bool header)
{
    enum { RUNS_MAX = 1000 };
    CLEANUP(arena_free_p) struct arena *site = arena_new();
    const struct policy *p = make_policy(site, size);
    const struct world *w = make_world(site, p, size);
    double times[RUNS_MAX] = {0};
    size_t peak = 0, kept = 0, actions = 0;
    if (runs > RUNS_MAX)
        runs = RUNS_MAX;
    for (int i = 0; i < runs; i++) {
        CLEANUP(arena_free_p) struct arena *a = arena_new();
        allocations = 0;
        double begun = seconds();
        const struct plan *plan = plan_make(a, p, w);
        times[i] = seconds() - begun;
        peak = arena_peak(a);
        kept = arena_used(a);
        actions = plan->n_actions;
    }
    qsort(times, (size_t)runs, sizeof(*times), time_order);
    double vms = (double)size->vms;
    if (header)
        (void)printf("%9s %8s %8s %7s %9s %10s %10s %10s %8s %8s\n", "jobs", "shapes", "VMs",
                     "hosts", "least ms", "median ms", "peak B/VM", "kept B/VM", "callocs",
                     "actions");
    (void)printf("%9" PRId64 " %8" PRId64 " %8" PRId64 " %7" PRId64
                 " %9.2f %10.2f %10.0f %10.0f %8" PRIu64 " %8zu\n",
                 size->jobs, size->shapes, size->vms, size->hosts, times[0] * 1e3,
                 times[runs / 2] * 1e3, (double)peak / vms, (double)kept / vms, allocations,
                 actions);
    (void)fflush(stdout);
    return times[0];
}

static void help(void)
{
    (void)puts("usage: bench-plan [--runs N] [JOBS SHAPES VMS HOSTS]\n"
               "\n"
               "Without sizes: the table of sizes we care about, then a growth curve.\n"
               "\n"
               "ms: of the processor, the least and the median of the runs. B/VM: bytes in the "
               "arena a VM, at the "
               "peak and in the plan\n"
               "that is kept. Where the time goes: scripts/bench plan, with valgrind.");
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"runs", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {0}};
    static const struct size sizes[] = {{1000, 10, 100, 5},
                                        {100000, 50, 1000, 50},
                                        {100000, 1000, 1000, 50},
                                        {100000, 50, 10000, 500},
                                        {1000000, 10000, 100000, 5000}};
    int runs = 0;
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) >= 0;) {
        if (c == 'r')
            runs = atoi(optarg);
        else {
            help();
            return c == 'h' ? 0 : 64;
        }
    }
    if (argc - optind == 4) {
        struct size s = {atoll(argv[optind]), atoll(argv[optind + 1]), atoll(argv[optind + 2]),
                         atoll(argv[optind + 3])};
        (void)measure(&s, runs > 0 ? runs : 11, true);
        return 0;
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        (void)measure(&sizes[i], runs > 0 ? runs : sizes[i].vms > 10000 ? 5 : 21, i == 0);
    (void)printf("\ngrowth: everything doubles\n");
    struct size s = {62500, 625, 6250, 312};
    for (double last = 0; s.vms <= 100000;
         s = (struct size){2 * s.jobs, 2 * s.shapes, 2 * s.vms, 2 * s.hosts}) {
        double now = measure(&s, runs > 0 ? runs : 5, false);
        if (last > 0)
            (void)printf("%50.2f times as long\n", now / last);
        last = now;
    }
    return 0;
}
