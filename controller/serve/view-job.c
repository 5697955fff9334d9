#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/when.h"
#include "serve/job.h"
#include "serve/view-part.h"

/* The sentences about one job. */
struct telling {
    const struct snapshot *s;
    const struct world_job *job;
    const char *schedd;
    const char *id;
    usec now;
    const char *state;
    struct text text;         /* the answer */
    struct json_object *why;  /* more sentences */
    const struct plan_vm *vm; /* it runs in */
    const struct plan_shape *shape;
};

static void add_why(struct telling *t, const char *sentence)
{
    (void)json_object_array_add(t->why, json_object_new_string(sentence));
}

static const char *status_name(int64_t status)
{
    switch (status) {
    case WORLD_JOB_IDLE:
        return "idle";
    case WORLD_JOB_RUNNING:
        return "running";
    case WORLD_JOB_REMOVING:
        return "removing";
    case WORLD_JOB_COMPLETED:
        return "completed";
    case WORLD_JOB_HELD:
        return "held";
    case WORLD_JOB_TRANSFERRING_OUTPUT:
        return "transferring output";
    case WORLD_JOB_SUSPENDED:
        return "suspended";
    default:
        return "unknown";
    }
}

/* The VM whose startd's machine the slot is on: "slot1_1@MACHINE". */
static const struct plan_vm *find_vm(const struct plan *plan, const char *slot)
{
    const char *machine = strchr(slot, '@');
    for (size_t i = 0; machine && i < plan->n_vms; i++) {
        const struct world_startd *d = plan->vms[i].startd;
        const char *of = d ? strchr(d->machine, '@') : NULL;
        if (d && text_equal(of ? of + 1 : d->machine, machine + 1))
            return &plan->vms[i];
    }
    return NULL;
}

static const struct plan_shape *find_shape(const struct telling *t)
{
    const struct world_shape *a = &t->job->shape;
    for (size_t i = 0; i < t->s->plan->n_shapes; i++) {
        const struct plan_shape *p = &t->s->plan->shapes[i];
        const struct world_shape *b = p->shape;
        if (text_equal(p->schedd, t->schedd) && text_equal(a->owner, b->owner) &&
            text_equal(a->group, b->group) && a->cpus == b->cpus && a->memory == b->memory &&
            a->disk == b->disk && a->gpus == b->gpus && a->runtime == b->runtime && a->flock_from == b->flock_from &&
            text_equal(a->request, b->request))
            return p;
    }
    return NULL;
}

static void tell_running(struct telling *t)
{
    const char *slot = t->job->remote_host;
    t->vm = find_vm(t->s->plan, slot);
    if (t->vm)
        text_printf(&t->text, "runs in the VM %s on host %s", t->vm->name, t->vm->host);
    else if (*slot)
        text_printf(&t->text, "runs on %s, which is no VM of this pool", slot);
    else
        text_add(&t->text, "runs, and its schedd does not say where");
}

/* Of an idle job: what the last plan made of those that are like it. */
static void tell_shape(struct telling *t)
{
    const struct plan_shape *p = t->shape;
    if (!p || p->shape->idle == 0) {
        text_add(&t->text, "is idle, and eyried's last look at the queue did not see it yet: ask "
                           "again in a moment");
        return;
    }
    if (p->waiting == 0 && p->starting == 0) {
        text_add(&t->text, "is idle, and fits into a VM that is up: it waits for the negotiator");
    } else if (p->waiting == 0) {
        text_add(&t->text, "waits for a VM that is being started, or for room in one that is up");
    } else if (part_is_reason(&p->reason)) {
        text_add(&t->text,
                 p->waiting == p->shape->idle ? "waits: " : "waits, as some like it do: ");
        reason_render(&p->reason, t->s->policy->files, &t->text);
    } else {
        text_add(&t->text, "waits");
    }
    CLEANUP(text_done) struct text sentence = {0};
    part_render_shape(t->s, p, &sentence);
    add_why(t, text_get(&sentence));
}

