/*
 * Rungs 5 to 7, what they have in common: one more VM. The books of what is in use, by all, by each
 * group and of each template, limits, ramp and places; and the action that starts it. Whoever wants
 * a VM asks for its host here: so no limit can be forgotten (S2).
 */
#include "plan/rungs.h"

static void count(struct starter *s, const struct vms *vms)
{
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (!vm_counts(vm))
            continue;
        struct use *group = vm->policy_group == SIZE_MAX ? NULL : &s->groups[vm->policy_group];
        struct use *of[] = {&s->all, group};
        for (size_t k = 0; k < 2 && of[k]; k++) {
            of[k]->vms++;
            of[k]->cpus += vm->cpus;
            of[k]->memory += vm->memory;
        }
        if (vm->policy_template != SIZE_MAX)
            s->template_vms[vm->policy_template]++;
    }
}

struct starter *starter_open(struct arena *a, const struct policy *p, const struct world *w,
                             const struct trust *trust, const struct vms *vms,
                             const struct leavers *leavers, const struct supply *supply,
                             struct actions *actions, struct later *later)
{
    struct starter *s = arena_take(a, 1, sizeof(*s));
    *s = (struct starter){
        .p = p,
        .w = w,
        .ramp = ramp_open(a, p, w, vms, leavers, supply),
        .groups = arena_take(a, p->n_groups, sizeof(*s->groups)),
        .group_booked = arena_take(a, p->n_groups, sizeof(*s->group_booked)),
        .template_vms = arena_take(a, p->n_templates, sizeof(*s->template_vms)),
        .template_booked = arena_take(a, p->n_templates, sizeof(*s->template_booked)),
        .actions = actions,
        .later = later,
    };
    s->places = places_open(a, p, w, trust, vms, s->ramp);
    count(s, vms);
    return s;
}

static bool over(const struct setting *limit, int64_t used, int64_t more, enum reason_code code,
                 const char *subject, struct reason *ret_why)
{
    if (limit->value == POLICY_UNLIMITED || used + more <= limit->value)
        return false;
    *ret_why = (struct reason){code, used, limit->value, limit->at, subject};
    return true;
}

/* The limit itself, and what of it is booked and not there yet. */
static bool over_or_kept(const struct setting *limit, int64_t used, int64_t booked, int64_t more,
                         enum reason_code code, const char *subject, struct reason *ret_why)
{
    return over(limit, used, more, code, subject, ret_why) ||
           over(limit, used + booked, more, REASON_KEPT_FOR_REQUEST, subject, ret_why);
}

bool starter_group_is_full(const struct starter *s, size_t group, const struct policy_template *t,
                           struct reason *ret_why)
{
    const struct policy_group *g = &s->p->groups[group];
    const struct use *u = &s->groups[group], *b = &s->group_booked[group];
    return over_or_kept(&g->max, u->cpus, b->cpus, t->cpus, REASON_LIMIT_GROUP, g->name, ret_why) ||
           over_or_kept(&g->max_vms, u->vms, b->vms, 1, REASON_LIMIT_GROUP_VMS, g->name, ret_why) ||
           over_or_kept(&g->max_memory, u->memory, b->memory, t->memory, REASON_LIMIT_GROUP_MEMORY,
                        g->name, ret_why);
}

/* Whether limits and ramp let it be, wherever it is placed. */
static bool may_start(const struct starter *s, size_t group, size_t template, struct reason *ret_why)
{
    const struct policy *p = s->p;
    const struct policy_template *t = &p->templates[template];
    const struct use *u = &s->all, *b = &s->booked;
    if (over_or_kept(&p->limits.vms, u->vms, b->vms, 1, REASON_LIMIT_VMS, NULL, ret_why) ||
        over_or_kept(&p->limits.cpus, u->cpus, b->cpus, t->cpus, REASON_LIMIT_CPUS, NULL,
                     ret_why) ||
        over_or_kept(&p->limits.memory, u->memory, b->memory, t->memory, REASON_LIMIT_MEMORY, NULL,
                     ret_why) ||
        over_or_kept(&t->max_vms, s->template_vms[template], s->template_booked[template], 1,
                     REASON_LIMIT_TEMPLATE, t->name, ret_why))
        return false;
    if (group != SIZE_MAX && starter_group_is_full(s, group, t, ret_why))
        return false;
    return ramp_allows(s->ramp, ret_why, s->later) &&
           ramp_allows_template(s->ramp, template, ret_why, s->later);
}

size_t starter_host(const struct starter *s, struct start what, struct reason *ret_why)
{
    return may_start(s, what.group, what.template, ret_why)
               ? places_pick(s->places, &what, ret_why, s->later)
               : SIZE_MAX;
}

bool starter_allows(const struct starter *s, struct start what, size_t host, struct reason *ret_why)
{
    return may_start(s, what.group, what.template, ret_why) &&
           places_allow(s->places, host, what.template, what.whole_host, ret_why, s->later);
}

struct plan_action *starter_start(struct starter *s, struct start what, size_t host,
                                  struct reason reason)
{
    const struct policy_template *t = &s->p->templates[what.template];
    struct use *of[] = {&s->all, what.group == SIZE_MAX ? NULL : &s->groups[what.group]};
    places_take(s->places, host, what.template, what.whole_host);
    ramp_take(s->ramp, host, what.template);
    for (size_t k = 0; k < 2 && of[k]; k++) {
        of[k]->vms++;
        of[k]->started++;
        of[k]->cpus += t->cpus;
        of[k]->memory += t->memory;
    }
    s->template_vms[what.template]++;
    struct plan_action *action = actions_add(s->actions, ACTION_CREATE, reason);
    action->host = s->w->hosts[host].name;
    action->policy_template = what.template;
    action->policy_group = what.group;
    action->exclusive = what.group != SIZE_MAX && s->p->groups[what.group].exclusive;
    return action;
}
