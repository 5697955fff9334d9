/*
 * The plan as people read it, and the names of states and actions.
 */
#include "plan/plan.h"

#include <assert.h>
#include <inttypes.h>

static const char *const states[VM_STATE_COUNT] = {
    [VM_CREATING] = "creating", [VM_BOOTING] = "booting", [VM_IDLE] = "idle",
    [VM_BUSY] = "busy",         [VM_DRAINING] = "draining", [VM_LEAVING] = "leaving",
    [VM_GONE] = "gone",         [VM_LOST] = "lost",       [VM_FOREIGN] = "foreign",
};

static const struct {
    const char *name;
    char sign;
} actions[ACTION_KIND_COUNT] = {
    [ACTION_CREATE] = {"create", '+'},
    [ACTION_DRAIN] = {"drain", '-'},
    [ACTION_UNDRAIN] = {"undrain", '+'},
    [ACTION_EXTEND] = {"extend", '~'},
    [ACTION_POWEROFF] = {"poweroff", '-'},
    [ACTION_DESTROY] = {"destroy", '-'},
    [ACTION_DELETE_VOLUME] = {"delete-volume", '-'},
    [ACTION_INVALIDATE] = {"invalidate", '-'},
    [ACTION_FORGET] = {"forget", '-'},
    [ACTION_FLOCK_APPLY] = {"flock-apply", '~'},
    [ACTION_FLOCK_REMOVE] = {"flock-remove", '~'},
};

const char *vm_state_name(enum vm_state state)
{
    assert(state < VM_STATE_COUNT);
    return states[state];
}

const char *request_phase_name(enum request_phase phase)
{
    static const char *const names[] = {
        [REQUEST_AHEAD] = "ahead", [REQUEST_OPEN] = "open", [REQUEST_OVER] = "over"};
    assert(phase <= REQUEST_OVER);
    return names[phase];
}

const char *action_kind_name(enum action_kind kind)
{
    assert(kind < ACTION_KIND_COUNT);
    return actions[kind].name;
}

void plan_render_action(const struct plan *plan, const struct plan_action *a, struct text *out)
{
    text_printf(out, "%s ", actions[a->kind].name);
    if (a->kind == ACTION_CREATE) {
        const struct policy *p = plan->policy;
        text_printf(out, "%s on %s", p->templates[a->policy_template].name, a->host);
        if (a->policy_group != SIZE_MAX)
            text_printf(out, " for %s%s%s%s", p->groups[a->policy_group].name,
                        a->request[0] ? " " : "", a->request,
                        a->exclusive && !a->request[0] ? " (exclusive)" : "");
    } else {
        text_add(out, a->volume[0] ? a->volume : a->name);
        if (a->host[0])
            text_printf(out, " on %s", a->host);
    }
}

static void render_action(const struct plan *plan, const struct plan_action *a, struct text *out)
{
    text_printf(out, "%c ", actions[a->kind].sign);
    plan_render_action(plan, a, out);
    text_add(out, ": ");
    reason_render(&a->reason, plan->policy->files, out);
    text_add(out, "\n");
}

static void render_shape(const struct plan *plan, const struct plan_shape *s, struct text *out)
{
    char memory[UNITS_TEXT_MAX];
    const char *request = s->shape->request ? s->shape->request : "";
    text_printf(out, "  %" PRId64 " idle of %s/%s%s%s want %" PRId64 " cpu%s, %s: ", s->shape->idle,
                s->shape->group[0] ? s->shape->group : "(no group)", s->shape->owner,
                request[0] ? " for " : "", request, s->shape->cpus, s->shape->cpus == 1 ? "" : "s",
                units_format_bytes(s->shape->memory, memory));
    const char *comma = "";
    if (s->served) {
        text_printf(out, "%" PRId64 " fit into VMs that are up", s->served);
        comma = ", ";
    }
    if (s->starting) {
        text_printf(out, "%s%" PRId64 " wait for VMs being started", comma, s->starting);
        comma = ", ";
    }
    if (s->waiting) {
        text_printf(out, "%s%" PRId64 " wait: ", comma, s->waiting);
        reason_render(&s->reason, plan->policy->files, out);
    }
    text_add(out, "\n");
}

