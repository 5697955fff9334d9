/*
 * What several rungs share: the action list, the earliest next look, look-ups in the policy, and the
 * arithmetic of fitting.
 */
#include "plan/rungs.h"

#include <string.h>

void later_at(struct later *l, usec at)
{
    if (at < l->at)
        l->at = at;
}

struct plan_action *actions_add(struct actions *list, enum action_kind kind, struct reason reason)
{
    list->items = arena_grow(list->arena, list->items, list->n, &list->capacity,
                             sizeof(*list->items));
    struct plan_action *action = &list->items[list->n++];
    *action = (struct plan_action){
        .kind = kind,
        .reason = reason,
        .uuid = "",
        .name = "",
        .host = "",
        .volume = "",
        .machine = "",
        .policy_template = SIZE_MAX,
        .policy_group = SIZE_MAX,
    };
    return action;
}

bool vm_too_old(const struct policy *p, const struct world *w, const struct plan_vm *vm)
{
    return vm->born && w->now - vm->born >= p->timing.max_age.value;
}

size_t policy_find_group(const struct policy *p, const char *name)
{
    for (size_t low = 0, high = p->n_groups; low < high;) { /* sorted by name */
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, p->groups[middle].name);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

size_t policy_find_template(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_templates; i++)
        if (strcmp(p->templates[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

bool policy_group_uses(const struct policy_group *g, size_t template)
{
    for (size_t i = 0; i < g->n_templates; i++)
        if (g->templates[i] == template)
            return true;
    return false;
}

int64_t want_fits(const struct want *want, int64_t free_cpus, int64_t free_memory)
{
    int64_t by_cpus = want->shape->cpus > 0 ? free_cpus / want->shape->cpus : INT64_MAX;
    int64_t by_memory = want->memory > 0 ? free_memory / want->memory : INT64_MAX;
    int64_t n = by_cpus < by_memory ? by_cpus : by_memory;
    return n < 0 ? 0 : n;
}

bool want_fits_template(const struct want *want, const struct policy_template *t)
{
    return want_fits(want, t->cpus, t->memory) > 0 && want->shape->disk <= t->disk;
}
