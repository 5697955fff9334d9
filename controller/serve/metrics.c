#include "serve/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"

static int by_name(const void *key, const void *group)
{
    return strcmp(key, ((const struct policy_group *)group)->name);
}

/* The group's place in the policy, which is sorted; after the last one for what is not in it. */
static size_t find_group(const struct policy *p, const char *name)
{
    const struct policy_group *g =
        p->n_groups ? bsearch(name, p->groups, p->n_groups, sizeof(*g), by_name) : NULL;
    return g ? (size_t)(g - p->groups) : p->n_groups;
}

static void sum_vms(struct metrics *m)
{
    const struct snapshot *s = m->s;
    for (size_t i = 0; i < s->plan->n_vms; i++) {
        const struct plan_vm *vm = &s->plan->vms[i];
        if (vm->world_host < s->world->n_hosts)
            m->hosts[vm->world_host][vm->state]++;
        if (vm->policy_template < s->policy->n_templates)
            m->templates[vm->policy_template][vm->state]++;
        if (vm->policy_group < s->policy->n_groups)
            m->groups[vm->policy_group][vm->state]++;
    }
}

static void sum_jobs(struct metrics *m)
{
    const struct plan *plan = m->s->plan;
    for (size_t i = 0; i < plan->n_shapes; i++) {
        const struct plan_shape *shape = &plan->shapes[i];
        size_t group = find_group(m->s->policy, shape->shape->group);
        int64_t *jobs = m->jobs[group];
        jobs[METRICS_RUNNING] += shape->shape->running;
        jobs[METRICS_HELD] += shape->shape->held;
        jobs[METRICS_SERVED] += shape->served;
        jobs[METRICS_STARTING] += shape->starting;
        jobs[METRICS_WAITING] += shape->waiting;
        m->waiting[group][shape->reason.code] += shape->waiting;
    }
}

static void add_all(const struct metrics *m, const struct metric *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        openmetrics_begin(m->out, &list[i].family);
        list[i].add(m, &list[i].family);
    }
}

void metrics_render(const struct snapshot *s, const struct traffic *t, usec now, struct text *out)
{
    struct metrics m = {.s = s, .traffic = t, .now = now, .out = out};
    if (s) {
        CLEANUP(arena_free_p) struct arena *a = arena_new();
        const struct policy *p = s->policy;
        m.hosts = arena_take(a, s->world->n_hosts, sizeof(*m.hosts));
        m.templates = arena_take(a, p->n_templates, sizeof(*m.templates));
        m.groups = arena_take(a, p->n_groups, sizeof(*m.groups));
        m.jobs = arena_take(a, p->n_groups + 1, sizeof(*m.jobs));
        m.waiting = arena_take(a, p->n_groups + 1, sizeof(*m.waiting));
        sum_vms(&m);
        sum_jobs(&m);
        add_all(&m, metrics_pool, metrics_pool_count);
    }
    add_all(&m, metrics_server, metrics_server_count);
    openmetrics_end(out);
}
