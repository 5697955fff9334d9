/*
 * The list of VMs: which of them, and in which order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/spelling.h"
#include "serve/view-part.h"

typedef const struct plan_vm *vm_pointer;

static int by_name(const void *a, const void *b)
{
    int order = strcmp((*(const vm_pointer *)a)->name, (*(const vm_pointer *)b)->name);
    return order ? order : strcmp((*(const vm_pointer *)a)->uuid, (*(const vm_pointer *)b)->uuid);
}

static int by_age(const void *a, const void *b)
{
    usec born_a = (*(const vm_pointer *)a)->born, born_b = (*(const vm_pointer *)b)->born;
    return born_a == born_b ? by_name(a, b) : born_a < born_b ? -1 : 1;
}

static int by_group(const void *a, const void *b)
{
    int order = strcmp((*(const vm_pointer *)a)->group, (*(const vm_pointer *)b)->group);
    return order ? order : by_name(a, b);
}

static int by_host(const void *a, const void *b)
{
    int order = strcmp((*(const vm_pointer *)a)->host, (*(const vm_pointer *)b)->host);
    return order ? order : by_name(a, b);
}

static int by_state(const void *a, const void *b)
{
    int order = (int)(*(const vm_pointer *)a)->state - (int)(*(const vm_pointer *)b)->state;
    return order ? order : by_name(a, b);
}

static const struct {
    const char *name;
    int (*compare)(const void *a, const void *b);
} sorts[] = {
    {"age", by_age}, {"group", by_group}, {"host", by_host}, {"name", by_name}, {"state", by_state},
};

/* Names that no VM can have are said, so that a misspelt one is not taken for "none". */
static int check(const struct snapshot *s, const struct vms_wanted *wanted,
                 int (**ret_compare)(const void *a, const void *b), struct err *e)
{
    const struct policy_host *host;
    const char *near = NULL;
    bool known = !wanted->state;
    for (int i = 0; !known && i < VM_STATE_COUNT; i++) {
        known = text_equal(vm_state_name((enum vm_state)i), wanted->state);
        spelling_nearer(wanted->state, vm_state_name((enum vm_state)i), &near);
    }
    if (!known)
        return err_set(e, ENOENT, "there is no state \"%.64s\"%s%s%s", wanted->state,
                       near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    known = !wanted->group;
    for (size_t i = 0; !known && i < s->policy->n_groups; i++)
        known = text_equal(s->policy->groups[i].name, wanted->group);
    for (size_t i = 0; !known && i < s->plan->n_vms; i++)
        known = text_equal(s->plan->vms[i].group, wanted->group);
    if (!known)
        return err_set(e, ENOENT, "there is no group \"%.64s\" (eyrie groups lists them)",
                       wanted->group);
    known = !wanted->host;
    for (size_t i = 0; !known && i < s->plan->n_vms; i++)
        known = text_equal(s->plan->vms[i].host, wanted->host);
    if (!known && part_find_host(s->policy, wanted->host, &host, e) < 0)
        return -ENOENT;
    known = !wanted->sort;
    for (size_t i = 0; !known && i < ARRAY_SIZE(sorts); i++) {
        known = text_equal(sorts[i].name, wanted->sort);
        *ret_compare = sorts[i].compare;
    }
    return known ? 0
                 : err_set(e, ENOENT,
                           "VMs cannot be sorted by \"%.64s\", but by age, group, host, "
                           "name or state",
                           wanted->sort);
}

int view_vms_wanted(const struct snapshot *s, usec now, const struct vms_wanted *wanted,
                    struct json_object **ret, struct err *e)
{
    const struct plan *plan = s->plan;
    int (*compare)(const void *a, const void *b) = NULL;
    size_t n = 0;
    int r = check(s, wanted, &compare, e);
    if (r < 0)
        return r;
    AUTOFREE vm_pointer *vms = mem_new(plan->n_vms, sizeof(vm_pointer));
    for (size_t i = 0; i < plan->n_vms; i++) {
        const struct plan_vm *vm = &plan->vms[i];
        if ((!wanted->state || text_equal(vm_state_name(vm->state), wanted->state)) &&
            (!wanted->host || text_equal(vm->host, wanted->host)) &&
            (!wanted->group || text_equal(vm->group, wanted->group)))
            vms[n++] = vm;
    }
    if (compare && n > 1)
        qsort(vms, n, sizeof(vm_pointer), compare);
    struct json_object *view = part_begin(now);
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < n; i++)
        (void)json_object_array_add(rows, part_vm(s, vms[i], now));
    json_add(view, "vms", rows);
    *ret = view;
    return 0;
}
