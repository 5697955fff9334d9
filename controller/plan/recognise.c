/*
 * Rung 2. Domains, slots and records are joined by UUID, and each VM gets the one state that the
 * facts allow. Where they allow none for certain the VM is lost: it counts, and is never touched
 * (S1: unknown means busy).
 */
#include "plan/rungs.h"

#include <stdlib.h>
#include <string.h>

/* A create whose answer was lost may still come true; after this long it is held to have failed. */
static const usec create_outcome_within = 2 * USEC_PER_MINUTE;
/* How long a drain that was accepted may take to show in the slot's ad. */
static const usec drain_shows_within = 30 * USEC_PER_SEC;
/* S8: more than this share of the VMs missing at once is more likely an error than the truth. */
enum { VANISHED_PERCENT = 45, VANISHED_MIN = 2 };

struct sighting {
    const char *uuid;
    const struct world_record *record;
    const struct world_domain *domain;
    const struct world_startd *startd;
    size_t host;
};

static int sighting_order(const void *left, const void *right)
{
    const struct sighting *a = left, *b = right;
    int order = strcmp(a->uuid, b->uuid);
    if (order)
        return order;
    int rank_a = a->record ? 0 : a->domain ? 1 : 2, rank_b = b->record ? 0 : b->domain ? 1 : 2;
    if (rank_a != rank_b)
        return rank_a - rank_b;
    return (a->host > b->host) - (a->host < b->host);
}

