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

#include <string.h>

enum {
    CANDIDATES = 32, /* shapes that are looked at for one VM */
    SEEDS = 8,       /* of those, how many are tried to begin with */
};

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
    b->price_cpus = cpus + memory > 0 ? cpus / (cpus + memory) : 0.5;
    b->price_memory = 1 - b->price_cpus;
}

/*
 * Fill one VM of @t with jobs of the group; @take: of each want of its slice. Filling up from nothing
 * takes the large jobs first, which is not always best: so it is also tried from some of each
 * candidate, as many as fit, half of that, a quarter …, and what is worth most is kept.
 */
static struct filling fill(const struct packer *packer, size_t group, const int64_t *left,
                           const struct policy_template *t, int64_t *take)
{
    struct bin b;
    int64_t now[CANDIDATES], best[CANDIDATES] = {0};
    struct filling f = {0};
    const double full = 1 - 1e-9;
    double best_worth = -1;
    open_bin(&b, packer, group, left, t);
    for (size_t c = 0; c < b.n && c < SEEDS && best_worth < full; c++) {
        empty(&b, now);
        for (int64_t k = room_for(&b, c, now);; k /= 2) {
            empty(&b, now);
            put(&b, c, k, now);
            fill_up(&b, now);
            if (worth(&b) > best_worth + 1e-9) {
                best_worth = worth(&b);
                f.jobs = b.jobs;
                f.waste = (share(b.cpus, t->cpus) + share(b.memory, t->memory)) / 2;
                memcpy(best, now, b.n * sizeof(*now));
            }
            if (k == 0 || best_worth >= full)
                break;
        }
    }
    size_t n = packer->d->group_start[group + 1] - packer->d->group_start[group];
    for (size_t i = packer->cursor[group]; i < n; i++)
        take[i] = 0;
    for (size_t c = 0; c < b.n; c++)
        take[b.candidates[c]] = best[c];
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
