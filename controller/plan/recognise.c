/*
 * Rung 2. Domains, slots and records are joined by UUID, and each VM gets the one state that the
 * facts allow. Where they allow none for certain the VM is lost: it counts, and is never touched
 * (S1: unknown means busy).
 */
#include "plan/rungs.h"

#include <string.h>

/* A create whose answer was lost may still come true; after this long it is held to have failed. */
static const usec create_outcome_within = 2 * USEC_PER_MINUTE;
/* A create that was asked for shows a domain within this (one took 0.5 s, 7 s where QEMU was probed
 * each time), unless its answer is still awaited: after it no job is said to wait for that VM. */
static const usec create_shows_within = 15 * USEC_PER_SEC;
/* How long a drain that was accepted may take to show in the slot's ad. */
static const usec drain_shows_within = 30 * USEC_PER_SEC;
/* S8: more than this share of the VMs missing at once is more likely an error than the truth. */
enum { VANISHED_PERCENT = 45, VANISHED_MIN = 2 };

/* What bears one UUID of ours. */
struct sighting {
    const struct world_record *record;
    const struct world_domain *domain;
    const struct world_startd *startd;
    uint32_t host; /* in the world; UINT32_MAX: unknown */
    bool doubled;  /* another domain has its UUID */
};

/* One sighting each UUID, in the order in which the facts come, then the copies. */
struct sightings {
    struct arena *arena;
    struct sighting *items;
    size_t n, capacity;
    struct sighting *copies; /* domains whose UUID is on another host too (S6) */
    size_t n_copies, copies_capacity;
    struct names *by_uuid;
};

static const char *uuid_of(const struct sighting *s)
{
    return s->domain ? s->domain->uuid : s->record ? s->record->uuid : s->startd->uuid;
}

/* A host that is off has none, whatever it said before. */
static size_t n_domains(const struct world_host *host)
{
    return world_host_is_off(host) ? 0 : host->n_domains;
}

/* The sighting to which a fact with that UUID belongs: an empty one when it is the first. */
static struct sighting *sighting_of(struct sightings *s, const char *uuid)
{
    size_t at = names_add(s->by_uuid, uuid, s->n);
    if (at < s->n)
        return &s->items[at];
    s->items = arena_grow(s->arena, s->items, s->n, &s->capacity, sizeof(*s->items));
    s->items[s->n] = (struct sighting){.host = UINT32_MAX};
    return &s->items[s->n++];
}

/*
 * A UUID on two hosts must not be (S6): of the two domains the same one is taken whatever their
 * order, and the other is a copy. Both only count.
 */
static void see_domain(struct sightings *s, const struct world *w, size_t host,
                       const struct world_domain *domain)
{
    struct sighting *into = sighting_of(s, domain->uuid);
    struct sighting copy = {.domain = domain, .host = (uint32_t)host, .doubled = true};
    bool first = !into->domain || strcmp(w->hosts[host].name, w->hosts[into->host].name) < 0;
    if (into->domain) {
        into->doubled = true;
        s->copies =
            arena_grow(s->arena, s->copies, s->n_copies, &s->copies_capacity, sizeof(*s->copies));
        if (first) {
            copy.domain = into->domain;
            copy.host = into->host;
        }
        s->copies[s->n_copies++] = copy;
    }
    if (first) {
        into->domain = domain;
        into->host = (uint32_t)host;
    }
}

/* Join the facts by UUID. */
static struct sightings sight(struct arena *a, const struct world *w, const struct names *hosts)
{
    struct sightings s = {.arena = a, .capacity = w->n_records};
    if (w->pool.n_startds > s.capacity)
        s.capacity = w->pool.n_startds;
    s.items = arena_take(a, s.capacity, sizeof(*s.items));
    s.by_uuid = names_new(a, s.capacity);
    for (size_t i = 0; i < w->n_records; i++) {
        struct sighting *into = sighting_of(&s, w->records[i].uuid);
        if (!into->record)
            into->record = &w->records[i];
    }
    for (size_t h = 0; h < w->n_hosts; h++)
        for (size_t i = 0; i < n_domains(&w->hosts[h]); i++)
            if (w->hosts[h].domains[i].ours)
                see_domain(&s, w, h, &w->hosts[h].domains[i]);
    for (size_t i = 0; i < w->pool.n_startds; i++) {
        struct sighting *into = sighting_of(&s, w->pool.startds[i].uuid);
        if (!into->startd)
            into->startd = &w->pool.startds[i];
    }
    for (size_t i = 0; i < s.n; i++) {
        struct sighting *into = &s.items[i];
        size_t host =
            into->domain || !into->record ? into->host : names_find(hosts, into->record->host);
        into->host = host < w->n_hosts ? (uint32_t)host : UINT32_MAX;
    }
    return s;
}

