#include "controller.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "act/act.h"
#include "act/fragment.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "log.h"
#include "plan/plan.h"
#include "record/ledger.h"
#include "record/recorder.h"
#include "record/world.h"
#include "sense/host.h"
#include "sense/look.h"
#include "serve/api.h"
#include "serve/snapshot.h"

enum { EVENTS_SHOWN = 20 };

/* How long news are collected before a step is taken. */
static const usec debounce = 50 * 1000;
/* A clock is set right in small steps all the time. */
static const usec jump_tolerated = 10 * USEC_PER_SEC;

/* How VMs fare on a host, or those of a template. */
struct record_of_starts {
    int64_t failures; /* in a row */
    usec last_failure;
    int64_t joined;   /* since the last failure */
    usec last_start;
};

struct host_slot {
    struct host *worker;
    struct record_of_starts starts;
};

struct event {
    usec at;
    char *text;
};

struct controller {
    struct loop *loop;
    const struct config *config;
    const struct policy *policy;
    int lock; /* fd; holds the state folder */
    struct ledger *ledger;
    struct look *look;
    struct act *act;
    struct recorder *recorder;
    struct api *api;
    struct host_slot *hosts; /* as policy.hosts */
    struct record_of_starts *templates; /* as policy.templates */
    struct flocking **flocks;   /* as policy.schedds */
    char *vm_fragment;
    struct loop_timer *step_timer; /* debounce */
    struct loop_timer *next_timer; /* what the plan wants to be looked at again */
    struct loop_timer *look_timer;
    bool step_due;
    bool paused;
    usec vanished_at;
    usec clock_offset; /* of the wall clock to the one that never jumps */
    usec clock_jumped;
    struct snapshot *snapshot;
    usec started;
    int64_t steps;
    char *last_error;
    usec last_error_at;
    struct event events[EVENTS_SHOWN]; /* a ring */
    size_t n_events;
};

/* News: take a step soon. */
static void poke(void *userdata)
{
    struct controller *c = userdata;
    if (c->step_due)
        return;
    c->step_due = true;
    loop_timer_set(c->step_timer, debounce);
}

static void note_event(void *userdata, const char *kind, const char *subject, const char *text)
{
    struct controller *c = userdata;
    bool bad = strstr(kind, "failed") != NULL;
    usec now = loop_now(c->loop);
    struct event *slot = &c->events[c->n_events++ % EVENTS_SHOWN];
    free(slot->text);
    slot->at = now;
    slot->text = mem_printf("%s %s%s%s", kind, subject, text[0] ? ": " : "", text);
    if (bad) {
        mem_replace(&c->last_error, slot->text);
        c->last_error_at = now;
    }
    log_event(bad ? LOG_WARNING : LOG_INFO, kind, subject, text);
    struct err e;
    if (ledger_event_add(c->ledger, &(struct ledger_event){now, kind, subject, text}, &e) < 0)
        log_event(LOG_ERR, "ledger-failed", "event", e.text);
}

static struct host_slot *find_slot(struct controller *c, const char *name)
{
    for (size_t i = 0; i < c->policy->n_hosts; i++)
        if (strcmp(c->policy->hosts[i].name, name) == 0)
            return &c->hosts[i];
    return NULL;
}

static struct host *find_host(void *userdata, const char *name)
{
    struct host_slot *slot = find_slot(userdata, name);
    return slot ? slot->worker : NULL;
}

static struct flocking *find_flock(void *userdata, const char *schedd)
{
    struct controller *c = userdata;
    for (size_t i = 0; i < c->policy->n_schedds; i++)
        if (strcmp(c->policy->schedds[i].name, schedd) == 0)
            return c->flocks[i];
    return NULL;
}

static struct record_of_starts *find_template(struct controller *c, const char *name)
{
    for (size_t i = 0; i < c->policy->n_templates; i++)
        if (strcmp(c->policy->templates[i].name, name) == 0)
            return &c->templates[i];
    return NULL;
}

static void start_failed(void *userdata, const char *host, const char *template)
{
    struct controller *c = userdata;
    struct host_slot *slot = find_slot(c, host);
    struct record_of_starts *of[] = {slot ? &slot->starts : NULL, find_template(c, template)};
    for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
        if (!of[i])
            continue;
        of[i]->failures++;
        of[i]->last_failure = loop_now(c->loop);
        of[i]->joined = 0;
    }
}

static void start_succeeded(struct controller *c, const char *host, const char *template)
{
    struct host_slot *slot = find_slot(c, host);
    struct record_of_starts *of[] = {slot ? &slot->starts : NULL, find_template(c, template)};
    for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
        if (!of[i])
            continue;
        of[i]->failures = 0;
        of[i]->joined++;
    }
}

