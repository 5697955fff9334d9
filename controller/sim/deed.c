/*
 * Actions, as act/act.c carries them out: each is written down, asked for, happens (or not) a little
 * later, and is answered (or not) after that. One that has ended is not started again before facts
 * are there that were asked for after its end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/state.h"

static const usec call_deadline = 30 * USEC_PER_SEC;
static const usec power_off_least = 2 * USEC_PER_SEC;
static const usec power_off_most = 15 * USEC_PER_SEC;

void host_result(struct sim *s, size_t host, size_t template, bool good)
{
    struct host *h = &s->hosts[host];
    struct template_life *t = &s->templates[template];
    if (!good || !h->jobless) {
        h->failures = good ? 0 : h->failures + 1;
        h->last_failure = good ? h->last_failure : sim_clock(s);
        h->joined = good ? h->joined + 1 : 0;
    }
    if (!good || !t->jobless) {
        t->failures = good ? 0 : t->failures + 1;
        t->last_failure = good ? t->last_failure : sim_clock(s);
        t->joined = good ? t->joined + 1 : 0;
    }
}

/* Whether it is to blame: none of its VMs had a job since this one joined. */
static bool blame(const struct sim *s, const struct vm *vm, usec worked, int64_t *jobless, usec *last)
{
    if (worked >= vm->record.joined)
        return false;
    *jobless += 1;
    *last = sim_clock(s);
    return true;
}

void job_result(struct sim *s, const struct vm *vm, bool got_one)
{
    struct host *h = &s->hosts[vm->host];
    struct template_life *t = &s->templates[vm->template];
    struct group_life *g = vm->group == SIZE_MAX ? NULL : &s->groups[vm->group];
    if (got_one) {
        bool first = !vm->record.first_job;
        h->worked = t->worked = sim_clock(s);
        if (first && h->jobless)
            h->failures = h->jobless = 0;
        if (first && t->jobless)
            t->failures = t->jobless = 0;
        if (g) {
            g->worked = sim_clock(s);
            g->jobless = first ? 0 : g->jobless;
        }
        return;
    }
    if (blame(s, vm, h->worked, &h->jobless, &h->last_failure)) {
        h->failures++;
        h->joined = 0;
    }
    if (blame(s, vm, t->worked, &t->jobless, &t->last_failure)) {
        t->failures++;
        t->joined = 0;
    }
    if (g)
        (void)blame(s, vm, g->worked, &g->jobless, &g->last_failure);
}

static struct deed *deed_open(struct sim *s, enum action_kind kind, uint32_t vm, size_t host)
{
    uint32_t index = s->free_deed;
    if (index == NOBODY) {
        if (s->n_deeds == s->deeds_capacity) {
            s->deeds_capacity = s->deeds_capacity ? s->deeds_capacity * 2 : 64;
            s->deeds = mem_resize(s->deeds, s->deeds_capacity, sizeof(*s->deeds));
        }
        index = (uint32_t)s->n_deeds++;
        s->deeds[index] = (struct deed){0};
    } else {
        s->free_deed = s->deeds[index].next_free;
    }
    if (s->n_open_deeds == s->open_deeds_capacity) {
        s->open_deeds_capacity = s->open_deeds_capacity ? s->open_deeds_capacity * 2 : 64;
        s->open_deeds = mem_resize(s->open_deeds, s->open_deeds_capacity, sizeof(*s->open_deeds));
    }
    s->open_deeds[s->n_open_deeds++] = index;
    struct deed *d = &s->deeds[index];
    *d = (struct deed){.kind = kind,
                       .index = index,
                       .open = true,
                       .vm = vm,
                       .host = host,
                       .epoch = d->epoch + 1};
    return d;
}

/* Give it back once it happened and the controller has forgotten it. */
static void deed_close(struct sim *s, struct deed *d)
{
    if (d->open || !d->done)
        return;
    d->epoch++;
    d->next_free = s->free_deed;
    s->free_deed = d->index;
}