/* Where each sighting comes when they are sorted by UUID. */
static uint32_t *rank_by_uuid(struct arena *a, const struct sighting *items, size_t n)
{
    struct order_item *order = arena_take(a, n, sizeof(*order));
    struct order_item *spare = arena_take(a, n, sizeof(*spare));
    for (size_t i = 0; i < n; i++) {
        const char *uuid = uuid_of(&items[i]);
        order[i] = (struct order_item){order_key(uuid), uuid, i};
    }
    order_sort(order, n, spare);
    arena_drop(a, spare);
    uint32_t *rank = arena_take(a, n, sizeof(*rank));
    for (size_t i = 0; i < n; i++)
        rank[order[i].ref] = (uint32_t)i;
    arena_drop(a, order);
    return rank;
}

/* The policy's groups and templates by name, for one look-up a VM. */
struct policy_names {
    struct names *groups, *templates;
    const struct names *requests; /* of the world */
};

static struct policy_names index_policy(struct arena *a, const struct policy *p,
                                        const struct names *requests)
{
    struct policy_names names = {names_new(a, p->n_groups), names_new(a, p->n_templates), requests};
    for (size_t i = 0; i < p->n_groups; i++)
        (void)names_add(names.groups, p->groups[i].name, i);
    for (size_t i = 0; i < p->n_templates; i++)
        (void)names_add(names.templates, p->templates[i].name, i);
    return names;
}

static const struct names *index_hosts(struct arena *a, const struct world *w)
{
    struct names *names = names_new(a, w->n_hosts);
    for (size_t i = 0; i < w->n_hosts; i++)
        (void)names_add(names, w->hosts[i].name, i);
    return names;
}

/* What the policy says of the world's hosts; NULL: it names them no more. */
static const struct policy_host **find_policies(struct arena *a, const struct policy *p,
                                                const struct world *w)
{
    const struct policy_host **hosts = arena_take(a, w->n_hosts, sizeof(*hosts));
    struct names *names = names_new(a, p->n_hosts);
    for (size_t i = 0; i < p->n_hosts; i++)
        (void)names_add(names, p->hosts[i].name, i);
    for (size_t i = 0; i < w->n_hosts; i++) {
        size_t found = names_find(names, w->hosts[i].name);
        hosts[i] = found == SIZE_MAX ? NULL : &p->hosts[found];
    }
    return hosts;
}

static void fill_names(struct plan_vm *vm, const struct policy_names *names, const struct world *w)
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
    vm->policy_template = names_find(names->templates, vm->template);
    vm->policy_group = names_find(names->groups, vm->group);
    const char *request = plan_vm_request(vm);
    vm->request = NO_REQUEST;
    if (*request) {
        size_t known = names_find(names->requests, request);
        vm->request = known == SIZE_MAX ? UNKNOWN_REQUEST : (uint32_t)known;
    }
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
    if (is_draining(vm, w)) {
        if (startd->drained)
            set_state(vm, VM_DRAINING, (struct reason){REASON_DRAINED});
        else
            set_state(vm, VM_DRAINING, (struct reason){REASON_WAITING_FOR_JOBS, startd->claimed});
    } else if (startd->claimed > 0) {
        set_state(vm, VM_BUSY, (struct reason){REASON_IN_USE, startd->claimed});
    } else {
        vm->idle_since = vm->record && vm->record->idle_since ? vm->record->idle_since : w->now;
        bool held = vm->request != NO_REQUEST && !vm->must_go;
        set_state(vm, VM_IDLE,
                  held ? (struct reason){REASON_HELD_FOR_REQUEST, .subject = plan_vm_request(vm)}
                       : (struct reason){REASON_IDLE, w->now - vm->idle_since});
    }
    if (vm->state != VM_DRAINING) {
        vm->free_cpus = startd->free_cpus;
        vm->free_memory = startd->free_memory;
    }
}

static void judge_domain(struct plan_vm *vm, const struct policy *p, const struct world *w)
{
    const struct world_record *record = vm->record;
    if (record && (record->poweroff_decided || record->destroy_decided))
        set_state(
            vm, VM_LEAVING,
            record->destroy_decided
                ? (struct reason){REASON_POWEROFF_OVERDUE,
                                  w->now - (record->poweroff_decided ? record->poweroff_decided
                                                                     : record->destroy_decided),
                                  p->timing.poweroff_within.value, p->timing.poweroff_within.at}
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
        set_state(vm, VM_CREATING,
                  (struct reason){REASON_NO_DOMAIN_YET, w->now - record->create_decided});
        if (settled > w->now)
            later_at(later, settled);
        return;
    }
    bool by_itself = !record->joined && !record->poweroff_decided && !record->destroy_decided;
    set_state(vm, VM_GONE,
              (struct reason){!was_created(record) ? REASON_CREATE_FAILED
                              : by_itself          ? REASON_ENDED_EARLY
                                                   : REASON_DOMAIN_GONE});
}

