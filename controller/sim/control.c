/*
 * The controller, as controller.c is: it looks every look_every, takes a step soon after news, and
 * keeps from a step what the next one must know. What is in memory only is lost when it is killed.
 */
#include <string.h>

#include "base/mem.h"
#include "sim/state.h"

static const usec debounce = 50 * 1000;

void poke(struct sim *s)
{
    if (s->step_due || !s->up)
        return;
    s->step_due = true;
    sim_after(s, debounce, EVENT_STEP, 0, s->life);
}

static const struct world_record *gather_records(struct sim *s, size_t *ret_n)
{
    size_t n = 0;
    if (s->records_capacity < s->n_living) {
        s->records_capacity = s->n_living * 2;
        s->records = mem_resize(s->records, s->records_capacity, sizeof(*s->records));
    }
    for (size_t i = 0; i < s->n_living; i++)
        if (s->vms[s->living[i]]->recorded)
            s->records[n++] = s->vms[s->living[i]]->record;
    *ret_n = n;
    return s->records;
}

/* As the ledger: all creates decided after a point in time, also those of a clock that was ahead. */
static void forget_starts(struct sim *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_starts; i++)
        if (s->starts[i].at > sim_clock(s) - USEC_PER_MINUTE)
            s->starts[n++] = s->starts[i];
    s->n_starts = n;
}

static const struct world *build_world(struct sim *s, struct arena *a)
{
    const struct policy *p = s->policy;
    struct world *w = arena_take(a, 1, sizeof(*w));
    struct world_host *hosts = arena_take(a, p->n_hosts, sizeof(*hosts));
    struct world_template *templates = arena_take(a, p->n_templates, sizeof(*templates));
    struct world_flock *flocks = arena_take(a, p->n_schedds, sizeof(*flocks));
    struct world_queue *queues = arena_take(a, p->n_schedds, sizeof(*queues));
    struct world_group *groups = arena_take(a, p->n_groups, sizeof(*groups));
    const char **images = arena_take(a, p->n_templates, sizeof(*images));

    for (size_t i = 0; i < p->n_templates; i++) {
        images[i] = p->templates[i].image;
        templates[i] = (struct world_template){.name = p->templates[i].name,
                                               .failures = s->templates[i].failures,
                                               .last_failure = s->templates[i].last_failure,
                                               .joined = s->templates[i].joined,
                                               .jobless = s->templates[i].jobless,
                                               .last_start = s->templates[i].last_start};
    }
    for (size_t i = 0; i < p->n_groups; i++)
        groups[i] = (struct world_group){.name = p->groups[i].name,
                                         .jobless = s->groups[i].jobless,
                                         .last_failure = s->groups[i].last_failure};
    for (size_t i = 0; i < p->n_hosts; i++) {
        const struct host *h = &s->hosts[i];
        hosts[i] = (struct world_host){
            .name = h->name,
            .fact = h->fact,
            .cordoned = fault_on(s, FAULT_HOST_CORDONED, i),
            .drain = fault_on(s, FAULT_HOST_DRAINED, i),
            .order = WORLD_NOBODY,
            .cpus = h->cpus,
            .memory = h->memory,
            .storage_available = h->facts.storage_available,
            .domains = h->facts.domains,
            .n_domains = h->facts.n_domains,
            .volumes = h->facts.volumes,
            .n_volumes = h->facts.n_volumes,
            .images = images,
            .n_images = p->n_templates,
            .failures = h->failures,
            .last_failure = h->last_failure,
            .joined = h->joined,
            .jobless = h->jobless,
        };
    }
    for (size_t i = 0; i < p->n_schedds; i++) {
        const char *fragment = s->fragment ? "fragment" : "";
        flocks[i] = (struct world_flock){.schedd = p->schedds[i].name, .wanted = "fragment",
                                         .present = fragment, .believed = fragment, .error = ""};
        queues[i] = (struct world_queue){.schedd = p->schedds[i].name, .fact = s->queue.fact};
    }
    if (p->n_schedds > 0) { /* all jobs are submitted at the first */
        queues[0].shapes = s->shapes.items;
        queues[0].n_shapes = s->shapes.n;
    }
    forget_starts(s);
    *w = (struct world){
        .now = sim_clock(s),
        .clock_jumped = s->clock_jumped,
        .paused = s->paused,
        .order = WORLD_NOBODY,
        .vanished_at = s->vanished_at,
        .queues = queues,
        .n_queues = p->n_schedds,
        .pool = {.fact = s->pool.fact, .startds = s->startds.items, .n_startds = s->startds.n},
        .hosts = hosts,
        .n_hosts = p->n_hosts,
        .templates = templates,
        .n_templates = p->n_templates,
        .groups = groups,
        .n_groups = p->n_groups,
        .flocks = flocks,
        .n_flocks = p->n_schedds,
        .starts = s->starts,
        .n_starts = s->n_starts,
    };
    w->records = gather_records(s, &w->n_records);
    return w;
}

