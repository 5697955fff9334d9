/*
 * What stays: VMs, cpus and memory of those that are not on their way out, of all, of each group and
 * of each template, held against the limits. A drain that would have to be undone, or a cancelled
 * drain that would have to be asked for again, is seen here first.
 */
#include "plan/rungs.h"

struct sums {
    int64_t vms, cpus, memory;
};

struct tally {
    const struct policy *p;
    struct sums all;
    struct sums *groups;    /* as in the policy */
    struct sums *templates;
};

static void add(struct sums *s, const struct plan_vm *vm, int64_t sign)
{
    s->vms += sign;
    s->cpus += sign * vm->cpus;
    s->memory += sign * vm->memory;
}

void tally_add(struct tally *t, const struct plan_vm *vm, int64_t sign)
{
    add(&t->all, vm, sign);
    if (vm->policy_group != SIZE_MAX)
        add(&t->groups[vm->policy_group], vm, sign);
    if (vm->policy_template != SIZE_MAX)
        add(&t->templates[vm->policy_template], vm, sign);
}

struct tally *tally_open(struct arena *a, const struct policy *p, const struct vms *vms)
{
    struct tally *t = arena_take(a, 1, sizeof(*t));
    *t = (struct tally){.p = p,
                        .groups = arena_take(a, p->n_groups, sizeof(*t->groups)),
                        .templates = arena_take(a, p->n_templates, sizeof(*t->templates))};
    for (size_t i = 0; i < vms->n; i++) {
        enum vm_state state = vms->items[i].state;
        if (state != VM_FOREIGN && state != VM_GONE && state != VM_LEAVING && state != VM_DRAINING)
            tally_add(t, &vms->items[i], 1);
    }
    return t;
}

static bool exceeds(const struct setting *limit, int64_t used, struct reason *ret_why)
{
    if (limit->value == POLICY_UNLIMITED || used <= limit->value)
        return false;
    *ret_why = (struct reason){REASON_OVER_LIMIT, used, limit->value, limit->at};
    return true;
}

bool tally_exceeds_any(const struct tally *t, struct reason *ret_why)
{
    const struct policy *p = t->p;
    return exceeds(&p->limits.vms, t->all.vms, ret_why) ||
           exceeds(&p->limits.cpus, t->all.cpus, ret_why) ||
           exceeds(&p->limits.memory, t->all.memory, ret_why);
}

bool tally_exceeds(const struct tally *t, const struct plan_vm *vm, struct reason *ret_why)
{
    const struct policy *p = t->p;
    if (tally_exceeds_any(t, ret_why))
        return true;
    if (vm->policy_template != SIZE_MAX &&
        exceeds(&p->templates[vm->policy_template].max_vms, t->templates[vm->policy_template].vms,
                ret_why))
        return true;
    if (vm->policy_group == SIZE_MAX)
        return false;
    const struct policy_group *g = &p->groups[vm->policy_group];
    const struct sums *s = &t->groups[vm->policy_group];
    return exceeds(&g->max, s->cpus, ret_why) || exceeds(&g->max_vms, s->vms, ret_why) ||
           exceeds(&g->max_memory, s->memory, ret_why);
}

int64_t tally_group_vms(const struct tally *t, size_t group)
{
    return group == SIZE_MAX ? t->all.vms : t->groups[group].vms;
}
