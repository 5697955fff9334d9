/*
 * Rung 6. Which host takes one more VM. The books count every domain on a host, ours and foreign,
 * and every VM that is decided but not seen yet: libvirt itself never refuses overcommit.
 */
#include "plan/rungs.h"

#include <string.h>

/* What QEMU itself takes beside the guest's memory (measured: about 150 MiB). */
static const int64_t overhead = 150 * MIB;

struct book {
    const struct policy_host *policy; /* NULL: not in the policy any more */
    int64_t cpus, memory;             /* capacity, overcommit included */
    int64_t used_cpus, used_memory;
    int64_t disk;                     /* available, less what newborn VMs may take */
    int64_t vms;                      /* ours */
};

struct places {
    const struct policy *policy;
    const struct world *world;
    const struct trust *trust;
    const struct ramp *ramp;
    struct book *books; /* as world.hosts */
    struct arena *arena;
    enum reason_code **unsuited; /* of each template, when first asked for: as world.hosts */
};

struct places *places_open(struct arena *a, const struct policy *p, const struct world *w,
                           const struct trust *trust, const struct vms *vms,
                           const struct ramp *ramp)
{
    struct places *places = arena_take(a, 1, sizeof(*places));
    struct book *books = arena_take(a, w->n_hosts, sizeof(*books));
    *places = (struct places){p, w, trust, ramp, books, a,
                              arena_take(a, p->n_templates, sizeof(enum reason_code *))};
    for (size_t i = 0; i < w->n_hosts; i++) {
        const struct policy_host *wish = books[i].policy = vms->policy_hosts[i];
        int64_t cpus = wish && wish->cpus ? wish->cpus : w->hosts[i].cpus;
        books[i].cpus = cpus * p->placement.overcommit.value / 100;
        books[i].memory = wish && wish->memory ? wish->memory : w->hosts[i].memory;
        books[i].disk = w->hosts[i].storage_available;
    }
    for (size_t h = 0; h < w->n_hosts; h++) {
        for (size_t i = 0; i < w->hosts[h].n_domains; i++) {
            const struct world_domain *domain = &w->hosts[h].domains[i];
            books[h].used_cpus += domain->cpus;
            books[h].used_memory += domain->memory + overhead;
            books[h].vms += domain->ours;
        }
    }
    for (size_t i = 0; i < vms->n; i++) { /* those that are decided and not seen yet */
        const struct plan_vm *vm = &vms->items[i];
        if (vm->world_host == SIZE_MAX || vm->state == VM_GONE || vm->domain)
            continue;
        struct book *book = &books[vm->world_host];
        book->used_cpus += vm->cpus;
        book->used_memory += vm->memory + overhead;
        book->vms++;
        if (vm->policy_template != SIZE_MAX)
            book->disk -= p->templates[vm->policy_template].disk;
    }
    return places;
}

static bool has_tags(const struct policy_host *host, const struct policy_template *t)
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

/* A host whose volumes are not known is taken at its word: the create will tell. */
static bool has_image(const struct world_host *host, const struct policy_template *t)
{
    for (size_t i = 0; i < host->n_images; i++)
        if (strcmp(host->images[i], t->image) == 0)
            return true;
    return host->n_images == 0;
}

/* What does not change while VMs are placed: why a host is not for the template at all. */
static enum reason_code unsuited(const struct places *places, size_t host,
                                 const struct policy_template *t)
{
    const struct world_host *facts = &places->world->hosts[host];
    const struct policy_host *policy = places->books[host].policy;
    if (!policy)
        return REASON_HOST_REMOVED;
    if (!places->trust->host[host])
        return REASON_HOST_UNTRUSTED;
    if (!has_tags(policy, t))
        return REASON_NO_HOST_TAGGED;
    if (!has_image(facts, t))
        return REASON_NO_HOST_IMAGE;
    return facts->cordoned || facts->drain ? REASON_HOST_CORDONED : REASON_NONE;
}

static const enum reason_code *unsuited_hosts(const struct places *places, size_t template)
{
    if (!places->unsuited[template]) {
        size_t n = places->world->n_hosts;
        enum reason_code *codes = arena_take(places->arena, n, sizeof(*codes));
        for (size_t i = 0; i < n; i++)
            codes[i] = unsuited(places, i, &places->policy->templates[template]);
        places->unsuited[template] = codes;
    }
    return places->unsuited[template];
}

