/*
 * The world of a random site: first the sources and hosts, then VMs at some stage of an ordinary
 * life, each perhaps with one thing that is wrong about it, then what else lies around.
 */
#include "property/site.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VMS_MAX = 24, HOSTS_MAX = 6, SHAPES_MAX = 8, EXTRA = 4 };

struct builder {
    struct arena *arena;
    struct draw *d;
    const struct policy *p;
    struct world *w;
    struct world_host *hosts;
    struct world_domain *domains[HOSTS_MAX];
    struct world_volume *volumes[HOSTS_MAX];
    struct world_startd *startds;
    struct world_record *records;
    struct world_start *starts;
};

/* One VM while it is made. */
struct life {
    const char *uuid, *name, *group;
    size_t host;
    const struct policy_template *t;
    struct world_record record;
    struct world_domain domain;
    struct world_startd startd;
    bool has_record, has_domain, has_startd, has_volumes;
};

static usec ago(struct builder *b, usec least, usec most)
{
    return b->w->now - draw_range(b->d, least / USEC_PER_SEC, most / USEC_PER_SEC) * USEC_PER_SEC;
}

static struct world_fact fact(struct builder *b)
{
    struct world_fact f = {.asked = ago(b, 0, 20 * USEC_PER_SEC), .error = ""};
    if (draw_chance(b->d, 4))
        f.asked = ago(b, 50 * USEC_PER_SEC, 5 * USEC_PER_MINUTE);
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
            .storage_available = draw_chance(b->d, 15) ? draw_range(b->d, 0, 50) * GIB : TIB,
            .images = images,
            .n_images = draw_chance(b->d, 5) ? 0 : 1,
            .joined = draw_chance(b->d, 30) ? 0 : draw_range(b->d, 1, 20),
        };
        if (draw_chance(b->d, 10)) {
            b->hosts[n].failures = draw_range(b->d, 1, draw_chance(b->d, 5) ? 1000000 : 5);
            b->hosts[n].last_failure = ago(b, 0, 20 * USEC_PER_MINUTE);
        }
        b->domains[n] = arena_take(b->arena, 2 * VMS_MAX + EXTRA, sizeof(struct world_domain));
        b->volumes[n] = arena_take(b->arena, 4 * VMS_MAX + 2 * EXTRA, sizeof(struct world_volume));
        b->hosts[n].domains = b->domains[n];
        b->hosts[n].volumes = b->volumes[n];
    }
}

static const char *group_name(struct builder *b)
{
    static const char *const strange[] = {"", "nobody", "alphabet"};
    if (b->p->n_groups == 0 || draw_chance(b->d, 8))
        return DRAW_ONE(b->d, strange);
    return b->p->groups[draw_index(b->d, b->p->n_groups)].name;
}

static bool same_shape(const struct world_shape *a, const struct world_shape *b)
{
    return strcmp(a->owner, b->owner) == 0 && strcmp(a->group, b->group) == 0 &&
           a->cpus == b->cpus && a->memory == b->memory && a->disk == b->disk &&
           a->gpus == b->gpus && a->runtime == b->runtime;
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
        .group = group_name(b),
        .cpus = draw_chance(b->d, 15) ? DRAW_ONE(b->d, odd_cpus) : DRAW_ONE(b->d, cpus),
        .memory =
            (draw_chance(b->d, 20) ? DRAW_ONE(b->d, odd_memory) : DRAW_ONE(b->d, memory)) * MIB,
        .disk = draw_chance(b->d, 20) ? draw_range(b->d, 1, 120) * GIB : 0,
        .gpus = draw_chance(b->d, 5) ? draw_range(b->d, 1, 3) : 0,
        .runtime = draw_chance(b->d, 20) ? DRAW_ONE(b->d, runtimes) : 0,
        .first_seen = ago(b, 0, USEC_PER_HOUR),
        .assumed = draw_chance(b->d, 10),
        .idle = DRAW_ONE(b->d, counts),
        .running = draw_chance(b->d, 30) ? draw_range(b->d, 1, 50) : 0,
        .held = draw_chance(b->d, 10) ? draw_range(b->d, 1, 50) : 0,
    };
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