static void deed_after(struct sim *s, const struct deed *d, usec delay, enum event_kind kind)
{
    sim_after(s, delay, kind, d->index, d->epoch);
}

static void end(struct sim *s, struct deed *d)
{
    d->ended = sim_clock(s);
    poke(s);
}

static bool is_cut_off(const struct sim *s, size_t host)
{
    return s->hosts[host].down || fault_on(s, FAULT_HOST_SPLIT, host) ||
           fault_on(s, FAULT_LIBVIRTD_RESTART, host);
}

/* When it happens, if it does, and when its answer comes: as the filter has it. */
static void call(struct sim *s, struct deed *d, enum filter_call which, usec happens)
{
    struct filter_verdict v = fault_of_call(s, which, d->host);
    usec answer = happens + sim_draw(s, 1, USEC_PER_SEC / 2);
    switch (v.effect) {
    case FILTER_FAIL:
        d->refused = d->done = true;
        break;
    case FILTER_HANG:
        d->lost = d->done = true;
        break;
    case FILTER_LATE:
        d->lost = true;
        happens += v.time;
        break;
    case FILTER_DELAY:
        answer += v.time;
        d->lost = answer > call_deadline;
        break;
    case FILTER_LIE: /* that a create failed; that anything else was done */
        d->denied = d->kind == ACTION_CREATE;
        d->done = !d->denied;
        break;
    case FILTER_DUPLICATE: /* the second create is refused, and that is its answer; others find it done */
        d->denied = d->kind == ACTION_CREATE;
        break;
    default:
        break;
    }
    if (!d->done)
        deed_after(s, d, happens, EVENT_DEED);
    deed_after(s, d, d->lost ? call_deadline : answer, EVENT_DEED_DONE);
}

static void call_host(struct sim *s, struct deed *d, enum filter_call which)
{
    usec happens = sim_draw(s, USEC_PER_SEC / 20, USEC_PER_SEC);
    if (fault_on(s, FAULT_HOST_SLOW, d->host))
        happens *= 15;
    if (is_cut_off(s, d->host)) {
        d->refused = d->done = true;
        deed_after(s, d, happens, EVENT_DEED_DONE);
        return;
    }
    call(s, d, which, happens);
}

/* A condor tool. */
static void call_condor(struct sim *s, struct deed *d, enum filter_call which)
{
    call(s, d, which, sim_draw(s, USEC_PER_SEC / 20, USEC_PER_SEC));
}

static void start_create(struct sim *s, const struct plan_action *action, size_t host)
{
    struct vm *vm = vm_new(s, host, action->policy_template, action->policy_group,
                           action->exclusive);
    const struct policy_template *t = &s->policy->templates[action->policy_template];
    if (fault_of_call(s, FILTER_LEDGER_WRITE, SIZE_MAX).effect == FILTER_FAIL) { /* no intent on disk: no create */
        vm->creating = false;
        vm_rest(s, vm);
        return;
    }
    vm->recorded = true;
    vm->record = (struct world_record){
        .uuid = vm->uuid,
        .name = vm->name,
        .host = s->hosts[host].name,
        .template = t->name,
        .generation = t->generation,
        .group = action->policy_group == SIZE_MAX ? ""
                                                  : s->policy->groups[action->policy_group].name,
        .exclusive = action->exclusive,
        .create_decided = vm->born,
        .create_asked = true,
        .why = "",
    };
    s->templates[vm->template].last_start = vm->born;
    if (s->n_starts == STARTS_MAX)
        memmove(s->starts, s->starts + 1, --s->n_starts * sizeof(*s->starts));
    s->starts[s->n_starts++] = (struct world_start){vm->born, s->hosts[host].name};
    check_create(s, vm);
    struct deed *d = deed_open(s, ACTION_CREATE, vm->index, host);
    struct filter_verdict token = fault_of_call(s, FILTER_CONDOR_TOKEN_CREATE, SIZE_MAX);
    if (token.effect == FILTER_FAIL || token.effect == FILTER_HANG) {
        d->refused = d->done = true;
        vm->creating = false;
        deed_after(s, d, USEC_PER_SEC, EVENT_DEED_DONE);
        return;
    }
    vm->token_useless = token.effect == FILTER_LIE;
    call_host(s, d, FILTER_HOST_CREATE);
    if (d->refused || (d->done && d->lost))
        vm->creating = false;
}

