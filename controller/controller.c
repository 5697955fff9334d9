#include "controller-parts.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "loop/notify.h"
#include "plan/plan.h"
#include "record/world.h"

/* A clock is set right in small steps all the time. */
static const usec jump_tolerated = 10 * USEC_PER_SEC;

/* Of the site's local time at @now: disruption budgets speak of hours and weekdays. */
static usec utc_offset(usec now)
{
    time_t seconds = (time_t)(now / USEC_PER_SEC);
    struct tm local;
    return localtime_r(&seconds, &local) ? (usec)local.tm_gmtoff * USEC_PER_SEC : 0;
}

/* The loop's clock stands still during a callback; this one measures it. */
static usec clock_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (usec)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

/* Deadlines that end in a destroy must not elapse because somebody set the clock. */
static void watch_clock(struct controller *c)
{
    usec offset = loop_now(c->loop) - clock_now();
    usec jump = offset - c->clock_offset;
    if (c->steps > 0 && (jump > jump_tolerated || -jump > jump_tolerated)) {
        char text[UNITS_TEXT_MAX];
        c->clock_jumped = loop_now(c->loop);
        controller_note(c, "clock-jumped", c->policy->pool.name, units_format_duration(jump, text));
    }
    c->clock_offset = offset;
}

/* On the slowest of the hosts that there are: any of them may get the next VM. */
static usec boot_of(const struct controller *c, const char *template)
{
    usec longest = 0;
    for (size_t i = 0; i < c->n_hosts; i++) {
        usec boot = c->hosts[i].removed ? 0 : boots_of(c->boots, template, c->hosts[i].name);
        longest = boot > longest ? boot : longest;
    }
    return longest;
}

const struct world *controller_build_world(struct controller *c, struct arena *a)
{
    const struct policy *p = c->policy;
    struct world w = {.now = loop_now(c->loop), .vanished_at = c->vanished_at};
    struct world_host *hosts = arena_take(a, c->n_hosts, sizeof(*hosts));
    struct world_template *templates = arena_take(a, p->n_templates, sizeof(*templates));
    struct world_group *groups = arena_take(a, p->n_groups, sizeof(*groups));

    look_fill(c->look, &w);
    controller_fill_orders(c, &w);
    for (size_t i = 0; i < c->n_hosts; i++) {
        host_fill(c->hosts[i].worker, &hosts[i]);
        controller_fill_host_orders(c, &hosts[i]);
        hosts[i].failures = c->hosts[i].starts.failures;
        hosts[i].last_failure = c->hosts[i].starts.last_failure;
        hosts[i].joined = c->hosts[i].starts.joined;
        hosts[i].jobless = c->hosts[i].starts.jobless;
    }
    for (size_t i = 0; i < p->n_templates; i++)
        templates[i] = (struct world_template){.name = p->templates[i].name,
                                               .failures = c->templates[i].failures,
                                               .last_failure = c->templates[i].last_failure,
                                               .joined = c->templates[i].joined,
                                               .jobless = c->templates[i].jobless,
                                               .last_start = c->templates[i].last_start,
                                               .boot = boot_of(c, p->templates[i].name)};
    w.utc_offset = utc_offset(w.now);
    w.clock_jumped = c->clock_jumped;
    for (size_t i = 0; i < p->n_groups; i++)
        groups[i] = (struct world_group){.name = p->groups[i].name,
                                         .jobless = c->groups[i].jobless,
                                         .last_failure = c->groups[i].last_failure};
    w.templates = templates;
    w.n_templates = p->n_templates;
    w.groups = groups;
    w.n_groups = p->n_groups;
    w.hosts = hosts;
    w.n_hosts = c->n_hosts;
    w.flocks = controller_fill_flocks(c, a, &w.n_flocks);
    w.requests = controller_fill_requests(c, a, &w.n_requests);
    w.records = ledger_records(c->ledger, &w.n_records);
    w.starts = ledger_starts(c->ledger, a, w.now - USEC_PER_MINUTE, &w.n_starts);
    return world_copy(a, &w);
}

/* A domain that says it is ours and of which the ledger knows nothing: the ledger was lost. That it
 * never had a job cannot be known, so it is held to have joined (S1), and to have had one. */
