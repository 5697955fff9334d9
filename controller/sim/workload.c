#include "sim/workload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { MEMORY_STEP_MIB = 128, MEMORY_MOST_GIB = 2 };

struct workload *workload_new(void)
{
    struct workload *w = mem_new(1, sizeof(*w));
    w->arena = arena_new();
    return w;
}

struct workload *workload_free(struct workload *w)
{
    if (!w)
        return NULL;
    (void)arena_free(w->arena);
    free(w->jobs);
    free(w->kinds);
    free(w);
    return NULL;
}

static int kind_order(const void *left, const void *right)
{
    const struct kind *a = left, *b = right;
    int order = strcmp(a->owner, b->owner);
    if (!order)
        order = strcmp(a->group, b->group);
    if (!order)
        order = (a->cpus > b->cpus) - (a->cpus < b->cpus);
    return order ? order : (a->memory > b->memory) - (a->memory < b->memory);
}

static uint32_t kind_find(struct workload *w, const struct kind *kind)
{
    for (size_t i = w->n_kinds; i-- > 0;) /* the newest first: jobs come in bunches */
        if (kind_order(&w->kinds[i], kind) == 0)
            return (uint32_t)i;
    if (w->n_kinds == w->kinds_capacity) {
        w->kinds_capacity = w->kinds_capacity ? w->kinds_capacity * 2 : 16;
        w->kinds = mem_resize(w->kinds, w->kinds_capacity, sizeof(*w->kinds));
    }
    struct kind *new = &w->kinds[w->n_kinds];
    *new = *kind;
    new->owner = arena_strdup(w->arena, kind->owner);
    new->group = arena_strdup(w->arena, kind->group);
    return (uint32_t)w->n_kinds++;
}

void workload_add(struct workload *w, usec submit, usec runtime, const struct kind *kind)
{
    if (w->n_jobs == w->jobs_capacity) {
        w->jobs_capacity = w->jobs_capacity ? w->jobs_capacity * 2 : 1024;
        w->jobs = mem_resize(w->jobs, w->jobs_capacity, sizeof(*w->jobs));
    }
    w->jobs[w->n_jobs++] = (struct job){submit, runtime, kind_find(w, kind)};
}

static int job_order(const void *left, const void *right)
{
    const struct job *a = left, *b = right;
    if (a->submit != b->submit)
        return a->submit < b->submit ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->runtime > b->runtime) - (a->runtime < b->runtime);
}

void workload_sort(struct workload *w)
{
    AUTOFREE struct kind *old = mem_new(w->n_kinds, sizeof(*old));
    AUTOFREE uint32_t *place = mem_new(w->n_kinds, sizeof(*place));
    if (w->n_kinds > 0) {
        memcpy(old, w->kinds, w->n_kinds * sizeof(*old));
        qsort(w->kinds, w->n_kinds, sizeof(*w->kinds), kind_order);
    }
    for (size_t i = 0; i < w->n_kinds; i++) {
        const struct kind *found =
            bsearch(&old[i], w->kinds, w->n_kinds, sizeof(*w->kinds), kind_order);
        place[i] = (uint32_t)(found - w->kinds);
    }
    for (size_t i = 0; i < w->n_jobs; i++)
        w->jobs[i].kind = place[w->jobs[i].kind];
    if (w->n_jobs > 1)
        qsort(w->jobs, w->n_jobs, sizeof(*w->jobs), job_order);
}

int64_t workload_memory_per_cpu(const struct policy *p)
{
    int64_t least = MEMORY_MOST_GIB * GIB;
    for (size_t i = 0; i < p->n_templates; i++)
        if (p->templates[i].memory / p->templates[i].cpus < least)
            least = p->templates[i].memory / p->templates[i].cpus;
    return least / (MEMORY_STEP_MIB * MIB) * (MEMORY_STEP_MIB * MIB);
}

size_t workload_group(const struct policy *p, int64_t number)
{
    if (p->n_groups == 0)
        return SIZE_MAX;
    int64_t n = (int64_t)p->n_groups;
    return (size_t)((number % n + n) % n);
}

const char *workload_owner(struct workload *w, const struct policy *p, size_t group, int64_t number)
{
    if (group != SIZE_MAX && p->groups[group].n_submitters > 0) {
        int64_t n = (int64_t)p->groups[group].n_submitters;
        return p->groups[group].submitters[(number % n + n) % n];
    }
    return arena_printf(w->arena, "u%" PRId64, number);
}