/* Reasons say how long; here it is by the clock, too. */
static void tell_request(struct telling *t)
{
    const struct world *w = t->s->world;
    char from[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX], time[UNITS_TEXT_MAX];
    for (size_t i = 0; i < w->n_requests; i++) {
        const struct world_request *r = &w->requests[i];
        if (!text_equal(r->id, t->job->shape.request))
            continue;
        usec end = r->ended && r->ended < r->until ? r->ended : r->until;
        usec next = t->now < r->from ? r->from : end;
        bool over = next <= t->now;
        usec rest = (over ? t->now - next : next - t->now) / USEC_PER_SEC * USEC_PER_SEC;
        AUTOFREE char *sentence = mem_printf(
            "request %s is from %s until %s: it %s %s%s%s", r->id, when_say(r->from, t->now, from),
            when_say(end, t->now, until), next == r->from ? "begins" : over ? "ended" : "ends",
            over ? "" : "in ", units_format_duration(rest, time), over ? " ago" : "");
        add_why(t, sentence);
        return;
    }
}

static void tell_idle(struct telling *t)
{
    if (!t->job->flagged) {
        t->state = "not flagged";
        text_printf(&t->text, "does not ask for the virtual pool: its attribute %s is not true",
                    t->s->policy->pool.flag);
        return;
    }
    if (!t->job->flocks) {
        t->state = "does not flock";
        text_add(&t->text, "cannot reach the virtual pool: it was submitted while the flocking "
                           "configuration was not there; submit it again");
        return;
    }
    tell_shape(t);
    tell_request(t);
}

static void tell(struct telling *t)
{
    t->state = status_name(t->job->status);
    switch (t->job->status) {
    case WORLD_JOB_IDLE:
        tell_idle(t);
        return;
    case WORLD_JOB_RUNNING:
    case WORLD_JOB_TRANSFERRING_OUTPUT:
    case WORLD_JOB_SUSPENDED:
        tell_running(t);
        return;
    case WORLD_JOB_HELD:
        text_printf(&t->text, "is held%s%s", *t->job->hold_reason ? ": " : "", t->job->hold_reason);
        add_why(t, "a held job asks for no VM; condor_release lets it go on");
        return;
    case WORLD_JOB_REMOVING:
        text_add(&t->text, "is being removed");
        return;
    case WORLD_JOB_COMPLETED:
        text_add(&t->text, "has completed");
        return;
    default:
        text_printf(&t->text, "has the JobStatus %" PRId64 ", which eyried does not know",
                    t->job->status);
    }
}

static struct json_object *job_facts(const struct telling *t)
{
    const struct world_job *job = t->job;
    struct json_object *o = json_object_new_object();
    json_add_string(o, "id", t->id);
    json_add_string(o, "schedd", t->schedd);
    json_add_string(o, "owner", job->shape.owner);
    part_add_name(o, "group", job->shape.group);
    json_add_string(o, "status", status_name(job->status));
    json_add_bool(o, "flagged", job->flagged);
    json_add_bool(o, "flocks", job->flocks);
    json_add_int(o, "cpus", job->shape.cpus);
    json_add_int(o, "memory", job->shape.memory);
    json_add_int(o, "disk", job->shape.disk);
    json_add_int(o, "gpus", job->shape.gpus);
    json_add_bool(o, "assumed", job->shape.assumed);
    part_add_name(o, "slot", job->remote_host);
    part_add_name(o, "hold_reason", job->hold_reason);
    part_add_time(o, "submitted", job->submitted);
    part_add_time(o, "since", job->since);
    return o;
}

struct json_object *view_job(const struct snapshot *s, usec now, const char *schedd, const char *id,
                             const struct world_job *job)
{
    struct json_object *view = part_begin(now);
    struct telling t = {
        .s = s, .job = job, .schedd = schedd, .id = id, .now = now, .why = json_object_new_array()};
    t.shape = find_shape(&t);
    tell(&t);
    if (part_is_reason(&s->plan->frozen) && job->status == WORLD_JOB_IDLE && job->flagged) {
        CLEANUP(text_done) struct text frozen = {0};
        reason_render(&s->plan->frozen, s->policy->files, &frozen);
        add_why(&t, text_get(&frozen));
    }
    json_add(view, "job", job_facts(&t));
    json_add_string(view, "state", t.state);
    json_add_string(view, "text", text_get(&t.text));
    json_add(view, "why", t.why);
    part_add_name(view, "vm", t.vm ? t.vm->name : NULL);
    text_done(&t.text);
    return view;
}
