/*
 * A calendar lived through with the planner. VMs boot at once and leave at once; what is tested is
 * which of them are where, and not how long it takes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "property/calendar.h"

enum { VMS_MOST = 200, STEPS_MOST = 60 };

struct inhabitant {
    const char *uuid, *host, *request;
    size_t template, group;
};

struct life {
    const struct calendar *c;
    struct arena *arena; /* of one step */
    struct inhabitant vms[VMS_MOST]; /* no more fit the largest site */
    size_t n;
    unsigned born;
};

static void move_in(struct life *l, const char *host, size_t template, size_t group,
                    const char *request)
{
    l->vms[l->n++] =
        (struct inhabitant){arena_printf(l->c->arena, "%08u-1111-4000-8000-000000000000", ++l->born),
                            host, request, template, group};
}

static void move_out(struct life *l, const char *uuid)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->vms[i].uuid, uuid) == 0)
            l->vms[i--] = l->vms[--l->n];
}

static struct world world_now(const struct life *l, usec now)
{
    struct world w = l->c->world;
    struct world_host *hosts = arena_take(l->arena, w.n_hosts, sizeof(*hosts));
    struct world_startd *startds = arena_take(l->arena, l->n, sizeof(*startds));
    struct world_record *records = arena_take(l->arena, l->n, sizeof(*records));
    w.now = now;
    w.pool.fact = (struct world_fact){.asked = now, .error = ""};
    for (size_t h = 0; h < w.n_hosts; h++) {
        struct world_domain *domains = arena_take(l->arena, l->n + 1, sizeof(*domains));
        hosts[h] = w.hosts[h];
        hosts[h].fact.asked = now;
        if (hosts[h].n_domains)
            domains[0] = hosts[h].domains[0];
        hosts[h].domains = domains;
    }
    for (size_t i = 0; i < l->n; i++) {
        const struct inhabitant *vm = &l->vms[i];
        const struct policy_template *t = &l->c->policy->templates[vm->template];
        const char *group = l->c->policy->groups[vm->group].name;
        struct world_host *host = hosts;
        while (strcmp(host->name, vm->host) != 0)
            host++;
        ((struct world_domain *)host->domains)[host->n_domains++] = (struct world_domain){
            vm->uuid, vm->uuid, "running", true, "", t->name, "g", group, *vm->request != '\0',
            now - USEC_PER_HOUR, t->cpus, t->memory, vm->request};
        startds[i] = (struct world_startd){.uuid = vm->uuid, .name = vm->uuid, .machine = vm->uuid,
                                           .address = "", .cpus = t->cpus, .memory = t->memory,
                                           .free_cpus = t->cpus, .free_memory = t->memory,
                                           .usable = true, .heard = now, .job = ""};
        records[i] = (struct world_record){.uuid = vm->uuid, .name = vm->uuid, .host = vm->host,
                                           .template = t->name, .generation = "g", .group = group,
                                           .exclusive = *vm->request != '\0',
                                           .create_decided = now - USEC_PER_HOUR,
                                           .create_answer = WORLD_ANSWER_OK,
                                           .create_answered = now - USEC_PER_HOUR,
                                           .joined = now - USEC_PER_HOUR, .idle_since = now - 1,
                                           .why = "", .order = WORLD_NOBODY,
                                           .request = vm->request};
    }
    w.hosts = hosts;
    w.pool.startds = startds;
    w.records = records;
    w.pool.n_startds = w.n_records = l->n;
    return w;
}

/* One plan and what comes of it; whether anything did. */
static bool step(struct life *l, usec now)
{
    CLEANUP(arena_free_p) struct arena *a = l->arena = arena_new();
    struct world w = world_now(l, now);
    const struct plan *plan = plan_make(a, l->c->policy, &w);
    bool changed = false;
    for (size_t i = 0; i < plan->n_actions; i++) {
        const struct plan_action *action = &plan->actions[i];
        if (action->kind == ACTION_DRAIN)
            move_out(l, action->uuid);
        for (size_t k = 0; action->kind == ACTION_CREATE && k < l->c->world.n_requests; k++)
            if (strcmp(l->c->booked[k].id, action->request) == 0 && l->n < VMS_MOST)
                move_in(l, action->host, action->policy_template,
                        action->policy_group, l->c->booked[k].id);
        changed = changed || action->kind == ACTION_DRAIN || action->kind == ACTION_CREATE;
    }
    return changed;
}