enum stage {
    STAGE_IDLE,
    STAGE_BUSY,
    STAGE_BOOTING,
    STAGE_ASKED,   /* the create has no answer yet */
    STAGE_CREATED, /* answered, and not listed yet */
    STAGE_FAILED,
    STAGE_VANISHED,
    STAGE_DRAINING,
    STAGE_DRAINED,
    STAGE_LEAVING,
    STAGE_LEFT,    /* gone after its power-off */
    STAGE_REMOVED, /* a destroy was asked for, and it is still there */
    STAGE_COUNT,
};

static void live(struct builder *b, struct life *l, enum stage stage)
{
    struct draw *d = b->d;
    usec now = b->w->now, since = 0;
    bool up = stage == STAGE_IDLE || stage == STAGE_BUSY || stage == STAGE_DRAINING ||
              stage == STAGE_DRAINED || stage == STAGE_LEAVING || stage == STAGE_LEFT ||
              stage == STAGE_VANISHED;
    usec decided =
        up ? ago(b, USEC_PER_MINUTE, draw_chance(d, 10) ? 20 * USEC_PER_DAY : 5 * USEC_PER_HOUR)
           : ago(b, 0, draw_chance(d, 30) ? 30 * USEC_PER_MINUTE : 3 * USEC_PER_MINUTE);
    l->record.create_decided = decided;
    l->record.create_answer = stage == STAGE_ASKED    ? WORLD_ANSWER_NONE
                              : stage == STAGE_FAILED ? WORLD_ANSWER_FAILED
                                                      : WORLD_ANSWER_OK;
    if (stage != STAGE_ASKED)
        l->record.create_answered = decided + (now - decided) / draw_range(d, 2, 10);
    l->domain.born = decided;
    l->has_domain = stage != STAGE_ASKED && stage != STAGE_CREATED && stage != STAGE_FAILED &&
                    stage != STAGE_VANISHED && stage != STAGE_LEFT;
    l->has_volumes = l->has_domain || draw_chance(d, 50);
    if (!up && stage != STAGE_REMOVED)
        return;
    if (up)
        l->record.joined = decided + (now - decided) / 2;
    since = l->record.joined + (now - l->record.joined) / draw_range(d, 1, 8);
    l->has_startd = up && (l->has_domain || draw_chance(d, 30));
    l->startd.free_cpus = l->startd.cpus;
    l->startd.free_memory = l->startd.memory;
    l->startd.free_gpus = l->startd.gpus;
    if (stage == STAGE_BUSY || (stage == STAGE_DRAINING && draw_chance(d, 80))) {
        l->startd.claimed = draw_range(d, 1, l->startd.cpus ? l->startd.cpus : 1);
        l->startd.free_cpus =
            l->startd.cpus > l->startd.claimed ? l->startd.cpus - l->startd.claimed : 0;
        l->startd.free_memory = draw_range(d, 0, 4) * (l->startd.memory / 4);
        l->startd.job = "17.0";
    }
    if (stage == STAGE_IDLE)
        l->record.idle_since = draw_chance(d, 10) ? 0 : since;
    if (stage == STAGE_DRAINING || stage == STAGE_DRAINED || stage == STAGE_LEAVING ||
        stage == STAGE_LEFT) {
        l->record.drain_decided = since;
        l->record.drain_accepted = draw_chance(d, 90) ? since + (now - since) / 4 : 0;
        l->record.why = "idle";
        l->startd.draining = true;
        l->startd.drained = stage != STAGE_DRAINING;
    }
    if (stage == STAGE_LEAVING || stage == STAGE_LEFT)
        l->record.poweroff_decided = since + (now - since) / 2;
    if (stage == STAGE_REMOVED || (stage == STAGE_LEAVING && draw_chance(d, 20)))
        l->record.destroy_decided = decided + (now - decided) / 2;
}

