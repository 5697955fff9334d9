/*
 * The VMs of a random world: each at some stage of an ordinary life, and some with a wound.
 */
#include <inttypes.h>
#include <string.h>

#include "property/site-builder.h"

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
        up ? site_ago(b, USEC_PER_MINUTE,
                      draw_chance(d, 10) ? 20 * USEC_PER_DAY : 5 * USEC_PER_HOUR)
           : site_ago(b, 0, draw_chance(d, 30) ? 30 * USEC_PER_MINUTE : 3 * USEC_PER_MINUTE);
    l->record.create_decided = decided;
    l->record.create_answer = stage == STAGE_ASKED    ? WORLD_ANSWER_NONE
                              : stage == STAGE_FAILED ? WORLD_ANSWER_FAILED
                                                      : WORLD_ANSWER_OK;
    l->record.create_asked = stage == STAGE_ASKED && draw_chance(d, 50);
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
    if (up && (stage == STAGE_BUSY || draw_chance(d, 60)))
        l->record.first_job = l->record.joined + 1;
    else if (up && draw_chance(d, 50))
        l->record.jobless_since = now - draw_range(d, 0, 60) * USEC_PER_MINUTE;
    if (up && !l->record.first_job && draw_chance(d, 10))
        l->record.given_up = l->record.joined + 1;
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
    l->record.poweroff_lost = l->record.poweroff_decided && draw_chance(d, 30);
    if (stage == STAGE_REMOVED || (stage == STAGE_LEAVING && draw_chance(d, 20)))
        l->record.destroy_decided = decided + (now - decided) / 2;
}

/* One thing that is wrong with a VM. */
static void wound(struct builder *b, struct life *l)
{
    switch (draw_range(b->d, 0, 16)) {
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
    case 15: /* an admin wants it drained */
        l->record.drain = true;
        l->record.drain_now = draw_chance(b->d, 40);
        break;
    default: /* a slot that says more is free than there is */
        l->startd.free_cpus = l->startd.cpus * 2;
        l->startd.free_memory = 0;
        break;
    }
}

void site_add_domain(struct builder *b, size_t host, const struct world_domain *domain)
{
    b->domains[host][b->hosts[host].n_domains++] = *domain;
}

void site_add_volume(struct builder *b, size_t host, const char *uuid, bool seed)
{
    b->volumes[host][b->hosts[host].n_volumes++] = (struct world_volume){
        .name = arena_printf(b->arena, SITE_POOL ".%s.%s", uuid, seed ? "seed" : "disk"),
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
        site_add_domain(b, l->host, &l->domain);
    for (int seed = 0; l->has_volumes && seed <= 1; seed++)
        if (!draw_chance(b->d, 10))
            site_add_volume(b, l->host, l->uuid, seed);
    size_t other = b->w->n_hosts > 1 ? draw_index(b->d, b->w->n_hosts) : l->host;
    if (other != l->host && draw_chance(b->d, 4)) { /* a copy on another host */
        if (l->has_domain && draw_chance(b->d, 70))
            site_add_domain(b, other, &l->domain);
        site_add_volume(b, other, l->uuid, false);
    }
}

const char *site_uuid(struct builder *b)
{
    uint32_t first = (uint32_t)draw_range(b->d, 0, UINT32_MAX);
    size_t n = b->w->n_records + b->w->pool.n_startds;
    for (size_t i = 0; i < b->w->n_hosts; i++)
        n += b->hosts[i].n_domains + b->hosts[i].n_volumes;
    return arena_printf(b->arena, "%08" PRIx32 "-5a5a-4000-8000-%012zx", first, n);
}

void site_add_vm(struct builder *b)
{
    static const enum stage stages[] = {STAGE_IDLE, STAGE_BUSY, STAGE_BUSY, STAGE_BOOTING};
    struct draw *d = b->d;
    struct life l = {.uuid = site_uuid(b), .group = draw_chance(d, 25) ? "" : site_group(b)};
    l.host = b->w->n_hosts ? draw_index(d, b->w->n_hosts) : SIZE_MAX;
    l.t = &b->p->templates[draw_index(d, b->p->n_templates)];
    l.name = arena_printf(b->arena, SITE_POOL "-%s-%.8s", l.t->name, l.uuid);
    const char *host = l.host == SIZE_MAX ? "hv8" : b->hosts[l.host].name;
    const char *generation = draw_chance(d, 10) ? "g0" : l.t->generation;
    if (l.uuid[7] < '4') /* made of an image that was known, mostly of the one that is there */
        generation = arena_printf(b->arena, "%s-%s", generation, l.uuid[7] == '0' ? "ffffffff" : "89abcdef");
    size_t group = SIZE_MAX;
    for (size_t i = 0; i < b->p->n_groups; i++)
        if (strcmp(b->p->groups[i].name, l.group) == 0)
            group = i;
    const char *request = site_request(b, l.group);
    bool exclusive = *request || (group != SIZE_MAX && b->p->groups[group].exclusive);
    l.record = (struct world_record){l.uuid,     l.name,  host,      l.t->name,
                                     generation, l.group, exclusive, .why = "demand",
                                     .request = request};
    l.domain = (struct world_domain){l.uuid,     l.name,  "running", true, "",        l.t->name,
                                     generation, l.group, exclusive, 0,    l.t->cpus, l.t->memory,
                                     request};
    l.startd = (struct world_startd){
        .uuid = l.uuid,
        .name = l.name,
        .machine = arena_printf(b->arena, "%s.vpool", l.name),
        .address = "<10.0.0.1:9618>",
        .cpus = l.t->cpus,
        .memory = l.t->memory - draw_range(d, 0, 3) * 100 * MIB,
        .gpus = l.t->gpus,
        .usable = true,
        .until = *request ? b->w->now + draw_range(d, -1, 24) * USEC_PER_HOUR : 0,
        .heard = site_ago(b, 0, USEC_PER_MINUTE),
        .job = "",
    };
    l.has_record = true;
    live(b, &l,
         draw_chance(d, 50) ? DRAW_ONE(d, stages) : (enum stage)draw_range(d, 0, STAGE_COUNT - 1));
    while (draw_chance(d, 12))
        wound(b, &l);
    put(b, &l);
}
