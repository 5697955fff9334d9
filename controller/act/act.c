#include "act/act.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "act/drain.h"
#include "act/fragment.h"
#include "act/invalidate.h"
#include "act/extend.h"
#include "act/seed.h"
#include "act/token.h"
#include "base/limits.h"
#include "base/mem.h"

/*
 * One action under way; or one that has ended, as long as the facts are older than its end: what it
 * did cannot be seen in them, so the planner would decide it again.
 */
struct deed {
    struct act *act;
    struct deed *next;
    enum action_kind kind;
    usec ended; /* 0: under way */
    char *key; /* what it is done to: UUID, volume or schedd */
    char *name;
    char *host;
    struct token *token;
    struct drain *drain;
    struct extend *extend;
    /* create */
    struct config *config; /* a reference; NULL for other kinds */
    const struct policy_template *template;
    char *group;
    char *request;
    char *generation;
    char *vm_fragment;
    bool exclusive;
    bool by_name;
    usec until; /* of the request */
    usec max_walltime;
    usec born;
};

struct act {
    struct loop *loop;
    struct ledger *ledger;
    struct act_callbacks callbacks;
    struct invalidator *invalidator;
    struct deed *deeds;
};

static struct deed *deed_free(struct deed *d)
{
    if (!d)
        return NULL;
    (void)token_free(d->token);
    (void)drain_free(d->drain);
    (void)extend_free(d->extend);
    (void)config_free(d->config);
    free(d->key);
    free(d->name);
    free(d->host);
    free(d->group);
    free(d->request);
    free(d->generation);
    free(d->vm_fragment);
    free(d);
    return NULL;
}

/* The deed is over; ask for a step. */
static void deed_end(struct deed *d)
{
    struct act *a = d->act;
    d->token = token_free(d->token);
    d->drain = drain_free(d->drain);
    d->extend = extend_free(d->extend);
    d->ended = loop_now(a->loop);
    a->callbacks.changed(a->callbacks.userdata);
}

static void report(struct deed *d, const char *kind, const char *text)
{
    d->act->callbacks.event(d->act->callbacks.userdata, kind, d->name, text);
}

/* The outcome of an action as an event: "drain" or "drain-failed". */
static void report_outcome(struct deed *d, const char *error)
{
    AUTOFREE char *kind = mem_printf("%s%s", action_kind_name(d->kind), error ? "-failed" : "-done");
    report(d, kind, error ? error : "");
}

static void report_ledger(struct deed *d, int r, const struct err *e)
{
    if (r < 0)
        report(d, "ledger-failed", e->text);
}

static const char *answer_error(const struct host_answer *answer)
{
    switch (answer->answer) {
    case WORLD_ANSWER_OK:
        return NULL;
    case WORLD_ANSWER_FAILED:
        return answer->error;
    case WORLD_ANSWER_NONE:
        break;
    }
    return answer->error[0] ? answer->error : "no answer: it may or may not have happened";
}

static void create_failed(struct deed *d, enum world_answer answer, const char *error)
{
    struct err e;
    int r = ledger_vm_answer(d->act->ledger, d->key, answer, loop_now(d->act->loop), &e);
    report_ledger(d, r, &e);
    d->act->callbacks.start_failed(d->act->callbacks.userdata, d->host, d->template->name);
    report_outcome(d, error);
    deed_end(d);
}

static void created(void *userdata, const struct host_answer *answer)
{
    struct deed *d = userdata;
    const char *error = answer_error(answer);
    struct err e;
    if (error && answer->answer == WORLD_ANSWER_FAILED) {
        create_failed(d, WORLD_ANSWER_FAILED, error);
        return;
    }
    int r = ledger_vm_answer(d->act->ledger, d->key, answer->answer,
                             error ? 0 : loop_now(d->act->loop), &e);
    report_ledger(d, r, &e);
    report_outcome(d, error);
    struct host *host = d->act->callbacks.host(d->act->callbacks.userdata, d->host);
    if (host)
        host_look(host);
    deed_end(d);
}

