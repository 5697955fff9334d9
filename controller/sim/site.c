/*
 * What is true at the site: hosts with domains and volumes, the startds in them, and the collector's
 * ads, which lag behind them and expire.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/state.h"

/* As flock-config renders them: UPDATE_INTERVAL and ClassAdLifetime; news are sent within seconds. */
static const usec ad_lifetime = 60 * USEC_PER_SEC;
static const usec ad_news_within = 2 * USEC_PER_SEC;
/* Start of the create call to the first ad; 65 s was measured for an untrimmed image. */
static const usec boot_least = 30 * USEC_PER_SEC;
static const usec boot_most = 90 * USEC_PER_SEC;
static const int slow_boot = 3;

static const int64_t host_cpus = 64;
static const int64_t host_memory = 256 * GIB;
static const int64_t host_storage = 16 * TIB;

void site_open(struct sim *s)
{
    const struct policy *p = s->policy;
    s->hosts = mem_new(p->n_hosts, sizeof(*s->hosts));
    for (size_t i = 0; i < p->n_hosts; i++)
        s->hosts[i] = (struct host){
            .name = p->hosts[i].name,
            .cpus = p->hosts[i].cpus ? p->hosts[i].cpus : host_cpus,
            .memory = p->hosts[i].memory ? p->hosts[i].memory : host_memory,
            .storage = host_storage,
            .fact.error = "",
        };
}

static void facts_done(struct host_facts *f)
{
    free(f->domains);
    free(f->volumes);
}

void site_close(struct sim *s)
{
    for (size_t i = 0; i < s->setup->policy->n_hosts; i++) {
        facts_done(&s->hosts[i].facts);
        facts_done(&s->hosts[i].next);
    }
    for (size_t i = 0; i < s->n_vms; i++)
        free(s->vms[i]);
    free(s->hosts);
    free(s->vms);
    free(s->living);
}

struct vm *vm_of(const struct sim *s, const char *uuid)
{
    if (strlen(uuid) != 36)
        return NULL;
    uint64_t index = strtoull(uuid + 24, NULL, 16);
    if (index >= s->n_vms || strcmp(s->vms[index]->uuid, uuid) != 0)
        return NULL;
    return s->vms[index];
}

struct vm *vm_new(struct sim *s, size_t host, size_t template, size_t group, bool exclusive)
{
    const struct policy_template *t = &s->policy->templates[template];
    struct vm *vm = mem_new(1, sizeof(*vm));
    uint32_t chance = (uint32_t)random_next(&s->random);
    *vm = (struct vm){
        .index = (uint32_t)s->n_vms,
        .host = host,
        .template = template,
        .group = group,
        .exclusive = exclusive,
        .cpus = t->cpus,
        .memory = t->memory,
        .born = sim_clock(s),
        .creating = true,
        .first_job = NOBODY,
        .living = s->n_living,
    };
    (void)snprintf(vm->uuid, sizeof(vm->uuid), "%08x-0000-4000-8000-%012x", chance, vm->index);
    (void)snprintf(vm->name, sizeof(vm->name), "%.60s-%.60s-%.8s", s->policy->pool.name, t->name,
                   vm->uuid);
    (void)snprintf(vm->machine, sizeof(vm->machine), "slot1@%.140s.vm", vm->name);
    (void)snprintf(vm->disk_name, sizeof(vm->disk_name), "%.90s.%s.disk", s->policy->pool.name,
                   vm->uuid);
    (void)snprintf(vm->seed_name, sizeof(vm->seed_name), "%.90s.%s.seed", s->policy->pool.name,
                   vm->uuid);
    if (s->n_vms == s->vms_capacity) {
        s->vms_capacity = s->vms_capacity ? s->vms_capacity * 2 : 64;
        s->vms = mem_resize(s->vms, s->vms_capacity, sizeof(struct vm *));
    }
    s->vms[s->n_vms++] = vm;
    if (s->n_living == s->living_capacity) {
        s->living_capacity = s->living_capacity ? s->living_capacity * 2 : 64;
        s->living = mem_resize(s->living, s->living_capacity, sizeof(*s->living));
    }
    s->living[s->n_living++] = vm->index;
    return vm;
}

void vm_rest(struct sim *s, struct vm *vm)
{
    if (vm->living == SIZE_MAX || vm->creating || vm->domain || vm->disk || vm->seed ||
        vm->ad.present || vm->recorded)
        return;
    uint32_t last = s->living[--s->n_living];
    s->living[vm->living] = last;
    s->vms[last]->living = vm->living;
    vm->living = SIZE_MAX;
}

