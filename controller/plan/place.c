/*
 * Rung 6. Which host takes one more VM. The books count every domain on a host, ours and foreign,
 * and every VM that is decided but not seen yet: libvirt itself never refuses overcommit.
 */
#include "plan/rungs.h"

#include <string.h>

/* What QEMU itself takes beside the guest's memory (measured: about 150 MiB). */
static const int64_t overhead = 150 * MIB;

static const usec backoff_first = 10 * USEC_PER_SEC;
static const int backoff_doublings = 6; /* at most 10 s × 2^6: about ten minutes */

struct book {
    bool open;
    usec closed_until; /* back-off after failures */
    int64_t cpus, memory;           /* capacity */
    int64_t used_cpus, used_memory;
    int64_t disk;                   /* available, less what newborn VMs may take */
};

struct places {
    const struct policy *policy;
    const struct world *world;
    const struct trust *trust;
    struct book *books; /* as world.hosts */
};

static const struct policy_host *host_policy(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_hosts; i++)
        if (strcmp(p->hosts[i].name, name) == 0)
            return &p->hosts[i];
    return NULL;
}

static usec backoff_end(const struct world_host *host)
{
    if (host->failures <= 0)
        return 0;
    int64_t doublings = host->failures - 1;
    if (doublings > backoff_doublings)
        doublings = backoff_doublings;
    return host->last_failure + (backoff_first << doublings);
}

struct places *places_open(struct arena *a, const struct policy *p, const struct world *w,
                           const struct trust *trust, const struct vms *vms)
{
    struct places *places = arena_take(a, 1, sizeof(*places));
    struct book *books = arena_take(a, w->n_hosts, sizeof(*books));
    *places = (struct places){p, w, trust, books};
    for (size_t i = 0; i < w->n_hosts; i++) {
        const struct world_host *host = &w->hosts[i];
        const struct policy_host *wish = host_policy(p, host->name);
        books[i].open = wish && trust->host[i] && !host->cordoned;
        books[i].closed_until = backoff_end(host);
        books[i].cpus = wish && wish->cpus ? wish->cpus : host->cpus;
        books[i].memory = wish && wish->memory ? wish->memory : host->memory;
        books[i].disk = host->storage_available;
    }
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->world_host == SIZE_MAX || vm->state == VM_GONE)
            continue;
        struct book *book = &books[vm->world_host];
        book->used_cpus += vm->cpus;
        book->used_memory += vm->memory + overhead;
        if (vm->state == VM_CREATING && vm->policy_template != SIZE_MAX)
            book->disk -= p->templates[vm->policy_template].disk;
    }
    return places;
}

size_t places_pick(const struct places *places, size_t template, struct reason *ret_why,
                   struct later *later)
{
    const struct world *w = places->world;
    const struct policy_template *t = &places->policy->templates[template];
    size_t best = SIZE_MAX, untrusted = SIZE_MAX, resting = SIZE_MAX;
    int64_t best_left = -1;

    for (size_t i = 0; i < w->n_hosts; i++) {
        const struct book *book = &places->books[i];
        if (!places->trust->host[i])
            untrusted = i;
        if (!book->open)
            continue;
        int64_t left = book->memory - book->used_memory - t->memory - overhead;
        if (left < 0 || book->used_cpus + t->cpus > book->cpus || book->disk < t->disk)
            continue;
        if (book->closed_until > w->now) {
            if (resting == SIZE_MAX ||
                book->closed_until < places->books[resting].closed_until)
                resting = i;
            continue;
        }
        if (left > best_left) { /* spread; ties go to the first in the file */
            best = i;
            best_left = left;
        }
    }
    if (best != SIZE_MAX)
        return best;
    if (resting != SIZE_MAX) {
        *ret_why = (struct reason){REASON_HOST_BACKOFF, w->hosts[resting].failures,
                                   places->books[resting].closed_until - w->now,
                                   .subject = w->hosts[resting].name};
        later_at(later, places->books[resting].closed_until);
    } else if (untrusted != SIZE_MAX) {
        *ret_why = (struct reason){REASON_HOST_UNTRUSTED, .subject = w->hosts[untrusted].name};
    } else {
        *ret_why = (struct reason){REASON_NO_HOST_FITS, t->cpus, t->memory, t->line, t->name};
    }
    return SIZE_MAX;
}

void places_take(struct places *places, size_t host, size_t template)
{
    const struct policy_template *t = &places->policy->templates[template];
    places->books[host].used_cpus += t->cpus;
    places->books[host].used_memory += t->memory + overhead;
    places->books[host].disk -= t->disk;
}