static void got_token(void *userdata, const char *token, const char *error)
{
    struct deed *d = userdata;
    struct act *act = d->act;
    struct text seed = {0};
    struct err e;
    if (!token) {
        create_failed(d, WORLD_ANSWER_FAILED, error);
        return;
    }
    const struct policy_template *t = d->template;
    struct host *host = d->act->callbacks.host(d->act->callbacks.userdata, d->host);
    int r = host ? seed_render(config_policy(d->config), t,
                               &(struct seed_vm){.name = d->name,
                                                 .uuid = d->key,
                                                 .group = d->group,
                                                 .request = d->request,
                                                 .exclusive = d->exclusive,
                                                 .by_name = d->by_name,
                                                 .until = d->until,
                                                 .max_walltime = d->max_walltime,
                                                 .generation = d->generation,
                                                 .token = token},
                               d->vm_fragment, &seed, &e)
                 : err_set(&e, ENOENT, "host %s is no longer in the policy", d->host);
    d->token = token_free(d->token);
    if (r < 0)
        create_failed(d, WORLD_ANSWER_FAILED, e.text);
    else
        host_create(host,
                    &(struct host_create_args){.name = d->name,
                                               .uuid = d->key,
                                               .domain_xml = t->domain_xml,
                                               .image = t->image,
                                               .cpus = t->cpus,
                                               .memory = t->memory,
                                               .disk = t->disk,
                                               .template = t->name,
                                               .generation = d->generation,
                                               .group = d->group,
                                               .request = d->request,
                                               .exclusive = d->exclusive,
                                               .born = d->born,
                                               /* eyried destroys it well before that */
                                               .watch = 2 * config_policy(d->config)->timing.join_within.value,
                                               .seed = text_get(&seed)},
                    created, d);
    seed_wipe(&seed);
    if (r == 0) /* a tool has ended: another may start */
        act->callbacks.changed(act->callbacks.userdata);
}

static void drained(void *userdata, const char *error)
{
    struct deed *d = userdata;
    struct err e;
    if (!error) {
        int r = ledger_vm_mark(d->act->ledger, d->key, LEDGER_DRAIN_ACCEPTED,
                               loop_now(d->act->loop), "drain accepted", &e);
        report_ledger(d, r, &e);
    }
    report_outcome(d, error);
    deed_end(d);
}

static void undrained(void *userdata, const char *error)
{
    struct deed *d = userdata;
    struct err e;
    if (!error) {
        int r = ledger_vm_mark(d->act->ledger, d->key, LEDGER_DRAIN_ACCEPTED, 0, "drain cancelled", &e);
        report_ledger(d, r, &e);
    }
    report_outcome(d, error);
    deed_end(d);
}

/* Of what has nothing to be written down. */
static void answered(void *userdata, const char *error)
{
    report_outcome(userdata, error);
    deed_end(userdata);
}

static void host_answered(void *userdata, const struct host_answer *answer)
{
    struct deed *d = userdata;
    struct host *host = d->act->callbacks.host(d->act->callbacks.userdata, d->host);
    report_outcome(d, answer_error(answer));
    if (d->kind == ACTION_POWEROFF && answer->answer != WORLD_ANSWER_OK)
        ledger_vm_poweroff_lost(d->act->ledger, d->key, true);
    if (host)
        host_look(host);
    deed_end(d);
}

struct act *act_new(struct loop *loop, struct ledger *ledger, const struct act_callbacks *callbacks)
{
    struct act *a = mem_new(1, sizeof(*a));
    *a = (struct act){.loop = loop,
                      .ledger = ledger,
                      .callbacks = *callbacks,
                      .invalidator = invalidator_new(loop)};
    return a;
}

struct act *act_free(struct act *a)
{
    if (!a)
        return NULL;
    for (struct deed *d = a->deeds, *next; d; d = next) {
        next = d->next;
        (void)deed_free(d);
    }
    (void)invalidator_free(a->invalidator);
    free(a);
    return NULL;
}

size_t act_under_way(const struct act *a)
{
    size_t n = 0;
    for (const struct deed *d = a->deeds; d; d = d->next)
        n += !d->ended;
    return n;
}

/* A startd looks for the note, and sends its ad anew. */
static const usec extend_shows_within = USEC_PER_MINUTE;

static const struct world_host *host_facts(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->n_hosts; i++)
        if (strcmp(w->hosts[i].name, name) == 0)
            return &w->hosts[i];
    return NULL;
}

/* When the facts were asked for in which the outcome of a deed shows; USEC_NEVER: it shows at once. */
static usec facts_asked(const struct deed *d, const struct world *w)
{
    const struct world_host *host;
    switch (d->kind) {
    case ACTION_DRAIN:
    case ACTION_UNDRAIN:
    case ACTION_INVALIDATE:
        return w->pool.fact.asked;
    case ACTION_EXTEND:
        return w->pool.fact.asked - extend_shows_within;
    case ACTION_POWEROFF:
    case ACTION_DESTROY:
    case ACTION_DELETE_VOLUME:
        host = host_facts(w, d->host);
        return host ? host->fact.asked : USEC_NEVER;
    default:
        return USEC_NEVER;
    }
}