/* One thing that is wrong with a VM. */
static void wound(struct builder *b, struct life *l)
{
    switch (draw_range(b->d, 0, 15)) {
    case 0: /* the ledger was lost */
        l->has_record = false;
        break;
    case 1:
        l->has_domain = false;
        break;
    case 2:
        l->has_startd = false;
        break;
    case 3:
        l->record.host = "hv8";
        break;
    case 4:
        l->record.template = l->domain.template = "retired";
        break;
    case 5:
        l->record.group = l->domain.group = "disbanded";
        break;
    case 6: /* claimed, whatever else is said */
        l->startd.claimed = 1;
        l->startd.free_cpus = 0;
        l->startd.drained = draw_chance(b->d, 30);
        l->has_startd = true;
        break;
    case 7: /* its metadata was damaged: not ours any more */
        l->domain.ours = false;
        l->domain.why_foreign = "the metadata is missing";
        l->domain.template = l->domain.generation = l->domain.group = "";
        break;
    case 8:
        l->startd.usable = false;
        break;
    case 9: /* the ledger was lost and found: a record that never heard of the join */
        l->record.joined = 0;
        break;
    case 10:
        l->domain.generation = l->record.generation = "g0";
        break;
    case 11:
        l->record.create_answer = WORLD_ANSWER_NONE;
        l->record.create_answered = 0;
        break;
    case 12:
        l->domain.state = draw_chance(b->d, 50) ? "paused" : "shutoff";
        break;
    case 13:
        l->domain.born = draw_chance(b->d, 50) ? 0 : b->w->now + USEC_PER_MINUTE;
        break;
    case 14:
        l->domain.cpus = draw_range(b->d, 0, 128);
        l->domain.memory = draw_range(b->d, 0, 512) * GIB;
        break;
    default: /* a slot that says more is free than there is */
        l->startd.free_cpus = l->startd.cpus * 2;
        l->startd.free_memory = 0;
        break;
    }
}

static void add_domain(struct builder *b, size_t host, const struct world_domain *domain)
{
    b->domains[host][b->hosts[host].n_domains++] = *domain;
}

static void add_volume(struct builder *b, size_t host, const char *pool, const char *uuid,
                       bool seed)
{
    b->volumes[host][b->hosts[host].n_volumes++] = (struct world_volume){
        .name = arena_printf(b->arena, "%s.%s.%s", pool, uuid, seed ? "seed" : "disk"),
        .uuid = uuid,
        .seed = seed,
    };
}

static void put(struct builder *b, const struct life *l)
{
    if (l->has_record) {
        b->records[b->w->n_records++] = l->record;
        if (l->record.create_decided > b->w->now - USEC_PER_MINUTE)
            b->starts[b->w->n_starts++] =
                (struct world_start){l->record.create_decided, l->record.host};
    }
    if (l->has_startd)
        b->startds[b->w->pool.n_startds++] = l->startd;
    if (l->host >= b->w->n_hosts)
        return;
    if (l->has_domain)
        add_domain(b, l->host, &l->domain);
    for (int seed = 0; l->has_volumes && seed <= 1; seed++)
        if (!draw_chance(b->d, 10))
            add_volume(b, l->host, SITE_POOL, l->uuid, seed);
    size_t other = b->w->n_hosts > 1 ? draw_index(b->d, b->w->n_hosts) : l->host;
    if (other != l->host && draw_chance(b->d, 4)) { /* a copy on another host */
        if (l->has_domain && draw_chance(b->d, 70))
            add_domain(b, other, &l->domain);
        add_volume(b, other, SITE_POOL, l->uuid, false);
    }
}

static const char *new_uuid(struct builder *b)
{
    uint32_t first = (uint32_t)draw_range(b->d, 0, UINT32_MAX);
    size_t n = b->w->n_records + b->w->pool.n_startds;
    for (size_t i = 0; i < b->w->n_hosts; i++)
        n += b->hosts[i].n_domains + b->hosts[i].n_volumes;
    return arena_printf(b->arena, "%08" PRIx32 "-5a5a-4000-8000-%012zx", first, n);
}

