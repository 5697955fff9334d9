/*
 * Rung 5, packing. Each template of the group is filled in thought with the jobs that have no VM yet,
 * and the one with the least waste is taken; when two waste alike, the one the admin named first.
 *
 * A VM is filled one job at a time with the job that suits what is left of it best: the one whose
 * requests point the way the free cpus and memory do (the dot product of Panigrahy and others,
 * "Heuristics for Vector Bin Packing", 2011), so that neither runs out long before the other. Only
 * the largest shapes that wait are looked at, and what was found is used for one VM after the other
 * for as long as there are jobs for it, so a step stays linear in the shapes.
 */
#include "plan/rungs.h"

#include <string.h>

enum {
    CANDIDATES = 32, /* shapes that are looked at for one VM */
    SEEDS = 8,       /* of those, how many are tried to begin with */
    REPEAT = 4,      /* a filling is used for one in so many of the VMs it would do for */
    SCARCITY = 3,    /* what is asked for twice as much costs 2^2^3 times as much */
};

/* A filling with the larger jobs is taken unless another one is worth this much more: what is small
 * still fits when the large ones are gone. */
static const double better_by = 0.05;

/* One VM of a template, filled in thought. */
struct filling {
    int64_t uses; /* for how many more VMs it may be used before it is thought of anew */
    int64_t jobs;
    double waste; /* the least that was found: share of the VM that nobody asked for, 0 … 1 */
    struct packed items[CANDIDATES];
    size_t n;
};

struct packer {
    struct arena *arena;
    const struct policy *p;
    const struct demand *d;
    struct filling **fillings; /* of each group, as its templates; made when first asked for */
    size_t *cursor;            /* of each group: the first want that may still wait */
};

