/*
 * Requests: capacity that a group has booked for a time. Their VMs are started before everybody
 * else's, early enough to be up when the time begins, and stay for all of it, whatever the demand;
 * limits hold for them as for all VMs (S2). When the time is over they are drained.
 *
 * A job that names a request runs in VMs of that request and nowhere else. VMs of an exclusive
 * request run only jobs that name it; those of a shared one any job of the group that names no
 * other.
 */
#include "plan/rungs.h"

#include <stdlib.h>
#include <string.h>

bool request_is_over(const struct world_request *r, usec now)
{
    return now >= r->until || (r->ended && r->ended <= now);
}

usec request_boot(const struct policy *p, const struct world *w, const char *template)
{
    for (size_t i = 0; i < w->n_templates; i++)
        if (w->templates[i].boot && strcmp(w->templates[i].name, template) == 0)
            return 2 * w->templates[i].boot;
    return p->timing.join_within.value;
}

usec request_lead(const struct policy *p, usec boot, int64_t vms)
{
    int64_t at_once = p->limits.starts_in_flight.value;
    int64_t a_minute = p->limits.starts_per_minute.value;
    if (vms <= 0 || vms > REQUEST_VMS_MAX)
        vms = REQUEST_VMS_MAX;
    usec lead = boot;
    if (at_once > 0 && at_once < vms)
        lead += boot * ((vms - 1) / at_once);
    if (a_minute > 0 && a_minute < vms)
        lead += USEC_PER_MINUTE * ((vms - 1) / a_minute);
    return lead;
}

int request_order(const struct world_request *a, const struct world_request *b)
{
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return strcmp(a->id, b->id);
}

static int booking_order(const void *left, const void *right)
{
    const struct booking *a = *(const struct booking *const *)left;
    const struct booking *b = *(const struct booking *const *)right;
    return request_order(a->facts, b->facts);
}

const struct bookings *request_gather(struct arena *a, const struct policy *p,
                                      const struct world *w, struct later *later)
{
    struct bookings *b = arena_take(a, 1, sizeof(*b));
    struct booking *items = arena_take(a, w->n_requests, sizeof(*items));
    const struct booking **order = arena_take(a, w->n_requests, sizeof(*order));
    struct names *by_id = names_new(a, w->n_requests);
    for (size_t i = 0; i < w->n_requests; i++) {
        const struct world_request *r = &w->requests[i];
        usec starts = r->from - request_lead(p, request_boot(p, w, r->template), r->vms);
        items[i] = (struct booking){r, REQUEST_OPEN, policy_find_group(p, r->group),
                                    policy_find_template(p, r->template), 0};
        if (names_add(by_id, r->id, i) != i || request_is_over(r, w->now))
            items[i].phase = REQUEST_OVER;
        else if (w->now < starts)
            items[i].phase = REQUEST_AHEAD;
        if (items[i].phase == REQUEST_AHEAD)
            later_at(later, starts);
        else if (items[i].phase == REQUEST_OPEN)
            later_at(later, r->ended ? r->ended : r->until);
        order[i] = &items[i];
    }
    if (w->n_requests > 1)
        qsort(order, w->n_requests, sizeof(*order), booking_order);
    for (size_t i = 0; i < w->n_requests; i++)
        items[order[i] - items].turn = (uint32_t)i;
    *b = (struct bookings){items, order, w->n_requests, by_id};
    return b;
}

bool booking_takes(const struct bookings *b, uint32_t request, const struct want *want)
{
    if (request == NO_REQUEST)
        return want->request == NO_REQUEST;
    if (request == UNKNOWN_REQUEST || want->request == request)
        return want->request == request;
    return want->request == NO_REQUEST && !b->items[request].facts->exclusive &&
           b->items[request].group == want->group;
}

/* A drain that we asked for is taken back: the VM is there already. */
static bool take_back(const struct policy *p, const struct world *w, const struct plan_vm *vm,
                      const struct booking *booking, struct actions *actions)
{
    if (!vm->startd || vm->startd->drained || !vm->startd->usable || !vm->record ||
        !vm->record->drain_accepted || vm_drain_overdue(p, w, vm))
        return false;
    struct plan_action *action =
        actions_add(actions, ACTION_UNDRAIN,
                    (struct reason){REASON_HELD_FOR_REQUEST, .subject = booking->facts->id});
    action->uuid = vm->uuid;
    action->name = vm->name;
    action->host = vm->host;
    action->machine = vm->startd->machine;
    return true;
}