static void make_vm(struct builder *b)
{
    static const enum stage stages[] = {STAGE_IDLE, STAGE_BUSY, STAGE_BUSY, STAGE_BOOTING};
    struct draw *d = b->d;
    struct life l = {.uuid = new_uuid(b), .group = draw_chance(d, 25) ? "" : group_name(b)};
    l.host = b->w->n_hosts ? draw_index(d, b->w->n_hosts) : SIZE_MAX;
    l.t = &b->p->templates[draw_index(d, b->p->n_templates)];
    l.name = arena_printf(b->arena, SITE_POOL "-%s-%.8s", l.t->name, l.uuid);
    const char *host = l.host == SIZE_MAX ? "hv8" : b->hosts[l.host].name;
    const char *generation = draw_chance(d, 10) ? "g0" : l.t->generation;
    size_t group = SIZE_MAX;
    for (size_t i = 0; i < b->p->n_groups; i++)
        if (strcmp(b->p->groups[i].name, l.group) == 0)
            group = i;
    bool exclusive = group != SIZE_MAX && b->p->groups[group].exclusive;
    l.record = (struct world_record){l.uuid,     l.name,  host,      l.t->name,
                                     generation, l.group, exclusive, .why = "demand"};
    l.domain = (struct world_domain){l.uuid,     l.name,  "running", true, "",        l.t->name,
                                     generation, l.group, exclusive, 0,    l.t->cpus, l.t->memory};
    l.startd = (struct world_startd){
        .uuid = l.uuid,
        .name = l.name,
        .machine = arena_printf(b->arena, "%s.vpool", l.name),
        .address = "<10.0.0.1:9618>",
        .cpus = l.t->cpus,
        .memory = l.t->memory - draw_range(d, 0, 3) * 100 * MIB,
        .gpus = l.t->gpus,
        .usable = true,
        .heard = ago(b, 0, USEC_PER_MINUTE),
        .job = "",
    };
    l.has_record = true;
    live(b, &l,
         draw_chance(d, 50) ? DRAW_ONE(d, stages) : (enum stage)draw_range(d, 0, STAGE_COUNT - 1));
    while (draw_chance(d, 12))
        wound(b, &l);
    put(b, &l);
}

/* What is not a VM of ours, or no longer. */
static void make_strays(struct builder *b)
{
    for (size_t i = 0; i < b->w->n_hosts; i++) {
        while (draw_chance(b->d, 15) && b->hosts[i].n_domains < VMS_MAX) {
            struct world_domain domain = {new_uuid(b),
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
                                          draw_range(b->d, 0, 16) * GIB};
            if (draw_chance(b->d, 30)) {
                domain.name = SITE_POOL "-small-hand";
                domain.why_foreign = "the metadata is missing";
            }
            add_domain(b, i, &domain);
        }
        if (draw_chance(b->d, 8))
            add_volume(b, i, SITE_POOL, new_uuid(b), draw_chance(b->d, 50));
    }
    if (draw_chance(b->d, 3)) {
        const char *uuid = new_uuid(b);
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
            .last_failure = draw_chance(b->d, 30) ? ago(b, 0, 20 * USEC_PER_MINUTE) : 0,
            .joined = draw_range(b->d, 0, 20),
            .last_start = draw_chance(b->d, 50) ? ago(b, 0, USEC_PER_HOUR) : 0,
        };
    }
    if (draw_chance(b->d, 5))
        t[b->w->n_templates++] = (struct world_template){.name = "retired", .failures = 3};
    b->w->flocks = f;
    for (size_t i = 0; i < b->p->n_schedds; i++)
        f[b->w->n_flocks++] = (struct world_flock){
            .schedd = b->p->schedds[i].name,
            .wanted = DRAW_ONE(b->d, digests),
            .present = DRAW_ONE(b->d, digests),
            .believed = DRAW_ONE(b->d, digests),
            .failed = draw_chance(b->d, 20) ? ago(b, 0, USEC_PER_MINUTE) : 0,
            .error = "",
        };
    for (int64_t n = draw_chance(b->d, 10) ? draw_range(b->d, 1, EXTRA) : 0; n > 0; n--)
        b->starts[b->w->n_starts++] = (struct world_start){
            ago(b, 0, 90 * USEC_PER_SEC), b->w->n_hosts ? b->hosts[0].name : "hv8"};
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
    w->vanished_at = draw_chance(d, 3) ? ago(&b, 0, 2 * USEC_PER_MINUTE) : 0;
    w->pool.fact = fact(&b);
    b.startds = arena_take(a, VMS_MAX + EXTRA, sizeof(*b.startds));
    b.records = arena_take(a, VMS_MAX, sizeof(*b.records));
    b.starts = arena_take(a, VMS_MAX + EXTRA, sizeof(*b.starts));
    w->pool.startds = b.startds;
    w->records = b.records;
    w->starts = b.starts;
    make_hosts(&b);
    make_queues(&b);
    for (int64_t n = draw_range(d, 0, draw_chance(d, 10) ? VMS_MAX : 5); n > 0; n--)
        make_vm(&b);
    make_strays(&b);
    make_history(&b);
    qsort(b.starts, w->n_starts, sizeof(*b.starts), start_order);
    return w;
}
