/*
 * Rung 5. One VM at a time goes to the group that has the best claim: first those below their quota,
 * then by use over weight, then by name. It is packed, placed (rung 6) as fast as the ramp allows
 * (rung 7), and filled with the group's waiting jobs. A group that is stopped keeps the reason, and
 * the others go on.
 */
#include "plan/rungs.h"

#include <string.h>

/* How much more of a VM may be wasted rather than to wait for a moment. */
static const double waste_more = 0.25;

struct claimant {
    int64_t cpus, memory, vms; /* in use by its VMs, and by those started here */
    int64_t started;
    int64_t waiting;           /* jobs that may start VMs and have none */
    int64_t running;           /* cpus of its jobs that run */
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
    struct ramp *ramp;
    struct packer *packer;
    struct totals used;
    struct claimant *groups;
    int64_t *template_vms;
    int64_t *left;     /* jobs without a VM, as demand.wants; 0 for those that may not start one */
    int64_t *starting;
    bool *open;        /* scratch: the templates still to be tried */
    struct actions *actions;
    struct later *later;
};

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
        if (!g->groups[i].limited.code && g->groups[i].waiting > 0 &&
            (best == SIZE_MAX || better_claim(g, i, best)))
            best = i;
    return best;
}

static bool over(const struct setting *limit, int64_t used, int64_t more, enum reason_code code,
                 const char *subject, struct reason *ret_why)
{
    if (limit->value == POLICY_UNLIMITED || used + more <= limit->value)
        return false;
    *ret_why = (struct reason){code, used, limit->value, limit->at, subject};
    return true;
}

/* Whether @group is at a limit of its own with a VM of @template more. */
static bool is_at_its_max(const struct grower *g, size_t group, const struct policy_template *t,
                          struct reason *ret_why)
{
    const struct policy_group *pg = &g->p->groups[group];
    const struct claimant *c = &g->groups[group];
    return over(&pg->max, c->cpus, t->cpus, REASON_LIMIT_GROUP, pg->name, ret_why) ||
           over(&pg->max_vms, c->vms, 1, REASON_LIMIT_GROUP_VMS, pg->name, ret_why) ||
           over(&pg->max_memory, c->memory, t->memory, REASON_LIMIT_GROUP_MEMORY, pg->name, ret_why);
}

/* The host for one more VM of @template, or SIZE_MAX and what stops it; @group may be SIZE_MAX. */
static size_t allowed_host(const struct grower *g, size_t group, size_t template,
                           struct reason *ret_why)
{
    const struct policy *p = g->p;
    const struct policy_template *t = &p->templates[template];
    if (over(&p->limits.vms, g->used.vms, 1, REASON_LIMIT_VMS, NULL, ret_why) ||
        over(&p->limits.cpus, g->used.cpus, t->cpus, REASON_LIMIT_CPUS, NULL, ret_why) ||
        over(&p->limits.memory, g->used.memory, t->memory, REASON_LIMIT_MEMORY, NULL, ret_why) ||
        over(&t->max_vms, g->template_vms[template], 1, REASON_LIMIT_TEMPLATE, t->name, ret_why))
        return SIZE_MAX;
    if (group != SIZE_MAX && is_at_its_max(g, group, t, ret_why))
        return SIZE_MAX;
    if (!ramp_allows(g->ramp, ret_why, g->later) ||
        !ramp_allows_template(g->ramp, template, ret_why, g->later))
        return SIZE_MAX;
    return places_pick(g->places, template, ret_why, g->later);
}