static void adopt(struct controller *c, const struct plan_vm *vm)
{
    struct err e;
    int r = ledger_vm_add(c->ledger,
                          &(struct world_record){.uuid = vm->uuid,
                                                 .name = vm->name,
                                                 .host = vm->host,
                                                 .template = vm->template,
                                                 .generation = vm->domain->generation,
                                                 .group = vm->group,
                                                 .exclusive = vm->exclusive,
                                                 .request = plan_vm_request(vm),
                                                 .create_decided = vm->born,
                                                 .create_answer = WORLD_ANSWER_OK,
                                                 .create_answered = vm->born,
                                                 .joined = vm->born ? vm->born : 1,
                                                 .first_job = vm->born ? vm->born : 1,
                                                 .why = "found on its host"},
                          &e);
    controller_note(c, "adopted", vm->name, "");
    if (r < 0)
        controller_note(c, "ledger-failed", vm->name, e.text);
}

/* That a VM has a job, and that it got its first one. */
static void keep_job(struct controller *c, const struct plan_vm *vm, usec now)
{
    struct err e;
    bool first = !vm->record->first_job;
    if (vm->claimed == 0 || !vm->startd)
        return;
    if (first) {
        AUTOFREE char *why = mem_strdup(vm->record->why);
        if (ledger_vm_mark(c->ledger, vm->uuid, LEDGER_FIRST_JOB, now, why, &e) < 0)
            controller_note(c, "ledger-failed", vm->name, e.text);
        controller_note(c, "first-job", vm->name, vm->startd->job);
    }
    controller_got_job(c, vm, first);
}

/* The VMs that this plan drains because no job came: once each, whatever becomes of the drain. */
static void keep_jobless(struct controller *c, const struct plan *plan, const struct plan_vm *vm)
{
    struct err e;
    if (vm->record->first_job || !vm->record->joined)
        return;
    for (size_t i = 0; i < plan->n_actions && !vm->record->given_up; i++) {
        const struct plan_action *a = &plan->actions[i];
        if (a->kind != ACTION_DRAIN || !text_equal(a->uuid, vm->uuid) ||
            (a->reason.code != REASON_NO_FIRST_JOB && a->reason.code != REASON_TAKES_NO_JOBS))
            continue;
        CLEANUP(text_done) struct text why = {0};
        reason_render(&a->reason, c->policy->files, &why);
        if (ledger_vm_mark(c->ledger, vm->uuid, LEDGER_GIVEN_UP, plan->now, text_get(&why), &e) < 0)
            controller_note(c, "ledger-failed", vm->name, e.text);
        controller_got_no_job(c, vm, text_get(&why));
    }
}

/* What the step learned that must be known in the next one. */
static void keep(struct controller *c, const struct plan *plan)
{
    struct err e;
    c->vanished_at = plan->vanished_at;
    for (size_t i = 0; i < plan->n_vms; i++) {
        const struct plan_vm *vm = &plan->vms[i];
        if (vm->state == VM_FOREIGN)
            continue;
        if (!vm->record && vm->domain && vm->reason.code != REASON_DOUBLED)
            adopt(c, vm);
        if (!vm->record)
            continue;
        if (vm->seen_joined && !vm->record->joined) {
            int r = ledger_vm_mark(c->ledger, vm->uuid, LEDGER_JOINED, plan->now, "joined", &e);
            controller_note(c, "joined", vm->name, "");
            if (r < 0)
                controller_note(c, "ledger-failed", vm->name, e.text);
            controller_start_succeeded(c, vm->host, vm->template,
                                       plan->now - vm->record->create_decided);
        }
        keep_job(c, vm, plan->now);
        keep_jobless(c, plan, vm);
        ledger_vm_idle(c->ledger, vm->uuid, vm->idle_since, vm->jobless_since);
    }
}

/* What a snapshot points to. */
struct published {
    struct arena *arena;
    struct config *config; /* a reference: the policy may be replaced before the answer is out */
};

static void snapshot_done(void *userdata)
{
    struct published *p = userdata;
    (void)arena_free(p->arena);
    (void)config_free(p->config);
    free(p);
}

