/*
 * The simulation: events in the order of their time, until the horizon, or until all work is done
 * and the pool has become what it should be without work.
 */
#include "sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/state.h"

/* Monday 2026-01-05 00:00 UTC. */
static const usec beginning = INT64_C(1767571200) * USEC_PER_SEC;
/* As flock-config renders them. */
static const usec negotiate_every = 20 * USEC_PER_SEC;
static const usec ads_every = 20 * USEC_PER_SEC;
/* How long the pool may take to become empty; a clock that jumped can make it wait for an hour. */
static const usec clean_within = 6 * USEC_PER_HOUR;
enum { PROGRESS_EVENTS = 1 << 16 };

usec sim_clock(const struct sim *s)
{
    return s->now + s->clock_offset;
}

void sim_say(struct sim *s, const char *format, ...)
{
    char line[512], text[400];
    va_list ap;
    if (!s->setup->say)
        return;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    (void)snprintf(line, sizeof(line), "%10.3f  step %lld  %s",
                   (double)(s->now - s->epoch) / (double)USEC_PER_SEC, (long long)s->steps, text);
    s->setup->say(s->setup->userdata, line);
}

void sim_after(struct sim *s, usec delay, enum event_kind kind, uint32_t subject, uint32_t epoch)
{
    events_add(&s->events, s->now + delay, kind, subject, epoch);
}

usec sim_draw(struct sim *s, usec least, usec most)
{
    return random_range(&s->random, least, most);
}

static void look(struct sim *s, uint32_t life)
{
    if (life != s->life || !s->up)
        return;
    for (size_t i = 0; i < s->policy->n_hosts; i++)
        list_begin(s, i);
    look_begin(s);
    sim_after(s, s->policy->timing.look_every.value, EVENT_LOOK, 0, s->life);
}

static void powered_off(struct sim *s, struct vm *vm, uint32_t epoch)
{
    if (vm->epoch != epoch || !vm->domain)
        return;
    vm_end(s, vm);
    vm->told = s->up && !s->hosts[vm->host].down;
    vm_rest(s, vm);
    if (vm->told) /* libvirt's event */
        list_begin(s, vm->host);
}

static void happen(struct sim *s, const struct event *e)
{
    switch ((enum event_kind)e->kind) {
    case EVENT_SUBMIT:
        job_submit(s);
        return;
    case EVENT_JOB_END:
        job_end(s, e->subject, e->epoch);
        return;
    case EVENT_JOB_LOST:
        job_requeue(s, e->subject, e->epoch);
        return;
    case EVENT_NEGOTIATE:
        negotiate(s);
        sim_after(s, negotiate_every, EVENT_NEGOTIATE, 0, 0);
        return;
    case EVENT_ADS:
        ads_update(s);
        sim_after(s, ads_every, EVENT_ADS, 0, 0);
        return;
    case EVENT_AD:
        ad_update(s, s->vms[e->subject]);
        return;
    case EVENT_JOIN:
        vm_join(s, s->vms[e->subject], e->epoch);
        return;
    case EVENT_POWERED_OFF:
        powered_off(s, s->vms[e->subject], e->epoch);
        return;
    case EVENT_LOOK:
        look(s, e->epoch);
        return;
    case EVENT_LOOK_POOL:
        look_pool(s, e->epoch);
        return;
    case EVENT_LOOK_QUEUE:
        look_queue(s, e->epoch);
        return;
    case EVENT_LOOKED:
        look_end(s, e->epoch);
        return;
    case EVENT_LIST:
        list_take(s, e->subject, e->epoch);
        return;
    case EVENT_LISTED:
        list_end(s, e->subject, e->epoch);
        return;
    case EVENT_DEED:
        deed_happen(s, e->subject, e->epoch);
        return;
    case EVENT_DEED_DONE:
        deed_done(s, e->subject, e->epoch);
        return;
    case EVENT_STEP:
        if (s->up && e->epoch == s->life)
            control_step(s);
        return;
    case EVENT_NEXT_LOOK:
        if (s->up && e->epoch == s->life && e->at == s->next_look)
            poke(s);
        return;
    case EVENT_FAULT_BEGIN:
        fault_begin(s, e->subject);
        return;
    case EVENT_FAULT_END:
        fault_end(s, e->subject);
        return;
    }
}

