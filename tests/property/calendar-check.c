#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "property/calendar.h"

#define WRONG(e, ...) err_set((e), EINVAL, __VA_ARGS__)

static const struct policy_template *template_of(const struct calendar *c, const char *name)
{
    size_t i = 0;
    while (strcmp(c->policy->templates[i].name, name) != 0)
        i++;
    return &c->policy->templates[i];
}

/* Whether its VMs are there at @at, being started included. */
static bool is_there(const struct calendar *c, size_t i, usec at)
{
    const struct world_request *r = &c->booked[i];
    usec until = r->ended && r->ended < r->until ? r->ended : r->until;
    return at >= c->starts[i] && at < until;
}

/* One host at one moment. */
static int host_is_honest(const struct calendar *c, size_t host, usec at, struct err *e)
{
    const struct policy_host *h = &c->policy->hosts[host];
    const struct world_host *facts = &c->world.hosts[host];
    int64_t cpus = 0, memory = 0, vms = 0, whole = 0;
    for (size_t i = 0; i < c->world.n_requests; i++) {
        const struct world_request *r = &c->booked[i];
        const struct policy_template *t = template_of(c, r->template);
        for (size_t k = 0; is_there(c, i, at) && k < r->n_seats; k++) {
            if (strcmp(r->seats[k].host, h->name) != 0)
                continue;
            if (t->n_needs && !h->n_tags)
                return WRONG(e, "%s of %s has a seat on %s, which has no tag", r->id, t->name,
                             h->name);
            vms += r->seats[k].vms;
            whole += r->whole_host ? r->seats[k].vms : 0;
            cpus += r->seats[k].vms * t->cpus;
            memory += r->seats[k].vms * (t->memory + 150 * MIB);
        }
    }
    if (whole > 1 || (whole && (vms > 1 || facts->n_domains)))
        return WRONG(e, "a whole host, %s, is promised to %" PRId64 " VMs, beside %zu domains",
                     h->name, vms, facts->n_domains);
    if (h->max_vms.value != POLICY_UNLIMITED && vms > h->max_vms.value)
        return WRONG(e, "%s is to have %" PRId64 " VMs", h->name, vms);
    int64_t foreign = facts->n_domains ? facts->domains[0].cpus : 0;
    int64_t foreign_memory = facts->n_domains ? facts->domains[0].memory + 150 * MIB : 0;
    if (vms && (cpus + foreign > h->cpus * c->policy->placement.overcommit.value / 100 ||
                memory + foreign_memory > h->memory))
        return WRONG(e, "%s is to have %" PRId64 " cpus and %" PRId64 " bytes of memory", h->name,
                     cpus, memory);
    return 0;
}

static bool over(struct setting limit, int64_t used)
{
    return limit.value != POLICY_UNLIMITED && used > limit.value;
}

/* The limits at one moment. */
static int limits_are_honest(const struct calendar *c, usec at, struct err *e)
{
    const struct policy *p = c->policy;
    int64_t vms = 0, cpus = 0, memory = 0;
    int64_t of_template[3] = {0}, of_group[3] = {0}, cpus_of_group[3] = {0};
    for (size_t i = 0; i < c->world.n_requests; i++) {
        const struct world_request *r = &c->booked[i];
        const struct policy_template *t = template_of(c, r->template);
        size_t group = strcmp(r->group, "alpha") == 0 ? 0 : strcmp(r->group, "beta") == 0 ? 1 : 2;
        if (!is_there(c, i, at))
            continue;
        vms += r->vms;
        cpus += r->vms * t->cpus;
        memory += r->vms * t->memory;
        of_template[t - p->templates] += r->vms;
        of_group[group] += r->vms;
        cpus_of_group[group] += r->vms * t->cpus;
    }
    if (over(p->limits.vms, vms) || over(p->limits.cpus, cpus) || over(p->limits.memory, memory))
        return WRONG(e, "%" PRId64 " VMs, %" PRId64 " cpus and %" PRId64 " bytes are promised", vms,
                     cpus, memory);
    for (size_t i = 0; i < p->n_templates; i++)
        if (over(p->templates[i].max_vms, of_template[i]))
            return WRONG(e, "%" PRId64 " VMs of %s are promised", of_template[i],
                         p->templates[i].name);
    for (size_t i = 0; i < p->n_groups; i++)
        if (over(p->groups[i].max_vms, of_group[i]) || over(p->groups[i].max, cpus_of_group[i]))
            return WRONG(e, "%s is promised %" PRId64 " VMs and %" PRId64 " cpus", p->groups[i].name,
                         of_group[i], cpus_of_group[i]);
    return 0;
}

int calendar_is_honest(const struct calendar *c, struct err *e)
{
    for (size_t i = 0; i < c->world.n_requests; i++) {
        const struct world_request *r = &c->booked[i];
        int64_t seats = 0;
        for (size_t k = 0; k < r->n_seats; k++)
            seats += r->seats[k].vms;
        if (seats != r->vms)
            return WRONG(e, "%s is for %" PRId64 " VMs and has %" PRId64 " seats", r->id, r->vms,
                         seats);
        /* Nothing grows but where something begins. */
        int wrong = limits_are_honest(c, c->starts[i], e);
        for (size_t h = 0; wrong == 0 && h < c->policy->n_hosts; h++)
            wrong = host_is_honest(c, h, c->starts[i], e);
        for (size_t b = 0; b < c->policy->n_blackouts; b++)
            if (is_there(c, i, c->policy->blackouts[b].from) ||
                (c->starts[i] >= c->policy->blackouts[b].from &&
                 c->starts[i] < c->policy->blackouts[b].until))
                return WRONG(e, "%s is in a blackout", r->id);
        if (wrong < 0)
            return wrong;
    }
    return 0;
}