static struct plan_action *start(struct grower *g, size_t group, size_t template, size_t host,
                                 struct reason reason)
{
    const struct policy_template *t = &g->p->templates[template];
    places_take(g->places, host, template);
    ramp_take(g->ramp, host, template);
    g->used.vms++;
    g->used.cpus += t->cpus;
    g->used.memory += t->memory;
    g->template_vms[template]++;
    struct plan_action *action = actions_add(g->actions, ACTION_CREATE, reason);
    action->host = g->w->hosts[host].name;
    action->policy_template = template;
    action->policy_group = group;
    if (group != SIZE_MAX) {
        struct claimant *c = &g->groups[group];
        c->cpus += t->cpus;
        c->memory += t->memory;
        c->vms++;
        c->started++;
        action->exclusive = g->p->groups[group].exclusive;
    }
    return action;
}

/* Lay the group's jobs into the VM as it was packed. Returns their number. */
static int64_t lay_packed(struct grower *g, size_t group, const struct packing *packing)
{
    const size_t *wants = g->d->by_group + g->d->group_start[group];
    size_t n = g->d->group_start[group + 1] - g->d->group_start[group];
    for (size_t i = 0; i < n; i++) {
        g->left[wants[i]] -= packing->take[i];
        g->starting[wants[i]] += packing->take[i];
    }
    g->groups[group].waiting -= packing->jobs;
    return packing->jobs;
}

