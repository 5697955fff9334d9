/*
 * Rung 6. Which host takes one more VM. The books count every domain on a host, ours and foreign,
 * and every VM that is decided but not seen yet: libvirt itself never refuses overcommit.
 */
#include "plan/heap.h"
#include "plan/rungs.h"

#include <string.h>

struct book {
    const struct policy_host *policy; /* NULL: not in the policy any more */
    int64_t cpus, memory;             /* capacity, overcommit included */
    int64_t used_cpus, used_memory;
    int64_t disk; /* available, less what newborn VMs may take */
    int64_t vms;  /* ours */
    int64_t kept_cpus, kept_memory, kept_vms; /* for seats of requests that have no VM yet */
    int64_t whole; /* VMs, and seats of them, that have the host for themselves */
    bool foreign;
};

struct places {
    const struct policy *policy;
    const struct world *world;
    const struct trust *trust;
    const struct ramp *ramp;
    struct book *books; /* as world.hosts */
    struct arena *arena;
    struct suitors *suitors; /* as policy.templates; made when first asked for */
};

/* The hosts for a template: those that could take one more, the best first, and why the others are
 * not for it at all. What refuses one VM of it takes none in this plan: room only becomes less. */
struct suitors {
    const enum reason_code *unsuited; /* as world.hosts */
    struct heap *heap;
};

struct places *places_open(struct arena *a, const struct policy *p, const struct world *w,
                           const struct trust *trust, const struct vms *vms,
                           const struct ramp *ramp)
{
    struct places *places = arena_take(a, 1, sizeof(*places));
    struct book *books = arena_take(a, w->n_hosts, sizeof(*books));
    *places = (struct places){
        p, w, trust, ramp, books, a, arena_take(a, p->n_templates, sizeof(struct suitors))};
    for (size_t i = 0; i < w->n_hosts; i++) {
        const struct policy_host *wish = books[i].policy = vms->policy_hosts[i];
        books[i].cpus = plan_host_cpus(p, wish, &w->hosts[i]);
        books[i].memory = plan_host_memory(wish, &w->hosts[i]);
        books[i].disk = w->hosts[i].storage_available;
    }
    for (size_t h = 0; h < w->n_hosts; h++) {
        for (size_t i = 0; i < w->hosts[h].n_domains && !world_host_is_off(&w->hosts[h]); i++) {
            const struct world_domain *domain = &w->hosts[h].domains[i];
            if (!plan_domain_counts(domain))
                continue;
            books[h].used_cpus += domain->cpus;
            books[h].used_memory += domain->memory + VM_OVERHEAD;
            books[h].vms += domain->ours;
            books[h].foreign |= !domain->ours;
        }
    }
    for (size_t i = 0; i < vms->n; i++) { /* those that are decided and not seen yet */
        const struct plan_vm *vm = &vms->items[i];
        if (vm->world_host == SIZE_MAX || vm->state == VM_GONE)
            continue;
        struct book *book = &books[vm->world_host];
        book->whole += vm->request < w->n_requests && w->requests[vm->request].whole_host &&
                       !request_is_over(&w->requests[vm->request], w->now);
        if (vm->domain)
            continue;
        book->used_cpus += vm->cpus;
        book->used_memory += vm->memory + VM_OVERHEAD;
        book->vms++;
        if (vm->policy_template != SIZE_MAX)
            book->disk -= p->templates[vm->policy_template].disk;
    }
    return places;
}

bool host_has_tags(const struct policy_host *host, const struct policy_template *t)
{
    for (size_t i = 0; i < t->n_needs; i++) {
        size_t tag = 0;
        while (tag < host->n_tags && strcmp(host->tags[tag], t->needs[i]) != 0)
            tag++;
        if (tag == host->n_tags)
            return false;
    }
    return true;
}

bool host_has_image(const struct world_host *host, const struct policy_template *t)
{
    for (size_t i = 0; i < host->n_images; i++)
        if (strcmp(host->images[i], t->image) == 0)
            return true;
    return host->n_images == 0;
}

