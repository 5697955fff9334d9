/*
 * Rung 7. How fast the pool may grow. VMs being born, creates decided within the last minute, and
 * actions in one step are bounded in all and on each host. A host or template that has not proved
 * itself starts slowly, 1, 2, 4 … VMs at once; one that failed rests, longer each time, and is then
 * let one VM through as a probe. Of one whose VMs joined and got no job, and of a group of which that
 * is so, the probe is over when it got one.
 */
#include "plan/rungs.h"

#include <string.h>

#include "base/limits.h"

/* What is known of one host, template or group. */
struct pace {
    const char *name;
    int64_t in_flight;
    int64_t last_minute;
    int64_t failures;
    int64_t jobless; /* of the failures */
    int64_t joined;
    usec rests_until;
};

struct ramp {
    const struct policy *p;
    const struct world *w;
    struct pace all;
    struct pace *hosts;     /* as world.hosts */
    struct pace *templates; /* as policy.templates */
    struct pace *groups;    /* as policy.groups */
    int64_t this_step;
};

usec plan_rests_until(const struct policy *p, int64_t failures, usec last)
{
    usec rest = p->timing.rest_after_failure.value;
    for (int64_t i = 1; i < failures && rest < p->timing.rest_at_most.value; i++)
        rest *= 2;
    if (rest > p->timing.rest_at_most.value)
        rest = p->timing.rest_at_most.value;
    return failures > 0 ? last + rest : 0;
}

/* A VM that is being born, or has joined and waits for its first job: that is a probe, too, where the
 * last one got none. */
static void take_in(struct pace *pace, bool born)
{
    pace->in_flight += born || pace->jobless > 0;
}

/* What is given up by this plan counts against somebody from the next step on: until then nothing is
 * started in its place. */
static void hold(struct pace *pace, usec now)
{
    pace->jobless += pace->jobless == 0;
    if (pace->rests_until <= now)
        pace->rests_until = now + 1;
}

static void hold_for(struct ramp *r, const struct plan_vm *vm)
{
    if (vm->world_host != SIZE_MAX)
        hold(&r->hosts[vm->world_host], r->w->now);
    if (vm->policy_template != SIZE_MAX)
        hold(&r->templates[vm->policy_template], r->w->now);
    if (vm->policy_group != SIZE_MAX)
        hold(&r->groups[vm->policy_group], r->w->now);
}

struct ramp *ramp_open(struct arena *a, const struct policy *p, const struct world *w,
                       const struct vms *vms, const struct leavers *leavers,
                       const struct supply *supply)
{
    struct ramp *r = arena_take(a, 1, sizeof(*r));
    *r = (struct ramp){.p = p,
                       .w = w,
                       .hosts = arena_take(a, w->n_hosts, sizeof(*r->hosts)),
                       .templates = arena_take(a, p->n_templates, sizeof(*r->templates)),
                       .groups = arena_take(a, p->n_groups, sizeof(*r->groups))};
    for (size_t i = 0; i < w->n_hosts; i++)
        r->hosts[i] = (struct pace){
            .name = w->hosts[i].name,
            .failures = w->hosts[i].failures,
            .jobless = w->hosts[i].jobless,
            .joined = w->hosts[i].joined,
            .rests_until = plan_rests_until(p, w->hosts[i].failures, w->hosts[i].last_failure)};
    for (size_t i = 0; i < p->n_templates; i++)
        r->templates[i].name = p->templates[i].name;
    for (size_t i = 0; i < p->n_groups; i++)
        r->groups[i].name = p->groups[i].name;
    for (size_t i = 0; i < w->n_templates; i++) {
        const struct world_template *t = &w->templates[i];
        size_t at = policy_find_template(p, t->name);
        if (at == SIZE_MAX)
            continue;
        r->templates[at].failures = t->failures;
        r->templates[at].jobless = t->jobless;
        r->templates[at].joined = t->joined;
        r->templates[at].rests_until = plan_rests_until(p, t->failures, t->last_failure);
    }
    for (size_t i = 0; i < w->n_groups; i++) {
        const struct world_group *g = &w->groups[i];
        size_t at = policy_find_group(p, g->name);
        if (at == SIZE_MAX)
            continue;
        r->groups[at].failures = r->groups[at].jobless = g->jobless;
        r->groups[at].rests_until = plan_rests_until(p, g->jobless, g->last_failure);
    }
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        bool born = vm->state == VM_CREATING || vm->state == VM_BOOTING;
        if (leavers->leaves[i] && vm->state == VM_IDLE && vm_is_given_up(p, r->w, vm) &&
            !vm->record->given_up)
            hold_for(r, vm);
        if (!born && !supply->jobless[i])
            continue;
        r->all.in_flight += born;
        if (vm->world_host != SIZE_MAX)
            take_in(&r->hosts[vm->world_host], born);
        if (vm->policy_template != SIZE_MAX)
            take_in(&r->templates[vm->policy_template], born);
        if (vm->policy_group != SIZE_MAX)
            take_in(&r->groups[vm->policy_group], born);
    }
    for (size_t i = 0; i < w->n_starts; i++) {
        if (w->starts[i].at <= w->now - USEC_PER_MINUTE || w->starts[i].at > w->now)
            continue;
        size_t host = names_find(vms->hosts, w->starts[i].host);
        r->all.last_minute++;
        if (host != SIZE_MAX)
            r->hosts[host].last_minute++;
    }
    return r;
}