/* Why a host cannot take one more VM; @left: memory that would be left if it can. */
static struct reason refusal(const struct places *places, size_t host, size_t template,
                             enum reason_code not_for_it, int64_t *left, struct later *later)
{
    const struct world_host *facts = &places->world->hosts[host];
    const struct book *book = &places->books[host];
    const struct policy_template *t = &places->policy->templates[template];
    struct reason why = {0};

    if (not_for_it == REASON_HOST_UNTRUSTED || not_for_it == REASON_HOST_CORDONED ||
        not_for_it == REASON_HOST_REMOVED)
        return (struct reason){not_for_it, .subject = facts->name};
    if (not_for_it)
        return (struct reason){not_for_it, .at = t->at, .subject = t->name};
    *left = book->memory - book->used_memory - t->memory - overhead;
    if (*left < 0 || book->used_cpus + t->cpus > book->cpus || book->disk < t->disk)
        return (struct reason){REASON_NO_HOST_FITS, t->cpus, t->memory, t->at, t->name};
    const struct setting *max = &book->policy->max_vms;
    if (max->value != POLICY_UNLIMITED && book->vms >= max->value)
        return (struct reason){REASON_LIMIT_HOST, book->vms, max->value, max->at, facts->name};
    return ramp_allows_host(places->ramp, host, &why, later) ? (struct reason){0} : why;
}

/* Of the reasons of all hosts the one is told that is nearest to going away. */
static int nearness(enum reason_code code)
{
    static const enum reason_code order[] = {
        REASON_SLOW_START,  REASON_PROBING, REASON_LIMIT_HOST_IN_FLIGHT, REASON_LIMIT_HOST_PER_MINUTE,
        REASON_HOST_BACKOFF, REASON_LIMIT_HOST,          REASON_NO_HOST_FITS,
        REASON_HOST_CORDONED, REASON_HOST_UNTRUSTED,     REASON_NO_HOST_IMAGE,
        REASON_HOST_REMOVED, REASON_NO_HOST_TAGGED,
    };
    int at = 0;
    while (at < (int)(sizeof(order) / sizeof(order[0])) && order[at] != code)
        at++;
    return at;
}

/* Ties go to the host that the file names first. */
static bool stands_before(const struct places *places, size_t a, size_t b)
{
    return b == SIZE_MAX || !places->books[b].policy ||
           (places->books[a].policy && places->books[a].policy < places->books[b].policy);
}

size_t places_pick(const struct places *places, size_t template, struct reason *ret_why,
                   struct later *later)
{
    const bool pack = places->policy->placement.order == POLICY_PACK;
    const enum reason_code *not_for_it = unsuited_hosts(places, template);
    size_t best = SIZE_MAX, told = SIZE_MAX;
    int64_t best_left = 0;
    struct reason nearest = {REASON_NO_HOST_TAGGED, .at = places->policy->templates[template].at,
                             .subject = places->policy->templates[template].name};

    for (size_t i = 0; i < places->world->n_hosts; i++) {
        int64_t left = 0;
        struct reason why = refusal(places, i, template, not_for_it[i], &left, later);
        if (why.code) {
            int order = nearness(why.code) - nearness(nearest.code);
            if (order == 0 && why.code == REASON_HOST_BACKOFF && why.limit != nearest.limit)
                order = why.limit < nearest.limit ? -1 : 1;
            if (order < 0 || (order == 0 && stands_before(places, i, told))) {
                nearest = why;
                told = i;
            }
            continue;
        }
        int64_t gain = best == SIZE_MAX ? 1 : pack ? best_left - left : left - best_left;
        if (gain > 0 || (gain == 0 && stands_before(places, i, best))) {
            best = i;
            best_left = left;
        }
    }
    if (best == SIZE_MAX)
        *ret_why = nearest;
    return best;
}

void places_take(struct places *places, size_t host, size_t template)
{
    const struct policy_template *t = &places->policy->templates[template];
    struct book *book = &places->books[host];
    book->used_cpus += t->cpus;
    book->used_memory += t->memory + overhead;
    book->disk -= t->disk;
    book->vms++;
}
