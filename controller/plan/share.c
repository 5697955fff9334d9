/*
 * Rung 5. One VM at a time goes to the group that has the best claim: first those below their quota,
 * then by use over weight, then by name. It is placed (rung 6) as fast as the ramp allows (rung 7),
 * and filled with the group's waiting jobs. A group that is stopped by a limit keeps the reason, and
 * the others go on.
 */
#include "plan/rungs.h"

#include <string.h>

struct claimant {
    int64_t cpus; /* in use by its VMs, and by those started here */
    int64_t vms;
    int64_t started;
    struct reason limited;
};

struct totals {
    int64_t vms, cpus, memory;
};

struct grower {
    const struct policy *p;
    const struct world *w;
    const struct demand *d;
    struct places *places;
    struct ramp ramp;
    struct totals used;
    struct claimant *groups;
    int64_t *left;     /* jobs without a VM, as demand.wants */
    int64_t *starting;
    struct actions *actions;
    struct later *later;
    struct arena *arena;
};

static bool has_demand(const struct grower *g, size_t group)
{
    for (size_t i = 0; i < g->d->n; i++)
        if (g->d->wants[i].group == group && g->left[i] > 0)
            return true;
    return false;
}

/* Whether group @a has a better claim to the next VM than @b. */
static bool better_claim(const struct grower *g, size_t a, size_t b)
{
    const struct policy_group *pa = &g->p->groups[a], *pb = &g->p->groups[b];
    const struct claimant *ca = &g->groups[a], *cb = &g->groups[b];
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
        if (!g->groups[i].limited.code && has_demand(g, i) &&
            (best == SIZE_MAX || better_claim(g, i, best)))
            best = i;
    return best;
}

/* The first template in the group's order that holds its largest waiting job. */
static size_t choose_template(const struct grower *g, size_t group, size_t *ret_want)
{
    const struct policy_group *pg = &g->p->groups[group];
    for (size_t i = 0; i < g->d->n; i++) {
        if (g->d->wants[i].group != group || g->left[i] == 0)
            continue;
        *ret_want = i;
        for (size_t t = 0; t < pg->n_templates; t++)
            if (want_fits_template(&g->d->wants[i], &g->p->templates[pg->templates[t]]))
                return pg->templates[t];
    }
    return SIZE_MAX;
}

static bool over(const struct setting *limit, int64_t used, int64_t more, enum reason_code code,
                 const char *subject, struct reason *ret_why)
{
    if (limit->value == POLICY_UNLIMITED || used + more <= limit->value)
        return false;
    *ret_why = (struct reason){code, used, limit->value, limit->line, subject};
    return true;
}

/* Whether a limit, the ramp or the hosts stop one more VM of @template; @group may be SIZE_MAX. */
static size_t allowed_host(const struct grower *g, size_t group, size_t template,
                           struct reason *ret_why)
{
    const struct policy *p = g->p;
    const struct policy_template *t = &p->templates[template];
    if (over(&p->limits.vms, g->used.vms, 1, REASON_LIMIT_VMS, NULL, ret_why) ||
        over(&p->limits.cpus, g->used.cpus, t->cpus, REASON_LIMIT_CPUS, NULL, ret_why) ||
        over(&p->limits.memory, g->used.memory, t->memory, REASON_LIMIT_MEMORY, NULL, ret_why))
        return SIZE_MAX;
    if (group != SIZE_MAX && over(&p->groups[group].max, g->groups[group].cpus, t->cpus,
                                  REASON_LIMIT_GROUP, p->groups[group].name, ret_why))
        return SIZE_MAX;
    if (!ramp_allows(&g->ramp, p, g->w, ret_why, g->later))
        return SIZE_MAX;
    return places_pick(g->places, template, ret_why, g->later);
}

static struct plan_action *start(struct grower *g, size_t group, size_t template, size_t host,
                                 struct reason reason)
{
    const struct policy_template *t = &g->p->templates[template];
    places_take(g->places, host, template);
    g->ramp.this_step++;
    g->used.vms++;
    g->used.cpus += t->cpus;
    g->used.memory += t->memory;
    struct plan_action *action = actions_add(g->actions, ACTION_CREATE, reason);
    action->host = g->w->hosts[host].name;
    action->policy_template = template;
    action->policy_group = group;
    if (group != SIZE_MAX) {
        g->groups[group].cpus += t->cpus;
        g->groups[group].vms++;
        g->groups[group].started++;
        action->exclusive = g->p->groups[group].exclusive;
    }
    return action;
}

