/*
 * The world of a random site: first the sources and hosts, then VMs at some stage of an ordinary
 * life, each perhaps with one thing that is wrong about it, then what else lies around.
 */
#include <stdlib.h>
#include <string.h>

#include "property/site-builder.h"

usec site_ago(struct builder *b, usec least, usec most)
{
    return b->w->now - draw_range(b->d, least / USEC_PER_SEC, most / USEC_PER_SEC) * USEC_PER_SEC;
}

static struct world_fact fact(struct builder *b)
{
    struct world_fact f = {.asked = site_ago(b, 0, 20 * USEC_PER_SEC), .error = ""};
    if (draw_chance(b->d, 4))
        f.asked = site_ago(b, 50 * USEC_PER_SEC, 5 * USEC_PER_MINUTE);
    else if (draw_chance(b->d, 2))
        f.asked = 0;
    else if (draw_chance(b->d, 2))
        f.asked = b->w->now + draw_range(b->d, 1, 30 * USEC_PER_SEC);
    if (draw_chance(b->d, 5)) {
        f.failed = b->w->now - draw_range(b->d, 0, 10) * USEC_PER_SEC;
        f.error = "timed out";
    }
    return f;
}

static void make_hosts(struct builder *b)
{
    static const struct world_seal seals[] = {
        {"debian13.qcow2", "89abcdef0123", true}, {"debian13.qcow2", "89abcdef0123", false}, {0}};
    static const int64_t cpus[] = {16, 64, 256, 32, 4, 0};
    static const int64_t memory[] = {64, 512, 256, 16, 8, 0};
    b->hosts = arena_take(b->arena, HOSTS_MAX, sizeof(*b->hosts));
    b->w->hosts = b->hosts;
    for (size_t i = 0; i <= b->p->n_hosts; i++) {
        bool forgotten = i == b->p->n_hosts; /* a host that left the policy */
        if (forgotten ? !draw_chance(b->d, 3) : draw_chance(b->d, 2))
            continue;
        size_t n = b->w->n_hosts++;
        const char **images = arena_take(b->arena, 1, sizeof(*images));
        images[0] = "debian13.qcow2";
        b->hosts[n] = (struct world_host){
            .name = forgotten ? "hv9" : b->p->hosts[i].name,
            .fact = fact(b),
            .cordoned = draw_chance(b->d, 5),
            .cpus = DRAW_ONE(b->d, cpus),
            .memory = DRAW_ONE(b->d, memory) * GIB,
            .storage_available = draw_chance(b->d, 15) ? draw_range(b->d, 0, 50) * GIB : 20 * TIB,
            .images = images,
            .n_images = draw_chance(b->d, 5) ? 0 : 1,
            .joined = draw_chance(b->d, 30) ? 0 : draw_range(b->d, 1, 20),
        };
        b->hosts[n].seals = &seals[n % 3];
        b->hosts[n].n_seals = n % 3 < 2;
        b->hosts[n].drain = draw_chance(b->d, 3);
        b->hosts[n].drain_now = b->hosts[n].drain && draw_chance(b->d, 30);
        if (draw_chance(b->d, 10)) {
            b->hosts[n].failures = draw_range(b->d, 1, draw_chance(b->d, 5) ? 1000000 : 5);
            b->hosts[n].last_failure = site_ago(b, 0, 20 * USEC_PER_MINUTE);
            b->hosts[n].jobless = draw_chance(b->d, 30) ? b->hosts[n].failures : 0;
        }
        b->domains[n] = arena_take(b->arena, 2 * VMS_MAX + EXTRA, sizeof(struct world_domain));
        b->volumes[n] = arena_take(b->arena, 4 * VMS_MAX + 2 * EXTRA, sizeof(struct world_volume));
        b->hosts[n].domains = b->domains[n];
        b->hosts[n].volumes = b->volumes[n];
    }
}

const char *site_group(struct builder *b)
{
    static const char *const strange[] = {"", "nobody", "alphabet"};
    if (b->p->n_groups == 0 || draw_chance(b->d, 8))
        return DRAW_ONE(b->d, strange);
    return b->p->groups[draw_index(b->d, b->p->n_groups)].name;
}