static void host_listed(void *userdata, const struct host_answer *answer)
{
    (void)answer; /* what went wrong is in the facts */
    poke(userdata);
}

static void host_changed(void *userdata)
{
    struct controller *c = userdata;
    for (size_t i = 0; i < c->policy->n_hosts; i++)
        if (c->hosts[i].worker)
            host_list(c->hosts[i].worker, host_listed, c);
}

static void host_logged(void *userdata, const char *host, const char *line)
{
    (void)userdata;
    log_event(LOG_INFO, "host", host, line);
}

static void looked(void *userdata)
{
    poke(userdata);
}

static void look_again(void *userdata)
{
    struct controller *c = userdata;
    for (size_t i = 0; i < c->policy->n_schedds; i++)
        flock_look(c->flocks[i]);
    host_changed(c);
    (void)look_start(c->look, c->policy, looked, c);
    loop_timer_set(c->look_timer, c->policy->timing.look_every.value);
}

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
        note_event(c, "clock-jumped", c->policy->pool.name, units_format_duration(jump, text));
    }
    c->clock_offset = offset;
}

/* The facts of this step; what they point at lives in the arena or until the next event. */
static const struct world *build_world(struct controller *c, struct arena *a)
{
    const struct policy *p = c->policy;
    struct world w = {.now = loop_now(c->loop), .paused = c->paused, .vanished_at = c->vanished_at};
    struct world_host *hosts = arena_take(a, p->n_hosts, sizeof(*hosts));
    struct world_template *templates = arena_take(a, p->n_templates, sizeof(*templates));
    struct world_flock *flocks = arena_take(a, p->n_schedds, sizeof(*flocks));

    look_fill(c->look, &w);
    for (size_t i = 0; i < p->n_hosts; i++) {
        host_fill(c->hosts[i].worker, &hosts[i]);
        hosts[i].failures = c->hosts[i].starts.failures;
        hosts[i].last_failure = c->hosts[i].starts.last_failure;
        hosts[i].joined = c->hosts[i].starts.joined;
    }
    for (size_t i = 0; i < p->n_templates; i++)
        templates[i] = (struct world_template){.name = p->templates[i].name,
                                               .failures = c->templates[i].failures,
                                               .last_failure = c->templates[i].last_failure,
                                               .joined = c->templates[i].joined,
                                               .last_start = c->templates[i].last_start};
    for (size_t i = 0; i < p->n_schedds; i++)
        flock_fill(c->flocks[i], &flocks[i]);
    w.utc_offset = utc_offset(w.now);
    w.clock_jumped = c->clock_jumped;
    w.templates = templates;
    w.n_templates = p->n_templates;
    w.hosts = hosts;
    w.n_hosts = p->n_hosts;
    w.flocks = flocks;
    w.n_flocks = p->n_schedds;
    w.records = ledger_records(c->ledger, &w.n_records);
    w.starts = ledger_starts(c->ledger, a, w.now - USEC_PER_MINUTE, &w.n_starts);
    return world_copy(a, &w);
}

/* A domain that says it is ours and of which the ledger knows nothing: the ledger was lost. That it
 * never had a job cannot be known, so it is held to have joined (S1). */
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
                                                 .create_decided = vm->born,
                                                 .create_answer = WORLD_ANSWER_OK,
                                                 .create_answered = vm->born,
                                                 .joined = vm->born ? vm->born : 1,
                                                 .why = "found on its host"},
                          &e);
    note_event(c, r < 0 ? "adopt-failed" : "adopted", vm->name, r < 0 ? e.text : "");
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
            note_event(c, "joined", vm->name, "");
            if (r < 0)
                note_event(c, "ledger-failed", vm->name, e.text);
            start_succeeded(c, vm->host, vm->template);
        }
        ledger_vm_idle(c->ledger, vm->uuid, vm->idle_since);
    }
}

static void snapshot_done(void *userdata)
{
    (void)arena_free(userdata);
}

static void publish(struct controller *c, struct arena *a, const struct world *w,
                    const struct plan *plan, usec took)
{
    struct look_figures figures;
    look_get_figures(c->look, &figures);
    size_t n = c->n_events < EVENTS_SHOWN ? c->n_events : EVENTS_SHOWN;
    struct server_event *events = arena_take(a, n, sizeof(*events));
    for (size_t i = 0; i < n; i++) {
        const struct event *from = &c->events[(c->n_events - n + i) % EVENTS_SHOWN];
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
        .last_error = arena_strdup(a, c->last_error ? c->last_error : ""),
        .last_error_at = c->last_error_at,
        .events = events,
        .n_events = n,
    };
    (void)snapshot_unref(c->snapshot);
    c->snapshot = snapshot_new(c->policy, w, plan, &facts, snapshot_done, a);
    loop_notify_status(c->loop, "%zu VMs, %zu actions", plan->n_vms, plan->n_actions);
}