/* Forget the deeds that ended before the facts were asked for. */
static void settle(struct act *a, const struct world *w)
{
    for (struct deed **p = &a->deeds; *p;) {
        struct deed *d = *p;
        /* an end ahead of now is of a clock that was wrong */
        if (!d->ended || (facts_asked(d, w) <= d->ended && d->ended <= w->now)) {
            p = &d->next;
            continue;
        }
        *p = d->next;
        (void)deed_free(d);
    }
}

static const char *action_key(const struct plan_action *action)
{
    return action->volume[0] ? action->volume : action->uuid[0] ? action->uuid : action->name;
}

/*
 * Whether an action must wait for a deed on the same thing: it is the same one, or one of the two
 * cancels a drain and the other builds on it, on facts that do not know of it; or both are about one
 * fragment, in which only one thing is done at a time.
 */
static bool waits_for(enum action_kind action, enum action_kind deed)
{
    return action == deed || (deed == ACTION_UNDRAIN && (action == ACTION_DRAIN ||
                                                         action == ACTION_POWEROFF)) ||
           (deed == ACTION_DRAIN && action == ACTION_UNDRAIN) ||
           (deed == ACTION_FLOCK_APPLY && action == ACTION_FLOCK_REMOVE) ||
           (deed == ACTION_FLOCK_REMOVE && action == ACTION_FLOCK_APPLY);
}

static bool is_under_way(const struct act *a, const struct plan_action *action)
{
    for (const struct deed *d = a->deeds; d; d = d->next)
        if (action->kind != ACTION_CREATE && waits_for(action->kind, d->kind) &&
            strcmp(d->key, action_key(action)) == 0)
            return true;
    return false;
}

/* When the request of that id ends; 0: it is none. */
static usec until_of(const struct plan *plan, const char *request)
{
    for (size_t i = 0; i < plan->n_requests; i++)
        if (strcmp(plan->requests[i].request->id, request) == 0)
            return plan->requests[i].request->until;
    return 0;
}

static void start_create(struct deed *d, const struct plan *plan, const struct world *w,
                         const struct plan_action *action, const char *why, const char *vm_fragment)
{
    const struct policy *p = plan->policy;
    struct err e;
    uuid_t uuid;
    char text[UUID_STR_LEN];
    uuid_generate_random(uuid);
    uuid_unparse_lower(uuid, text);
    d->template = &p->templates[action->policy_template];
    mem_replace(&d->key, text);
    free(d->name);
    d->name = mem_printf("%s-%s-%.8s", p->pool.name, d->template->name, text);
    d->group =
        mem_strdup(action->policy_group == SIZE_MAX ? "" : p->groups[action->policy_group].name);
    d->vm_fragment = mem_strdup(vm_fragment);
    d->request = mem_strdup(action->request);
    d->exclusive = action->exclusive;
    d->by_name = action->by_name;
    d->until = until_of(plan, action->request);
    char generation[PLAN_GENERATION_MAX];
    plan_generation(d->template, host_facts(w, action->host), generation);
    d->generation = mem_strdup(generation);
    d->max_walltime = action->policy_group == SIZE_MAX
                          ? 0
                          : p->groups[action->policy_group].max_walltime.value;
    d->born = loop_now(d->act->loop);
    int r = ledger_vm_add(d->act->ledger,
                          &(struct world_record){.uuid = d->key,
                                                 .name = d->name,
                                                 .host = d->host,
                                                 .template = d->template->name,
                                                 .generation = d->generation,
                                                 .group = d->group,
                                                 .request = d->request,
                                                 .exclusive = d->exclusive,
                                                 .create_decided = d->born,
                                                 .create_asked = true,
                                                 .why = why},
                          &e);
    if (r < 0) { /* no intent on disk: no create */
        report_outcome(d, e.text);
        deed_end(d);
        return;
    }
    report(d, "create", why);
    d->token = token_create(d->act->loop, p, d->key, got_token, d);
}

static void mark(struct deed *d, enum ledger_mark which, const char *why)
{
    struct err e;
    int r = ledger_vm_mark(d->act->ledger, d->key, which, loop_now(d->act->loop), why, &e);
    report_ledger(d, r, &e);
}