/* Mostly one of the policy's hosts, now and then one that nobody knows; more or fewer than the VMs. */
static void make_seats(struct builder *b, struct world_request *r)
{
    struct world_seat *seats = arena_take(b->arena, 3, sizeof(*seats));
    r->seats = seats;
    for (int64_t n = draw_chance(b->d, 70) ? draw_range(b->d, 1, 3) : 0; n > 0; n--)
        seats[r->n_seats++] = (struct world_seat){
            b->p->n_hosts && !draw_chance(b->d, 5)
                ? b->p->hosts[draw_index(b->d, b->p->n_hosts)].name
                : "retired",
            draw_chance(b->d, 3) ? draw_range(b->d, -1, 100000) : draw_range(b->d, 1, 3)};
}

/* What is booked: the past, now, soon, and long ahead. */
static void make_requests(struct builder *b)
{
    static const char *const ids[] = {"r-1", "r-2", "r-3"};
    struct world_request *r = arena_take(b->arena, 3, sizeof(*r));
    b->w->requests = r;
    for (int64_t n = draw_chance(b->d, 25) ? draw_range(b->d, 1, 3) : 0; n > 0; n--) {
        usec from = b->w->now + draw_range(b->d, -3600, draw_chance(b->d, 70) ? 60 : 7200) * USEC_PER_SEC;
        bool all = draw_chance(b->d, 90);
        r[b->w->n_requests] = (struct world_request){
            .id = ids[b->w->n_requests],
            .group = site_group(b),
            .template = all ? b->p->templates[draw_index(b->d, b->p->n_templates)].name : "retired",
            .vms = draw_chance(b->d, 3) ? 100000 : draw_range(b->d, 0, 5),
            .exclusive = draw_chance(b->d, 60),
            .whole_host = draw_chance(b->d, 25),
            .user = "alice",
            .from = from,
            .until = from + draw_range(b->d, 60, 7200) * USEC_PER_SEC,
            .ended = draw_chance(b->d, 10) ? b->w->now + draw_range(b->d, -60, 60) * USEC_PER_SEC : 0,
        };
        make_seats(b, &r[b->w->n_requests]);
        b->w->n_requests++;
    }
}

const char *site_request(struct builder *b, const char *group)
{
    for (size_t i = 0; i < b->w->n_requests; i++)
        if (strcmp(b->w->requests[i].group, group) == 0 && draw_chance(b->d, 50))
            return b->w->requests[i].id;
    return b->w->n_requests && draw_chance(b->d, 3) ? "r-99" : "";
}

static bool same_shape(const struct world_shape *a, const struct world_shape *b)
{
    return strcmp(a->owner, b->owner) == 0 && strcmp(a->group, b->group) == 0 &&
           a->cpus == b->cpus && a->memory == b->memory && a->disk == b->disk &&
           a->gpus == b->gpus && a->runtime == b->runtime && a->flock_from == b->flock_from &&
           strcmp(a->request, b->request) == 0;
}

