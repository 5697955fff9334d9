/*
 * What the controller sees: looks (the pool first, then the queue, committed together) and lists of
 * hosts. Each takes time, and what it brings was true at some moment between question and answer. One
 * that fails leaves the last good facts in place.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/state.h"

/* How long a condor tool and a call to libvirt may take before they are given up. */
static const usec tool_deadline = 20 * USEC_PER_SEC;
static const usec call_deadline = 30 * USEC_PER_SEC;
static const usec ad_lifetime = 60 * USEC_PER_SEC;

static void see_pool(struct sim *s)
{
    struct startds *seen = &s->next_startds;
    seen->n = 0;
    if (seen->capacity < s->n_living) {
        seen->capacity = s->n_living * 2;
        seen->items = mem_resize(seen->items, seen->capacity, sizeof(*seen->items));
    }
    for (size_t i = 0; i < s->n_living; i++) {
        const struct vm *vm = s->vms[s->living[i]];
        if (!vm->ad.present || (s->now - vm->ad.heard > ad_lifetime &&
                                !fault_on(s, FAULT_ADS_STALE, SIZE_MAX)))
            continue;
        seen->items[seen->n++] = (struct world_startd){
            .uuid = vm->uuid,
            .name = vm->name,
            .machine = vm->machine,
            .address = "",
            .cpus = vm->cpus,
            .memory = vm->memory,
            .free_cpus = vm->ad.free_cpus,
            .free_memory = vm->ad.free_memory,
            .claimed = vm->ad.claimed,
            .draining = vm->ad.draining,
            .drained = vm->ad.drained,
            .usable = true,
            .heard = vm->ad.heard,
            .job = "",
        };
    }
}

static void see_queue(struct sim *s)
{
    struct shapes *seen = &s->next_shapes;
    seen->n = 0;
    for (size_t i = 0; i < s->workload->n_kinds; i++) {
        const struct kind *k = &s->workload->kinds[i];
        struct queue *q = &s->queues[i];
        if (q->idle == 0)
            q->first_seen = 0;
        else if (!q->first_seen)
            q->first_seen = s->queue.asked;
        if (q->idle + q->running == 0)
            continue;
        seen->items[seen->n++] = (struct world_shape){
            .owner = k->owner,
            .group = k->group,
            .cpus = k->cpus,
            .memory = k->memory,
            .disk = k->disk,
            .first_seen = q->first_seen,
            .idle = q->idle,
            .running = q->running,
        };
    }
}

/* The lie of condor_q. */
static void halve_queue(struct sim *s)
{
    for (size_t i = 0; i < s->next_shapes.n; i++) {
        s->next_shapes.items[i].idle /= 2;
        s->next_shapes.items[i].running /= 2;
    }
}

/* How much later an answer comes, or is given up: then it hangs. */
static usec lateness(struct filter_verdict *v, usec deadline)
{
    if (v->effect == FILTER_DELAY && v->time >= deadline)
        v->effect = FILTER_HANG;
    return v->effect == FILTER_HANG ? deadline : v->effect == FILTER_DELAY ? v->time : 0;
}

void look_begin(struct sim *s)
{
    if (s->looking)
        return;
    s->looking = true;
    s->pool.asked = sim_clock(s);
    s->pool.early = random_chance(&s->random, 50);
    if (s->pool.early)
        see_pool(s);
    sim_after(s, sim_draw(s, USEC_PER_SEC / 10, USEC_PER_SEC), EVENT_LOOK_POOL, 0, s->life);
}

void look_pool(struct sim *s, uint32_t life)
{
    if (life != s->life || !s->up)
        return;
    struct filter_verdict v = fault_of_call(s, FILTER_CONDOR_STATUS, SIZE_MAX);
    usec late = lateness(&v, tool_deadline);
    s->pool.failed = v.effect == FILTER_FAIL || v.effect == FILTER_HANG;
    if (!s->pool.failed && !s->pool.early)
        see_pool(s);
    if (v.effect == FILTER_LIE)
        s->next_startds.n = 0;
    s->queue.asked = sim_clock(s) + late;
    sim_after(s, late + sim_draw(s, USEC_PER_SEC / 10, USEC_PER_SEC), EVENT_LOOK_QUEUE, 0, s->life);
}

