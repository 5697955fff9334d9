/*
 * Rung 5. One VM at a time goes to the group that has the best claim: first those below their
 * quota, then by use over weight, then by name. It is packed, placed (rung 6) as fast as the ramp
 * allows (rung 7), and filled with the group's waiting jobs. A group that is stopped keeps the
 * reason, and the others go on.
 */
#include "plan/rungs.h"

#include <string.h>

/* How much more of a VM may be wasted rather than to wait for a moment. */
static const double waste_more = 0.25;

struct claimant {
    int64_t waiting; /* jobs that may start VMs and have none */
    struct reason limited;
};

struct grower {
    const struct policy *p;
    const struct demand *d;
    struct starter *starter;
    struct packer *packer;
    struct claimant *groups;
    int64_t *left; /* jobs without a VM, as demand.wants; 0 for those that may not start one */
    int64_t *starting;
    bool *open; /* scratch: the templates still to be tried */
};

/* Whether group @a has a better claim to the next VM than @b. */
static bool better_claim(const struct grower *g, size_t a, size_t b)
{
    const struct policy_group *pa = &g->p->groups[a], *pb = &g->p->groups[b];
    const struct use *ca = &g->starter->groups[a], *cb = &g->starter->groups[b];
    bool below_a = ca->cpus < pa->quota.value, below_b = cb->cpus < pb->quota.value;
    if (below_a != below_b)
        return below_a;
    int64_t left = ca->cpus * pb->weight.value, right = cb->cpus * pa->weight.value;
    return left != right ? left < right : a < b;
}

static size_t next_group(const struct grower *g)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < g->p->n_groups; i++)
        if (!g->groups[i].limited.code && g->groups[i].waiting > 0 &&
            (best == SIZE_MAX || better_claim(g, i, best)))
            best = i;
    return best;
}

/* Lay the group's jobs into the VM as it was packed. Returns their number. */
static int64_t lay_packed(struct grower *g, size_t group, const struct packing *packing)
{
    for (size_t i = 0; i < packing->n; i++) {
        g->left[packing->items[i].want] -= packing->items[i].jobs;
        g->starting[packing->items[i].want] += packing->items[i].jobs;
    }
    g->groups[group].waiting -= packing->jobs;
    return packing->jobs;
}

/* What is left of a VM that is shared goes to the other groups' jobs. */
static void lay_others(struct grower *g, size_t group, const struct packing *packing)
{
    const struct policy_template *t = &g->p->templates[packing->template];
    int64_t cpus = t->cpus, memory = t->memory, gpus = t->gpus;
    for (size_t i = 0; i < packing->n; i++) {
        const struct want *want = &g->d->wants[packing->items[i].want];
        cpus -= packing->items[i].jobs * want->shape->cpus;
        memory -= packing->items[i].jobs * want->memory;
        gpus -= packing->items[i].jobs * want->shape->gpus;
    }
    for (size_t i = 0; i < g->d->n && cpus > 0; i++) {
        const struct want *want = &g->d->wants[i];
        if (g->left[i] <= 0 || want->group == group || want->shape->disk > t->disk)
            continue;
        int64_t take = want_fits(want, cpus, memory, gpus);
        take = take < g->left[i] ? take : g->left[i];
        cpus -= take * want->shape->cpus;
        memory -= take * want->memory;
        gpus -= take * want->shape->gpus;
        g->left[i] -= take;
        g->starting[i] += take;
        g->groups[want->group].waiting -= take;
    }
}

/* What stops a start only for a moment: then a VM that wastes much more is no answer to it. */
static bool is_passing(enum reason_code code)
{
    return code == REASON_SLOW_START || code == REASON_LIMIT_IN_FLIGHT ||
           code == REASON_LIMIT_PER_MINUTE || code == REASON_LIMIT_HOST_IN_FLIGHT ||
           code == REASON_LIMIT_HOST_PER_MINUTE || code == REASON_LIMIT_ACTIONS;
}