static void make_shape(struct builder *b, struct world_queue *queue, struct world_shape *shapes)
{
    static const char *const owners[] = {"alice", "bob", "eve"};
    static const int64_t cpus[] = {1, 1, 2, 4}, odd_cpus[] = {3, 8, 0, 128};
    static const int64_t memory[] = {1024, 2048, 100, 1900};
    static const int64_t odd_memory[] = {4096, 3000, 0, 16384, 1048576};
    static const int64_t counts[] = {1, 2, 5, 20, 0, 300, 100000};
    static const usec runtimes[] = {0, USEC_PER_HOUR, USEC_PER_MINUTE, 20 * USEC_PER_DAY};
    struct world_shape s = {
        .owner = DRAW_ONE(b->d, owners),
        .group = site_group(b),
        .cpus = draw_chance(b->d, 15) ? DRAW_ONE(b->d, odd_cpus) : DRAW_ONE(b->d, cpus),
        .memory =
            (draw_chance(b->d, 20) ? DRAW_ONE(b->d, odd_memory) : DRAW_ONE(b->d, memory)) * MIB,
        .disk = draw_chance(b->d, 20) ? draw_range(b->d, 1, 120) * GIB : 0,
        .gpus = draw_chance(b->d, 5) ? draw_range(b->d, 1, 3) : 0,
        .runtime = draw_chance(b->d, 20) ? DRAW_ONE(b->d, runtimes) : 0,
        .first_seen = site_ago(b, 0, USEC_PER_HOUR),
        .flock_from = draw_chance(b->d, 5) ? b->w->now + draw_range(b->d, 1, 60) * USEC_PER_SEC : 0,
        .assumed = draw_chance(b->d, 10),
        .idle = DRAW_ONE(b->d, counts),
        .running = draw_chance(b->d, 30) ? draw_range(b->d, 1, 50) : 0,
        .held = draw_chance(b->d, 10) ? draw_range(b->d, 1, 50) : 0,
    };
    s.request = site_request(b, s.group);
    if (draw_chance(b->d, 1))
        s.idle = draw_range(b->d, 0, INT64_C(1000000000));
    for (size_t i = 0; i < queue->n_shapes; i++)
        if (same_shape(&shapes[i], &s))
            return;
    shapes[queue->n_shapes++] = s;
}

static void make_queues(struct builder *b)
{
    struct world_queue *queues = arena_take(b->arena, b->p->n_schedds, sizeof(*queues));
    b->w->queues = queues;
    b->w->n_queues = b->p->n_schedds;
    for (size_t i = 0; i < b->p->n_schedds; i++) {
        struct world_shape *shapes = arena_take(b->arena, SHAPES_MAX, sizeof(*shapes));
        queues[i] = (struct world_queue){b->p->schedds[i].name, fact(b), shapes, 0};
        if (queues[i].fact.asked < b->w->pool.fact.asked && !draw_chance(b->d, 10))
            queues[i].fact.asked = b->w->pool.fact.asked;
        for (int64_t n = draw_range(b->d, 0, draw_chance(b->d, 20) ? SHAPES_MAX : 3); n > 0; n--)
            make_shape(b, &queues[i], shapes);
    }
}

/* What is not a VM of ours, or no longer. */
static void make_strays(struct builder *b)
{
    for (size_t i = 0; i < b->w->n_hosts; i++) {
        while (draw_chance(b->d, 15) && b->hosts[i].n_domains < VMS_MAX) {
            struct world_domain domain = {site_uuid(b),
                                          "webserver",
                                          "running",
                                          false,
                                          "",
                                          "",
                                          "",
                                          "",
                                          false,
                                          0,
                                          draw_range(b->d, 0, 8),
                                          draw_range(b->d, 0, 16) * GIB,
                                          ""};
            if (draw_chance(b->d, 30)) {
                domain.name = SITE_POOL "-small-hand";
                domain.why_foreign = "the metadata is missing";
            }
            site_add_domain(b, i, &domain);
        }
        if (draw_chance(b->d, 8))
            site_add_volume(b, i, site_uuid(b), draw_chance(b->d, 50));
    }
    if (draw_chance(b->d, 3)) {
        const char *uuid = site_uuid(b);
        b->startds[b->w->pool.n_startds++] = (struct world_startd){.uuid = uuid,
                                                                   .name = "stray",
                                                                   .machine = "stray.vpool",
                                                                   .address = "",
                                                                   .cpus = 2,
                                                                   .memory = 4 * GIB,
                                                                   .free_cpus = 2,
                                                                   .free_memory = 4 * GIB,
                                                                   .drained = draw_chance(b->d, 20),
                                                                   .usable = true,
                                                                   .heard = b->w->now,
                                                                   .job = ""};
    }
}