void look_queue(struct sim *s, uint32_t life)
{
    if (life != s->life || !s->up)
        return;
    struct filter_verdict v = fault_of_call(s, FILTER_CONDOR_Q, SIZE_MAX);
    usec late = lateness(&v, tool_deadline);
    s->queue.failed = v.effect == FILTER_FAIL || v.effect == FILTER_HANG;
    if (!s->queue.failed)
        see_queue(s);
    if (v.effect == FILTER_LIE)
        halve_queue(s);
    sim_after(s, late ? late : sim_draw(s, 0, USEC_PER_SEC / 2), EVENT_LOOKED, 0, s->life);
}

/* Take over the answer, or remember the failure. */
static bool commit(struct sim *s, struct source *source, const char *error)
{
    if (!source->failed && (source->fact.failed || !source->fact.asked))
        source->fact.since = source->asked;
    source->fact.failed = source->failed ? sim_clock(s) : 0;
    source->fact.error = source->failed ? error : "";
    if (!source->failed)
        source->fact.asked = source->asked;
    return !source->failed;
}

void look_end(struct sim *s, uint32_t life)
{
    if (life != s->life || !s->up)
        return;
    s->looking = false;
    if (commit(s, &s->pool, "the collector did not answer")) {
        const struct startds old = s->startds;
        s->startds = s->next_startds;
        s->next_startds = old;
        for (size_t i = 0; i < s->startds.n; i++)
            vm_of(s, s->startds.items[i].uuid)->seen = true;
    }
    if (commit(s, &s->queue, "the schedd did not answer")) {
        const struct shapes old = s->shapes;
        s->shapes = s->next_shapes;
        s->next_shapes = old;
    }
    s->looks++;
    s->looks_since_faults++;
    poke(s);
}

static void add_domain(struct host_facts *f, struct world_domain domain)
{
    if (f->n_domains == f->domains_capacity) {
        f->domains_capacity = f->domains_capacity ? f->domains_capacity * 2 : 16;
        f->domains = mem_resize(f->domains, f->domains_capacity, sizeof(*f->domains));
    }
    f->domains[f->n_domains++] = domain;
}

static void add_volume(struct host_facts *f, const struct vm *vm, bool seed)
{
    if (f->n_volumes == f->volumes_capacity) {
        f->volumes_capacity = f->volumes_capacity ? f->volumes_capacity * 2 : 32;
        f->volumes = mem_resize(f->volumes, f->volumes_capacity, sizeof(*f->volumes));
    }
    f->volumes[f->n_volumes++] = (struct world_volume){
        .name = seed ? vm->seed_name : vm->disk_name, .uuid = vm->uuid, .seed = seed};
}

static void see_host(struct sim *s, size_t host)
{
    struct host *h = &s->hosts[host];
    struct host_facts *f = &h->next;
    f->n_domains = f->n_volumes = 0;
    f->foreign_cpus = f->foreign_memory = 0;
    f->storage_available = h->storage;
    for (size_t i = 0; i < s->n_living; i++) {
        const struct vm *vm = s->vms[s->living[i]];
        if (vm->host != host)
            continue;
        const struct policy_template *t = &s->setup->policy->templates[vm->template];
        if (vm->domain)
            add_domain(f, (struct world_domain){
                              .uuid = vm->uuid,
                              .name = vm->name,
                              .state = "running",
                              .ours = true,
                              .why_foreign = "",
                              .template = t->name,
                              .generation = t->generation,
                              .group = vm->group == SIZE_MAX ? ""
                                                             : s->policy->groups[vm->group].name,
                              .exclusive = vm->exclusive,
                              .born = vm->born,
                              .cpus = vm->cpus,
                              .memory = vm->memory,
                          });
        if (vm->disk) {
            add_volume(f, vm, false);
            f->storage_available -= t->disk;
        }
        if (vm->seed)
            add_volume(f, vm, true);
    }
    if (f->storage_available < 0 || fault_on(s, FAULT_DISK_FULL, host))
        f->storage_available = 0;
    for (size_t i = 0; i < FOREIGN_MAX; i++) {
        if (!h->foreign[i].on)
            continue;
        f->foreign_cpus += h->foreign[i].cpus;
        f->foreign_memory += h->foreign[i].memory;
        add_domain(f, (struct world_domain){.uuid = h->foreign[i].uuid,
                                            .name = h->foreign[i].name,
                                            .state = "running",
                                            .why_foreign = i ? "it has no metadata of ours" : "",
                                            .template = "",
                                            .generation = "",
                                            .group = "",
                                            .cpus = h->foreign[i].cpus,
                                            .memory = h->foreign[i].memory});
    }
}