static size_t find_host(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->n_hosts; i++)
        if (strcmp(w->hosts[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* Everything that bears a UUID of ours, one row each UUID. */
static struct sighting *sight(struct arena *a, const struct world *w, size_t *ret_n)
{
    size_t n = w->n_records + w->pool.n_startds, unique = 0;
    for (size_t h = 0; h < w->n_hosts; h++)
        n += w->hosts[h].n_domains;
    struct sighting *all = arena_take(a, n, sizeof(*all));
    n = 0;
    for (size_t i = 0; i < w->n_records; i++)
        all[n++] = (struct sighting){.uuid = w->records[i].uuid,
                                     .record = &w->records[i],
                                     .host = find_host(w, w->records[i].host)};
    for (size_t h = 0; h < w->n_hosts; h++)
        for (size_t i = 0; i < w->hosts[h].n_domains; i++)
            if (w->hosts[h].domains[i].ours)
                all[n++] = (struct sighting){.uuid = w->hosts[h].domains[i].uuid,
                                             .domain = &w->hosts[h].domains[i],
                                             .host = h};
    for (size_t i = 0; i < w->pool.n_startds; i++)
        all[n++] = (struct sighting){.uuid = w->pool.startds[i].uuid,
                                     .startd = &w->pool.startds[i],
                                     .host = SIZE_MAX};
    if (n > 1)
        qsort(all, n, sizeof(*all), sighting_order);
    for (size_t i = 0; i < n; i++) {
        struct sighting *last = unique ? &all[unique - 1] : NULL;
        if (!last || strcmp(last->uuid, all[i].uuid) != 0) {
            all[unique++] = all[i];
            continue;
        }
        if (!last->record)
            last->record = all[i].record;
        if (!last->startd)
            last->startd = all[i].startd;
        if (!last->domain && all[i].domain) {
            last->domain = all[i].domain;
            last->host = all[i].host;
        }
    }
    *ret_n = unique;
    return all;
}

static void fill_names(struct plan_vm *vm, const struct policy *p, const struct world *w)
{
    const struct world_domain *domain = vm->domain;
    const struct world_record *record = vm->record;
    vm->name = domain ? domain->name : record ? record->name : vm->startd->name;
    vm->template = domain ? domain->template : record ? record->template : "";
    vm->group = domain ? domain->group : record ? record->group : "";
    vm->exclusive = domain ? domain->exclusive : record && record->exclusive;
    vm->host = vm->world_host != SIZE_MAX ? w->hosts[vm->world_host].name
               : record                   ? record->host
                                          : "";
    vm->born = domain && domain->born ? domain->born : record ? record->create_decided : 0;
    vm->joined = record ? record->joined : 0;
    vm->policy_template = policy_find_template(p, vm->template);
    vm->policy_group = policy_find_group(p, vm->group);
    vm->job = vm->startd ? vm->startd->job : "";
}

static void set_state(struct plan_vm *vm, enum vm_state state, struct reason reason)
{
    vm->state = state;
    vm->reason = reason;
}

static bool is_draining(const struct plan_vm *vm, const struct world *w)
{
    if (vm->startd->draining || vm->startd->drained)
        return true;
    usec accepted = vm->record ? vm->record->drain_accepted : 0;
    return accepted && w->pool.fact.asked - accepted < drain_shows_within;
}

static void judge_with_slots(struct plan_vm *vm, const struct world *w)
{
    const struct world_startd *startd = vm->startd;
    vm->seen_joined = true;
    vm->claimed = startd->claimed;
    if (is_draining(vm, w)) {
        if (startd->drained)
            set_state(vm, VM_DRAINING, (struct reason){REASON_DRAINED});
        else
            set_state(vm, VM_DRAINING, (struct reason){REASON_WAITING_FOR_JOBS, startd->claimed});
    } else if (startd->claimed > 0) {
        set_state(vm, VM_BUSY, (struct reason){REASON_IN_USE, startd->claimed});
        vm->free_cpus = startd->free_cpus;
        vm->free_memory = startd->free_memory;
    } else {
        vm->idle_since = vm->record && vm->record->idle_since ? vm->record->idle_since : w->now;
        set_state(vm, VM_IDLE, (struct reason){REASON_IDLE, w->now - vm->idle_since});
        vm->free_cpus = startd->free_cpus;
        vm->free_memory = startd->free_memory;
    }
}

static void judge_domain(struct plan_vm *vm, const struct policy *p, const struct world *w)
{
    const struct world_record *record = vm->record;
    if (record && (record->poweroff_decided || record->destroy_decided))
        set_state(vm, VM_LEAVING,
                  record->destroy_decided
                      ? (struct reason){REASON_POWEROFF_OVERDUE,
                                        w->now - (record->poweroff_decided ? record->poweroff_decided
                                                                           : record->destroy_decided),
                                        p->timing.poweroff_within.value,
                                        p->timing.poweroff_within.line}
                      : (struct reason){REASON_DRAINED});
    else if (vm->startd)
        judge_with_slots(vm, w);
    else if (record && !record->joined)
        set_state(vm, VM_BOOTING, (struct reason){REASON_WAITING_FOR_SLOT, w->now - vm->born});
    else
        set_state(vm, VM_LOST, (struct reason){REASON_SLOT_AD_MISSING});
}

/* A VM that joined was created, also if the answer to its create was lost. */
static bool was_created(const struct world_record *record)
{
    return record->create_answer == WORLD_ANSWER_OK || record->joined;
}

static void judge_no_domain(struct plan_vm *vm, const struct world *w, struct later *later)
{
    const struct world_record *record = vm->record;
    usec listed = w->hosts[vm->world_host].fact.asked;
    usec settled = record->create_answer != WORLD_ANSWER_NONE ? record->create_answered
                   : record->joined                           ? record->joined
                                    : record->create_decided + create_outcome_within;
    if (listed <= settled) {
        set_state(vm, VM_CREATING, (struct reason){REASON_NO_DOMAIN_YET,
                                                   w->now - record->create_decided});
        if (settled > w->now)
            later_at(later, settled);
        return;
    }
    set_state(vm, VM_GONE, (struct reason){was_created(record) ? REASON_DOMAIN_GONE
                                                              : REASON_CREATE_FAILED});
}

static void judge(struct plan_vm *vm, const struct policy *p, const struct world *w,
                  const struct trust *trust, struct later *later)
{
    bool known_host = vm->world_host != SIZE_MAX && trust->host[vm->world_host];
    if (!known_host)
        set_state(vm, VM_LOST, (struct reason){REASON_HOST_UNKNOWN, .subject = vm->host});
    else if (vm->domain)
        judge_domain(vm, p, w);
    else
        judge_no_domain(vm, w, later);

    const struct policy_template *t =
        vm->policy_template == SIZE_MAX ? NULL : &p->templates[vm->policy_template];
    vm->cpus = vm->domain ? vm->domain->cpus : t ? t->cpus : vm->startd ? vm->startd->cpus : 0;
    vm->memory =
        vm->domain ? vm->domain->memory : t ? t->memory : vm->startd ? vm->startd->memory : 0;
    if ((vm->state == VM_CREATING || vm->state == VM_BOOTING) && t) {
        vm->free_cpus = t->cpus;
        vm->free_memory = t->memory;
    }
}

static int vm_order(const void *left, const void *right)
{
    const struct plan_vm *a = left, *b = right;
    int order = (a->state == VM_FOREIGN) - (b->state == VM_FOREIGN);
    if (!order)
        order = strcmp(a->name, b->name);
    if (!order)
        order = strcmp(a->uuid, b->uuid);
    return order ? order : strcmp(a->host, b->host);
}

/* A VM that should be there and is not: it was created and nobody asked it to leave. */
static bool has_vanished(const struct plan_vm *vm)
{
    const struct world_record *r = vm->record;
    return vm->state == VM_GONE && r && was_created(r) && !r->poweroff_decided &&
           !r->destroy_decided;
}

/*
 * S8. When many VMs are missing at once, nothing is concluded from it until the facts have said the
 * same for as long as facts are trusted; then it is the truth.
 */
static void look_for_vanished(struct vms *vms, const struct policy *p, const struct world *w,
                              struct later *later)
{
    int64_t missing = 0, all = 0;
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->state == VM_FOREIGN || (vm->state == VM_GONE && !has_vanished(vm)))
            continue;
        all++;
        missing += has_vanished(vm);
    }
    if (missing < VANISHED_MIN || missing * 100 <= all * VANISHED_PERCENT)
        return;
    vms->vanished_at = w->vanished_at ? w->vanished_at : w->now;
    usec until = vms->vanished_at + p->timing.trust_for.value;
    if (w->now < until) {
        vms->vanished = (struct reason){REASON_FROZEN, missing, all};
        later_at(later, until);
    }
}

const struct vms *recognise(struct arena *a, const struct policy *p, const struct world *w,
                            const struct trust *trust, struct later *later)
{
    struct vms *vms = arena_take(a, 1, sizeof(*vms));
    size_t n = 0, foreign = 0;
    struct sighting *sightings = sight(a, w, &n);
    for (size_t h = 0; h < w->n_hosts; h++)
        for (size_t i = 0; i < w->hosts[h].n_domains; i++)
            foreign += !w->hosts[h].domains[i].ours;
    struct plan_vm *items = arena_take(a, n + foreign, sizeof(*items));

    for (size_t i = 0; i < n; i++) {
        struct plan_vm *vm = &items[i];
        *vm = (struct plan_vm){
            .uuid = sightings[i].uuid,
            .record = sightings[i].record,
            .domain = sightings[i].domain,
            .startd = sightings[i].startd,
            .world_host = sightings[i].host,
        };
        fill_names(vm, p, w);
        judge(vm, p, w, trust, later);
    }
    for (size_t h = 0; h < w->n_hosts; h++) {
        for (size_t i = 0; i < w->hosts[h].n_domains; i++) {
            const struct world_domain *domain = &w->hosts[h].domains[i];
            if (domain->ours)
                continue;
            items[n++] = (struct plan_vm){
                .uuid = domain->uuid,
                .name = domain->name,
                .host = w->hosts[h].name,
                .template = "",
                .group = "",
                .job = "",
                .state = VM_FOREIGN,
                .reason = {REASON_FOREIGN, .subject = domain->why_foreign},
                .cpus = domain->cpus,
                .memory = domain->memory,
                .domain = domain,
                .policy_template = SIZE_MAX,
                .policy_group = SIZE_MAX,
                .world_host = h,
            };
        }
    }
    if (n > 1)
        qsort(items, n, sizeof(*items), vm_order);
    vms->items = items;
    vms->n = n;
    look_for_vanished(vms, p, w, later);
    return vms;
}
