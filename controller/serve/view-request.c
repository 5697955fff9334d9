/* Requests: as rows, and one of them explained. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/when.h"
#include "serve/view-part.h"

int64_t part_template_cpus(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_templates; i++)
        if (strcmp(p->templates[i].name, name) == 0)
            return p->templates[i].cpus;
    return 0; /* it is not in the policy any more */
}

void part_render_span(usec from, usec until, usec now, struct text *out)
{
    char begin[WHEN_TEXT_MAX], end[WHEN_TEXT_MAX];
    text_printf(out, "%s – %s", when_say(from, now, begin), when_say(until, now, end));
}

void part_render_request(const struct policy *p, const struct ledger_request *r, usec now,
                         struct text *out)
{
    const struct world_request *b = &r->booking;
    int64_t cpus = part_template_cpus(p, b->template);
    text_printf(out, "%s: %" PRId64 " cpus as %" PRId64 " × %s", b->group, r->cpus, b->vms,
                b->template);
    if (cpus)
        text_printf(out, " (%" PRId64 " cpus)", cpus);
    text_printf(out, ", %s%s, ", b->exclusive ? "exclusive" : "shared",
                b->whole_host ? " on whole hosts" : "");
    part_render_span(b->from, b->until, now, out);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The plan has them as the world has, which has them as the ledger has: in the order of their numbers. */
static const struct plan_request *find_planned(const struct plan *plan, int64_t number)
{
    size_t low = 0, high = plan ? plan->n_requests : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t there = ledger_request_number(plan->requests[middle].request->id);
        if (there == number)
            return &plan->requests[middle];
        if (there < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* As people of the site read it, whatever zone they themselves are in. */
static void add_local(struct json_object *row, const char *key, usec at)
{
    char buffer[WHEN_TEXT_MAX];
    json_add_string(row, key, when_format(at - at % USEC_PER_MINUTE, buffer));
}

static usec end_of(const struct ledger_request *r)
{
    return r->booking.ended ? r->booking.ended : r->booking.until;
}

/* Cpus × µs, or as much as fits: until the year 2999 is long. */
static int64_t time_asked(const struct ledger_request *r)
{
    int64_t product;
    return __builtin_mul_overflow(r->cpus, r->booking.until - r->booking.from, &product) ? INT64_MAX
                                                                                         : product;
}

struct json_object *part_request(const struct policy *p, const struct plan *plan,
                                 const struct ledger_request *r)
{
    const struct world_request *b = &r->booking;
    const struct plan_request *planned = find_planned(plan, r->number);
    struct json_object *row = json_object_new_object();
    part_add_name(row, "name", b->id);
    json_add_string(row, "state", ledger_request_state_name(r->state));
    json_add_string(row, "phase", planned ? request_phase_name(planned->phase) : NULL);
    json_add_string(row, "group", b->group);
    part_add_name(row, "user", b->user);
    json_add_string(row, "template", b->template);
    json_add_int(row, "cpus", r->cpus);
    json_add_int(row, "vms", b->vms);
    json_add_bool(row, "exclusive", b->exclusive);
    json_add_bool(row, "whole_host", b->whole_host);
    part_add_time(row, "from", b->from);
    part_add_time(row, "until", b->until);
    part_add_time(row, "ended", b->ended);
    add_local(row, "from_local", b->from);
    add_local(row, "until_local", end_of(r));
    part_add_name(row, "reason", r->reason);
    part_add_time(row, "asked", r->asked);
    part_add_time(row, "decided", r->decided.at);
    part_add_name(row, "decided_by", r->decided.by);
    part_add_name(row, "decided_why", r->decided.reason);
    part_add_time(row, "used", r->seen.used);
    json_add_int(row, "up", planned ? planned->up : 0);
    json_add_int(row, "starting", planned ? planned->vms - planned->up + planned->starting : 0);
    part_add_reason(row, "missing", planned ? &planned->reason : &(struct reason){0}, p->files);
    json_add_int(row, "cpu_time", r->seen.delivered);
    json_add_int(row, "cpu_time_asked", time_asked(r));
    return row;
}

/* ---- one of them, explained ------------------------------------------------------------------ */

void part_add_line(struct json_object *lines, struct text *t)
{
    (void)json_object_array_add(lines, json_object_new_string(text_get(t)));
    text_clear(t);
}

/* What its state means, and who said so. */
static void tell_state(const struct ledger_request *r, usec now, struct text *t)
{
    const struct world_request *b = &r->booking;
    char at[WHEN_TEXT_MAX], by[UNITS_TEXT_MAX];
    switch (r->state) {
    case LEDGER_REQUEST_WAITING:
        text_add(t, "waits for an admin: eyrie request approve, or deny");
        return;
    case LEDGER_REQUEST_GRANTED:
        if (now < b->from)
            text_printf(t, "is granted, and begins in %s", units_format_duration(b->from - now, by));
        else
            text_printf(t, "is granted, and ends in %s", units_format_duration(b->until - now, by));
        return;
    case LEDGER_REQUEST_HANDED_BACK:
        text_printf(t, "was handed back at %s: nobody used it", when_say(b->ended, now, at));
        return;
    default:
        text_printf(t, "%s %s at %s", r->state == LEDGER_REQUEST_ENDED ? "has" : "was",
                    ledger_request_state_name(r->state), when_say(end_of(r), now, at));
        if (*r->decided.by && r->state != LEDGER_REQUEST_ENDED)
            text_printf(t, " by %s", r->decided.by);
        if (*r->decided.reason && r->state != LEDGER_REQUEST_ENDED)
            text_printf(t, ": %s", r->decided.reason);
    }
}

/* How many of its VMs there are, and why not all. */
static void tell_vms(const struct policy *p, const struct plan_request *planned, struct text *t)
{
    const struct world_request *b = planned->request;
    int64_t coming = planned->vms - planned->up + planned->starting;
    int64_t missing = b->vms - planned->up - coming;
    text_printf(t, "%" PRId64 " of %" PRId64 " VMs are up", planned->up, b->vms);
    if (coming > 0)
        text_printf(t, ", %" PRId64 " are being started", coming);
    if (missing > 0)
        text_printf(t, ", %" PRId64 " are missing", missing);
    if (missing > 0 && part_is_reason(&planned->reason)) {
        text_add(t, ": ");
        reason_render(&planned->reason, p->files, t);
    }
}

static void tell_jobs(const struct world *w, const struct ledger_request *r, struct text *t)
{
    int64_t idle = 0, running = 0;
    for (size_t i = 0; i < w->n_queues; i++)
        for (size_t k = 0; k < w->queues[i].n_shapes; k++) {
            const struct world_shape *shape = &w->queues[i].shapes[k];
            if (strcmp(shape->request, r->booking.id) != 0)
                continue;
            idle += shape->idle;
            running += shape->running;
        }
    text_printf(t, "%" PRId64 " jobs that name it run, %" PRId64 " wait", running, idle);
}

static void tell_delivered(const struct ledger_request *r, struct text *t)
{
    const double hour = (double)USEC_PER_HOUR;
    text_printf(t, "%.1f cpu-hours were delivered of %.1f asked for",
                (double)r->seen.delivered / hour,
                (double)r->cpus * (double)(r->booking.until - r->booking.from) / hour);
}

static struct json_object *vms_of(const struct plan *plan, const char *id)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; plan && i < plan->n_vms; i++) {
        const struct plan_vm *vm = &plan->vms[i];
        if (strcmp(plan_vm_request(vm), id) != 0)
            continue;
        struct json_object *row = json_object_new_object();
        json_add_string(row, "name", vm->name);
        json_add_string(row, "state", vm_state_name(vm->state));
        json_add_string(row, "host", vm->host);
        json_add_int(row, "claimed", vm->claimed);
        (void)json_object_array_add(list, row);
    }
    return list;
}

static struct json_object *explain(const struct snapshot *s, usec now,
                                   const struct ledger_request *r)
{
    struct json_object *view = part_begin(now), *lines = json_object_new_array();
    const struct plan_request *planned = find_planned(s->plan, r->number);
    CLEANUP(text_done) struct text t = {0};
    part_render_request(s->policy, r, now, &t);
    json_add_string(view, "text", text_get(&t));
    text_clear(&t);
    tell_state(r, now, &t);
    part_add_line(lines, &t);
    if (planned && planned->phase == REQUEST_OPEN) {
        tell_vms(s->policy, planned, &t);
        part_add_line(lines, &t);
    }
    if (ledger_request_is_open(r)) {
        tell_jobs(s->world, r, &t);
        part_add_line(lines, &t);
    }
    if (r->state != LEDGER_REQUEST_WAITING && r->state != LEDGER_REQUEST_DENIED) {
        tell_delivered(r, &t);
        part_add_line(lines, &t);
    }
    json_add(view, "lines", lines);
    json_add(view, "request", part_request(s->policy, s->plan, r));
    json_add(view, "vms", vms_of(s->plan, r->booking.id));
    return view;
}

/* ---- those that are asked for ---------------------------------------------------------------- */

struct listing {
    const struct snapshot *s;
    usec now;
    const struct requests_wanted *wanted;
    struct json_object *rows;
    struct json_object *one; /* explained */
};

static bool is_wanted(const struct requests_wanted *wanted, const struct ledger_request *r)
{
    return (wanted->all || ledger_request_is_open(r)) &&
           (!wanted->group || strcmp(wanted->group, r->booking.group) == 0);
}

static void add_row(void *userdata, const struct ledger_request *r)
{
    const struct listing *l = userdata;
    if (is_wanted(l->wanted, r))
        (void)json_object_array_add(l->rows, part_request(l->s->policy, l->s->plan, r));
}

int view_requests(const struct snapshot *s, usec now, const struct requests_wanted *wanted,
                  requests_function requests, void *userdata, struct json_object **ret,
                  struct err *e)
{
    struct listing l = {s, now, wanted, json_object_new_array(), NULL};
    int r = requests(userdata, 0, wanted->all, add_row, &l, e);
    if (r < 0) {
        (void)json_object_put(l.rows);
        return r;
    }
    struct json_object *view = part_begin(now);
    json_add(view, "requests", l.rows);
    *ret = view;
    return 0;
}

static void explain_row(void *userdata, const struct ledger_request *r)
{
    struct listing *l = userdata;
    l->one = explain(l->s, l->now, r);
}

int view_request(const struct snapshot *s, usec now, const char *name, requests_function requests,
                 void *userdata, struct json_object **ret, struct err *e)
{
    struct listing l = {.s = s, .now = now};
    int64_t number = ledger_request_number(name);
    if (!number)
        return err_set(e, ENOENT, "\"%.64s\" is no request: they are called r-1, r-2, …", name);
    int r = requests(userdata, number, true, explain_row, &l, e);
    if (r < 0)
        return r;
    if (!l.one)
        return err_set(e, ENOENT, "there is no request \"%s\"", name);
    *ret = l.one;
    return 0;
}
