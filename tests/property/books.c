#include "property/books.h"

#include <string.h>

#include "base/limits.h"

const int64_t books_overhead = 150 * MIB;

static size_t template_index(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_templates; i++)
        if (strcmp(p->templates[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static size_t group_index(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_groups; i++)
        if (strcmp(p->groups[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static const struct policy_host *host_policy(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_hosts; i++)
        if (strcmp(p->hosts[i].name, name) == 0)
            return &p->hosts[i];
    return NULL;
}

static void add(struct use *u, int64_t cpus, int64_t memory)
{
    u->vms++;
    u->cpus += cpus;
    u->memory += memory;
}

static void enter(struct books *b, size_t host, size_t group, size_t template, int64_t cpus,
                  int64_t memory)
{
    add(&b->all, cpus, memory);
    if (group != SIZE_MAX)
        add(&b->groups[group], cpus, memory);
    if (template != SIZE_MAX)
        add(&b->templates[template], cpus, memory);
    if (host != SIZE_MAX)
        add(&b->hosts[host], cpus, memory + books_overhead);
}

static void enter_domains(struct books *b)
{
    const struct world *w = b->trial->world;
    const struct policy *p = b->trial->policy;
    for (size_t h = 0; h < w->n_hosts; h++) {
        for (size_t i = 0; i < w->hosts[h].n_domains; i++) {
            const struct world_domain *d = &w->hosts[h].domains[i];
            const struct plan_vm *vm = trial_vm(b->trial->plan, d->uuid);
            if (trial_is_off(&w->hosts[h]) ||
                (d->ours && vm && vm->reason.code == REASON_AD_EXPIRED)) /* a rule of its own */
                continue;
            if (d->ours) {
                enter(b, h, group_index(p, d->group), template_index(p, d->template), d->cpus,
                      d->memory);
                continue;
            }
            if (strcmp(d->state, "shutoff") == 0)
                continue;
            b->hosts[h].cpus += d->cpus;
            b->hosts[h].memory += d->memory + books_overhead;
        }
    }
}

/* VMs without a domain that is listed, unless they are proven gone (a rule of its own). */
static void enter_unseen(struct books *b)
{
    const struct policy *p = b->trial->policy;
    const struct world *w = b->trial->world;
    for (size_t i = 0; i < b->trial->plan->n_vms; i++) {
        const struct plan_vm *vm = &b->trial->plan->vms[i];
        if (vm->state == VM_GONE || vm->state == VM_FOREIGN ||
            vm->reason.code == REASON_AD_EXPIRED || trial_domain(w, vm->uuid, NULL))
            continue;
        const struct world_host *host = vm->record ? trial_host(w, vm->record->host) : NULL;
        size_t h = host ? (size_t)(host - w->hosts) : SIZE_MAX;
        size_t t = vm->record ? template_index(p, vm->record->template) : SIZE_MAX;
        int64_t cpus = t != SIZE_MAX ? p->templates[t].cpus : vm->startd ? vm->startd->cpus : 0;
        int64_t memory = t != SIZE_MAX ? p->templates[t].memory
                         : vm->startd  ? vm->startd->memory
                                       : 0;
        enter(b, h, vm->record ? group_index(p, vm->record->group) : SIZE_MAX, t, cpus, memory);
        if (h != SIZE_MAX && t != SIZE_MAX && vm->state == VM_CREATING)
            b->hosts[h].disk += p->templates[t].disk;
    }
}

static void enter_starts(struct books *b)
{
    const struct world *w = b->trial->world;
    for (size_t i = 0; i < b->trial->plan->n_vms; i++) {
        const struct plan_vm *vm = &b->trial->plan->vms[i];
        const struct world_host *host = trial_host(w, vm->host);
        if (vm->state != VM_CREATING && vm->state != VM_BOOTING)
            continue;
        b->all.in_flight++;
        if (host)
            b->hosts[host - w->hosts].in_flight++;
    }
    for (size_t i = 0; i < w->n_starts; i++) {
        const struct world_host *host = trial_host(w, w->starts[i].host);
        if (w->starts[i].at <= w->now - USEC_PER_MINUTE)
            continue;
        b->all.last_minute++;
        if (host)
            b->hosts[host - w->hosts].last_minute++;
    }
}

struct books *books_open(const struct trial *t)
{
    struct books *b = arena_take(t->arena, 1, sizeof(*b));
    b->trial = t;
    b->groups = arena_take(t->arena, t->policy->n_groups, sizeof(*b->groups));
    b->templates = arena_take(t->arena, t->policy->n_templates, sizeof(*b->templates));
    b->hosts = arena_take(t->arena, t->world->n_hosts, sizeof(*b->hosts));
    enter_domains(b);
    enter_unseen(b);
    enter_starts(b);
    return b;
}

void books_create(struct books *b, const struct plan_action *create)
{
    const struct policy_template *t = &b->trial->policy->templates[create->policy_template];
    const struct world_host *host = trial_host(b->trial->world, create->host);
    size_t h = host ? (size_t)(host - b->trial->world->hosts) : SIZE_MAX;
    enter(b, h, create->policy_group, create->policy_template, t->cpus, t->memory);
    b->all.in_flight++;
    b->all.last_minute++;
    if (h == SIZE_MAX)
        return;
    b->hosts[h].in_flight++;
    b->hosts[h].last_minute++;
    b->hosts[h].disk += t->disk;
}

static bool has_tags(const struct policy_host *host, const struct policy_template *t)
{
    for (size_t i = 0; i < t->n_needs; i++) {
        bool has = false;
        for (size_t k = 0; k < host->n_tags; k++)
            has = has || strcmp(host->tags[k], t->needs[i]) == 0;
        if (!has)
            return false;
    }
    return true;
}

bool books_host_fits(const struct books *b, size_t host, size_t template)
{
    const struct policy *p = b->trial->policy;
    const struct world_host *w = &b->trial->world->hosts[host];
    const struct policy_host *h = host_policy(p, w->name);
    const struct policy_template *t = &p->templates[template];
    const struct use *used = &b->hosts[host];
    if (!h || w->cordoned || w->drain || w->fenced || w->fact.failed ||
        !trial_trusts(b->trial, &w->fact) || !has_tags(h, t))
        return false;
    int64_t cpus = (h->cpus ? h->cpus : w->cpus) * p->placement.overcommit.value / 100;
    int64_t memory = h->memory ? h->memory : w->memory - h->reserve;
    return used->cpus + t->cpus <= cpus && used->memory + t->memory + books_overhead <= memory &&
           used->disk + t->disk <= w->storage_available && used->vms < h->max_vms.value &&
           used->in_flight < p->limits.host_starts_in_flight.value &&
           used->last_minute < p->limits.host_starts_per_minute.value;
}

/* A limit that allows @more beside @used. */
static bool allows(int64_t limit, int64_t used, int64_t more)
{
    return limit == POLICY_UNLIMITED || used + more <= limit;
}

/* Whether this plan may give a VM up for it got no job: nothing takes its place at once. */
static bool gives_up(const struct trial *t)
{
    for (size_t i = 0; i < t->plan->n_vms; i++) {
        const struct plan_vm *vm = &t->plan->vms[i];
        if (vm->record && vm->record->joined && !vm->record->first_job && vm->record->jobless_since)
            return true;
    }
    return false;
}

const char *books_open_host(const struct books *b, size_t group, size_t template)
{
    const struct policy *p = b->trial->policy;
    const struct world *w = b->trial->world;
    const struct policy_template *t = &p->templates[template];
    if (!allows(p->limits.vms.value, b->all.vms, 1) ||
        !allows(p->limits.cpus.value, b->all.cpus, t->cpus) ||
        !allows(p->limits.memory.value, b->all.memory, t->memory) ||
        !allows(p->limits.starts_in_flight.value, b->all.in_flight, 1) ||
        !allows(p->limits.starts_per_minute.value, b->all.last_minute, 1) ||
        !allows(t->max_vms.value, b->templates[template].vms, 1) || p->limits.slow_start.value ||
        trial_keeps_room(b->trial) || gives_up(b->trial) ||
        b->trial->plan->n_actions >= LIMIT_ACTIONS_PER_STEP)
        return NULL;
    if (group != SIZE_MAX) {
        const struct policy_group *g = &p->groups[group];
        const struct use *used = &b->groups[group];
        if (!allows(g->max.value, used->cpus, t->cpus) || !allows(g->max_vms.value, used->vms, 1) ||
            !allows(g->max_memory.value, used->memory, t->memory) || g->weight.value == 0)
            return NULL;
    }
    for (size_t i = 0; group != SIZE_MAX && i < w->n_groups; i++)
        if (strcmp(w->groups[i].name, p->groups[group].name) == 0)
            return NULL;
    for (size_t i = 0; i < w->n_templates; i++)
        if (w->templates[i].failures && strcmp(w->templates[i].name, t->name) == 0)
            return NULL;
    for (size_t i = 0; i < w->n_hosts; i++)
        if (!w->hosts[i].failures && w->hosts[i].n_images && books_host_fits(b, i, template))
            return w->hosts[i].name;
    return NULL;
}
