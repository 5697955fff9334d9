/*
 * The ladder. Read it top to bottom: it is the specification of what Eyrie decides.
 */
#include "plan/plan.h"

#include "plan/rungs.h"

/* Why jobs wait that name a request: they start no VMs of their own. */
static struct reason request_reason(const struct plan_request *r)
{
    bool complete = r->vms + r->starting >= r->request->vms;
    return (struct reason){complete ? REASON_REQUEST_TAKEN : REASON_REQUEST_SHORT,
                           r->vms + r->starting, r->request->vms, .subject = r->request->id};
}

static const struct plan_shape *shapes_report(struct arena *a, const struct demand *d,
                                              const struct supply *s,
                                              const struct served_requests *served,
                                              const struct growth *g)
{
    struct plan_shape *shapes = arena_take(a, d->n, sizeof(*shapes));
    for (size_t i = 0; i < d->n; i++) {
        const struct want *want = &d->wants[i];
        struct plan_shape *shape = &shapes[i];
        shape->schedd = want->schedd;
        shape->shape = want->shape;
        shape->served = s->served[i];
        shape->starting = s->starting[i] + g->starting[i];
        shape->waiting = want->shape->idle - shape->served - shape->starting;
        if (want->group == SIZE_MAX || want->jobs == 0 || (want->settling && shape->waiting > 0))
            shape->reason = want->reason;
        else if (shape->waiting > 0 && want->request != NO_REQUEST)
            shape->reason = request_reason(&served->rows[want->request]);
        else if (shape->waiting > 0)
            shape->reason = g->groups[want->group].limited;
        else if (shape->starting > 0)
            shape->reason = (struct reason){REASON_JOBS_STARTING, .n = shape->starting};
        else
            shape->reason = (struct reason){REASON_JOBS_SERVED, .n = shape->served};
    }
    return shapes;
}

/* So long a VM may wait for its first job before it says so: a negotiation takes a minute or two. */
static const usec first_job_usual = 3 * USEC_PER_MINUTE;

/* The VMs, which no rung reads any more; those that wait for their first job say so, and those that
 * only a budget keeps. */
static const struct plan_vm *vms_report(const struct policy *p, const struct world *w,
                                        const struct vms *vms, const struct leavers *leavers,
                                        const struct supply *supply)
{
    const struct setting *allowed = &p->timing.first_job_within;
    for (size_t i = 0; i < vms->n; i++) {
        struct plan_vm *vm = &vms->items[i];
        vm->jobless_since = supply->jobless[i];
        if (vm->state == VM_IDLE && vm->jobless_since && allowed->value &&
            w->now - vm->jobless_since >= first_job_usual)
            vm->reason = (struct reason){REASON_AWAITS_FIRST_JOB, w->now - vm->jobless_since,
                                         allowed->value, allowed->at};
    }
    for (size_t i = 0; i < leavers->n_held; i++)
        vms->items[leavers->held[i].vm].reason = leavers->held[i].why;
    return vms->items;
}

const struct plan *plan_make(struct arena *a, const struct policy *p, const struct world *w)
{
    struct plan *plan = arena_take(a, 1, sizeof(*plan));
    struct actions actions = {.arena = a};
    struct later later = {.now = w->now, .at = USEC_NEVER};

    const struct trust *trust = trust_judge(a, p, w, &later);
    const struct bookings *bookings = request_gather(a, p, w, &later);
    const struct vms *vms = recognise(a, p, w, trust, bookings, &later);
    const struct demand *demand = demand_gather(a, p, w, trust, bookings, &later);
    const struct leavers *leavers = leave_choose(a, p, w, trust, bookings, vms, &later);
    const struct supply *supply = supply_match(a, p, w, bookings, demand, vms, leavers, &actions);
    const struct reason frozen = w->paused ? (struct reason){REASON_PAUSED} : vms->vanished;
    const struct reason stop = frozen.code ? frozen : trust->pool ? (struct reason){0} : trust->why_not;
    struct starter *starter = starter_open(a, p, w, trust, vms, leavers, supply, &actions, &later);
    const struct served_requests *served =
        request_serve(a, bookings, vms, leavers, demand, supply, stop, starter);
    const struct growth *growth = share_grow(a, p, demand, supply, served, stop, starter);
    if (!stop.code)
        spare_grow(a, demand, vms, leavers, supply, starter);
    extend_choose(w, bookings, vms, &actions);
    retire_choose(p, w, trust, vms, leavers, supply, &actions, &later);
    remove_choose(p, w, trust, vms, &actions, &later);
    flock_choose(p, w, &actions, &later);

    *plan = (struct plan){
        .policy = p,
        .now = w->now,
        .next_look = later.at,
        .frozen = frozen,
        .vanished_at = vms->vanished_at,
        .trust = trust->rows,
        .n_trust = trust->n_rows,
        .vms = vms_report(p, w, vms, leavers, supply),
        .n_vms = vms->n,
        .shapes = shapes_report(a, demand, supply, served, growth),
        .n_shapes = demand->n,
        .groups = growth->groups,
        .n_groups = p->n_groups,
        .requests = served->rows,
        .n_requests = bookings->n,
        .actions = actions.items,
        .n_actions = frozen.code ? 0 : actions.n,
    };
    for (size_t i = 0; i < vms->n; i++)
        plan->counts[vms->items[i].state]++;
    return plan;
}