static bool is_inhabited(const struct life *l, const char *host)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->vms[i].host, host) == 0)
            return true;
    return false;
}

/* VMs of requests whose VMs are there already. */
static void settle(struct life *l)
{
    const struct calendar *c = l->c;
    for (size_t i = 0; i < c->world.n_requests; i++) {
        const struct world_request *r = &c->booked[i];
        size_t template = 0;
        while (strcmp(c->policy->templates[template].name, r->template) != 0)
            template++;
        for (size_t k = 0; c->starts[i] < c->world.now && k < r->n_seats; k++)
            for (int64_t v = 0; v < r->seats[k].vms; v++)
                move_in(l, r->seats[k].host, template, strcmp(r->group, "alpha") != 0, r->id);
    }
}

/* And on other hosts, VMs of a group that nothing is guaranteed, as many as there is room for. */
static void crowd(struct life *l)
{
    const struct policy *p = l->c->policy;
    for (size_t h = 0; h < p->n_hosts; h++) {
        if (is_inhabited(l, p->hosts[h].name))
            continue;
        int64_t cpus = p->hosts[h].cpus - (l->c->world.hosts[h].n_domains ? 4 : 0);
        int64_t memory = p->hosts[h].memory - 2 * GIB, vms = 0;
        size_t t = draw_index(l->c->draw, p->n_templates);
        while (cpus >= p->templates[t].cpus && memory >= p->templates[t].memory + GIB &&
               (p->hosts[h].max_vms.value == POLICY_UNLIMITED || vms < p->hosts[h].max_vms.value) &&
               l->n < VMS_MOST / 2) {
            move_in(l, p->hosts[h].name, t, 2, "");
            cpus -= p->templates[t].cpus;
            memory -= p->templates[t].memory + GIB;
            vms++;
        }
    }
}

/* From when on its VMs are drained, so that they are gone at its end. */
static usec leaves(const struct policy *p, const struct world_request *r)
{
    usec before = p->timing.poweroff_within.value, quarter = (r->until - r->from) / 4;
    return r->until - (before < quarter ? before : quarter);
}

static int all_are_seated(const struct life *l, usec now, struct err *e)
{
    const struct calendar *c = l->c;
    for (size_t i = 0; i < c->world.n_requests; i++) {
        const struct world_request *r = &c->booked[i];
        if (r->from > now || leaves(c->policy, r) <= now || (r->ended && r->ended <= now))
            continue;
        int64_t all = 0;
        for (size_t v = 0; v < l->n; v++)
            all += strcmp(l->vms[v].request, r->id) == 0;
        if (all != r->vms)
            return err_set(e, EINVAL, "%s has %" PRId64 " of %" PRId64 " VMs", r->id, all, r->vms);
        for (size_t k = 0; k < r->n_seats && c->starts[i] < r->from; k++) { /* else it was late */
            int64_t vms = 0;
            for (size_t v = 0; v < l->n; v++)
                vms += strcmp(l->vms[v].request, r->id) == 0 &&
                       strcmp(l->vms[v].host, r->seats[k].host) == 0;
            if (vms != r->seats[k].vms)
                return err_set(e, EINVAL,
                               "%s has %" PRId64 " VMs on %s, and was promised %" PRId64, r->id, vms,
                               r->seats[k].host, r->seats[k].vms);
        }
    }
    return 0;
}

static int by_time(const void *left, const void *right)
{
    const usec *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

int calendar_live(const struct calendar *c, struct err *e)
{
    struct life *l = arena_take(c->arena, 1, sizeof(*l));
    usec *moments = arena_take(c->arena, 3 * c->world.n_requests + 1, sizeof(*moments));
    size_t n = 0;
    moments[n++] = c->world.now;
    l->c = c;
    for (size_t i = 0; i < c->world.n_requests; i++) {
        moments[n++] = c->starts[i];
        moments[n++] = c->booked[i].from;
        moments[n++] = c->booked[i].until;
    }
    if (n > 1)
        qsort(moments, n, sizeof(*moments), by_time);
    settle(l);
    crowd(l);
    for (size_t i = 0; i < n; i++) {
        int steps = 0;
        if (moments[i] < c->world.now)
            continue;
        while (step(l, moments[i]))
            if (++steps > STEPS_MOST)
                return err_set(e, EINVAL, "the planner does not come to rest");
        int wrong = all_are_seated(l, moments[i], e);
        if (wrong < 0)
            return wrong;
    }
    return 0;
}