/* The lie of a list. */
static void hide_domain(struct host_facts *f, uint64_t chance)
{
    size_t n = 0, which = 0;
    for (size_t i = 0; i < f->n_domains; i++)
        n += f->domains[i].ours;
    if (n == 0)
        return;
    while (!f->domains[which].ours)
        which++;
    for (chance %= n; chance > 0; chance--)
        while (!f->domains[++which].ours)
            ;
    memmove(&f->domains[which], &f->domains[which + 1],
            (--f->n_domains - which) * sizeof(*f->domains));
}

static bool is_cut_off(const struct sim *s, size_t host)
{
    return s->hosts[host].down || fault_on(s, FAULT_HOST_SPLIT, host) ||
           fault_on(s, FAULT_LIBVIRTD_RESTART, host);
}

void list_begin(struct sim *s, size_t host)
{
    struct host *h = &s->hosts[host];
    if (h->listing) {
        h->list_again = true;
        return;
    }
    h->listing = true;
    h->list_again = false;
    h->list_asked = sim_clock(s);
    usec most = fault_on(s, FAULT_HOST_SLOW, host) ? 15 * USEC_PER_SEC : USEC_PER_SEC / 5;
    sim_after(s, sim_draw(s, 0, most), EVENT_LIST, (uint32_t)host, s->life);
}

void list_take(struct sim *s, size_t host, uint32_t life)
{
    struct host *h = &s->hosts[host];
    if (life != s->life || !s->up)
        return;
    struct filter_verdict v = fault_of_call(s, FILTER_HOST_LIST, host);
    usec late = h->down ? call_deadline : lateness(&v, call_deadline);
    h->list_failed = v.effect == FILTER_HANG || v.effect == FILTER_FAIL || is_cut_off(s, host);
    if (!h->list_failed)
        see_host(s, host);
    if (!h->list_failed && v.effect == FILTER_LIE)
        hide_domain(&h->next, v.chance);
    sim_after(s, late ? late : sim_draw(s, 0, USEC_PER_SEC / 10), EVENT_LISTED, (uint32_t)host,
              s->life);
}

/* As sense/inventory.c: a domain of ours is missing of which nobody said that it has ended. */
static bool lacks(struct sim *s, const struct host *h)
{
    s->lists++;
    for (size_t i = 0; i < h->next.n_domains; i++)
        if (h->next.domains[i].ours)
            vm_of(s, h->next.domains[i].uuid)->list = s->lists;
    for (size_t i = 0; i < h->facts.n_domains; i++) {
        const struct world_domain *d = &h->facts.domains[i];
        const struct vm *vm = d->ours ? vm_of(s, d->uuid) : NULL;
        if (vm && vm->list != s->lists && !vm->told)
            return true;
    }
    return false;
}

void list_end(struct sim *s, size_t host, uint32_t life)
{
    struct host *h = &s->hosts[host];
    if (life != s->life || !s->up)
        return;
    h->listing = false;
    h->list_doubted = !h->list_failed && !h->list_doubted && lacks(s, h);
    if (h->list_doubted) { /* as sense/host.c: asked for again */
        list_begin(s, host);
        return;
    }
    if (!h->list_failed && (h->fact.failed || !h->fact.asked))
        h->fact.since = h->list_asked;
    h->fact.failed = h->list_failed ? sim_clock(s) : 0;
    h->fact.error = h->list_failed ? "libvirt did not answer" : "";
    if (!h->list_failed) {
        const struct host_facts old = h->facts;
        h->facts = h->next;
        h->next = old;
        h->fact.asked = h->list_asked;
    }
    if (h->list_again)
        list_begin(s, host);
    poke(s);
}
