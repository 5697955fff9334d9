#include "serve/view-part.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"

/* A duration to the second, as sentences give it. */
static const char *seconds(usec d, char buffer[static UNITS_TEXT_MAX])
{
    return units_format_duration(d - d % USEC_PER_SEC, buffer);
}

static void add_limit(struct json_object *limits, const char *key, int64_t used,
                      const struct setting *limit, const struct policy *p)
{
    struct json_object *o = json_object_new_object();
    json_add_int(o, "used", used);
    part_add_limit(o, "limit", limit->value);
    part_add_place(o, "file", "line", limit->at, p->files);
    json_add(limits, key, o);
}

static struct json_object *limits(const struct snapshot *s)
{
    const struct plan *plan = s->plan;
    struct part_use use = part_use(plan);
    struct json_object *o = json_object_new_object();
    add_limit(o, "vms", use.vms, &s->policy->limits.vms, s->policy);
    add_limit(o, "cpus", use.cpus, &s->policy->limits.cpus, s->policy);
    add_limit(o, "memory", use.memory, &s->policy->limits.memory, s->policy);
    add_limit(o, "starts_in_flight", plan->counts[VM_CREATING] + plan->counts[VM_BOOTING],
              &s->policy->limits.starts_in_flight, s->policy);
    add_limit(o, "starts_per_minute", (int64_t)s->world->n_starts,
              &s->policy->limits.starts_per_minute, s->policy);
    return o;
}

static struct json_object *vm_counts(const struct plan *plan)
{
    struct json_object *o = json_object_new_object();
    for (int state = 0; state < VM_STATE_COUNT; state++)
        json_add_int(o, vm_state_name((enum vm_state)state), plan->counts[state]);
    return o;
}

/* The age of a fact grows between two steps. */
static usec age_now(const struct snapshot *s, const struct plan_trust *t, usec now)
{
    if (t->age == USEC_NEVER)
        return USEC_NEVER;
    return t->age + (now > s->plan->now ? now - s->plan->now : 0);
}

static struct json_object *facts(const struct snapshot *s, usec now)
{
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < s->plan->n_trust; i++) {
        const struct plan_trust *t = &s->plan->trust[i];
        usec age = age_now(s, t, now);
        struct json_object *row = json_object_new_object();
        json_add_string(row, "kind", t->kind);
        part_add_name(row, "name", t->name);
        json_add_bool(row, "trusted", t->trusted);
        part_add_duration(row, "age", age);
        part_add_time(row, "asked", age == USEC_NEVER ? 0 : now - age);
        part_add_name(row, "error", t->error);
        (void)json_object_array_add(rows, row);
    }
    return rows;
}

/* What the fragment of a schedd is, in a word. */
static const char *flock_state(const struct world_flock *f)
{
    if (text_equal(f->present, "?"))
        return "unknown";
    if (!*f->wanted)
        return *f->present || *f->believed ? "leaving" : "absent";
    if (!*f->present)
        return "missing";
    if (!text_equal(f->present, f->wanted))
        return "differs";
    return text_equal(f->believed, f->wanted) ? "applied" : "unverified";
}

static struct json_object *flocks(const struct snapshot *s)
{
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < s->world->n_flocks; i++) {
        const struct world_flock *f = &s->world->flocks[i];
        struct json_object *row = json_object_new_object();
        json_add_string(row, "schedd", f->schedd);
        json_add_string(row, "state", flock_state(f));
        part_add_name(row, "wanted", f->wanted);
        part_add_name(row, "present", f->present);
        part_add_name(row, "believed", f->believed);
        part_add_time(row, "failed", f->failed);
        part_add_name(row, "error", f->failed ? f->error : NULL);
        (void)json_object_array_add(rows, row);
    }
    return rows;
}

static void complain(struct json_object *list, struct text *t)
{
    (void)json_object_array_add(list, json_object_new_string(text_get(t)));
    text_clear(t);
}

/* A source whose facts are too old, or a host that fails now; that a fenced one says nothing is known. */
static void complain_of_source(struct json_object *list, const struct snapshot *s,
                               const struct plan_trust *f, usec now)
{
    CLEANUP(text_done) struct text t = {0};
    char age[UNITS_TEXT_MAX];
    const char *space = f->name && *f->name ? " " : "";
    const char *error = f->error ? f->error : "";
    const struct world_host *host =
        text_equal(f->kind, "host") ? part_world_host(s->world, f->name) : NULL;
    if (host && host->fenced)
        return;
    if (f->trusted && (!host || !host->fact.failed))
        return;
    text_printf(&t, "%s%s%s: ", f->kind, space, f->name ? f->name : "");
    if (f->age == USEC_NEVER)
        text_add(&t, "no complete answer yet");
    else if (f->trusted)
        text_add(&t, "gets no new VM");
    else
        text_printf(&t, "stale, the last complete answer is %s old", seconds(age_now(s, f, now), age));
    text_printf(&t, "%s%s", *error ? ": " : "", error);
    complain(list, &t);
}