void vm_create(struct sim *s, struct vm *vm)
{
    usec boot = sim_draw(s, boot_least, boot_most);
    if (fault_on(s, FAULT_VM_BOOTS_SLOWLY, vm->host))
        boot *= slow_boot;
    vm->creating = false;
    vm->domain = vm->disk = vm->seed = true;
    vm->created = s->now;
    vm->joining_never = vm->token_useless || fault_on(s, FAULT_VM_NEVER_JOINS, vm->host);
    vm->takes_no_jobs = fault_on(s, FAULT_VM_TAKES_NO_JOBS, vm->host);
    vm->epoch++;
    s->vms_up++;
    s->vm_cpus += vm->cpus;
    if (s->vms_up > s->result->vms_peak)
        s->result->vms_peak = s->vms_up;
    s->result->vms_started++;
    if (!vm->joining_never)
        sim_after(s, boot, EVENT_JOIN, vm->index, vm->epoch);
}

static void stop_startd(struct sim *s, struct vm *vm)
{
    jobs_lose(s, vm);
    vm->startd = false;
    vm->draining = false;
}

void vm_end(struct sim *s, struct vm *vm)
{
    vm->creating = false;
    vm->ended = s->now;
    vm->epoch++;
    if (!vm->domain)
        return;
    stop_startd(s, vm);
    vm->domain = false;
    vm->powering_off = false;
    s->vms_up--;
    s->vm_cpus -= vm->cpus;
}

void vm_join(struct sim *s, struct vm *vm, uint32_t epoch)
{
    if (epoch != vm->epoch || !vm->domain || vm->powering_off)
        return;
    vm->startd = true;
    vm->draining = false;
    vm->free_cpus = vm->cpus;
    vm->free_memory = vm->memory;
    ad_soon(s, vm);
}

void vm_restart_startd(struct sim *s, struct vm *vm)
{
    if (!vm->startd)
        return;
    stop_startd(s, vm);
    vm->ad.present = random_chance(&s->random, 50);
    sim_after(s, sim_draw(s, USEC_PER_SEC, 90 * USEC_PER_SEC), EVENT_JOIN, vm->index, vm->epoch);
}

static bool reaches_collector(const struct sim *s, const struct vm *vm)
{
    return vm->startd && !fault_on(s, FAULT_VM_SPLIT, vm->host) &&
           !fault_on(s, FAULT_COLLECTOR_TIMEOUT, SIZE_MAX) && !fault_on(s, FAULT_ADS_STALE, SIZE_MAX);
}

void ad_soon(struct sim *s, struct vm *vm)
{
    if (vm->ad.due)
        return;
    vm->ad.due = true;
    sim_after(s, sim_draw(s, 0, ad_news_within), EVENT_AD, vm->index, 0);
}

void ad_update(struct sim *s, struct vm *vm)
{
    vm->ad.due = false;
    if (!reaches_collector(s, vm))
        return;
    if (!vm->joined)
        vm->joined = s->now;
    vm->ad = (struct ad){
        .present = true,
        .heard = s->now,
        .free_cpus = vm->free_cpus,
        .free_memory = vm->free_memory,
        .claimed = vm->claimed,
        .draining = vm->draining,
        .drained = vm->draining && vm->claimed == 0,
    };
}

void ads_update(struct sim *s)
{
    for (size_t i = s->n_living; i-- > 0;) {
        struct vm *vm = s->vms[s->living[i]];
        bool due = vm->ad.due;
        ad_update(s, vm);
        vm->ad.due = due;
        if (vm->ad.present && s->now - vm->ad.heard > ad_lifetime &&
            !fault_on(s, FAULT_ADS_STALE, SIZE_MAX))
            vm->ad.present = false;
        vm_rest(s, vm);
    }
}

/* What is in use on a host: ours, also those on their way; and the foreign ones that the controller
 * could know of. */
void host_books(const struct sim *s, size_t host, int64_t *ret_cpus, int64_t *ret_memory)
{
    int64_t cpus = s->hosts[host].facts.foreign_cpus, memory = s->hosts[host].facts.foreign_memory;
    for (size_t i = 0; i < s->n_living; i++) {
        const struct vm *vm = s->vms[s->living[i]];
        if (vm->host == host && (vm->domain || vm->creating) && vm->recorded) {
            cpus += vm->cpus;
            memory += vm->memory;
        }
    }
    *ret_cpus = cpus;
    *ret_memory = memory;
}