/* A domain that the ledger knows nothing of: held to have joined, as controller.c's adopt(). */
static void adopt(struct sim *s, const struct plan_vm *of, struct vm *vm)
{
    vm->recorded = true;
    vm->record = (struct world_record){
        .uuid = vm->uuid,
        .name = vm->name,
        .host = s->hosts[vm->host].name,
        .template = s->setup->policy->templates[vm->template].name,
        .generation = of->domain->generation,
        .group = of->domain->group,
        .exclusive = vm->exclusive,
        .create_decided = of->born,
        .create_answer = WORLD_ANSWER_OK,
        .create_answered = of->born,
        .joined = of->born ? of->born : 1,
        .first_job = of->born ? of->born : 1,
        .why = "",
        .order = WORLD_NOBODY,
    };
}

static void keep(struct sim *s, const struct plan *plan)
{
    s->vanished_at = plan->vanished_at;
    for (size_t i = 0; i < plan->n_vms; i++) {
        const struct plan_vm *of = &plan->vms[i];
        struct vm *vm = of->state == VM_FOREIGN ? NULL : vm_of(s, of->uuid);
        if (!vm)
            continue;
        if (!of->record && of->domain)
            adopt(s, of, vm);
        if (!of->record || !vm->recorded)
            continue;
        if (of->seen_joined && !vm->record.joined) {
            vm->record.joined = plan->now;
            host_result(s, vm->host, vm->template, true);
        }
        if (of->startd && of->claimed > 0) {
            job_result(s, vm, true);
            vm->record.first_job = vm->record.first_job ? vm->record.first_job : plan->now;
        }
        vm->record.idle_since = of->idle_since;
        vm->record.jobless_since = of->jobless_since;
    }
}

void control_step(struct sim *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    s->step_due = false;
    s->steps++;
    const struct world *w = build_world(s, a);
    const struct plan *plan = plan_make(a, s->policy, w);
    if (s->setup->on_step)
        s->setup->on_step(s->setup->userdata, s->steps, w, plan);
    check_step(s, plan, w);
    keep(s, plan);
    deeds_start(s, plan, w);
    s->next_look = USEC_NEVER;
    if (plan->next_look != USEC_NEVER) {
        usec wait = plan->next_look - w->now;
        s->next_look = s->now + (wait < debounce ? debounce : wait);
        events_add(&s->events, s->next_look, EVENT_NEXT_LOOK, 0, s->life);
    }
}

void control_start(struct sim *s)
{
    s->up = true;
    s->life++;
    s->next_look = USEC_NEVER;
    poke(s);
    sim_after(s, 0, EVENT_LOOK, 0, s->life);
}

/* kill -9: its memory is gone; the ledger stays, or not. */
void control_kill(struct sim *s, bool ledger_too)
{
    s->up = s->looking = s->step_due = false;
    s->vanished_at = 0;
    s->pool = (struct source){.fact.error = ""};
    s->queue = (struct source){.fact.error = ""};
    s->startds.n = s->shapes.n = 0;
    deeds_forget(s);
    memset(s->templates, 0, s->setup->policy->n_templates * sizeof(*s->templates));
    memset(s->groups, 0, s->setup->policy->n_groups * sizeof(*s->groups));
    for (size_t i = 0; i < s->workload->n_kinds; i++)
        s->queues[i].first_seen = 0;
    for (size_t i = 0; i < s->setup->policy->n_hosts; i++) {
        struct host *h = &s->hosts[i];
        h->fact = (struct world_fact){.error = ""};
        h->facts.n_domains = h->facts.n_volumes = 0;
        h->facts.foreign_cpus = h->facts.foreign_memory = 0;
        h->listing = h->list_again = false;
        h->failures = h->joined = h->jobless = 0;
        h->last_failure = h->worked = 0;
    }
    for (size_t i = s->n_living; i-- > 0;) {
        struct vm *vm = s->vms[s->living[i]];
        vm->record.idle_since = vm->record.jobless_since = 0;
        if (!ledger_too)
            continue;
        vm->recorded = false;
        vm_rest(s, vm);
    }
    if (ledger_too)
        s->n_starts = 0;
}
