/*
 * Rung 8, beside it. A VM of a request starts no job that would run beyond the end that it knows of. When
 * the request ends at another time now, its VMs are told; it is asked for again until their ads show it.
 */
#include "plan/rungs.h"

/* Whole seconds, as startds have it. */
static usec in_seconds(usec t)
{
    return t / USEC_PER_SEC * USEC_PER_SEC;
}

void extend_choose(const struct world *w, const struct bookings *b, const struct vms *vms,
                  struct actions *actions)
{
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->request >= b->n || b->items[vm->request].phase != REQUEST_OPEN ||
            (vm->state != VM_IDLE && vm->state != VM_BUSY) || vm->startd->until == 0)
            continue;
        const struct world_request *r = b->items[vm->request].facts;
        usec known = vm->startd->until;
        if (known == in_seconds(r->until))
            continue;
        struct plan_action *action = actions_add(
            actions, ACTION_EXTEND,
            (struct reason){REASON_REQUEST_EXTENDED, known > w->now ? known - w->now : 0,
                            r->until - w->now, .subject = r->id});
        action->uuid = vm->uuid;
        action->name = vm->name;
        action->host = vm->host;
        action->machine = vm->startd->machine;
        action->request = r->id;
    }
}