/* One VM for @group: the template that packs best, else the next best; false: all are stopped. */
static bool grow_group(struct grower *g, size_t group)
{
    const struct policy_group *pg = &g->p->groups[group];
    struct reason first = {0}, passing = {0}, why = {0};
    double waste_allowed = 1;
    if (!ramp_allows_group(g->starter->ramp, group, &first, g->starter->later)) {
        g->groups[group].limited = first;
        return false;
    }
    for (size_t t = 0; t < g->p->n_templates; t++)
        g->open[t] = true;
    for (;;) {
        struct packing packing = packer_choose(g->packer, group, g->left, g->open);
        if (packing.template == SIZE_MAX || packing.waste > waste_allowed)
            break;
        const struct start what = {.group = group, .template = packing.template};
        size_t host = starter_host(g->starter, what, &why);
        if (host != SIZE_MAX) {
            struct plan_action *action =
                starter_start(g->starter, what, host,
                              (struct reason){REASON_DEMAND, .at = pg->at, .subject = pg->name});
            action->reason.n = lay_packed(g, group, &packing);
            if (!pg->exclusive)
                lay_others(g, group, &packing);
            return true;
        }
        if (!first.code)
            first = why;
        if (is_passing(why.code) && packing.waste + waste_more < waste_allowed) {
            waste_allowed = packing.waste + waste_more;
            passing = why;
        }
        g->open[packing.template] = false;
    }
    g->groups[group].limited = passing.code ? passing : first;
    return false;
}

static void count_waiting(struct grower *g, const struct supply *s,
                          const struct served_requests *served)
{
    for (size_t i = 0; i < g->d->n; i++) {
        const struct want *want = &g->d->wants[i];
        g->starting[i] = served->starting[i];
        if (want->group == SIZE_MAX || want->settling || want->request != NO_REQUEST)
            continue;
        g->left[i] = want->jobs - s->served[i] - s->starting[i] - served->starting[i];
        g->groups[want->group].waiting += g->left[i];
    }
}

static const struct plan_group *report(struct grower *g, struct arena *a)
{
    struct plan_group *groups = arena_take(a, g->p->n_groups, sizeof(*groups));
    for (size_t i = 0; i < g->p->n_groups; i++) {
        const struct use *used = &g->starter->groups[i];
        groups[i] = (struct plan_group){.name = g->p->groups[i].name,
                                        .vms = used->vms - used->started,
                                        .cpus = used->cpus,
                                        .starting = used->started,
                                        .limited = g->groups[i].limited};
    }
    for (size_t i = 0; i < g->d->n; i++) {
        const struct want *want = &g->d->wants[i];
        size_t group =
            want->group != SIZE_MAX ? want->group : policy_find_group(g->p, want->shape->group);
        if (group == SIZE_MAX)
            continue;
        groups[group].running_jobs += want->shape->running;
        groups[group].idle_jobs += want->jobs;
    }
    return groups;
}

const struct growth *share_grow(struct arena *a, const struct policy *p, const struct demand *d,
                                const struct supply *s, const struct served_requests *served,
                                struct reason stop, struct starter *starter)
{
    struct growth *growth = arena_take(a, 1, sizeof(*growth));
    struct grower g = {
        .p = p,
        .d = d,
        .starter = starter,
        .packer = packer_new(a, p, d),
        .groups = arena_take(a, p->n_groups, sizeof(*g.groups)),
        .left = arena_take(a, d->n, sizeof(*g.left)),
        .starting = arena_take(a, d->n, sizeof(*g.starting)),
        .open = arena_take(a, p->n_templates, sizeof(*g.open)),
    };
    count_waiting(&g, s, served);
    for (size_t i = 0; stop.code && i < p->n_groups; i++)
        if (g.groups[i].waiting > 0)
            g.groups[i].limited = stop;
    for (size_t group; !stop.code && (group = next_group(&g)) != SIZE_MAX;)
        (void)grow_group(&g, group);
    *growth = (struct growth){.starting = g.starting, .groups = report(&g, a)};
    return growth;
}