/* What there is for each request; and drains are taken back for what is missing. */
static void count_vms(struct arena *a, const struct vms *vms, const struct leavers *leavers,
                      const struct supply *s, struct starter *starter, const struct bookings *b,
                      struct plan_request *rows)
{
    const struct policy *p = starter->p;
    struct tally *stays = tally_open(a, p, vms, NULL);
    struct reason over = {0};
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (leavers->leaves[i])
            tally_add(stays, vm, -1);
        if (vm->request >= b->n || leavers->leaves[i] || vm_must_go(p, starter->w, vm).code)
            continue;
        bool promised = vm->state == VM_BOOTING || (vm->state == VM_CREATING && vm->free_cpus > 0);
        bool up = vm->state == VM_IDLE || vm->state == VM_BUSY ||
                  (vm->state == VM_DRAINING && s->wanted[i]);
        if (vm->state == VM_DRAINING && up)
            tally_add(stays, vm, 1);
        rows[vm->request].up += up;
        rows[vm->request].vms += up || promised || (vm->state == VM_LOST && vm_counts(vm));
    }
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->state != VM_DRAINING || vm->request >= b->n || s->wanted[i] ||
            vm_must_go(p, starter->w, vm).code)
            continue;
        struct plan_request *row = &rows[vm->request];
        tally_add(stays, vm, 1);
        if (row->vms < row->request->vms && !tally_exceeds(stays, vm, &over) &&
            take_back(p, starter->w, vm, &b->items[vm->request], starter->actions)) {
            row->up++;
            row->vms++;
        } else {
            tally_add(stays, vm, -1);
        }
    }
}

/* The jobs that a VM being started for the request will take. */
static void lay(const struct starter *starter, const struct demand *d, const struct supply *s,
                const struct bookings *b, size_t request, int64_t *starting)
{
    const struct policy_template *t = &starter->p->templates[b->items[request].template];
    int64_t cpus = t->cpus, memory = t->memory, gpus = t->gpus;
    for (size_t i = 0; i < d->n && cpus > 0; i++) {
        const struct want *want = &d->wants[i];
        int64_t left = want->jobs - s->served[i] - s->starting[i] - starting[i];
        if (want->group == SIZE_MAX || left <= 0 || want->shape->disk > t->disk ||
            !booking_takes(b, (uint32_t)request, want))
            continue;
        int64_t take = want_fits(want, cpus, memory, gpus);
        take = take < left ? take : left;
        cpus -= take * want->shape->cpus;
        memory -= take * want->memory;
        gpus -= take * want->shape->gpus;
        starting[i] += take;
    }
}

/* Start what is missing; what stops that is the request's reason. */
static void fill(struct starter *starter, const struct demand *d, const struct supply *s,
                 const struct bookings *b, size_t request, struct plan_request *row,
                 int64_t *starting)
{
    const struct booking *booking = &b->items[request];
    const struct world_request *r = booking->facts;
    if (booking->template == SIZE_MAX)
        row->reason = (struct reason){REASON_TEMPLATE_GONE, .subject = r->template};
    else if (booking->group == SIZE_MAX)
        row->reason = (struct reason){REASON_REQUEST_NO_GROUP, .subject = r->group};
    while (!row->reason.code && row->vms + row->starting < r->vms) {
        struct reason why = {0};
        size_t host = starter_host(starter, booking->group, booking->template, &why);
        if (host == SIZE_MAX) {
            row->reason = why;
            return;
        }
        struct plan_action *action = starter_start(
            starter, booking->group, booking->template, host,
            (struct reason){REASON_REQUEST, row->vms + row->starting, r->vms, .subject = r->id});
        action->request = r->id;
        action->by_name = r->exclusive;
        action->exclusive = true; /* nobody else's jobs */
        row->starting++;
        lay(starter, d, s, b, request, starting);
    }
}

/* Nobody else takes the room that what is missing needs. */
static void keep_free(struct starter *starter, const struct booking *booking, int64_t missing)
{
    if (booking->template == SIZE_MAX || booking->group == SIZE_MAX)
        return;
    const struct policy_template *t = &starter->p->templates[booking->template];
    missing = missing < REQUEST_VMS_MAX ? missing : REQUEST_VMS_MAX;
    struct use *of[] = {&starter->booked, &starter->group_booked[booking->group]};
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        of[i]->vms += missing;
        of[i]->cpus += missing * t->cpus;
        of[i]->memory += missing * t->memory;
    }
    starter->template_booked[booking->template] += missing;
}

const struct served_requests *request_serve(struct arena *a, const struct bookings *b,
                                            const struct vms *vms, const struct leavers *leavers,
                                            const struct demand *d, const struct supply *s,
                                            struct reason stop, struct starter *starter)
{
    struct served_requests *served = arena_take(a, 1, sizeof(*served));
    struct plan_request *rows = arena_take(a, b->n, sizeof(*rows));
    int64_t *starting = arena_take(a, d->n, sizeof(*starting));
    for (size_t i = 0; i < b->n; i++)
        rows[i] = (struct plan_request){.request = b->items[i].facts, .phase = b->items[i].phase};
    if (b->n)
        count_vms(a, vms, leavers, s, starter, b, rows);
    for (size_t k = 0; k < b->n; k++) {
        size_t i = (size_t)(b->order[k] - b->items);
        if (rows[i].phase != REQUEST_OPEN || rows[i].vms >= rows[i].request->vms)
            continue;
        rows[i].reason = stop;
        fill(starter, d, s, b, i, &rows[i], starting);
        keep_free(starter, &b->items[i], rows[i].request->vms - rows[i].vms - rows[i].starting);
    }
    *served = (struct served_requests){rows, starting};
    return served;
}
