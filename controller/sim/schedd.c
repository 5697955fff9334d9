/*
 * The schedd and the negotiator. Jobs wait in one queue for each kind, first come, first served. A
 * cycle gives the group that uses the least for its weight the next slot, in the fullest VM in which
 * it fits: HTCondor's default NEGOTIATOR_PRE_JOB_RANK prefers slots with few cpus left. A claim is used
 * again for the next job of its kind for CLAIM_WORKLIFE (20 minutes by default). A job that was lost
 * with its VM too often is held, as sites do it by NumJobStarts in SYSTEM_PERIODIC_HOLD: else one that
 * runs for longer than a policy lets any VM live would run again and again for ever.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sim/state.h"

static const usec claim_worklife = 20 * USEC_PER_MINUTE;
enum { LOSSES_MAX = 10 };
static const int64_t memory_step = 128 * MIB; /* as a startd rounds requests up */

static int64_t job_memory(const struct kind *k)
{
    return (k->memory + memory_step - 1) / memory_step * memory_step;
}

static bool fits_template(const struct policy *p, const struct kind *k)
{
    if (k->policy_group == SIZE_MAX)
        return false;
    const struct policy_group *g = &p->groups[k->policy_group];
    for (size_t i = 0; i < g->n_templates; i++) {
        const struct policy_template *t = &p->templates[g->templates[i]];
        if (k->cpus <= t->cpus && job_memory(k) <= t->memory && k->disk <= t->disk &&
            k->cpus <= g->max.value)
            return true;
    }
    return false;
}

void schedd_open(struct sim *s)
{
    const struct workload *w = s->workload;
    s->jobs = mem_new(w->n_jobs, sizeof(*s->jobs));
    s->queues = mem_new(w->n_kinds, sizeof(*s->queues));
    s->group_cpus = mem_new(s->policy->n_groups, sizeof(*s->group_cpus));
    for (size_t i = 0; i < w->n_kinds; i++)
        s->queues[i] = (struct queue){
            .first = NOBODY, .last = NOBODY, .fits = fits_template(s->policy, &w->kinds[i])};
    for (size_t i = 0; i < w->n_jobs; i++) {
        s->jobs_open += s->queues[w->jobs[i].kind].fits;
        s->longest = w->jobs[i].runtime > s->longest ? w->jobs[i].runtime : s->longest;
    }
    if (w->n_jobs > 0)
        events_add(&s->events, s->epoch + w->jobs[0].submit, EVENT_SUBMIT, 0, 0);
}

void schedd_close(struct sim *s)
{
    free(s->jobs);
    free(s->queues);
    free(s->group_cpus);
}

static const struct kind *kind_of(const struct sim *s, uint32_t job)
{
    return &s->workload->kinds[s->workload->jobs[job].kind];
}

static void enqueue(struct sim *s, uint32_t job, bool in_front)
{
    struct queue *q = &s->queues[s->workload->jobs[job].kind];
    struct job_life *life = &s->jobs[job];
    life->state = JOB_IDLE;
    life->next = life->previous = NOBODY;
    if (q->first == NOBODY) {
        q->first = q->last = job;
    } else if (in_front) {
        life->next = q->first;
        q->first = job;
    } else {
        s->jobs[q->last].next = job;
        q->last = job;
    }
    q->idle++;
    s->idle_cpus += q->fits ? kind_of(s, job)->cpus : 0;
}

static uint32_t dequeue(struct sim *s, uint32_t kind)
{
    struct queue *q = &s->queues[kind];
    uint32_t job = q->first;
    q->first = s->jobs[job].next;
    if (q->first == NOBODY)
        q->last = NOBODY;
    q->idle--;
    s->idle_cpus -= q->fits ? s->workload->kinds[kind].cpus : 0;
    return job;
}

void job_submit(struct sim *s)
{
    const struct workload *w = s->workload;
    while (s->next_submit < w->n_jobs && s->epoch + w->jobs[s->next_submit].submit <= s->now)
        enqueue(s, s->next_submit++, false);
    s->moved = s->now;
    if (s->next_submit < w->n_jobs)
        events_add(&s->events, s->epoch + w->jobs[s->next_submit].submit, EVENT_SUBMIT, 0, 0);
}