/* VMs of a group (SIZE_MAX: of none) that only its disruption budget keeps. */
static void render_held(const struct plan *plan, size_t group, struct text *out)
{
    const struct plan_vm *first = NULL;
    int64_t n = 0;
    for (size_t i = 0; i < plan->n_vms; i++) {
        const struct plan_vm *vm = &plan->vms[i];
        if (vm->policy_group != group || vm->reason.code != REASON_BUDGET)
            continue;
        first = first ? first : vm;
        n++;
    }
    if (!n)
        return;
    text_printf(out, "  %" PRId64 " busy VM%s of %s stay%s: ", n, n == 1 ? "" : "s",
                group == SIZE_MAX ? "no group" : plan->policy->groups[group].name,
                n == 1 ? "s" : "");
    reason_render(&first->reason, plan->policy->files, out);
    text_add(out, "\n");
}

/* A request that is open, in a line. */
static void render_request(const struct plan *plan, const struct plan_request *r, struct text *out)
{
    if (r->phase != REQUEST_OPEN)
        return;
    text_printf(out, "  %s of %s has %" PRId64 " of %" PRId64 " VMs", r->request->id,
                r->request->group, r->up, r->request->vms);
    int64_t starting = r->vms - r->up + r->starting;
    if (starting)
        text_printf(out, ", %" PRId64 " %s being started", starting, starting == 1 ? "is" : "are");
    if (r->short_of)
        text_printf(out, ", short of %" PRId64, r->short_of);
    if (r->reason.code) {
        text_add(out, ": ");
        reason_render(&r->reason, plan->policy->files, out);
    }
    text_add(out, "\n");
}

static void render_trust(const struct plan *plan, const struct plan_trust *t, struct text *out)
{
    char age[UNITS_TEXT_MAX];
    (void)plan;
    if (t->age == USEC_NEVER)
        text_printf(out, "! %s %s: no answer yet", t->kind, t->name);
    else if (t->age < 0)
        text_printf(out, "! %s %s: its last answer is %s ahead of our clock", t->kind, t->name,
                    units_format_duration(-t->age / USEC_PER_SEC * USEC_PER_SEC, age));
    else
        text_printf(out, "! %s %s: stale, last answer %s ago", t->kind, t->name,
                    units_format_duration(t->age / USEC_PER_SEC * USEC_PER_SEC, age));
    if (t->error[0])
        text_printf(out, " (%s)", t->error);
    text_add(out, "\n");
}

void plan_summarise(const struct plan *plan, struct text *out)
{
    int64_t totals[ACTION_KIND_COUNT] = {0};
    const char *comma = "";
    for (size_t i = 0; i < plan->n_actions; i++)
        totals[plan->actions[i].kind]++;
    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++) {
        if (!totals[kind])
            continue;
        text_printf(out, "%s%" PRId64 " %s", comma, totals[kind], actions[kind].name);
        comma = ", ";
    }
    text_add(out, plan->n_actions ? "" : "nothing to do");
}

void plan_render(const struct plan *plan, struct text *out)
{
    if (plan->frozen.code) {
        text_add(out, "! frozen: ");
        reason_render(&plan->frozen, plan->policy->files, out);
        text_add(out, "\n");
    }
    for (size_t i = 0; i < plan->n_trust; i++)
        if (!plan->trust[i].trusted)
            render_trust(plan, &plan->trust[i], out);
    for (size_t i = 0; i < plan->n_actions; i++)
        render_action(plan, &plan->actions[i], out);
    for (size_t i = 0; i < plan->n_requests; i++)
        render_request(plan, &plan->requests[i], out);
    for (size_t i = 0; i < plan->n_groups; i++)
        render_held(plan, i, out);
    render_held(plan, SIZE_MAX, out);
    for (size_t i = 0; i < plan->n_shapes; i++)
        if (plan->shapes[i].shape->idle > 0)
            render_shape(plan, &plan->shapes[i], out);
    text_add(out, "plan: ");
    plan_summarise(plan, out);
    text_add(out, "\n");
}
