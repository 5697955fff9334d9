/*
 * Rung 5, at last: VMs that are kept booted and idle, a number of each template, for whoever comes.
 */
#include "plan/rungs.h"

/* Whether a group at its max would take spare VMs of @template, or runs in some: it runs more than
 * its own VMs hold. */
static bool is_overflowing(struct arena *a, const struct demand *d, const struct starter *starter,
                           const struct policy_template *t)
{
    int64_t *running = arena_take(a, starter->p->n_groups, sizeof(*running)); /* cpus */
    struct reason why = {0};
    for (size_t i = 0; i < d->n; i++)
        if (d->wants[i].group != SIZE_MAX)
            running[d->wants[i].group] += d->wants[i].shape->running * d->wants[i].shape->cpus;
    for (size_t i = 0; i < d->n; i++) {
        const struct want *want = &d->wants[i];
        if (want->group != SIZE_MAX && want->request == NO_REQUEST && want_fits_template(want, t) &&
            (want->jobs > 0 || running[want->group] > starter->groups[want->group].cpus) &&
            starter_group_is_full(starter, want->group, t, &why))
            return true;
    }
    return false;
}

/*
 * What is started for nobody counts until it is up, and any VM that is free and shared. One that
 * was taken is replaced, but not while a group at its max takes them (@taken_too): else it would
 * grow through the spare VMs.
 */
static int64_t count_spare(const struct starter *starter, size_t t, const struct vms *vms,
                           const struct leavers *leavers, const struct supply *s, bool taken_too)
{
    int64_t spare = 0;
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->policy_template != t || vm->exclusive || vm->state > VM_BUSY ||
            leavers->leaves[i] || vm_must_go(starter->p, starter->w, vm).code)
            continue;
        bool nobodys = vm->policy_group == SIZE_MAX && (taken_too || vm->state < VM_IDLE);
        spare += nobodys || (vm->state != VM_BUSY && !s->wanted[i]);
    }
    return spare;
}

void spare_grow(struct arena *a, const struct demand *d, const struct vms *vms,
                const struct leavers *leavers, const struct supply *s, struct starter *starter)
{
    for (size_t t = 0; t < starter->p->n_templates; t++) {
        const struct policy_template *template = &starter->p->templates[t];
        if (template->spare <= 0)
            continue;
        bool taken_too = is_overflowing(a, d, starter, template);
        int64_t spare = count_spare(starter, t, vms, leavers, s, taken_too);
        for (; spare < template->spare; spare++) {
            struct reason why = {0};
            const struct start what = {.group = SIZE_MAX, .template = t};
            size_t host = starter_host(starter, what, &why);
            if (host == SIZE_MAX)
                break;
            starter_start(starter, what, host,
                          (struct reason){REASON_SPARE, spare, template->spare, template->at,
                                          template->name});
        }
    }
}