static void start_job(struct sim *s, uint32_t job, struct vm *vm, usec claimed)
{
    const struct kind *k = kind_of(s, job);
    struct job_life *life = &s->jobs[job];
    *life = (struct job_life){.next = vm->first_job,
                              .previous = NOBODY,
                              .vm = vm->index,
                              .epoch = life->epoch + 1,
                              .claimed = claimed,
                              .state = JOB_RUNNING,
                              .losses = life->losses};
    if (vm->first_job != NOBODY)
        s->jobs[vm->first_job].previous = job;
    vm->first_job = job;
    vm->free_cpus -= k->cpus;
    vm->free_memory -= job_memory(k);
    vm->claimed++;
    s->queues[s->workload->jobs[job].kind].running++;
    s->busy_cpus += k->cpus;
    if (k->policy_group != SIZE_MAX)
        s->group_cpus[k->policy_group] += k->cpus;
    if (s->waits[job] < 0)
        s->waits[job] = s->now - s->epoch - s->workload->jobs[job].submit;
    sim_after(s, s->workload->jobs[job].runtime, EVENT_JOB_END, job, life->epoch);
}

/* It runs in its VM no more. */
static struct vm *leave(struct sim *s, uint32_t job)
{
    const struct kind *k = kind_of(s, job);
    struct job_life *life = &s->jobs[job];
    struct vm *vm = s->vms[life->vm];
    if (life->previous != NOBODY)
        s->jobs[life->previous].next = life->next;
    else
        vm->first_job = life->next;
    if (life->next != NOBODY)
        s->jobs[life->next].previous = life->previous;
    vm->free_cpus += k->cpus;
    vm->free_memory += job_memory(k);
    vm->claimed--;
    life->epoch++;
    s->busy_cpus -= k->cpus;
    if (k->policy_group != SIZE_MAX)
        s->group_cpus[k->policy_group] -= k->cpus;
    return vm;
}

void job_end(struct sim *s, uint32_t job, uint32_t epoch)
{
    struct job_life *life = &s->jobs[job];
    if (life->epoch != epoch || life->state != JOB_RUNNING)
        return;
    uint32_t kind = s->workload->jobs[job].kind;
    usec claimed = life->claimed;
    struct vm *vm = leave(s, job);
    life->state = JOB_DONE;
    s->queues[kind].running--;
    s->jobs_open--;
    s->moved = s->now;
    s->result->jobs_done++;
    if (kind_of(s, job)->policy_group != SIZE_MAX)
        s->result->groups[kind_of(s, job)->policy_group].cpu_hours +=
            (double)(s->workload->jobs[job].runtime * kind_of(s, job)->cpus) / (double)USEC_PER_HOUR;
    if (!vm->draining && s->queues[kind].idle > 0 && s->now - claimed < claim_worklife)
        start_job(s, dequeue(s, kind), vm, claimed);
    else
        ad_soon(s, vm);
}

void jobs_lose(struct sim *s, struct vm *vm)
{
    while (vm->first_job != NOBODY) {
        uint32_t job = vm->first_job;
        (void)leave(s, job);
        s->jobs[job].state = JOB_LOST;
        s->result->jobs_lost++;
        sim_after(s, sim_draw(s, 2 * USEC_PER_MINUTE, 10 * USEC_PER_MINUTE), EVENT_JOB_LOST, job,
                  s->jobs[job].epoch);
    }
}

void job_requeue(struct sim *s, uint32_t job, uint32_t epoch)
{
    if (s->jobs[job].epoch != epoch || s->jobs[job].state != JOB_LOST)
        return;
    s->queues[s->workload->jobs[job].kind].running--;
    s->moved = s->now;
    if (++s->jobs[job].losses < LOSSES_MAX) {
        enqueue(s, job, true);
        return;
    }
    s->jobs[job].state = JOB_HELD;
    s->jobs_open--;
    s->result->jobs_held++;
    sim_say(s, "a job of %" PRId64 " s is held: it was lost with its VM %d times",
            s->workload->jobs[job].runtime / USEC_PER_SEC, LOSSES_MAX);
}