static size_t find_host(const struct sim *s, const char *name)
{
    for (size_t i = 0; i < s->policy->n_hosts; i++)
        if (strcmp(s->hosts[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* Whether an action must wait for a deed on the same VM, as act.c's waits_for(). */
static bool waits_for(enum action_kind action, enum action_kind deed)
{
    return action == deed ||
           (deed == ACTION_UNDRAIN && (action == ACTION_DRAIN || action == ACTION_POWEROFF)) ||
           (deed == ACTION_DRAIN && action == ACTION_UNDRAIN);
}

static bool is_under_way(const struct sim *s, const struct plan_action *action, const struct vm *vm,
                         bool seed)
{
    for (size_t i = 0; i < s->n_open_deeds; i++) {
        const struct deed *d = &s->deeds[s->open_deeds[i]];
        if (waits_for(action->kind, d->kind) && d->vm == (vm ? vm->index : NOBODY) && d->seed == seed)
            return true;
    }
    return false;
}

static void start_deed(struct sim *s, const struct plan_action *action, struct vm *vm, bool seed)
{
    size_t host = action->host[0] ? find_host(s, action->host) : SIZE_MAX;
    struct deed *d = deed_open(s, action->kind, vm ? vm->index : NOBODY, host);
    d->seed = seed;
    d->never_joined = action->reason.code == REASON_NEVER_JOINED;
    switch (action->kind) {
    case ACTION_DRAIN:
        vm->record.drain_decided = sim_clock(s);
        if ((action->reason.code == REASON_NO_FIRST_JOB || action->reason.code == REASON_TAKES_NO_JOBS) &&
            !vm->record.given_up) {
            vm->record.given_up = sim_clock(s);
            job_result(s, vm, false);
        }
        call_condor(s, d, FILTER_CONDOR_DRAIN);
        return;
    case ACTION_UNDRAIN:
        call_condor(s, d, FILTER_CONDOR_DRAIN);
        return;
    case ACTION_INVALIDATE:
        call_condor(s, d, FILTER_CONDOR_ADVERTISE);
        return;
    case ACTION_POWEROFF:
        if (action->reason.code != REASON_POWEROFF_LOST)
            vm->record.poweroff_decided = sim_clock(s);
        vm->record.poweroff_lost = false;
        call_host(s, d, FILTER_HOST_SHUTDOWN);
        return;
    case ACTION_DESTROY:
        vm->record.destroy_decided = sim_clock(s);
        if (d->never_joined)
            host_result(s, host, vm->template, false);
        call_host(s, d, FILTER_HOST_DESTROY);
        return;
    case ACTION_DELETE_VOLUME:
        call_host(s, d, FILTER_HOST_DELETE_VOLUME);
        return;
    case ACTION_FORGET:
        if (action->reason.code == REASON_ENDED_EARLY)
            host_result(s, host, vm->template, false);
        vm->recorded = false;
        d->done = true;
        vm_rest(s, vm);
        end(s, d);
        return;
    case ACTION_FLOCK_APPLY:
    case ACTION_FLOCK_REMOVE:
        call_condor(s, d, FILTER_CONDOR_RECONFIG);
        return;
    default:
        d->done = true;
        end(s, d);
        return;
    }
}

/* When the facts were asked for in which the outcome of a deed shows (as act.c's facts_asked). */
static usec facts_asked(const struct sim *s, const struct deed *d)
{
    switch (d->kind) {
    case ACTION_DRAIN:
    case ACTION_UNDRAIN:
    case ACTION_INVALIDATE:
        return s->pool.fact.asked;
    case ACTION_POWEROFF:
    case ACTION_DESTROY:
    case ACTION_DELETE_VOLUME:
        return d->host == SIZE_MAX ? USEC_NEVER : s->hosts[d->host].fact.asked;
    default:
        return USEC_NEVER;
    }
}

static void settle(struct sim *s)
{
    for (size_t i = s->n_open_deeds; i-- > 0;) {
        struct deed *d = &s->deeds[s->open_deeds[i]];
        if (!d->ended || (facts_asked(s, d) <= d->ended && d->ended <= sim_clock(s)))
            continue;
        s->open_deeds[i] = s->open_deeds[--s->n_open_deeds];
        d->open = false;
        deed_close(s, d);
    }
}

void deeds_start(struct sim *s, const struct plan *plan, const struct world *w)
{
    settle(s);
    for (size_t i = 0; i < plan->n_actions; i++) {
        const struct plan_action *action = &plan->actions[i];
        if (action->kind == ACTION_CREATE) {
            size_t host = find_host(s, action->host);
            if (host == SIZE_MAX)
                check_wrong(s, "S2", "a VM is to be created on %s, which is no host", action->host);
            else
                start_create(s, action, host);
            continue;
        }
        struct vm *vm = action->uuid[0] ? vm_of(s, action->uuid) : NULL;
        bool seed = vm && strcmp(action->volume, vm->seed_name) == 0;
        if (action->uuid[0] && !vm) {
            check_wrong(s, "S3", "%s of %s, which is not ours", action_kind_name(action->kind),
                        action->name);
            continue;
        }
        if (is_under_way(s, action, vm, seed))
            continue;
        check_action(s, action, w);
        start_deed(s, action, vm, seed);
    }
}

static void create_happens(struct sim *s, struct deed *d, struct vm *vm)
{
    if (!vm->creating)
        return;
    if (is_cut_off(s, d->host) || fault_on(s, FAULT_DISK_FULL, d->host)) {
        vm_end(s, vm);
        d->refused = true;
    } else if (fault_on(s, FAULT_CREATE_HALF, d->host)) {
        vm->creating = false;
        vm->disk = vm->seed = true;
        d->refused = true;
    } else {
        vm_create(s, vm);
        vm->seed = d->lost;
        d->refused = d->denied;
    }
}

static void drain_happens(struct sim *s, struct deed *d, struct vm *vm)
{
    if (fault_on(s, FAULT_JOB_BEFORE_DRAIN, SIZE_MAX))
        negotiate_for(s, vm);
    bool reached = vm->startd && !fault_on(s, FAULT_VM_SPLIT, vm->host) &&
                   !fault_on(s, FAULT_COLLECTOR_TIMEOUT, SIZE_MAX);
    if (!reached) {
        d->refused = true;
        return;
    }
    vm->draining = d->kind == ACTION_DRAIN;
    ad_soon(s, vm);
}

static void power_off_happens(struct sim *s, struct deed *d, struct vm *vm)
{
    if (!vm->domain || vm->powering_off || fault_on(s, FAULT_QEMU_STUCK, d->host))
        return;
    check_end_of_vm(s, vm, d);
    vm->powering_off = true;
    jobs_lose(s, vm);
    vm->startd = false;
    if (random_chance(&s->random, 70)) /* the startd says goodbye */
        vm->ad.present = false;
    sim_after(s, sim_draw(s, power_off_least, power_off_most), EVENT_POWERED_OFF, vm->index,
              vm->epoch);
}

static void delete_happens(struct sim *s, struct deed *d, struct vm *vm)
{
    if (d->seed) {
        vm->joining_never = vm->joining_never || (vm->domain && !vm->joined);
        vm->epoch += vm->domain && !vm->joined;
        vm->seed = false;
    } else if (vm->domain) { /* eyrie-host refuses */
        check_volume(s, vm);
        d->refused = true;
    } else {
        vm->disk = false;
    }
}

void deed_happen(struct sim *s, uint32_t index, uint32_t epoch)
{
    struct deed *d = &s->deeds[index];
    if (d->epoch != epoch || d->done)
        return;
    struct vm *vm = d->vm == NOBODY ? NULL : s->vms[d->vm];
    bool to_host = d->kind == ACTION_CREATE || d->kind == ACTION_POWEROFF ||
                   d->kind == ACTION_DESTROY || d->kind == ACTION_DELETE_VOLUME;
    d->done = true;
    if (to_host && d->kind != ACTION_CREATE && is_cut_off(s, d->host))
        d->refused = true;
    else if (d->kind == ACTION_CREATE)
        create_happens(s, d, vm);
    else if (d->kind == ACTION_DRAIN || d->kind == ACTION_UNDRAIN)
        drain_happens(s, d, vm);
    else if (d->kind == ACTION_POWEROFF)
        power_off_happens(s, d, vm);
    else if (d->kind == ACTION_DELETE_VOLUME)
        delete_happens(s, d, vm);
    else if (d->kind == ACTION_FLOCK_APPLY || d->kind == ACTION_FLOCK_REMOVE)
        s->fragment = d->kind == ACTION_FLOCK_APPLY;
    else if (d->kind == ACTION_DESTROY && fault_on(s, FAULT_QEMU_STUCK, d->host))
        d->lost = true;
    else if (d->kind == ACTION_DESTROY) {
        check_end_of_vm(s, vm, d);
        vm_end(s, vm);
    } else if (d->kind == ACTION_INVALIDATE) {
        d->refused = fault_on(s, FAULT_COLLECTOR_TIMEOUT, SIZE_MAX);
        vm->ad.present = vm->ad.present && d->refused;
    }
    if (vm)
        vm_rest(s, vm);
    deed_close(s, d);
}

static void create_answered(struct sim *s, struct deed *d, struct vm *vm)
{
    if (!vm->recorded)
        return;
    vm->record.create_asked = false;
    if (d->lost)
        return;
    vm->record.create_answer = d->refused ? WORLD_ANSWER_FAILED : WORLD_ANSWER_OK;
    vm->record.create_answered = sim_clock(s);
    if (d->refused)
        host_result(s, d->host, vm->template, false);
}

void deed_done(struct sim *s, uint32_t index, uint32_t epoch)
{
    struct deed *d = &s->deeds[index];
    if (d->epoch != epoch || !d->open || !s->up)
        return;
    struct vm *vm = d->vm == NOBODY ? NULL : s->vms[d->vm];
    bool good = !d->refused && !d->lost;
    if (d->kind == ACTION_CREATE) {
        create_answered(s, d, vm);
    } else if (d->kind == ACTION_DRAIN && good) {
        vm->record.drain_accepted = sim_clock(s);
    } else if (d->kind == ACTION_UNDRAIN && good) {
        vm->record.drain_accepted = 0;
    } else if (d->kind == ACTION_POWEROFF) {
        vm->record.poweroff_lost = !good;
    }
    if (d->host != SIZE_MAX && d->kind != ACTION_DRAIN)
        list_begin(s, d->host);
    end(s, d);
}

/* The controller is gone. What it had asked for may still happen. */
void deeds_forget(struct sim *s)
{
    for (size_t i = 0; i < s->n_open_deeds; i++) {
        struct deed *d = &s->deeds[s->open_deeds[i]];
        if (d->kind == ACTION_CREATE)
            s->vms[d->vm]->record.create_asked = false;
        if (d->kind == ACTION_POWEROFF)
            s->vms[d->vm]->record.poweroff_lost = true;
        if (!d->done && random_chance(&s->random, 50)) {
            d->done = true;
            if (d->kind == ACTION_CREATE)
                s->vms[d->vm]->creating = false;
        }
        d->open = false;
        deed_close(s, d);
    }
    s->n_open_deeds = 0;
}