/* The step: world → plan → act → publish. */
static void step(void *userdata)
{
    struct controller *c = userdata;
    struct arena *a = arena_new(); /* goes to the snapshot */
    usec from = clock_now();
    c->step_due = false;

    watch_clock(c);
    const struct world *w = build_world(c, a);
    const struct plan *plan = plan_make(a, c->policy, w);
    keep(c, plan);
    (void)act_start(c->act, plan, w, c->vm_fragment);
    for (size_t i = 0; i < plan->n_actions; i++)
        if (plan->actions[i].kind == ACTION_CREATE)
            c->templates[plan->actions[i].policy_template].last_start = w->now;
    recorder_take(c->recorder, w, plan);
    c->steps++;
    publish(c, a, w, plan, clock_now() - from);

    usec wait = plan->next_look == USEC_NEVER ? USEC_NEVER : plan->next_look - w->now;
    loop_timer_set(c->next_timer, wait != USEC_NEVER && wait < debounce ? debounce : wait);
}

/* The API's side of the controller. */

static struct snapshot *port_snapshot(void *userdata)
{
    return snapshot_ref(((struct controller *)userdata)->snapshot);
}

/* A switch that an admin sets, and that survives. */
static int set_switch(struct controller *c, const char *key, bool on, const char *kind, uid_t who,
                      struct err *e)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "uid %u", who);
    int r = ledger_switch_set(c->ledger, key, on ? text : NULL, e);
    if (r < 0)
        return r;
    note_event(c, kind, c->policy->pool.name, text);
    poke(c);
    return 0;
}

static int port_pause(void *userdata, uid_t who, struct err *e)
{
    struct controller *c = userdata;
    int r = set_switch(c, "paused", true, "paused", who, e);
    if (r == 0)
        c->paused = true;
    return r;
}

static int port_resume(void *userdata, uid_t who, struct err *e)
{
    struct controller *c = userdata;
    int r = set_switch(c, "paused", false, "resumed", who, e);
    if (r == 0)
        c->paused = false;
    return r;
}

static int port_look(void *userdata, uid_t who, struct err *e)
{
    (void)who;
    (void)e;
    look_again(userdata);
    return 0;
}

static void want_flocks(struct controller *c, bool wanted)
{
    for (size_t i = 0; i < c->policy->n_schedds; i++)
        flock_want(c->flocks[i], wanted);
}

static int port_flock_apply(void *userdata, uid_t who, struct err *e)
{
    int r = set_switch(userdata, "left", false, "flock-wanted", who, e);
    if (r == 0)
        want_flocks(userdata, true);
    return r;
}

static int port_flock_remove(void *userdata, uid_t who, struct err *e)
{
    int r = set_switch(userdata, "left", true, "flock-unwanted", who, e);
    if (r == 0)
        want_flocks(userdata, false);
    return r;
}

static const struct api_port api_calls = {
    .snapshot = port_snapshot,
    .pause = port_pause,
    .resume = port_resume,
    .look = port_look,
    .flock_apply = port_flock_apply,
    .flock_remove = port_flock_remove,
};

static int read_fragment(const struct policy *p, const char *name, struct text *out, struct err *e)
{
    AUTOFREE char *path = mem_printf("%s/%s", p->paths.fragments, name);
    int r = fragment_read(path, LIMIT_CONFIG_BYTES, out, e);
    return r == -ENOENT ? err_set(e, ENOENT, "%s: no such file; paths.fragments is where the "
                                             "flock-config folder is installed", path)
                        : r;
}

/* S6: one active controller for one state folder. The lock goes with the process. */
static int lock_state(struct controller *c, struct err *e)
{
    AUTOFREE char *path = mem_printf("%s/lock", c->policy->paths.state);
    char holder[32] = "";
    c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (c->lock < 0)
        return err_set(e, errno, "%s: %s", path, strerror(errno));
    if (flock(c->lock, LOCK_EX | LOCK_NB) < 0) {
        ssize_t n = pread(c->lock, holder, sizeof(holder) - 1, 0);
        return err_set(e, EBUSY, "another eyried (process %.*s) holds %s",
                       n > 0 ? (int)strcspn(holder, "\n") : 1, n > 0 ? holder : "?", path);
    }
    int n = snprintf(holder, sizeof(holder), "%d\n", (int)getpid());
    if (ftruncate(c->lock, 0) < 0 || pwrite(c->lock, holder, (size_t)n, 0) != n)
        return err_set(e, errno, "%s: %s", path, strerror(errno));
    return 0;
}