static void start_deed(struct deed *d, const struct plan *plan, const struct world *w,
                       const struct plan_action *action, const char *why, const char *vm_fragment)
{
    struct act *a = d->act;
    struct host *host =
        action->host[0] ? a->callbacks.host(a->callbacks.userdata, action->host) : NULL;
    struct flocking *flock = a->callbacks.flock(a->callbacks.userdata, action->name);
    struct err e;
    int r;

    if (action->kind != ACTION_CREATE)
        report(d, action_kind_name(action->kind), why);
    switch (action->kind) {
    case ACTION_CREATE:
        start_create(d, plan, w, action, why, vm_fragment);
        return;
    case ACTION_DRAIN:
        mark(d, LEDGER_DRAIN_DECIDED, why);
        d->drain = drain_start(a->loop, plan->policy, action->machine, why, drained, d);
        return;
    case ACTION_UNDRAIN:
        d->drain = drain_cancel(a->loop, plan->policy, action->machine, undrained, d);
        return;
    case ACTION_EXTEND:
        d->extend = extend_start(a->loop, plan->policy, action->machine, action->request,
                               until_of(plan, action->request), answered, d);
        return;
    case ACTION_INVALIDATE:
        invalidator_add(a->invalidator, plan->policy, action->uuid, answered, d);
        return;
    case ACTION_FORGET:
        if (action->reason.code == REASON_ENDED_EARLY)
            a->callbacks.start_failed(a->callbacks.userdata, action->host, action->template);
        r = ledger_vm_close(a->ledger, action->uuid, loop_now(a->loop), &e);
        report_ledger(d, r, &e);
        deed_end(d);
        return;
    case ACTION_POWEROFF:
        if (action->reason.code != REASON_POWEROFF_LOST) /* that is told for the first time */
            mark(d, LEDGER_POWEROFF_DECIDED, why);
        ledger_vm_poweroff_lost(a->ledger, action->uuid, false);
        if (host) {
            host_shutdown(host, action->uuid, host_answered, d);
            return;
        }
        break;
    case ACTION_DESTROY:
        mark(d, LEDGER_DESTROY_DECIDED, why);
        if (action->reason.code == REASON_NEVER_JOINED)
            a->callbacks.start_failed(a->callbacks.userdata, action->host, action->template);
        if (host) {
            host_destroy(host, action->uuid, host_answered, d);
            return;
        }
        break;
    case ACTION_DELETE_VOLUME:
        if (host) {
            host_delete_volume(host, action->volume, host_answered, d);
            return;
        }
        break;
    case ACTION_FLOCK_APPLY:
    case ACTION_FLOCK_REMOVE:
        if (flock) {
            flock_apply(flock, answered, d);
            return;
        }
        break;
    case ACTION_KIND_COUNT:
        break;
    }
    report_outcome(d, "its host or schedd is no longer in the policy");
    deed_end(d);
}

/* Whether the action begins with one of HTCondor's tools, of its own. */
static bool needs_tool(enum action_kind kind)
{
    return kind == ACTION_CREATE || kind == ACTION_DRAIN || kind == ACTION_UNDRAIN ||
           kind == ACTION_EXTEND;
}

static size_t tools_running(const struct act *a)
{
    size_t n = invalidator_busy(a->invalidator);
    for (const struct deed *d = a->deeds; d; d = d->next)
        n += d->token || d->drain || d->extend;
    return n;
}

size_t act_start(struct act *a, struct config *config, const struct plan *plan,
                 const struct world *w, const char *vm_fragment)
{
    size_t started = 0;
    assert(config_policy(config) == plan->policy);
    settle(a, w);
    for (size_t i = 0; i < plan->n_actions; i++) {
        const struct plan_action *action = &plan->actions[i];
        if (is_under_way(a, action))
            continue;
        /* What is left out comes again in the next plan, when a tool has ended. */
        if (needs_tool(action->kind) && tools_running(a) >= LIMIT_CONDOR_TOOLS)
            continue;
        struct text why = {0};
        reason_render(&action->reason, plan->policy->files, &why);
        struct deed *d = mem_new(1, sizeof(*d));
        d->act = a;
        d->kind = action->kind;
        d->config = action->kind == ACTION_CREATE ? config_ref(config) : NULL;
        d->key = mem_strdup(action_key(action));
        d->name = mem_strdup(action->name);
        d->host = mem_strdup(action->host);
        d->next = a->deeds;
        a->deeds = d;
        start_deed(d, plan, w, action, text_get(&why), vm_fragment);
        text_done(&why);
        started++;
    }
    return started;
}