/* What does not change while VMs are placed: why a host is not for the template at all. */
static enum reason_code why_unsuited(const struct places *places, size_t host,
                                     const struct policy_template *t)
{
    const struct world_host *facts = &places->world->hosts[host];
    const struct policy_host *policy = places->books[host].policy;
    if (!policy)
        return REASON_HOST_REMOVED;
    if (facts->fenced)
        return REASON_HOST_FENCED;
    if (!places->trust->host[host] || facts->fact.failed) /* one that fails now gets nothing new */
        return REASON_HOST_UNTRUSTED;
    if (!host_has_tags(policy, t))
        return REASON_NO_HOST_TAGGED;
    if (!host_has_image(facts, t))
        return REASON_NO_HOST_IMAGE;
    return facts->cordoned || facts->drain ? REASON_HOST_CORDONED : REASON_NONE;
}

/* Ties go to the host that the file names first. */
static bool stands_before(const struct places *places, size_t a, size_t b)
{
    return b == SIZE_MAX || !places->books[b].policy ||
           (places->books[a].policy && places->books[a].policy < places->books[b].policy);
}

/* Spread: the host with the most memory left first; pack: the one with the least. */
static bool is_better(const void *context, size_t a, size_t b)
{
    const struct places *places = context;
    const struct book *x = &places->books[a], *y = &places->books[b];
    int64_t gain = (x->memory - x->used_memory) - (y->memory - y->used_memory);
    if (gain)
        return (gain > 0) == (places->policy->placement.order == POLICY_SPREAD);
    if (x->policy != y->policy)
        return stands_before(places, a, b);
    return a < b;
}

static const struct suitors *suitors_of(const struct places *places, size_t template)
{
    struct suitors *suitors = &places->suitors[template];
    if (suitors->heap)
        return suitors;
    size_t n = places->world->n_hosts;
    enum reason_code *unsuited = arena_take(places->arena, n, sizeof(*unsuited));
    bool *member = arena_take(places->arena, n, sizeof(*member));
    for (size_t i = 0; i < n; i++) {
        unsuited[i] = why_unsuited(places, i, &places->policy->templates[template]);
        member[i] = !unsuited[i];
    }
    *suitors = (struct suitors){unsuited, heap_new(places->arena, n, member, is_better, places)};
    arena_drop(places->arena, member);
    return suitors;
}

/* What is in the way of one more VM beside what is on a host, or kept free there. */
static enum reason_code crowded(const struct book *book, const struct policy_template *t,
                                bool whole_host)
{
    int64_t cpus = book->cpus - book->used_cpus - t->cpus;
    int64_t memory = book->memory - book->used_memory - t->memory - VM_OVERHEAD;
    if (cpus < 0 || memory < 0 || book->disk < t->disk)
        return REASON_NO_HOST_FITS;
    if (whole_host && (book->vms || book->foreign))
        return REASON_HOST_SHARED;
    if (book->whole || cpus < book->kept_cpus || memory < book->kept_memory ||
        (whole_host && book->kept_vms))
        return REASON_HOST_BOOKED;
    return REASON_NONE;
}

/* Why a host cannot take one more VM. */
static struct reason refusal(const struct places *places, size_t host, size_t template,
                             bool whole_host, enum reason_code not_for_it, struct later *later)
{
    const struct world_host *facts = &places->world->hosts[host];
    const struct book *book = &places->books[host];
    const struct policy_template *t = &places->policy->templates[template];
    struct reason why = {0};

    if (not_for_it == REASON_HOST_UNTRUSTED || not_for_it == REASON_HOST_CORDONED ||
        not_for_it == REASON_HOST_FENCED || not_for_it == REASON_HOST_REMOVED)
        return (struct reason){not_for_it, .subject = facts->name};
    if (not_for_it)
        return (struct reason){not_for_it, .at = t->at, .subject = t->name};
    enum reason_code full = crowded(book, t, whole_host);
    if (full == REASON_NO_HOST_FITS)
        return (struct reason){full, t->cpus, t->memory, t->at, t->name};
    if (full)
        return (struct reason){full, .subject = facts->name};
    const struct setting *max = &book->policy->max_vms;
    if (max->value != POLICY_UNLIMITED && book->vms + book->kept_vms >= max->value)
        return (struct reason){REASON_LIMIT_HOST, book->vms, max->value, max->at, facts->name};
    return ramp_allows_host(places->ramp, host, &why, later) ? (struct reason){0} : why;
}