struct packer *packer_new(struct arena *a, const struct policy *p, const struct demand *d)
{
    struct packer *packer = arena_take(a, 1, sizeof(*packer));
    *packer = (struct packer){a, p, d, arena_take(a, p->n_groups, sizeof(struct filling *)),
                              arena_take(a, p->n_groups, sizeof(size_t))};
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

/* What one VM is being filled with. */
struct bin {
    const struct packer *packer;
    const struct policy_template *t;
    const size_t *wants;     /* the group's slice */
    const int64_t *left;
    size_t candidates[CANDIDATES];
    size_t n;
    double price_cpus, price_memory; /* how scarce each is for all that waits; together 1 */
    int64_t cpus, memory, gpus;      /* still free */
    int64_t jobs;
};

static const struct want *candidate(const struct bin *b, size_t c)
{
    return &b->packer->d->wants[b->wants[b->candidates[c]]];
}

static void put(struct bin *b, size_t c, int64_t jobs, int64_t *take)
{
    const struct want *want = candidate(b, c);
    take[c] += jobs;
    b->jobs += jobs;
    b->cpus -= jobs * want->shape->cpus;
    b->memory -= jobs * want->memory;
    b->gpus -= jobs * want->shape->gpus;
}

static int64_t room_for(const struct bin *b, size_t c, const int64_t *take)
{
    int64_t fits = want_fits(candidate(b, c), b->cpus, b->memory, b->gpus);
    int64_t left = b->left[b->wants[b->candidates[c]]] - take[c];
    return fits < left ? fits : left;
}

/* Fill up what is free, each time with the job that suits it best. */
static void fill_up(struct bin *b, int64_t *take)
{
    for (;;) {
        size_t best = SIZE_MAX;
        double best_suits = -1;
        for (size_t c = 0; c < b->n; c++) {
            if (room_for(b, c, take) <= 0)
                continue;
            double now = suits(candidate(b, c), b->t, b->cpus, b->memory);
            if (now > best_suits) { /* ties go to the first, which is the larger */
                best = c;
                best_suits = now;
            }
        }
        if (best == SIZE_MAX)
            return;
        put(b, best, in_one_go(room_for(b, best, take), INT64_MAX), take);
    }
}

/* The share of the VM that is used, the scarce dimension counting for more. */
static double worth(const struct bin *b)
{
    return b->price_cpus * (1 - share(b->cpus, b->t->cpus)) +
           b->price_memory * (1 - share(b->memory, b->t->memory));
}

static void empty(struct bin *b, int64_t *take)
{
    b->cpus = b->t->cpus;
    b->memory = b->t->memory;
    b->gpus = b->t->gpus;
    b->jobs = 0;
    for (size_t c = 0; c < b->n; c++)
        take[c] = 0;
}

static void open_bin(struct bin *b, const struct packer *packer, size_t group, const int64_t *left,
                     const struct policy_template *t)
{
    const struct demand *d = packer->d;
    size_t n = d->group_start[group + 1] - d->group_start[group];
    double cpus = 0, memory = 0;
    *b = (struct bin){.packer = packer, .t = t, .wants = d->by_group + d->group_start[group],
                      .left = left};
    for (size_t i = packer->cursor[group]; i < n && b->n < CANDIDATES; i++) {
        const struct want *want = &d->wants[b->wants[i]];
        if (left[b->wants[i]] <= 0 || !want_fits_template(want, t))
            continue;
        b->candidates[b->n++] = i;
        cpus += (double)left[b->wants[i]] * share(want->shape->cpus, t->cpus);
        memory += (double)left[b->wants[i]] * share(want->memory, t->memory);
    }
    for (int i = 0; i < SCARCITY; i++) {
        cpus *= cpus;
        memory *= memory;
    }
    b->price_cpus = cpus + memory > 0 ? cpus / (cpus + memory) : 0.5;
    b->price_memory = 1 - b->price_cpus;
}

/*
 * Fill one VM of @t with jobs of the group. Filling up from nothing takes the large jobs first, which
 * is not always best: so it is also tried from some of each candidate, as many as fit, half of that,
 * a quarter …, and what is worth most is kept.
 */
static struct filling fill(const struct packer *packer, size_t group, const int64_t *left,
                           const struct policy_template *t)
{
    struct bin b;
    int64_t now[CANDIDATES], best[CANDIDATES] = {0};
    struct filling f = {.uses = INT64_MAX, .waste = 1};
    const double full = 1 - 1e-9;
    double best_worth = -1;
    open_bin(&b, packer, group, left, t);
    for (size_t c = 0; c < b.n && c < SEEDS && best_worth < full; c++) {
        empty(&b, now);
        for (int64_t k = room_for(&b, c, now);; k /= 2) {
            empty(&b, now);
            put(&b, c, k, now);
            fill_up(&b, now);
            double waste = (share(b.cpus, t->cpus) + share(b.memory, t->memory)) / 2;
            f.waste = waste < f.waste ? waste : f.waste;
            if (worth(&b) > best_worth + better_by) {
                best_worth = worth(&b);
                f.jobs = b.jobs;
                memcpy(best, now, b.n * sizeof(*now));
            }
            if (k == 0 || best_worth >= full)
                break;
        }
    }
    for (size_t c = 0; c < b.n; c++) {
        size_t want = b.wants[b.candidates[c]];
        if (best[c] == 0)
            continue;
        f.items[f.n++] = (struct packed){want, best[c]};
        if (left[want] / best[c] / REPEAT < f.uses)
            f.uses = left[want] / best[c] / REPEAT;
    }
    return f;
}

/* Whether it may be used for one more VM, and there are jobs for it. */
static bool still_fits(const struct filling *f, const int64_t *left)
{
    for (size_t i = 0; i < f->n; i++)
        if (left[f->items[i].want] < f->items[i].jobs)
            return false;
    return f->uses > 0;
}

struct packing packer_choose(struct packer *packer, size_t group, const int64_t *left,
                             const bool *open)
{
    const struct policy_group *g = &packer->p->groups[group];
    const struct demand *d = packer->d;
    const size_t *wants = d->by_group + d->group_start[group];
    size_t n = d->group_start[group + 1] - d->group_start[group];
    struct packing best = {.template = SIZE_MAX};
    struct filling *chosen = NULL;

    if (!packer->fillings[group])
        packer->fillings[group] =
            arena_take(packer->arena, g->n_templates, sizeof(struct filling));
    while (packer->cursor[group] < n && left[wants[packer->cursor[group]]] <= 0)
        packer->cursor[group]++;
    for (size_t i = 0; i < g->n_templates; i++) {
        size_t template = g->templates[i];
        if (!open[template])
            continue;
        struct filling *f = &packer->fillings[group][i];
        if (!still_fits(f, left))
            *f = fill(packer, group, left, &packer->p->templates[template]);
        if (f->jobs == 0 || (chosen && f->waste >= chosen->waste - 1e-9))
            continue;
        best = (struct packing){template, f->jobs, f->waste, f->items, f->n};
        chosen = f;
    }
    if (chosen)
        chosen->uses--;
    return best;
}