void jobs_remove_idle(struct sim *s)
{
    for (uint32_t kind = 0; kind < s->workload->n_kinds; kind++) {
        while (s->queues[kind].idle > 0) {
            s->jobs[dequeue(s, kind)].state = JOB_REMOVED;
            s->jobs_open -= s->queues[kind].fits;
        }
    }
    s->moved = s->now;
}

static bool can_match(const struct sim *s, const struct vm *vm)
{
    (void)s;
    return vm->startd && !vm->takes_no_jobs && !vm->draining && vm->ad.present && !vm->ad.draining && vm->free_cpus > 0;
}

/* The fullest VM that takes a job of that kind. */
static struct vm *best_vm(struct vm *const *vms, size_t n, const struct kind *k)
{
    struct vm *best = NULL;
    for (size_t i = 0; i < n; i++) {
        struct vm *vm = vms[i];
        if (vm->free_cpus < k->cpus || vm->free_memory < job_memory(k) ||
            (vm->exclusive && vm->group != k->policy_group))
            continue;
        if (!best || vm->free_cpus < best->free_cpus)
            best = vm;
    }
    return best;
}

/* The kind whose turn it is: of the group that uses the least for its weight, the one that runs the
 * least. Jobs whose group the policy does not know are not flagged, and never come here. */
static size_t next_kind(const struct sim *s, const bool *open)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < s->workload->n_kinds; i++) {
        const struct kind *k = &s->workload->kinds[i];
        if (!open[i] || s->queues[i].idle == 0)
            continue;
        if (best == SIZE_MAX) {
            best = i;
            continue;
        }
        const struct kind *b = &s->workload->kinds[best];
        const struct policy_group *gk = &s->policy->groups[k->policy_group];
        const struct policy_group *gb = &s->policy->groups[b->policy_group];
        int64_t left = s->group_cpus[k->policy_group] * gb->weight.value;
        int64_t right = s->group_cpus[b->policy_group] * gk->weight.value;
        if (left < right || (left == right && s->queues[i].running < s->queues[best].running))
            best = i;
    }
    return best;
}

static void match(struct sim *s, struct vm **vms, size_t n)
{
    AUTOFREE bool *open = mem_new(s->workload->n_kinds, sizeof(*open));
    size_t kind;
    for (size_t i = 0; i < s->workload->n_kinds; i++)
        open[i] = s->queues[i].fits && s->queues[i].idle > 0;
    while (n > 0 && (kind = next_kind(s, open)) != SIZE_MAX) {
        struct vm *vm = best_vm(vms, n, &s->workload->kinds[kind]);
        if (!vm) {
            open[kind] = false;
            continue;
        }
        start_job(s, dequeue(s, (uint32_t)kind), vm, s->now);
        vm->last_claim = s->now;
        ad_soon(s, vm);
        for (size_t i = 0; vm->free_cpus == 0 && i < n; i++)
            if (vms[i] == vm)
                vms[i] = vms[--n];
    }
}

void negotiate(struct sim *s)
{
    if (fault_on(s, FAULT_NEGOTIATOR_DOWN, SIZE_MAX) ||
        fault_on(s, FAULT_COLLECTOR_TIMEOUT, SIZE_MAX) ||
        fault_on(s, FAULT_SCHEDD_TIMEOUT, SIZE_MAX) || s->idle_cpus == 0)
        return;
    AUTOFREE struct vm **vms = mem_new(s->n_living, sizeof(struct vm *));
    size_t n = 0;
    for (size_t i = 0; i < s->n_living; i++)
        if (can_match(s, s->vms[s->living[i]]))
            vms[n++] = s->vms[s->living[i]];
    match(s, vms, n);
}

void negotiate_for(struct sim *s, struct vm *vm)
{
    if (can_match(s, vm))
        match(s, (struct vm *[]){vm}, 1);
}