/* Lay waiting jobs into a VM that was just started: the group's own, then anyone's if it is shared. */
static int64_t fill(struct grower *g, size_t group, size_t template)
{
    int64_t cpus = g->p->templates[template].cpus, memory = g->p->templates[template].memory;
    int64_t taken = 0;
    for (int others = 0; others <= !g->p->groups[group].exclusive; others++) {
        for (size_t i = 0; i < g->d->n; i++) {
            const struct want *want = &g->d->wants[i];
            if (g->left[i] == 0 || (want->group == group) == (others == 1))
                continue;
            int64_t take = want_fits(want, cpus, memory);
            if (want->shape->disk > g->p->templates[template].disk)
                take = 0;
            if (take > g->left[i])
                take = g->left[i];
            cpus -= take * want->shape->cpus;
            memory -= take * want->memory;
            g->left[i] -= take;
            g->starting[i] += take;
            taken += take;
        }
    }
    return taken;
}

static void grow_for_demand(struct grower *g)
{
    size_t group;
    while ((group = next_group(g)) != SIZE_MAX) {
        size_t want = SIZE_MAX;
        size_t template = choose_template(g, group, &want);
        struct reason *limited = &g->groups[group].limited;
        size_t host = allowed_host(g, group, template, limited);
        if (host == SIZE_MAX)
            continue;
        struct reason reason = {REASON_DEMAND, 0, .line = g->p->groups[group].line,
                                .subject = g->p->groups[group].name};
        struct plan_action *action = start(g, group, template, host, reason);
        action->reason.n = fill(g, group, template);
    }
}

static void grow_spare(struct grower *g, const struct vms *vms)
{
    for (size_t t = 0; t < g->p->n_templates; t++) {
        int64_t spare = 0;
        for (size_t i = 0; i < vms->n; i++) {
            const struct plan_vm *vm = &vms->items[i];
            spare += vm->policy_template == t && !vm->exclusive &&
                     (vm->state == VM_CREATING || vm->state == VM_BOOTING || vm->state == VM_IDLE);
        }
        for (; spare < g->p->templates[t].spare; spare++) {
            struct reason why = {0};
            size_t host = allowed_host(g, SIZE_MAX, t, &why);
            if (host == SIZE_MAX)
                break;
            start(g, SIZE_MAX, t, host,
                  (struct reason){REASON_SPARE, spare, g->p->templates[t].spare,
                                  g->p->templates[t].line, g->p->templates[t].name});
        }
    }
}

static void count_use(struct grower *g, const struct vms *vms)
{
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->state == VM_FOREIGN || vm->state == VM_GONE)
            continue;
        g->used.vms++;
        g->used.cpus += vm->cpus;
        g->used.memory += vm->memory;
        if (vm->policy_group != SIZE_MAX) {
            g->groups[vm->policy_group].cpus += vm->cpus;
            g->groups[vm->policy_group].vms++;
        }
    }
}

static const struct plan_group *report(struct grower *g)
{
    struct plan_group *groups = arena_take(g->arena, g->p->n_groups, sizeof(*groups));
    for (size_t i = 0; i < g->p->n_groups; i++)
        groups[i] = (struct plan_group){.name = g->p->groups[i].name,
                                        .vms = g->groups[i].vms - g->groups[i].started,
                                        .cpus = g->groups[i].cpus,
                                        .starting = g->groups[i].started,
                                        .limited = g->groups[i].limited};
    for (size_t i = 0; i < g->d->n; i++) {
        const struct want *want = &g->d->wants[i];
        size_t group = policy_find_group(g->p, want->shape->group);
        if (group != SIZE_MAX)
            groups[group].running_jobs += want->shape->running;
        if (want->group != SIZE_MAX)
            groups[want->group].idle_jobs += want->jobs;
    }
    return groups;
}

const struct growth *share_grow(struct arena *a, const struct policy *p, const struct world *w,
                                const struct trust *trust, const struct vms *vms,
                                const struct demand *d, const struct supply *s, struct reason stop,
                                struct actions *actions, struct later *later)
{
    struct growth *growth = arena_take(a, 1, sizeof(*growth));
    struct grower g = {
        .p = p,
        .w = w,
        .d = d,
        .places = places_open(a, p, w, trust, vms),
        .ramp = ramp_open(w, vms),
        .groups = arena_take(a, p->n_groups, sizeof(*g.groups)),
        .left = arena_take(a, d->n, sizeof(*g.left)),
        .starting = arena_take(a, d->n, sizeof(*g.starting)),
        .actions = actions,
        .later = later,
        .arena = a,
    };
    for (size_t i = 0; i < d->n; i++)
        g.left[i] = d->wants[i].jobs - s->served[i] - s->starting[i];
    count_use(&g, vms);
    for (size_t i = 0; stop.code && i < p->n_groups; i++)
        if (has_demand(&g, i))
            g.groups[i].limited = stop;
    if (!stop.code) {
        grow_for_demand(&g);
        grow_spare(&g, vms);
    }
    *growth = (struct growth){
        .starting = g.starting,
        .groups = report(&g),
        .started = g.ramp.this_step,
    };
    return growth;
}