static int open_ledger(struct controller *c, struct err *e)
{
    AUTOFREE char *path = mem_printf("%s/ledger.sqlite", c->policy->paths.state);
    int r = lock_state(c, e);
    if (r == 0)
        r = ledger_open(path, &c->ledger, e);
    if (r < 0)
        return r;
    AUTOFREE char *paused = ledger_switch_get(c->ledger, "paused");
    c->paused = paused != NULL;
    return 0;
}

static int open_flocks(struct controller *c, struct err *e)
{
    const struct policy *p = c->policy;
    struct text fragment = {0};
    AUTOFREE char *left = ledger_switch_get(c->ledger, "left");
    int r = read_fragment(p, "main-schedd.conf", &fragment, e);
    c->flocks = mem_new(p->n_schedds, sizeof(struct flocking *));
    for (size_t i = 0; r == 0 && i < p->n_schedds; i++)
        r = flock_new(c->loop, p, &p->schedds[i], text_get(&fragment), &c->flocks[i], e);
    if (r == 0)
        want_flocks(c, !left);
    text_done(&fragment);
    return r;
}

static void open_hosts(struct controller *c)
{
    const struct policy *p = c->policy;
    c->hosts = mem_new(p->n_hosts, sizeof(*c->hosts));
    for (size_t i = 0; i < p->n_hosts; i++)
        c->hosts[i].worker = host_new(c->loop, p, &p->hosts[i],
                                      &(struct host_callbacks){.changed = host_changed,
                                                               .log = host_logged,
                                                               .userdata = c});
}

int controller_new(struct loop *loop, const struct config *config, struct controller **ret,
                   struct err *e)
{
    struct controller *c = mem_new(1, sizeof(*c));
    struct text vm_fragment = {0};
    c->loop = loop;
    c->lock = -1;
    c->config = config;
    c->policy = config_policy(config);
    c->started = loop_now(loop);
    c->step_timer = loop_timer_new(loop, step, c);
    c->next_timer = loop_timer_new(loop, poke, c);
    c->look_timer = loop_timer_new(loop, look_again, c);
    c->look = look_new(loop);
    c->templates = mem_new(c->policy->n_templates, sizeof(*c->templates));

    int r = open_ledger(c, e);
    if (r == 0)
        r = read_fragment(c->policy, "vm-startd.conf", &vm_fragment, e);
    if (r == 0) {
        c->vm_fragment = mem_strdup(text_get(&vm_fragment));
        r = open_flocks(c, e);
    }
    text_done(&vm_fragment);
    if (r == 0)
        r = api_new(loop, c->policy->paths.socket, &api_calls, c, &c->api, e);
    if (r < 0) {
        (void)controller_free(c);
        return r;
    }
    open_hosts(c);
    c->act = act_new(loop, c->ledger,
                     &(struct act_callbacks){.changed = poke,
                                             .event = note_event,
                                             .host = find_host,
                                             .flock = find_flock,
                                             .start_failed = start_failed,
                                             .userdata = c});
    c->recorder = recorder_new(loop, c->policy->paths.recorder, c->policy->limits.recorded_worlds,
                               note_event, c);
    *ret = c;
    return 0;
}

void controller_start(struct controller *c)
{
    note_event(c, "started", c->policy->pool.name, "version " EYRIE_VERSION);
    look_again(c);
    poke(c);
}

struct controller *controller_free(struct controller *c)
{
    if (!c)
        return NULL;
    (void)api_free(c->api);
    (void)act_free(c->act);
    (void)recorder_free(c->recorder);
    (void)look_free(c->look);
    for (size_t i = 0; c->hosts && i < c->policy->n_hosts; i++)
        (void)host_free(c->hosts[i].worker);
    for (size_t i = 0; c->flocks && i < c->policy->n_schedds; i++)
        (void)flock_free(c->flocks[i]);
    (void)loop_timer_free(c->step_timer);
    (void)loop_timer_free(c->next_timer);
    (void)loop_timer_free(c->look_timer);
    (void)snapshot_unref(c->snapshot);
    (void)ledger_close(c->ledger);
    mem_close_p(&c->lock);
    for (size_t i = 0; i < EVENTS_SHOWN; i++)
        free(c->events[i].text);
    free(c->hosts);
    free(c->templates);
    free(c->flocks);
    free(c->vm_fragment);
    free(c->last_error);
    free(c);
    return NULL;
}