static void make_history(struct builder *b)
{
    static const char *const digests[] = {"d1", "", "d2"};
    struct world_template *t = arena_take(b->arena, b->p->n_templates + 1, sizeof(*t));
    struct world_flock *f = arena_take(b->arena, b->p->n_schedds, sizeof(*f));
    b->w->templates = t;
    for (size_t i = 0; i < b->p->n_templates; i++) {
        if (!draw_chance(b->d, 60))
            continue;
        t[b->w->n_templates++] = (struct world_template){
            .name = b->p->templates[i].name,
            .failures = draw_chance(b->d, 10) ? draw_range(b->d, 1, 5) : 0,
            .last_failure = draw_chance(b->d, 30) ? site_ago(b, 0, 20 * USEC_PER_MINUTE) : 0,
            .joined = draw_range(b->d, 0, 20),
            .boot = draw_chance(b->d, 50) ? draw_range(b->d, 1, 300) * USEC_PER_SEC : 0,
            .last_start = draw_chance(b->d, 50) ? site_ago(b, 0, USEC_PER_HOUR) : 0,
        };
    }
    struct world_group *g = arena_take(b->arena, b->p->n_groups + 1, sizeof(*g));
    b->w->groups = g;
    for (size_t i = 0; i < b->p->n_groups; i++)
        if (draw_chance(b->d, 10))
            g[b->w->n_groups++] = (struct world_group){b->p->groups[i].name, draw_range(b->d, 1, 5),
                                                       site_ago(b, 0, 20 * USEC_PER_MINUTE)};
    if (draw_chance(b->d, 5))
        t[b->w->n_templates++] = (struct world_template){.name = "retired", .failures = 3};
    b->w->flocks = f;
    for (size_t i = 0; i < b->p->n_schedds; i++)
        f[b->w->n_flocks++] = (struct world_flock){
            .schedd = b->p->schedds[i].name,
            .wanted = DRAW_ONE(b->d, digests),
            .present = DRAW_ONE(b->d, digests),
            .believed = DRAW_ONE(b->d, digests),
            .failed = draw_chance(b->d, 20) ? site_ago(b, 0, USEC_PER_MINUTE) : 0,
            .error = "",
        };
    for (int64_t n = draw_chance(b->d, 10) ? draw_range(b->d, 1, EXTRA) : 0; n > 0; n--)
        b->starts[b->w->n_starts++] = (struct world_start){
            site_ago(b, 0, 90 * USEC_PER_SEC), b->w->n_hosts ? b->hosts[0].name : "hv8"};
}

/* Drawn last: the worlds in which no host is fenced stay what they were. */
static void fence_hosts(struct builder *b)
{
    for (size_t i = 0; i < b->w->n_hosts; i++)
        if (draw_chance(b->d, 3))
            b->hosts[i].fenced = site_ago(b, 0, 2 * USEC_PER_MINUTE);
}

static int start_order(const void *left, const void *right)
{
    const struct world_start *a = left, *b = right;
    int order = (a->at > b->at) - (a->at < b->at);
    return order ? order : strcmp(a->host, b->host);
}

struct world *site_world(struct arena *a, struct draw *d, const struct policy *p)
{
    struct world *w = arena_take(a, 1, sizeof(*w));
    struct builder b = {.arena = a, .d = d, .p = p, .w = w};
    w->now = (INT64_C(1700000000) + draw_range(d, 0, 7 * 86400)) * USEC_PER_SEC;
    w->utc_offset = draw_range(d, -12, 14) * USEC_PER_HOUR;
    w->paused = draw_chance(d, 2);
    w->vanished_at = draw_chance(d, 3) ? site_ago(&b, 0, 2 * USEC_PER_MINUTE) : 0;
    w->pool.fact = fact(&b);
    b.startds = arena_take(a, VMS_MAX + EXTRA, sizeof(*b.startds));
    b.records = arena_take(a, VMS_MAX, sizeof(*b.records));
    b.starts = arena_take(a, VMS_MAX + EXTRA, sizeof(*b.starts));
    w->pool.startds = b.startds;
    w->records = b.records;
    w->starts = b.starts;
    make_hosts(&b);
    make_requests(&b);
    make_queues(&b);
    for (int64_t n = draw_range(d, 0, draw_chance(d, 10) ? VMS_MAX : 5); n > 0; n--)
        site_add_vm(&b);
    make_strays(&b);
    make_history(&b);
    fence_hosts(&b);
    qsort(b.starts, w->n_starts, sizeof(*b.starts), start_order);
    return w;
}