/* Whether jobs may count on a VM that has no domain yet. One whose create was perhaps never sent (we
 * were killed before, or the answer was lost) counts in every limit for longer than it counts here. */
static bool is_promised(const struct plan_vm *vm, const struct world *w, struct later *later)
{
    const struct world_record *record = vm->record;
    if (record->create_answer == WORLD_ANSWER_OK || record->create_asked)
        return true;
    usec waited = elapsed_since(w, record->create_decided);
    later_at(later, w->now - waited + create_shows_within);
    return waited < create_shows_within;
}

/* Whether the collector would know of it if it were up: it had time to join, and the collector to
 * hear of it. */
static bool has_no_ad(const struct plan_vm *vm, const struct policy *p, const struct world *w,
                      const struct trust *trust, struct later *later)
{
    const struct world_record *record = vm->record;
    if (!trust->pool || vm->startd || !record)
        return false;
    usec waited = elapsed_since(w, record->create_decided);
    if (!record->joined && waited < p->timing.join_within.value) {
        later_at(later, w->now - waited + p->timing.join_within.value);
        return false;
    }
    return w->pool.fact.asked - w->pool.fact.since >= SLOT_SHOWS_WITHIN;
}

/*
 * Its host does not answer. While its slot ad is there jobs may run in it, and its place is not given
 * to another one; when the ad has expired too, or an admin says that the host is off, it is. An ad
 * that was heard after that says otherwise.
 */
static void judge_unanswered(struct plan_vm *vm, const struct policy *p, const struct world *w,
                             const struct trust *trust, struct later *later)
{
    const struct world_host *host = vm->world_host == SIZE_MAX ? NULL : &w->hosts[vm->world_host];
    if (!host || !world_host_is_off(host))
        set_state(vm, VM_LOST,
                  (struct reason){host && has_no_ad(vm, p, w, trust, later) ? REASON_AD_EXPIRED
                                                                            : REASON_HOST_UNKNOWN,
                                  .subject = vm->host});
    else if (vm->startd && vm->startd->heard > host->fenced)
        set_state(vm, VM_LOST, (struct reason){REASON_FENCED_ALIVE, .subject = vm->host});
    else
        set_state(vm, VM_GONE, (struct reason){REASON_HOST_FENCED, .subject = vm->host});
}

static void judge(struct plan_vm *vm, const struct policy *p, const struct world *w,
                  const struct trust *trust, struct later *later)
{
    vm->claimed = vm->startd ? vm->startd->claimed : 0;
    bool known_host = vm->world_host != SIZE_MAX && trust->host[vm->world_host];
    if (!known_host)
        judge_unanswered(vm, p, w, trust, later);
    else if (vm->domain)
        judge_domain(vm, p, w);
    else
        judge_no_domain(vm, w, later);

    const struct policy_template *t =
        vm->policy_template == SIZE_MAX ? NULL : &p->templates[vm->policy_template];
    vm->cpus = vm->domain ? vm->domain->cpus : t ? t->cpus : vm->startd ? vm->startd->cpus : 0;
    vm->memory = vm->domain   ? vm->domain->memory
                 : t          ? t->memory
                 : vm->startd ? vm->startd->memory
                              : 0;
    if (t && (vm->state == VM_BOOTING ||
              (vm->state == VM_CREATING && is_promised(vm, w, later)))) {
        vm->free_cpus = vm->cpus; /* of its domain, whatever the template says by now */
        vm->free_memory = vm->memory;
    }
}