/* Only spare VMs are left, or nothing. */
static bool is_clean(const struct sim *s)
{
    int64_t spare = 0, left = (int64_t)s->n_living;
    for (size_t i = 0; i < s->policy->n_templates; i++)
        spare += s->policy->templates[i].spare;
    for (size_t i = 0; i < s->n_living; i++)
        if (!s->vms[s->living[i]]->startd || !s->vms[s->living[i]]->recorded)
            return false;
    return left <= spare;
}

/* Whether the simulation is over. */
static bool is_over(struct sim *s)
{
    const struct sim_setup *setup = s->setup;
    usec since;
    if (setup->until_step && s->steps >= setup->until_step)
        return true;
    if (setup->horizon)
        return s->now - s->epoch >= setup->horizon;
    if (check_stuck(s))
        return true;
    if (s->jobs_open > 0 || !fault_over(s, &since)) {
        s->idle_since = 0;
        return false;
    }
    if (!s->idle_since)
        s->idle_since = s->now;
    if (is_clean(s) && (s->n_faults == 0 || s->looks_since_faults > 20))
        return true;
    if (s->now - s->idle_since < clean_within)
        return false;
    check_clean(s);
    return true;
}

static void open_sim(struct sim *s, const struct sim_setup *setup, struct sim_result *ret)
{
    const struct workload *w = setup->workload;
    s->setup = setup;
    s->result = ret;
    s->policy = setup->policy;
    s->workload = w;
    s->random.state = setup->seed;
    s->now = s->epoch = s->accounted = beginning;
    s->fragment = true;
    s->free_deed = NOBODY;
    s->templates = mem_new(s->policy->n_templates, sizeof(*s->templates));
    s->groups = mem_new(s->policy->n_groups, sizeof(*s->groups));
    s->waits = mem_new(w->n_jobs, sizeof(*s->waits));
    s->shapes.items = mem_new(w->n_kinds, sizeof(*s->shapes.items));
    s->next_shapes.items = mem_new(w->n_kinds, sizeof(*s->next_shapes.items));
    memset(s->waits, 0xff, w->n_jobs * sizeof(*s->waits)); /* -1 */
    ret->n_groups = s->policy->n_groups;
    ret->groups = mem_new(ret->n_groups, sizeof(*ret->groups));
    s->pool.fact.error = s->queue.fact.error = "";
    site_open(s);
    schedd_open(s);
    sim_after(s, 0, EVENT_NEGOTIATE, 0, 0);
    sim_after(s, 0, EVENT_ADS, 0, 0);
    usec until = setup->faults_until      ? setup->faults_until
                 : setup->horizon         ? setup->horizon
                 : w->n_jobs              ? w->jobs[w->n_jobs - 1].submit
                                          : USEC_PER_HOUR;
    fault_schedule(s, setup->faults, setup->n_faults, until);
    control_start(s);
}

static void close_sim(struct sim *s)
{
    site_close(s);
    schedd_close(s);
    events_done(&s->events);
    free(s->startds.items);
    free(s->next_startds.items);
    free(s->shapes.items);
    free(s->next_shapes.items);
    free(s->records);
    free(s->templates);
    free(s->groups);
    free(s->deeds);
    free(s->open_deeds);
    for (size_t i = 0; i < s->n_faults; i++)
        (void)filter_free(s->faults[i].filter);
    free(s->faults);
    free(s->waits);
    free(s);
}

void sim_run(const struct sim_setup *setup, struct sim_result *ret)
{
    struct sim *s = mem_new(1, sizeof(*s));
    struct event e;
    *ret = (struct sim_result){0};
    open_sim(s, setup, ret);
    for (int64_t n = 1; !is_over(s) && events_take(&s->events, &e); n++) {
        s->now = e.at;
        account(s);
        happen(s, &e);
        if (setup->progress && n % PROGRESS_EVENTS == 0)
            setup->progress(setup->userdata, s->now - s->epoch, s->steps, ret->jobs_done);
    }
    account_close(s);
    close_sim(s);
}

void sim_result_done(struct sim_result *r)
{
    free(r->groups);
    *r = (struct sim_result){0};
}
