#include "property/vary.h"

#include <inttypes.h>
#include <string.h>

#include "property/site.h"

static void *copy(struct arena *a, const void *array, size_t n, size_t room, size_t size)
{
    void *c = arena_take(a, n + room, size);
    if (n)
        memcpy(c, array, n * size);
    return c;
}

/* A copy of an array, shuffled. */
#define SHUFFLED(t, array, n) shuffled((t)->arena, (t)->draw, (array), (n), sizeof((array)[0]))

static void *shuffled(struct arena *a, struct draw *d, const void *array, size_t n, size_t size)
{
    void *c = copy(a, array, n, 0, size);
    draw_shuffle(d, c, n, size);
    return c;
}

const struct world *vary_order(const struct trial *t)
{
    struct world *w = copy(t->arena, t->world, 1, 0, sizeof(*w));
    struct world_queue *queues = SHUFFLED(t, w->queues, w->n_queues);
    struct world_host *hosts = SHUFFLED(t, w->hosts, w->n_hosts);
    for (size_t i = 0; i < w->n_queues; i++)
        queues[i].shapes = SHUFFLED(t, queues[i].shapes, queues[i].n_shapes);
    for (size_t i = 0; i < w->n_hosts; i++) {
        hosts[i].domains = SHUFFLED(t, hosts[i].domains, hosts[i].n_domains);
        hosts[i].volumes = SHUFFLED(t, hosts[i].volumes, hosts[i].n_volumes);
    }
    w->queues = queues;
    w->hosts = hosts;
    w->pool.startds = SHUFFLED(t, w->pool.startds, w->pool.n_startds);
    w->templates = SHUFFLED(t, w->templates, w->n_templates);
    w->records = SHUFFLED(t, w->records, w->n_records);
    w->flocks = SHUFFLED(t, w->flocks, w->n_flocks);
    w->requests = SHUFFLED(t, w->requests, w->n_requests);
    return w;
}

const struct world *vary_demand(const struct trial *t, int64_t more,
                                const struct world_shape **ret_shape)
{
    struct world *w = copy(t->arena, t->world, 1, 0, sizeof(*w));
    struct world_queue *queues = copy(t->arena, w->queues, w->n_queues, 0, sizeof(*queues));
    size_t q = draw_index(t->draw, w->n_queues);
    while (queues[q].n_shapes == 0)
        q = (q + 1) % w->n_queues;
    struct world_shape *shapes =
        copy(t->arena, queues[q].shapes, queues[q].n_shapes, 0, sizeof(*shapes));
    size_t s = draw_index(t->draw, queues[q].n_shapes);
    shapes[s].idle += more;
    queues[q].shapes = shapes;
    w->queues = queues;
    *ret_shape = &shapes[s];
    return w;
}

/* The world while the plan is carried out; the arrays have room. */
struct doing {
    const struct trial *t;
    struct world *w;
    struct world_host *hosts;
    struct world_startd *startds;
    struct world_record *records;
    struct world_start *starts;
    struct world_flock *flocks;
};

static struct world_record *record_of(struct doing *d, const struct plan_action *a)
{
    for (size_t i = 0; i < d->w->n_records; i++)
        if (strcmp(d->records[i].uuid, a->uuid) == 0)
            return &d->records[i];
    const struct plan_vm *vm = trial_vm(d->t->plan, a->uuid);
    struct world_record *r = &d->records[d->w->n_records++];
    *r = (struct world_record){.uuid = a->uuid,
                               .name = a->name,
                               .host = a->host,
                               .template = vm->template,
                               .generation = vm->domain ? vm->domain->generation : "",
                               .group = vm->group,
                               .exclusive = vm->exclusive,
                               .request = plan_vm_request(vm),
                               .create_decided = vm->born,
                               .create_answer = WORLD_ANSWER_OK,
                               .create_answered = vm->born,
                               .joined = d->t->world->now,
                               .idle_since = vm->idle_since,
                               .why = ""};
    return r;
}

/* What a step keeps for the next one. */
static void keep(struct world_record *r, const struct trial *t, const struct plan_vm *vm)
{
    r->idle_since = vm->idle_since;
    r->jobless_since = vm->jobless_since;
    if (vm->claimed > 0 && vm->startd && !r->first_job)
        r->first_job = t->world->now;
}

static struct world_host *host_of(struct doing *d, const char *name)
{
    return &d->hosts[trial_host(d->w, name) - d->w->hosts];
}

static void add_volume(struct doing *d, struct world_host *host, const char *uuid, bool seed)
{
    ((struct world_volume *)host->volumes)[host->n_volumes++] = (struct world_volume){
        arena_printf(d->t->arena, SITE_POOL ".%s.%s", uuid, seed ? "seed" : "disk"), uuid, seed};
}

static void create(struct doing *d, const struct plan_action *a, size_t number)
{
    const struct policy *p = d->t->policy;
    const struct policy_template *t = &p->templates[a->policy_template];
    const char *group = a->policy_group == SIZE_MAX ? "" : p->groups[a->policy_group].name;
    struct world_host *host = host_of(d, a->host);
    usec now = d->t->world->now;
    const char *uuid = arena_printf(d->t->arena, "%08zx-7777-4000-8000-%012" PRIx64, number,
                                    now & INT64_C(0xffffffffffff));
    const char *name = arena_printf(d->t->arena, SITE_POOL "-%s-%08zx", t->name, number);
    d->records[d->w->n_records++] = (struct world_record){uuid,
                                                          name,
                                                          host->name,
                                                          t->name,
                                                          t->generation,
                                                          group,
                                                          a->exclusive,
                                                          .create_decided = now,
                                                          .create_answer = WORLD_ANSWER_OK,
                                                          .create_answered = now,
                                                          .why = "demand",
                                                          .request = a->request};
    d->starts[d->w->n_starts++] = (struct world_start){now, host->name};
    ((struct world_domain *)host->domains)[host->n_domains++] =
        (struct world_domain){uuid,          name,  "running",    true, "",      t->name,
                              t->generation, group, a->exclusive, now,  t->cpus, t->memory,
                              a->request};
    add_volume(d, host, uuid, false);
    add_volume(d, host, uuid, true);
    host->storage_available -= t->disk;
}