/* A VM that should be there and is not: it was created and nobody asked it to leave. */
static bool has_vanished(const struct plan_vm *vm)
{
    const struct world_record *r = vm->record;
    return vm->state == VM_GONE && vm->reason.code != REASON_HOST_FENCED && r && was_created(r) &&
           !r->poweroff_decided && !r->destroy_decided;
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

/* The hosts of the domains that do not say they are ours, by UUID; of two the world's first. */
static const struct names *index_foreign(struct arena *a, const struct world *w, size_t *ret_n)
{
    struct names *names = names_new(a, 0);
    *ret_n = 0;
    for (size_t h = 0; h < w->n_hosts; h++) {
        for (size_t i = 0; i < n_domains(&w->hosts[h]); i++) {
            if (w->hosts[h].domains[i].ours)
                continue;
            (void)names_add(names, w->hosts[h].domains[i].uuid, h);
            ++*ret_n;
        }
    }
    return names;
}

static struct plan_vm foreign_vm(const struct world *w, size_t host,
                                 const struct world_domain *domain)
{
    return (struct plan_vm){
        .uuid = domain->uuid,
        .name = domain->name,
        .host = w->hosts[host].name,
        .template = "",
        .group = "",
        .state = VM_FOREIGN,
        .reason = {REASON_FOREIGN, .subject = domain->why_foreign},
        .cpus = domain->cpus,
        .memory = domain->memory,
        .domain = domain,
        .policy_template = SIZE_MAX,
        .policy_group = SIZE_MAX,
        .request = NO_REQUEST,
        .world_host = host,
    };
}

/* Domains of others come last, @n of them, sorted by UUID and host too. */
static void add_foreign(struct arena *a, const struct world *w, struct plan_vm *items, size_t n)
{
    struct sighting *found = arena_take(a, n, sizeof(*found));
    struct order_item *order = arena_take(a, n, sizeof(*order));
    struct order_item *spare = arena_take(a, n, sizeof(*spare));
    size_t next = 0;
    for (size_t h = 0; h < w->n_hosts; h++) {
        for (size_t i = 0; i < n_domains(&w->hosts[h]); i++) {
            const struct world_domain *domain = &w->hosts[h].domains[i];
            if (domain->ours)
                continue;
            found[next] = (struct sighting){.domain = domain, .host = (uint32_t)h};
            order[next] = (struct order_item){order_key(domain->uuid), domain->uuid, next};
            next++;
        }
    }
    order_sort(order, n, spare);
    for (size_t i = 0; i < n; i++) {
        const struct sighting *s = &found[order[i].ref];
        struct plan_vm vm = foreign_vm(w, s->host, s->domain);
        size_t at = i;
        for (; at > 0 && strcmp(items[at - 1].uuid, vm.uuid) == 0 &&
               strcmp(items[at - 1].host, vm.host) > 0;
             at--)
            items[at] = items[at - 1];
        items[at] = vm;
    }
    arena_drop(a, spare);
    arena_drop(a, order);
    arena_drop(a, found);
}

static struct plan_vm judge_sighting(const struct sighting *s, const struct policy *p,
                                     const struct world *w, const struct trust *trust,
                                     const struct policy_names *names, const struct vms *vms,
                                     struct later *later)
{
    struct plan_vm vm = {.uuid = uuid_of(s),
                         .record = s->record,
                         .domain = s->domain,
                         .startd = s->startd,
                         .world_host = s->host == UINT32_MAX ? SIZE_MAX : s->host};
    fill_names(&vm, names, w);
    vm.host_removed = vm.world_host != SIZE_MAX && !vms->policy_hosts[vm.world_host];
    vm.must_go = true; /* until it was asked for a reason */
    vm.must_go = vm_must_go(p, w, &vm).code != REASON_NONE;
    judge(&vm, p, w, trust, later);
    size_t masked = vm.domain ? SIZE_MAX : names_find(vms->foreign, vm.uuid);
    if (masked != SIZE_MAX) /* its volumes are in use, whatever became of its metadata */
        set_state(&vm, VM_LOST,
                  (struct reason){REASON_METADATA_LOST, .subject = w->hosts[masked].name});
    if (s->doubled) /* whose the slot is cannot be told */
        set_state(&vm, VM_LOST, (struct reason){REASON_DOUBLED, .subject = vm.host});
    return vm;
}

const struct vms *recognise(struct arena *a, const struct policy *p, const struct world *w,
                            const struct trust *trust, const struct bookings *bookings,
                            struct later *later)
{
    struct vms *vms = arena_take(a, 1, sizeof(*vms));
    size_t n_foreign = 0;
    vms->hosts = index_hosts(a, w);
    vms->policy_hosts = find_policies(a, p, w);
    vms->foreign = index_foreign(a, w, &n_foreign);
    const struct policy_names names = index_policy(a, p, bookings->by_id);
    struct sightings seen = sight(a, w, vms->hosts);
    uint32_t *rank = rank_by_uuid(a, seen.items, seen.n);
    uint32_t *copy_rank = rank_by_uuid(a, seen.copies, seen.n_copies);
    size_t n = seen.n + seen.n_copies;
    struct plan_vm *items = arena_take(a, n + n_foreign, sizeof(*items));

    for (size_t i = 0; i < seen.n; i++)
        items[rank[i]] = judge_sighting(&seen.items[i], p, w, trust, &names, vms, later);
    for (size_t i = 0; i < seen.n_copies; i++)
        items[seen.n + copy_rank[i]] =
            judge_sighting(&seen.copies[i], p, w, trust, &names, vms, later);
    if (n_foreign)
        add_foreign(a, w, items + n, n_foreign);
    names_renumber(seen.by_uuid, rank);
    arena_drop(a, rank);
    arena_drop(a, seen.items);
    vms->items = items;
    vms->n = n + n_foreign;
    vms->by_uuid = seen.by_uuid;
    look_for_vanished(vms, p, w, later);
    return vms;
}
