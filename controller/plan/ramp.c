/*
 * Rung 7. How fast the pool may grow: VMs that are being born, creates decided within the last
 * minute, and actions in one step.
 */
#include "plan/rungs.h"

#include "base/limits.h"

struct ramp ramp_open(const struct world *w, const struct vms *vms)
{
    struct ramp r = {0};
    for (size_t i = 0; i < vms->n; i++)
        if (vms->items[i].state == VM_CREATING || vms->items[i].state == VM_BOOTING)
            r.in_flight++;
    for (size_t i = 0; i < w->n_starts; i++)
        if (w->starts[i].at > w->now - USEC_PER_MINUTE)
            r.last_minute++;
    return r;
}

bool ramp_allows(const struct ramp *r, const struct policy *p, const struct world *w,
                 struct reason *ret_why, struct later *later)
{
    const struct setting *flight = &p->limits.starts_in_flight;
    const struct setting *minute = &p->limits.starts_per_minute;

    if (r->this_step >= LIMIT_ACTIONS_PER_STEP) {
        *ret_why = (struct reason){REASON_LIMIT_ACTIONS, r->this_step, LIMIT_ACTIONS_PER_STEP};
        later_at(later, w->now + 1);
        return false;
    }
    if (r->in_flight + r->this_step >= flight->value) {
        *ret_why = (struct reason){REASON_LIMIT_IN_FLIGHT, r->in_flight + r->this_step,
                                   flight->value, flight->line};
        return false;
    }
    if (r->last_minute + r->this_step >= minute->value) {
        *ret_why = (struct reason){REASON_LIMIT_PER_MINUTE, r->last_minute + r->this_step,
                                   minute->value, minute->line};
        for (size_t i = 0; i < w->n_starts; i++)
            if (w->starts[i].at > w->now - USEC_PER_MINUTE)
                later_at(later, w->starts[i].at + USEC_PER_MINUTE);
        return false;
    }
    return true;
}
