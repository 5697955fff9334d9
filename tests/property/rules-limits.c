/*
 * S2: a plan exceeds no limit that was not exceeded before; what was, it makes no worse.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "property/books.h"

struct bound {
    const char *what;
    const char *of;
    int64_t limit, before, after;
};

static int within(const struct bound *b, struct err *e)
{
    if (b->limit == POLICY_UNLIMITED || b->after <= b->limit || b->after <= b->before)
        return 0;
    return BROKEN(e, "%s of %s: %" PRId64 " before, %" PRId64 " after, limit %" PRId64, b->what,
                  b->of, b->before, b->after, b->limit);
}

static int all_within(const struct bound *bounds, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        int r = within(&bounds[i], e);
        if (r < 0)
            return r;
    }
    return 0;
}

static const struct books *books_after(const struct trial *t)
{
    struct books *b = books_open(t);
    for (size_t i = 0; i < t->plan->n_actions; i++)
        if (t->plan->actions[i].kind == ACTION_CREATE)
            books_create(b, &t->plan->actions[i]);
    return b;
}

static int pool_stays_within_limits_S2(const struct trial *t, struct err *e)
{
    const struct books *was = books_open(t), *is = books_after(t);
    const struct policy *p = t->policy;
    const struct bound bounds[] = {
        {"vms", "the pool", p->limits.vms.value, was->all.vms, is->all.vms},
        {"cpus", "the pool", p->limits.cpus.value, was->all.cpus, is->all.cpus},
        {"memory", "the pool", p->limits.memory.value, was->all.memory, is->all.memory},
        {"starts in flight", "the pool", p->limits.starts_in_flight.value, was->all.in_flight,
         is->all.in_flight},
        {"starts a minute", "the pool", p->limits.starts_per_minute.value, was->all.last_minute,
         is->all.last_minute},
    };
    return all_within(bounds, sizeof(bounds) / sizeof(bounds[0]), e);
}

static int groups_stay_within_limits_S2(const struct trial *t, struct err *e)
{
    const struct books *was = books_open(t), *is = books_after(t);
    int r = 0;
    for (size_t i = 0; r == 0 && i < t->policy->n_groups; i++) {
        const struct policy_group *g = &t->policy->groups[i];
        const struct bound bounds[] = {
            {"cpus", g->name, g->max.value, was->groups[i].cpus, is->groups[i].cpus},
            {"vms", g->name, g->max_vms.value, was->groups[i].vms, is->groups[i].vms},
            {"memory", g->name, g->max_memory.value, was->groups[i].memory, is->groups[i].memory},
        };
        r = all_within(bounds, sizeof(bounds) / sizeof(bounds[0]), e);
    }
    return r;
}

static int templates_stay_within_limits_S2(const struct trial *t, struct err *e)
{
    const struct books *was = books_open(t), *is = books_after(t);
    int r = 0;
    for (size_t i = 0; r == 0 && i < t->policy->n_templates; i++) {
        const struct policy_template *pt = &t->policy->templates[i];
        r = within(&(struct bound){"vms", pt->name, pt->max_vms.value, was->templates[i].vms,
                                   is->templates[i].vms},
                   e);
    }
    return r;
}

static int creates_fit_their_hosts_S2(const struct trial *t, struct err *e)
{
    struct books *b = books_open(t);
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        if (a->kind != ACTION_CREATE)
            continue;
        const struct world_host *host = trial_host(t->world, a->host);
        if (!host)
            return BROKEN(e, "a create on %s, which is no host", a->host);
        if (!books_host_fits(b, (size_t)(host - t->world->hosts), a->policy_template))
            return BROKEN(
                e,
                "%s does not fit %s: %" PRId64 " VMs, %" PRId64 " cpus, %" PRId64
                " bytes in use, %" PRId64 " of disk",
                t->policy->templates[a->policy_template].name, a->host,
                b->hosts[host - t->world->hosts].vms, b->hosts[host - t->world->hosts].cpus,
                b->hosts[host - t->world->hosts].memory, b->hosts[host - t->world->hosts].disk);
        books_create(b, a);
    }
    return 0;
}

static int creates_use_the_groups_templates(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        if (a->kind != ACTION_CREATE || a->policy_group == SIZE_MAX || a->request[0])
            continue;
        const struct policy_group *g = &t->policy->groups[a->policy_group];
        bool may = false;
        for (size_t k = 0; k < g->n_templates; k++)
            may = may || g->templates[k] == a->policy_template;
        if (!may)
            return BROKEN(e, "%s started for %s, which may not use it",
                          t->policy->templates[a->policy_template].name, g->name);
        if (a->exclusive != g->exclusive)
            return BROKEN(e, "a VM for %s is %sexclusive", g->name, a->exclusive ? "" : "not ");
    }
    return 0;
}

const struct rule rules_limits[] = {
    {"S2: the pool's limits", pool_stays_within_limits_S2},
    {"S2: the groups' limits", groups_stay_within_limits_S2},
    {"S2: the templates' limits", templates_stay_within_limits_S2},
    {"S2: the hosts' room", creates_fit_their_hosts_S2},
    {"a group's VMs are of its templates", creates_use_the_groups_templates},
    {0},
};
