/*
 * Rung 5, packing. Each template of the group is filled in thought with the jobs that have no VM yet,
 * and the one with the least waste is taken; when two waste alike, the one the admin named first.
 *
 * A VM is filled one job at a time with the job that suits what is left of it best: the one whose
 * requests point the way the free cpus and memory do (the dot product of Panigrahy and others,
 * "Heuristics for Vector Bin Packing", 2011), so that neither runs out long before the other. Only
 * the largest shapes that wait are looked at, so a step stays linear in the shapes.
 */
#include "plan/rungs.h"

enum { CANDIDATES = 48 };

struct packer {
    const struct policy *p;
    const struct demand *d;
    int64_t *take[2]; /* the best filling so far, and the one being tried */
    size_t *cursor;   /* per group: the first want that may still wait */
};

struct filling {
    int64_t jobs;
    double waste; /* share of the VM that nobody asked for, 0 … 1 */
};

struct packer *packer_new(struct arena *a, const struct policy *p, const struct demand *d)
{
    struct packer *packer = arena_take(a, 1, sizeof(*packer));
    size_t most = 0;
    for (size_t g = 0; g < p->n_groups; g++) {
        size_t n = d->group_start[g + 1] - d->group_start[g];
        most = n > most ? n : most;
    }
    packer->p = p;
    packer->d = d;
    packer->take[0] = arena_take(a, most, sizeof(int64_t));
    packer->take[1] = arena_take(a, most, sizeof(int64_t));
    packer->cursor = arena_take(a, p->n_groups, sizeof(size_t));
    return packer;
}

static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

/* How well a job suits what is free: large where much is free. */
static double suits(const struct want *want, const struct policy_template *t, int64_t cpus,
                    int64_t memory)
{
    return share(want->shape->cpus, t->cpus) * share(cpus, t->cpus) +
           share(want->memory, t->memory) * share(memory, t->memory);
}

/* One job at a time; more when so many fit that it makes no difference, or they need nothing. */
static int64_t in_one_go(int64_t fits, int64_t left)
{
    int64_t most = fits < left ? fits : left;
    return most <= 64 ? 1 : most / 16;
}

/* Fill one VM of @t with jobs of the group; @take: of each want of its slice. */
static struct filling fill(const struct packer *packer, size_t group, const int64_t *left,
                           const struct policy_template *t, int64_t *take)
{
    const struct demand *d = packer->d;
    const size_t *wants = d->by_group + d->group_start[group];
    size_t n = d->group_start[group + 1] - d->group_start[group], from = packer->cursor[group];
    size_t candidates[CANDIDATES], n_candidates = 0;
    int64_t cpus = t->cpus, memory = t->memory, gpus = t->gpus;
    struct filling f = {0};

    for (size_t i = from; i < n; i++) {
        const struct want *want = &d->wants[wants[i]];
        take[i] = 0;
        if (n_candidates < CANDIDATES && left[wants[i]] > 0 && want_fits_template(want, t))
            candidates[n_candidates++] = i;
    }
    for (;;) {
        size_t best = SIZE_MAX;
        double best_suits = -1;
        for (size_t c = 0; c < n_candidates; c++) {
            size_t i = candidates[c];
            const struct want *want = &d->wants[wants[i]];
            if (take[i] == left[wants[i]] || want_fits(want, cpus, memory, gpus) == 0)
                continue;
            double now = suits(want, t, cpus, memory);
            if (now > best_suits) { /* ties go to the first, which is the larger */
                best = i;
                best_suits = now;
            }
        }
        if (best == SIZE_MAX)
            break;
        const struct want *want = &d->wants[wants[best]];
        int64_t n_jobs = in_one_go(want_fits(want, cpus, memory, gpus), left[wants[best]] - take[best]);
        take[best] += n_jobs;
        f.jobs += n_jobs;
        cpus -= n_jobs * want->shape->cpus;
        memory -= n_jobs * want->memory;
        gpus -= n_jobs * want->shape->gpus;
    }
    f.waste = (share(cpus, t->cpus) + share(memory, t->memory)) / 2;
    return f;
}

struct packing packer_choose(struct packer *packer, size_t group, const int64_t *left,
                             const bool *open)
{
    const struct policy_group *g = &packer->p->groups[group];
    const struct demand *d = packer->d;
    const size_t *wants = d->by_group + d->group_start[group];
    size_t n = d->group_start[group + 1] - d->group_start[group];
    struct packing best = {.template = SIZE_MAX};
    double best_waste = 2;

    while (packer->cursor[group] < n && left[wants[packer->cursor[group]]] <= 0) {
        packer->take[0][packer->cursor[group]] = packer->take[1][packer->cursor[group]] = 0;
        packer->cursor[group]++;
    }
    for (size_t i = 0; i < packer->cursor[group]; i++)
        packer->take[0][i] = packer->take[1][i] = 0;
    for (size_t i = 0; i < g->n_templates; i++) {
        size_t template = g->templates[i];
        if (!open[template])
            continue;
        struct filling f =
            fill(packer, group, left, &packer->p->templates[template], packer->take[1]);
        if (f.jobs == 0 || f.waste >= best_waste - 1e-9)
            continue;
        best = (struct packing){template, f.jobs, f.waste, packer->take[1]};
        best_waste = f.waste;
        packer->take[1] = packer->take[0];
        packer->take[0] = (int64_t *)best.take;
    }
    return best;
}
