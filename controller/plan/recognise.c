/*
 * Rung 2. Domains, slots and records are joined by UUID, and each VM gets the one state that the
 * facts allow. Where they allow none for certain the VM is lost: it counts, and is never touched
 * (S1: unknown means busy).
 */
#include "plan/rungs.h"

#include <string.h>

/* A create whose answer was lost may still come true; after this long it is held to have failed. */
static const usec create_outcome_within = 2 * USEC_PER_MINUTE;
/* How long a drain that was accepted may take to show in the slot's ad. */
static const usec drain_shows_within = 30 * USEC_PER_SEC;
/* S8: more than this share of the VMs missing at once is more likely an error than the truth. */
enum { VANISHED_PERCENT = 45, VANISHED_MIN = 2 };

/* What bears one UUID of ours. */
struct sighting {
    const char *uuid;
    const struct world_record *record;
    const struct world_domain *domain;
    const struct world_startd *startd;
    size_t host; /* in the world; SIZE_MAX: unknown */
    bool doubled; /* another domain has its UUID */
};

static size_t find_host(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->n_hosts; i++)
        if (strcmp(w->hosts[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* The facts one by one, each as a sighting of its own. */
static struct sighting *list_facts(struct arena *a, const struct world *w, size_t *ret_n)
{
    size_t n = w->n_records + w->pool.n_startds;
    for (size_t h = 0; h < w->n_hosts; h++)
        n += w->hosts[h].n_domains;
    struct sighting *facts = arena_take(a, n, sizeof(*facts)), *next = facts;
    for (size_t i = 0; i < w->n_records; i++)
        *next++ = (struct sighting){w->records[i].uuid, .record = &w->records[i], .host = SIZE_MAX};
    for (size_t h = 0; h < w->n_hosts; h++)
        for (size_t i = 0; i < w->hosts[h].n_domains; i++)
            if (w->hosts[h].domains[i].ours)
                *next++ = (struct sighting){w->hosts[h].domains[i].uuid,
                                            .domain = &w->hosts[h].domains[i], .host = h};
    for (size_t i = 0; i < w->pool.n_startds; i++)
        *next++ = (struct sighting){w->pool.startds[i].uuid, .startd = &w->pool.startds[i],
                                    .host = SIZE_MAX};
    *ret_n = (size_t)(next - facts);
    return facts;
}

/*
 * Add a fact to what is known of its UUID. A UUID on two hosts must not be (S6): of the two domains
 * the same one is taken whatever their order, and the other is returned: a copy. Both only count.
 */
static struct sighting merge(const struct world *w, struct sighting *into,
                             const struct sighting *fact)
{
    struct sighting copy = {0};
    if (!into->record)
        into->record = fact->record;
    if (!into->startd)
        into->startd = fact->startd;
    if (!fact->domain)
        return copy;
    bool first = !into->domain ||
                 strcmp(w->hosts[fact->host].name, w->hosts[into->host].name) < 0;
    if (into->domain)
        copy = first ? (struct sighting){into->uuid, .domain = into->domain, .host = into->host}
                     : *fact;
    into->doubled = copy.doubled = into->domain != NULL;
    if (first) {
        into->domain = fact->domain;
        into->host = fact->host;
    }
    return copy;
}

/* One sighting each UUID, sorted by it, as the items of @order are; then the copies. */
struct sightings {
    struct sighting *items;
    size_t n;
    size_t n_copies;
    struct order_item *order;
};

static struct sightings sight(struct arena *a, const struct world *w)
{
    size_t n = 0, unique = 0, n_copies = 0;
    struct sighting *facts = list_facts(a, w, &n);
    struct sighting *merged = arena_take(a, n, sizeof(*merged));
    struct sighting *copies = arena_take(a, n, sizeof(*copies));
    struct order_item *order = arena_take(a, n, sizeof(*order));
    struct order_item *spare = arena_take(a, n, sizeof(*spare));
    for (size_t i = 0; i < n; i++)
        order[i] = (struct order_item){order_key(facts[i].uuid), facts[i].uuid, i};
    order_sort(order, n, spare);
    for (size_t i = 0; i < n; i++) {
        const struct sighting *fact = &facts[order[i].ref];
        if (unique && order[unique - 1].key == order[i].key &&
            strcmp(merged[unique - 1].uuid, fact->uuid) == 0) {
            struct sighting copy = merge(w, &merged[unique - 1], fact);
            if (copy.domain)
                copies[n_copies++] = copy;
            continue;
        }
        merged[unique] = *fact;
        order[unique] = (struct order_item){order[i].key, fact->uuid, unique};
        unique++;
    }
    for (size_t i = 0; i < unique; i++)
        if (merged[i].host == SIZE_MAX && merged[i].record)
            merged[i].host = find_host(w, merged[i].record->host);
    if (n_copies)
        memcpy(merged + unique, copies, n_copies * sizeof(*copies));
    return (struct sightings){merged, unique, n_copies, order};
}

/* The policy's groups and templates by name, for one look-up a VM, and which hosts it has not. */
struct names {
    struct order_item *groups, *templates;
    size_t n_groups, n_templates;
    const bool *removed; /* as world.hosts */
};

static const bool *find_removed(struct arena *a, const struct policy *p, const struct world *w)
{
    bool *removed = arena_take(a, w->n_hosts, sizeof(*removed));
    struct order_item *hosts = arena_take(a, p->n_hosts, sizeof(*hosts));
    struct order_item *spare = arena_take(a, p->n_hosts, sizeof(*spare));
    for (size_t i = 0; i < p->n_hosts; i++)
        hosts[i] = (struct order_item){order_key(p->hosts[i].name), p->hosts[i].name, i};
    order_sort(hosts, p->n_hosts, spare);
    for (size_t i = 0; i < w->n_hosts; i++)
        removed[i] = !order_find(hosts, p->n_hosts, w->hosts[i].name);
    return removed;
}

static struct names index_names(struct arena *a, const struct policy *p, const struct world *w)
{
    size_t most = p->n_groups > p->n_templates ? p->n_groups : p->n_templates;
    struct order_item *spare = arena_take(a, most, sizeof(*spare));
    struct names names = {arena_take(a, p->n_groups, sizeof(*spare)),
                          arena_take(a, p->n_templates, sizeof(*spare)), p->n_groups,
                          p->n_templates, find_removed(a, p, w)};
    for (size_t i = 0; i < p->n_groups; i++)
        names.groups[i] =
            (struct order_item){order_key(p->groups[i].name), p->groups[i].name, i};
    for (size_t i = 0; i < p->n_templates; i++)
        names.templates[i] =
            (struct order_item){order_key(p->templates[i].name), p->templates[i].name, i};
    order_sort(names.groups, p->n_groups, spare);
    order_sort(names.templates, p->n_templates, spare);
    return names;
}

static size_t find_name(const struct order_item *items, size_t n, const char *name)
{
    const struct order_item *item = order_find(items, n, name);
    return item ? item->ref : SIZE_MAX;
}

static void fill_names(struct plan_vm *vm, const struct names *names, const struct world *w)
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
    vm->policy_template = find_name(names->templates, names->n_templates, vm->template);
    vm->policy_group = find_name(names->groups, names->n_groups, vm->group);
    vm->host_removed = vm->world_host != SIZE_MAX && names->removed[vm->world_host];
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
    } else {
        vm->idle_since = vm->record && vm->record->idle_since ? vm->record->idle_since : w->now;
        set_state(vm, VM_IDLE, (struct reason){REASON_IDLE, w->now - vm->idle_since});
    }
    if (vm->state != VM_DRAINING) {
        vm->free_cpus = startd->free_cpus;
        vm->free_memory = startd->free_memory;
        vm->free_gpus = startd->free_gpus;
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
                                        p->timing.poweroff_within.at}
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
    /* A time that lies ahead was written by a clock that was wrong: it is not waited for. */
    bool was_there = record->joined || record->poweroff_decided || record->destroy_decided;
    if (settled > w->now + (was_there ? 0 : create_outcome_within))
        settled = 0;
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
        vm->free_gpus = t->gpus;
    }
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

/* The UUIDs of domains that do not say they are ours, sorted. */
static struct order_item *list_foreign(struct arena *a, const struct world *w, size_t *ret_n)
{
    size_t n = 0;
    for (size_t h = 0; h < w->n_hosts; h++)
        for (size_t i = 0; i < w->hosts[h].n_domains; i++)
            n += !w->hosts[h].domains[i].ours;
    struct order_item *order = arena_take(a, n, sizeof(*order));
    struct order_item *spare = arena_take(a, n, sizeof(*spare));
    n = 0;
    for (size_t h = 0; h < w->n_hosts; h++)
        for (size_t i = 0; i < w->hosts[h].n_domains; i++)
            if (!w->hosts[h].domains[i].ours)
                order[n++] = (struct order_item){order_key(w->hosts[h].domains[i].uuid),
                                                 w->hosts[h].domains[i].uuid, h};
    order_sort(order, n, spare);
    *ret_n = n;
    return order;
}

/* Domains of others come last, sorted by UUID and host too. */
static size_t add_foreign(struct arena *a, const struct world *w, struct plan_vm *items)
{
    size_t n = 0, added = 0;
    for (size_t h = 0; h < w->n_hosts; h++)
        n += w->hosts[h].n_domains;
    struct order_item *order = arena_take(a, n, sizeof(*order));
    struct order_item *spare = arena_take(a, n, sizeof(*spare));
    struct plan_vm *found = arena_take(a, n, sizeof(*found));
    for (size_t h = 0; h < w->n_hosts; h++) {
        for (size_t i = 0; i < w->hosts[h].n_domains; i++) {
            const struct world_domain *domain = &w->hosts[h].domains[i];
            if (domain->ours)
                continue;
            found[added] = (struct plan_vm){
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
            const char *text = arena_printf(a, "%s %s", domain->uuid, w->hosts[h].name);
            order[added] = (struct order_item){order_key(text), text, added};
            added++;
        }
    }
    order_sort(order, added, spare);
    for (size_t i = 0; i < added; i++)
        items[i] = found[order[i].ref];
    return added;
}

const struct vms *recognise(struct arena *a, const struct policy *p, const struct world *w,
                            const struct trust *trust, struct later *later)
{
    struct vms *vms = arena_take(a, 1, sizeof(*vms));
    size_t foreign = 0;
    const struct order_item *others = list_foreign(a, w, &foreign);
    const struct sightings seen = sight(a, w);
    const struct sighting *sightings = seen.items;
    const struct names names = index_names(a, p, w);
    size_t n = seen.n + seen.n_copies;
    struct plan_vm *items = arena_take(a, n + foreign, sizeof(*items));

    for (size_t i = 0; i < n; i++) {
        struct plan_vm *vm = &items[i];
        vm->uuid = sightings[i].uuid;
        vm->record = sightings[i].record;
        vm->domain = sightings[i].domain;
        vm->startd = sightings[i].startd;
        vm->world_host = sightings[i].host;
        fill_names(vm, &names, w);
        judge(vm, p, w, trust, later);
        const struct order_item *masked =
            vm->domain ? NULL : order_find(others, foreign, vm->uuid);
        if (masked) /* its volumes are in use, whatever became of its metadata */
            set_state(vm, VM_LOST,
                      (struct reason){REASON_METADATA_LOST, .subject = w->hosts[masked->ref].name});
        if (sightings[i].doubled) /* whose the slot is cannot be told */
            set_state(vm, VM_LOST, (struct reason){REASON_DOUBLED, .subject = vm->host});
    }
    vms->items = items;
    vms->n = n + (foreign ? add_foreign(a, w, items + n) : 0);
    vms->by_uuid = seen.order;
    vms->n_by_uuid = seen.n;
    vms->foreign = others;
    vms->n_foreign = foreign;
    look_for_vanished(vms, p, w, later);
    return vms;
}