/* Of the reasons of all hosts the one is told that is nearest to going away. */
static int nearness(enum reason_code code)
{
    static const enum reason_code order[] = {
        REASON_SLOW_START,           REASON_PROBING,
        REASON_LIMIT_HOST_IN_FLIGHT, REASON_LIMIT_HOST_PER_MINUTE,
        REASON_HOST_BACKOFF,         REASON_LIMIT_HOST,
        REASON_HOST_SHARED,          REASON_HOST_BOOKED,
        REASON_NO_HOST_FITS,         REASON_HOST_CORDONED,
        REASON_HOST_UNTRUSTED,       REASON_NO_HOST_IMAGE,
        REASON_HOST_FENCED,          REASON_HOST_REMOVED,
        REASON_NO_HOST_TAGGED,
    };
    int at = 0;
    while (at < (int)(sizeof(order) / sizeof(order[0])) && order[at] != code)
        at++;
    return at;
}

/* The reason of all hosts that is nearest to going away. */
static struct reason why_none(const struct places *places, size_t template, bool whole_host,
                              struct later *later)
{
    const enum reason_code *unsuited = suitors_of(places, template)->unsuited;
    const struct policy_template *t = &places->policy->templates[template];
    struct reason nearest = {REASON_NO_HOST_TAGGED, .at = t->at, .subject = t->name};
    size_t told = SIZE_MAX;

    for (size_t i = 0; i < places->world->n_hosts; i++) {
        struct reason why = refusal(places, i, template, whole_host, unsuited[i], later);
        int order = nearness(why.code) - nearness(nearest.code);
        if (order == 0 && why.code == REASON_HOST_BACKOFF && why.limit != nearest.limit)
            order = why.limit < nearest.limit ? -1 : 1;
        if (order < 0 || (order == 0 && stands_before(places, i, told))) {
            nearest = why;
            told = i;
        }
    }
    return nearest;
}

bool places_allow(const struct places *places, size_t host, size_t template, bool whole_host,
                  struct reason *ret_why, struct later *later)
{
    const enum reason_code *unsuited = suitors_of(places, template)->unsuited;
    *ret_why = refusal(places, host, template, whole_host, unsuited[host], later);
    return !ret_why->code;
}

/* Few VMs have a host for themselves, or are placed beside what is kept for a moment: the heap is for
 * the others, for whom room only becomes less. */
static size_t pick_slowly(const struct places *places, const struct start *what)
{
    struct reason why = {0};
    struct later no_matter = {0};
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < places->world->n_hosts; i++)
        if (places_allow(places, i, what->template, what->whole_host, &why, &no_matter) &&
            (best == SIZE_MAX || is_better(places, i, best)))
            best = i;
    return best;
}

static size_t pick(const struct places *places, size_t template)
{
    struct heap *heap = suitors_of(places, template)->heap;
    struct later no_matter = {0};
    size_t best;
    while ((best = heap_first(heap)) != SIZE_MAX &&
           refusal(places, best, template, false, REASON_NONE, &no_matter).code)
        heap_drop_first(heap);
    return best;
}

size_t places_pick(const struct places *places, const struct start *what, struct reason *ret_why,
                   struct later *later)
{
    size_t best = what->whole_host || what->beside ? pick_slowly(places, what)
                                                   : pick(places, what->template);
    if (best == SIZE_MAX)
        *ret_why = why_none(places, what->template, what->whole_host, later);
    return best;
}

void places_keep(struct places *places, size_t host, size_t template, int64_t vms, bool whole_host)
{
    const struct policy_template *t = &places->policy->templates[template];
    struct book *book = &places->books[host];
    book->kept_cpus += vms * t->cpus;
    book->kept_memory += vms * (t->memory + VM_OVERHEAD);
    book->kept_vms += vms;
    book->whole += whole_host ? vms : 0;
}

void places_take(struct places *places, size_t host, size_t template, bool whole_host)
{
    const struct policy_template *t = &places->policy->templates[template];
    struct book *book = &places->books[host];
    book->used_cpus += t->cpus;
    book->used_memory += t->memory + VM_OVERHEAD;
    book->disk -= t->disk;
    book->vms++;
    book->whole += whole_host;
    for (size_t i = 0; i < places->policy->n_templates; i++)
        if (places->suitors[i].heap)
            heap_moved(places->suitors[i].heap, host);
}
