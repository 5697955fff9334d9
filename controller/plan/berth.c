/*
 * Berths: the seats of requests that are open and have no VM yet. There may be more of them than VMs
 * are missing, since some run elsewhere.
 */
#include "plan/rungs.h"

static bool is_open(const struct booking *b)
{
    return b->phase == REQUEST_OPEN && b->group != SIZE_MAX && b->template != SIZE_MAX;
}

/* A VM sits in the seat of its host, if its request has one there that is free. */
static void sit(struct berths *berths, const struct plan_vm *vm)
{
    for (size_t i = berths->start[vm->request]; i < berths->start[vm->request + 1]; i++) {
        struct berth *berth = &berths->items[i];
        if (berth->host == vm->world_host && berth->vms > 0) {
            berth->vms--;
            return;
        }
    }
}

struct berths *berths_gather(struct arena *a, const struct vms *vms, const struct bookings *b)
{
    struct berths *berths = arena_take(a, 1, sizeof(*berths));
    berths->start = arena_take(a, b->n + 1, sizeof(*berths->start));
    for (size_t i = 0; i < b->n; i++)
        berths->start[i + 1] =
            berths->start[i] + (is_open(&b->items[i]) ? b->items[i].facts->n_seats : 0);
    berths->n = berths->start[b->n];
    if (!berths->n)
        return berths;
    berths->items = arena_take(a, berths->n, sizeof(*berths->items));
    int64_t *missing = arena_take(a, b->n, sizeof(*missing));
    for (size_t i = 0; i < b->n; i++) {
        const struct world_request *r = b->items[i].facts;
        missing[i] = r->vms < REQUEST_VMS_MAX ? r->vms : REQUEST_VMS_MAX;
        for (size_t k = berths->start[i]; k < berths->start[i + 1]; k++) {
            const struct world_seat *seat = &r->seats[k - berths->start[i]];
            berths->items[k] = (struct berth){names_find(vms->hosts, seat->host),
                                              seat->vms > 0 ? seat->vms : 0};
        }
    }
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->request >= b->n || vm->must_go || !vm_counts(vm) ||
            (vm->state >= VM_DRAINING && vm->state != VM_LOST))
            continue;
        missing[vm->request]--;
        sit(berths, vm);
    }
    for (size_t i = 0; i < b->n; i++) {
        for (size_t k = berths->start[i]; k < berths->start[i + 1]; k++)
            if (berths->items[k].vms > missing[i])
                berths->items[k].vms = missing[i] > 0 ? missing[i] : 0;
    }
    return berths;
}