/* One sentence for each thing that is not as it should be; empty when all is well. */
static struct json_object *degraded(const struct snapshot *s, struct json_object *resting,
                                    usec now)
{
    const struct plan *plan = s->plan;
    struct json_object *list = json_object_new_array();
    CLEANUP(text_done) struct text t = {0};
    char age[UNITS_TEXT_MAX], since[UNITS_TEXT_MAX];
    if (part_is_reason(&plan->frozen) && plan->frozen.code != REASON_PAUSED) {
        text_add(&t, "frozen: ");
        reason_render(&plan->frozen, s->policy->files, &t);
        complain(list, &t);
    }
    if (*s->server.refused) {
        text_printf(&t, "the policy is %s old, and its files have been refused for %s",
                    seconds(now - s->server.policy_loaded, since),
                    seconds(now - s->server.refused_at, age));
        complain(list, &t);
    }
    if (*s->server.ledger_error) {
        text_printf(&t, "nothing new can be written down, so no VM is started: %s",
                    s->server.ledger_error);
        complain(list, &t);
    }
    if (*s->server.ledger_aside) {
        text_printf(&t, "the ledger was damaged; it is kept as %s, with what admins had ordered",
                    s->server.ledger_aside);
        complain(list, &t);
    }
    for (size_t i = 0; i < plan->n_trust; i++)
        complain_of_source(list, s, &plan->trust[i], now);
    for (size_t i = 0; i < json_object_array_length(resting); i++) {
        text_add(&t, json_string_or(json_object_array_get_idx(resting, i), "text", ""));
        complain(list, &t);
    }
    for (size_t i = 0; i < s->world->n_flocks; i++) {
        const struct world_flock *f = &s->world->flocks[i];
        if (!f->failed)
            continue;
        text_printf(&t, "flocking of %s: %s", f->schedd, f->error);
        complain(list, &t);
    }
    if (plan->counts[VM_LOST] > 0) {
        text_printf(&t, "%" PRId64 " VM%s lost: the host or the slot ad is missing",
                    plan->counts[VM_LOST], plan->counts[VM_LOST] == 1 ? " is" : "s are");
        complain(list, &t);
    }
    return list;
}

static struct json_object *server(const struct snapshot *s)
{
    const struct server_facts *f = &s->server;
    struct json_object *o = json_object_new_object();
    json_add_string(o, "version", f->version);
    json_add_int(o, "pid", f->pid);
    part_add_time(o, "started", f->started);
    json_add_int(o, "steps", f->steps);
    part_add_time(o, "last_step", f->last_step);
    part_add_duration(o, "last_step_took", f->last_step_took);
    part_add_time(o, "next_look", s->plan->next_look);
    json_add_int(o, "under_way", f->under_way);
    json_add_int(o, "looks", f->looks);
    json_add_int(o, "last_query_bytes", f->last_query_bytes);
    part_add_duration(o, "last_query_took", f->last_query_took);
    part_add_name(o, "last_error", f->last_error);
    part_add_time(o, "last_error_at", f->last_error_at);
    return o;
}

/* Which policy is in force, and what is wrong with the files that should be. */
static struct json_object *policy(const struct snapshot *s)
{
    struct json_object *o = json_object_new_object();
    part_add_name(o, "file", s->policy->file);
    part_add_time(o, "loaded", s->server.policy_loaded);
    part_add_name(o, "refused", s->server.refused);
    part_add_time(o, "refused_at", *s->server.refused ? s->server.refused_at : 0);
    return o;
}

static struct json_object *events(const struct server_facts *f)
{
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < f->n_events; i++) {
        struct json_object *row = json_object_new_object();
        part_add_time(row, "at", f->events[i].at);
        json_add_string(row, "text", f->events[i].text);
        (void)json_object_array_add(rows, row);
    }
    return rows;
}

/* How many there are of each kind. */
static struct json_object *requests(const struct snapshot *s)
{
    struct json_object *o = json_object_new_object();
    int64_t ahead = 0, open = 0, lacking = 0;
    for (size_t i = 0; i < s->plan->n_requests; i++) {
        const struct plan_request *r = &s->plan->requests[i];
        ahead += r->phase == REQUEST_AHEAD;
        open += r->phase == REQUEST_OPEN;
        lacking += r->phase == REQUEST_OPEN && r->vms + r->starting < r->request->vms;
    }
    json_add_int(o, "waiting", s->server.requests_waiting);
    json_add_int(o, "ahead", ahead);
    json_add_int(o, "open", open);
    json_add_int(o, "short", lacking);
    return o;
}

struct json_object *view_status(const struct snapshot *s, usec now)
{
    struct json_object *view = part_begin(now);
    struct json_object *resting = part_resting(s, now);
    struct json_object *wrong = degraded(s, resting, now);
    bool paused = s->world->paused;
    json_add_string(view, "pool", s->policy->pool.name);
    part_add_name(view, "file", s->policy->file);
    json_add_string(view, "state", json_object_array_length(wrong) > 0 ? "degraded"
                                   : paused                            ? "paused"
                                                                       : "ok");
    json_add(view, "degraded", wrong);
    json_add(view, "policy", policy(s));
    json_add_bool(view, "paused", paused);
    part_add_reason(view, "frozen", &s->plan->frozen, s->policy->files);
    json_add(view, "resting", resting);
    json_add(view, "orders", part_orders(s, now));
    json_add(view, "requests", requests(s));
    json_add(view, "doing", part_doing(s->plan, s->policy));
    json_add_int(view, "changes", (int64_t)s->plan->n_actions);
    json_add(view, "vms", vm_counts(s->plan));
    json_add(view, "limits", limits(s));
    json_add(view, "groups", part_groups(s));
    json_add(view, "demand", part_demand(s, NULL, VIEW_STATUS_SHAPES_MAX));
    json_add_int(view, "refused_jobs", s->server.refused_jobs);
    json_add(view, "facts", facts(s, now));
    json_add(view, "flock", flocks(s));
    json_add(view, "server", server(s));
    json_add(view, "events", events(&s->server));
    return view;
}

struct json_object *view_flock(const struct snapshot *s, usec now)
{
    struct json_object *view = part_begin(now);
    json_add(view, "flock", flocks(s));
    return view;
}