static void set_draining(struct doing *d, const struct plan_action *a, bool draining)
{
    struct world_record *r = record_of(d, a);
    r->drain_decided = r->drain_accepted = draining ? d->t->world->now : 0;
    for (size_t i = 0; i < d->w->pool.n_startds; i++)
        if (strcmp(d->startds[i].uuid, a->uuid) == 0)
            d->startds[i].draining = draining;
}

static void delete_volume(struct doing *d, const struct plan_action *a)
{
    struct world_host *host = host_of(d, a->host);
    struct world_volume *volumes = (struct world_volume *)host->volumes;
    for (size_t i = 0; i < host->n_volumes; i++)
        if (strcmp(volumes[i].name, a->volume) == 0)
            volumes[i--] = volumes[--host->n_volumes];
}

static void invalidate(struct doing *d, const struct plan_action *a)
{
    for (size_t i = 0; i < d->w->pool.n_startds; i++)
        if (strcmp(d->startds[i].uuid, a->uuid) == 0)
            d->startds[i--] = d->startds[--d->w->pool.n_startds];
}

static void forget(struct doing *d, const struct plan_action *a)
{
    for (size_t i = 0; i < d->w->n_records; i++)
        if (strcmp(d->records[i].uuid, a->uuid) == 0)
            d->records[i--] = d->records[--d->w->n_records];
}

static void flock(struct doing *d, const struct plan_action *a)
{
    for (size_t i = 0; i < d->w->n_flocks; i++)
        if (strcmp(d->flocks[i].schedd, a->name) == 0)
            d->flocks[i].present = d->flocks[i].believed = d->flocks[i].wanted;
}

static void carry_out(struct doing *d, const struct plan_action *a, size_t number)
{
    if (a->kind == ACTION_CREATE)
        create(d, a, number);
    else if (a->kind == ACTION_DRAIN || trial_is_undrain(a))
        set_draining(d, a, a->kind == ACTION_DRAIN);
    else if (a->kind == ACTION_POWEROFF) {
        if (!record_of(d, a)->poweroff_lost)
            record_of(d, a)->poweroff_decided = d->t->world->now;
        record_of(d, a)->poweroff_lost = false;
    }
    else if (a->kind == ACTION_DESTROY)
        record_of(d, a)->destroy_decided = d->t->world->now;
    else if (a->kind == ACTION_DELETE_VOLUME)
        delete_volume(d, a);
    else if (a->kind == ACTION_INVALIDATE)
        invalidate(d, a);
    else if (a->kind == ACTION_FORGET)
        forget(d, a);
    else
        flock(d, a);
}

const struct world *vary_carried_out(const struct trial *t)
{
    size_t room = t->plan->n_actions;
    struct arena *a = t->arena;
    struct world *w = copy(a, t->world, 1, 0, sizeof(*w));
    struct doing d = {
        .t = t,
        .w = w,
        .hosts = copy(a, w->hosts, w->n_hosts, 0, sizeof(*d.hosts)),
        .startds = copy(a, w->pool.startds, w->pool.n_startds, 0, sizeof(*d.startds)),
        .records = copy(a, w->records, w->n_records, room, sizeof(*d.records)),
        .starts = copy(a, w->starts, w->n_starts, room, sizeof(*d.starts)),
        .flocks = copy(a, w->flocks, w->n_flocks, 0, sizeof(*d.flocks)),
    };
    struct world_queue *queues = copy(a, w->queues, w->n_queues, 0, sizeof(*queues));
    for (size_t i = 0; i < w->n_hosts; i++) {
        struct world_host *h = &d.hosts[i];
        h->domains = copy(a, h->domains, h->n_domains, room, sizeof(*h->domains));
        h->volumes = copy(a, h->volumes, h->n_volumes, 2 * room, sizeof(*h->volumes));
    }
    w->hosts = d.hosts;
    w->pool.startds = d.startds;
    w->records = d.records;
    w->starts = d.starts;
    w->flocks = d.flocks;
    w->queues = queues;
    for (size_t i = 0; i < t->plan->n_vms; i++) /* what a step keeps for the next one */
        for (size_t k = 0; k < w->n_records; k++)
            if (strcmp(d.records[k].uuid, t->plan->vms[i].uuid) == 0 &&
                t->plan->vms[i].state != VM_FOREIGN)
                keep(&d.records[k], t, &t->plan->vms[i]);
    for (size_t i = 0; i < t->plan->n_actions; i++)
        carry_out(&d, &t->plan->actions[i], i);
    w->now = t->world->now + 1;
    w->vanished_at = t->plan->vanished_at;
    for (size_t i = 0; i < w->n_hosts; i++)
        d.hosts[i].fact = (struct world_fact){.asked = w->now, .error = ""};
    for (size_t i = 0; i < w->n_queues; i++)
        queues[i].fact = (struct world_fact){.asked = w->now, .error = ""};
    w->pool.fact = (struct world_fact){.asked = w->now, .error = ""};
    return w;
}