/* What is left of a VM that is shared goes to the other groups' jobs. */
static void lay_others(struct grower *g, size_t group, const struct packing *packing)
{
    const struct policy_template *t = &g->p->templates[packing->template];
    int64_t cpus = t->cpus, memory = t->memory, gpus = t->gpus;
    const size_t *wants = g->d->by_group + g->d->group_start[group];
    size_t n = g->d->group_start[group + 1] - g->d->group_start[group];
    for (size_t i = 0; i < n; i++) {
        const struct want *want = &g->d->wants[wants[i]];
        cpus -= packing->take[i] * want->shape->cpus;
        memory -= packing->take[i] * want->memory;
        gpus -= packing->take[i] * want->shape->gpus;
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
    for (size_t t = 0; t < g->p->n_templates; t++)
        g->open[t] = true;
    for (;;) {
        struct packing packing = packer_choose(g->packer, group, g->left, g->open);
        if (packing.template == SIZE_MAX || packing.waste > waste_allowed)
            break;
        size_t host = allowed_host(g, group, packing.template, &why);
        if (host != SIZE_MAX) {
            struct plan_action *action =
                start(g, group, packing.template, host,
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

/* Whether a group at its max would take spare VMs of @template, or runs in some: it runs more than
 * its own VMs hold. */
static bool is_overflowing(const struct grower *g, size_t template)
{
    const struct policy_template *t = &g->p->templates[template];
    struct reason why = {0};
    for (size_t i = 0; i < g->d->n; i++) {
        const struct want *want = &g->d->wants[i];
        if (want->group != SIZE_MAX && want_fits_template(want, t) &&
            (want->jobs > 0 || g->groups[want->group].running > g->groups[want->group].cpus) &&
            is_at_its_max(g, want->group, t, &why))
            return true;
    }
    return false;
}

/*
 * Spare VMs of @t: what is started for nobody counts until it is up, and any VM that is free and
 * shared. One that was taken is replaced, but not while a group at its max takes them: else it would
 * grow through the spare VMs.
 */
static int64_t count_spare(const struct grower *g, size_t t, const struct vms *vms,
                           const struct leavers *leavers, const struct supply *s)
{
    const bool taken_too = is_overflowing(g, t);
    int64_t spare = 0;
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->policy_template != t || vm->exclusive || vm->state > VM_BUSY ||
            leavers->leaves[i] || vm_must_go(g->p, g->w, vm).code)
            continue;
        bool nobodys = vm->policy_group == SIZE_MAX && (taken_too || vm->state < VM_IDLE);
        spare += nobodys || (vm->state != VM_BUSY && !s->wanted[i]);
    }
    return spare;
}

static void grow_spare(struct grower *g, const struct vms *vms, const struct leavers *leavers,
                       const struct supply *s)
{
    for (size_t t = 0; t < g->p->n_templates; t++) {
        int64_t wanted = g->p->templates[t].spare;
        int64_t spare = wanted > 0 ? count_spare(g, t, vms, leavers, s) : 0;
        for (; spare < wanted; spare++) {
            struct reason why = {0};
            size_t host = allowed_host(g, SIZE_MAX, t, &why);
            if (host == SIZE_MAX)
                break;
            start(g, SIZE_MAX, t, host,
                  (struct reason){REASON_SPARE, spare, wanted, g->p->templates[t].at,
                                  g->p->templates[t].name});
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
        if (vm->policy_template != SIZE_MAX)
            g->template_vms[vm->policy_template]++;
        if (vm->policy_group == SIZE_MAX)
            continue;
        g->groups[vm->policy_group].cpus += vm->cpus;
        g->groups[vm->policy_group].memory += vm->memory;
        g->groups[vm->policy_group].vms++;
    }
}

static void count_waiting(struct grower *g, const struct supply *s)
{
    for (size_t i = 0; i < g->d->n; i++) {
        const struct want *want = &g->d->wants[i];
        if (want->group == SIZE_MAX)
            continue;
        g->groups[want->group].running += want->shape->running * want->shape->cpus;
        if (want->settling)
            continue;
        g->left[i] = want->jobs - s->served[i] - s->starting[i];
        g->groups[want->group].waiting += g->left[i];
    }
}

static const struct plan_group *report(struct grower *g, struct arena *a)
{
    struct plan_group *groups = arena_take(a, g->p->n_groups, sizeof(*groups));
    for (size_t i = 0; i < g->p->n_groups; i++)
        groups[i] = (struct plan_group){.name = g->p->groups[i].name,
                                        .vms = g->groups[i].vms - g->groups[i].started,
                                        .cpus = g->groups[i].cpus,
                                        .starting = g->groups[i].started,
                                        .limited = g->groups[i].limited};
    for (size_t i = 0; i < g->d->n; i++) {
        const struct want *want = &g->d->wants[i];
        size_t group = want->group != SIZE_MAX ? want->group
                                               : policy_find_group(g->p, want->shape->group);
        if (group == SIZE_MAX)
            continue;
        groups[group].running_jobs += want->shape->running;
        groups[group].idle_jobs += want->jobs;
    }
    return groups;
}

const struct growth *share_grow(struct arena *a, const struct policy *p, const struct world *w,
                                const struct trust *trust, const struct vms *vms,
                                const struct leavers *leavers, const struct demand *d,
                                const struct supply *s, struct reason stop, struct actions *actions,
                                struct later *later)
{
    struct growth *growth = arena_take(a, 1, sizeof(*growth));
    struct grower g = {
        .p = p,
        .w = w,
        .d = d,
        .packer = packer_new(a, p, d),
        .ramp = ramp_open(a, p, w, vms),
        .groups = arena_take(a, p->n_groups, sizeof(*g.groups)),
        .template_vms = arena_take(a, p->n_templates, sizeof(*g.template_vms)),
        .left = arena_take(a, d->n, sizeof(*g.left)),
        .starting = arena_take(a, d->n, sizeof(*g.starting)),
        .open = arena_take(a, p->n_templates, sizeof(*g.open)),
        .actions = actions,
        .later = later,
    };
    g.places = places_open(a, p, w, trust, vms, g.ramp);
    count_use(&g, vms);
    count_waiting(&g, s);
    for (size_t i = 0; stop.code && i < p->n_groups; i++)
        if (g.groups[i].waiting > 0)
            g.groups[i].limited = stop;
    for (size_t group; !stop.code && (group = next_group(&g)) != SIZE_MAX;)
        (void)grow_group(&g, group);
    if (!stop.code)
        grow_spare(&g, vms, leavers, s);
    *growth = (struct growth){
        .starting = g.starting,
        .groups = report(&g, a),
        .started = ramp_taken(g.ramp),
    };
    return growth;
}