static void publish(struct controller *c, struct arena *a, const struct world *w,
                    const struct plan *plan, usec took)
{
    struct look_figures figures;
    look_get_figures(c->look, &figures);
    size_t n = c->n_events < CONTROLLER_EVENTS ? c->n_events : CONTROLLER_EVENTS;
    struct server_event *events = arena_take(a, n, sizeof(*events));
    for (size_t i = 0; i < n; i++) {
        const struct controller_event *from = &c->events[(c->n_events - n + i) % CONTROLLER_EVENTS];
        events[i] = (struct server_event){from->at, arena_strdup(a, from->text)};
    }
    struct server_facts facts = {
        .version = EYRIE_VERSION,
        .pid = getpid(),
        .started = c->started,
        .steps = c->steps,
        .last_step = plan->now,
        .last_step_took = took,
        .under_way = (int64_t)act_under_way(c->act),
        .looks = figures.looks,
        .last_query_bytes = figures.queue_bytes,
        .last_query_took = figures.took,
        .policy_loaded = c->policy_loaded,
        .refused = arena_strdup(a, c->refused ? c->refused : ""),
        .refused_at = c->refused_at,
        .last_error = arena_strdup(a, c->last_error ? c->last_error : ""),
        .last_error_at = c->last_error_at,
        .refused_jobs = refused_count(c->refused_jobs),
        .events = events,
        .n_events = n,
        .requests_waiting = controller_waiting_requests(c),
        .ledger_error = arena_strdup(a, ledger_error(c->ledger)),
        .ledger_aside = arena_strdup(a, ledger_aside(c->ledger)),
        .counts = c->counts,
    };
    struct published *published = mem_new(1, sizeof(*published));
    *published = (struct published){a, config_ref(c->config)};
    (void)snapshot_unref(c->snapshot);
    c->snapshot = snapshot_new(c->policy, w, plan, &facts, snapshot_done, published);
    notify_status("%" PRId64 " VMs, %" PRId64 " of them busy; %zu actions%s",
                  (int64_t)plan->n_vms - plan->counts[VM_FOREIGN] - plan->counts[VM_GONE],
                  plan->counts[VM_BUSY], plan->n_actions,
                  c->refused ? "; the policy's files are refused" : "");
}

/* The step: world → plan → act → publish. */
void controller_step(void *userdata)
{
    struct controller *c = userdata;
    struct arena *a = arena_new(); /* goes to the snapshot */
    usec from = clock_now();
    c->step_due = false;

    if (!controller_keep_lease(c)) {
        (void)arena_free(a);
        return;
    }
    watch_clock(c);
    controller_settle_hosts(c);
    controller_settle_flocks(c);
    controller_settle_requests(c);
    const struct world *w = controller_build_world(c, a);
    const struct plan *plan = plan_make(a, c->policy, w);
    keep(c, plan);
    controller_see_images(c, w);
    controller_see_requests(c, w, plan);
    controller_tell(c, plan);
    (void)act_start(c->act, c->config, plan, w, c->vm_fragment);
    renewals_step(c->renewals, plan);
    for (size_t i = 0; i < plan->n_actions; i++)
        if (plan->actions[i].kind == ACTION_CREATE)
            c->templates[plan->actions[i].policy_template].last_start = w->now;
    recorder_take(c->recorder, w, plan);
    c->steps++;
    c->last_step = loop_ticks(c->loop);
    controller_mend_ledger(c);
    usec took = clock_now() - from;
    histogram_add(&c->counts.steps, took);
    publish(c, a, w, plan, took);

    usec wait = plan->next_look == USEC_NEVER ? USEC_NEVER : plan->next_look - w->now;
    loop_timer_set(c->next_timer, wait != USEC_NEVER && wait < CONTROLLER_DEBOUNCE ? CONTROLLER_DEBOUNCE : wait);
}

void controller_start(struct controller *c)
{
    controller_note(c, "started", c->policy->pool.name, "version " EYRIE_VERSION);
    messenger_wake(c->messenger); /* what was owed when eyried was stopped */
    controller_look(c);
    controller_poke(c);
}

bool controller_is_alive(const struct controller *c)
{
    return loop_ticks(c->loop) - c->last_step <= snapshot_steps_within(c->policy);
}