/* A start leaves the last minute: then there may be room for another. */
static void look_when_the_minute_is_over(const struct ramp *r, struct later *later)
{
    for (size_t i = 0; i < r->w->n_starts; i++)
        if (r->w->starts[i].at > r->w->now - USEC_PER_MINUTE)
            later_at(later, r->w->starts[i].at + USEC_PER_MINUTE);
}

static bool within(const struct setting *limit, int64_t used, enum reason_code code,
                   const char *subject, struct reason *ret_why)
{
    if (limit->value == POLICY_UNLIMITED || used < limit->value)
        return true;
    *ret_why = (struct reason){code, used, limit->value, limit->at, subject};
    return false;
}

bool ramp_allows(const struct ramp *r, struct reason *ret_why, struct later *later)
{
    if (r->this_step >= LIMIT_ACTIONS_PER_STEP) {
        *ret_why = (struct reason){REASON_LIMIT_ACTIONS, r->this_step, LIMIT_ACTIONS_PER_STEP};
        later_at(later, r->w->now + 1);
        return false;
    }
    if (!within(&r->p->limits.starts_in_flight, r->all.in_flight, REASON_LIMIT_IN_FLIGHT, NULL,
                ret_why))
        return false;
    if (!within(&r->p->limits.starts_per_minute, r->all.last_minute, REASON_LIMIT_PER_MINUTE, NULL,
                ret_why)) {
        look_when_the_minute_is_over(r, later);
        return false;
    }
    return true;
}

/* The back-off and the slow start of one host or template. */
static bool proven(const struct ramp *r, const struct pace *pace, enum reason_code resting,
                   struct reason *ret_why, struct later *later)
{
    const struct setting *slow = &r->p->limits.slow_start;
    if (pace->rests_until > r->w->now) {
        *ret_why = (struct reason){pace->jobless ? REASON_JOBLESS : resting,
                                   pace->jobless ? pace->jobless : pace->failures,
                                   pace->rests_until - r->w->now, .subject = pace->name};
        later_at(later, pace->rests_until);
        return false;
    }
    if (pace->failures == 0 && slow->value == 0)
        return true;
    if (pace->failures > 0) { /* half open: one probe */
        *ret_why = (struct reason){REASON_PROBING, pace->failures, .subject = pace->name};
        return pace->in_flight == 0;
    }
    int64_t allowed = slow->value;
    for (int64_t i = 0; i < pace->joined && allowed < 1000000; i++)
        allowed *= 2;
    if (pace->in_flight < allowed)
        return true;
    *ret_why = (struct reason){REASON_SLOW_START, pace->in_flight, allowed, slow->at, pace->name};
    return false;
}

bool ramp_allows_template(const struct ramp *r, size_t template, struct reason *ret_why,
                          struct later *later)
{
    return proven(r, &r->templates[template], REASON_TEMPLATE_BACKOFF, ret_why, later);
}

bool ramp_allows_host(const struct ramp *r, size_t host, struct reason *ret_why,
                      struct later *later)
{
    const struct pace *pace = &r->hosts[host];
    if (!within(&r->p->limits.host_starts_in_flight, pace->in_flight, REASON_LIMIT_HOST_IN_FLIGHT,
                pace->name, ret_why))
        return false;
    if (!within(&r->p->limits.host_starts_per_minute, pace->last_minute,
                REASON_LIMIT_HOST_PER_MINUTE, pace->name, ret_why)) {
        look_when_the_minute_is_over(r, later);
        return false;
    }
    return proven(r, pace, REASON_HOST_BACKOFF, ret_why, later);
}

bool ramp_allows_group(const struct ramp *r, size_t group, struct reason *ret_why,
                       struct later *later)
{
    const struct pace *pace = &r->groups[group];
    return (pace->failures == 0 && pace->rests_until <= r->w->now) ||
           proven(r, pace, REASON_JOBLESS, ret_why, later);
}

void ramp_take(struct ramp *r, size_t host, size_t template)
{
    r->this_step++;
    r->all.in_flight++;
    r->all.last_minute++;
    r->hosts[host].in_flight++;
    r->hosts[host].last_minute++;
    r->templates[template].in_flight++;
}
