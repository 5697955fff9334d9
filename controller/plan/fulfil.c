/*
 * Rung 5, at first: VMs of requests are started before everybody else's, early enough to be up when
 * the time begins, and stay for all of it, whatever the demand; limits hold for them as for all VMs
 * (S2). Requests come in their order, each VM in its seat: on the host that was promised with the
 * grant. When that host is lost it is started wherever there is room, and what was promised to a
 * later request is not spared: so a shortage is the last one's. When only somebody is in its seat it
 * waits until its time has begun, and then takes what is promised to nobody.
 */
#include "plan/rungs.h"

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
    struct tally *stays = tally_open(a, p, starter->w, vms, NULL);
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

/* The requests while they are served. */
struct serving {
    const struct bookings *b;
    const struct demand *d;
    const struct supply *s;
    struct starter *starter;
    struct plan_request *rows;
    int64_t *starting; /* jobs, as demand.wants */
    const struct names *hosts;
    struct berths *berths;
};

/* Where a VM is to be started, other than on a certain host. */
#define ANYWHERE SIZE_MAX
#define BESIDE (SIZE_MAX - 1) /* what is kept free for a moment */

/* The jobs that a VM being started for the request will take. */
static void lay(const struct serving *sv, size_t request)
{
    const struct starter *starter = sv->starter;
    const struct demand *d = sv->d;
    const struct supply *s = sv->s;
    const struct bookings *b = sv->b;
    int64_t *starting = sv->starting;
    const struct policy_template *t = &starter->p->templates[b->items[request].template];
    const usec until = b->items[request].facts->until;
    int64_t cpus = t->cpus, memory = t->memory, gpus = t->gpus;
    for (size_t i = 0; i < d->n && cpus > 0; i++) {
        const struct want *want = &d->wants[i];
        int64_t left = want->jobs - s->served[i] - s->starting[i] - starting[i];
        if (want->group == SIZE_MAX || left <= 0 || want->shape->disk > t->disk ||
            want->shape->runtime > until - starter->w->now ||
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

/* Start one VM. What stops it is returned. */
static struct reason start_one(struct serving *sv, size_t request, size_t host)
{
    const struct booking *booking = &sv->b->items[request];
    const struct world_request *r = booking->facts;
    const struct start what = {booking->group, booking->template, r->whole_host, host == BESIDE};
    struct plan_request *row = &sv->rows[request];
    struct reason why = {0};
    if (host == ANYWHERE || host == BESIDE)
        host = starter_host(sv->starter, what, &why);
    else if (!starter_allows(sv->starter, what, host, &why))
        host = SIZE_MAX;
    if (host == SIZE_MAX)
        return why;
    struct plan_action *action = starter_start(
        sv->starter, what, host,
        (struct reason){REASON_REQUEST, row->vms + row->starting, r->vms, .subject = r->id});
    action->request = r->id;
    action->by_name = r->exclusive;
    action->exclusive = true; /* nobody else's jobs */
    row->starting++;
    lay(sv, request);
    return (struct reason){0};
}

/* Whether the host is out of use, and not only its room. */
static bool is_lost(enum reason_code why)
{
    static const enum reason_code lost[] = {
        REASON_HOST_UNTRUSTED, REASON_HOST_CORDONED,  REASON_HOST_REMOVED, REASON_HOST_FENCED,
        REASON_HOST_BACKOFF,   REASON_NO_HOST_TAGGED, REASON_NO_HOST_IMAGE};
    for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
        if (lost[i] == why)
            return true;
    return false;
}

/* VMs in their seats. Returns how many find somebody in theirs. */
static int64_t fill_seats(struct serving *sv, size_t request, struct reason *ret_why)
{
    const struct world_request *r = sv->b->items[request].facts;
    const struct plan_request *row = &sv->rows[request];
    int64_t waiting = 0;
    for (size_t i = sv->berths->start[request]; i < sv->berths->start[request + 1]; i++) {
        struct berth *berth = &sv->berths->items[i];
        int64_t left = r->vms - row->vms - row->starting - waiting;
        left = berth->vms < left ? berth->vms : left;
        if (berth->host == SIZE_MAX || left <= 0)
            continue;
        struct reason why = {0};
        while (left > 0 && !why.code) {
            why = start_one(sv, request, berth->host);
            left -= !why.code;
            berth->vms -= !why.code;
        }
        if (why.code)
            *ret_why = why;
        waiting += is_lost(why.code) ? 0 : left;
    }
    return waiting;
}

/* Keep the seats that others have, or will have before @request is over. */
static void keep_promises(struct serving *sv, size_t request, int64_t sign)
{
    const struct booking *own = &sv->b->items[request];
    for (size_t k = 0; k < sv->b->n; k++) {
        const struct booking *other = &sv->b->items[k];
        const struct world_request *r = other->facts;
        const size_t first = sv->berths->start[k];
        bool ahead = other->phase == REQUEST_AHEAD && r->from < own->facts->until;
        bool later = other->phase == REQUEST_OPEN && other->turn > own->turn; /* else it is kept */
        if (other->template == SIZE_MAX || other->group == SIZE_MAX || !(ahead || later))
            continue;
        for (size_t i = 0; i < r->n_seats; i++) {
            size_t host = names_find(sv->hosts, r->seats[i].host);
            int64_t vms = ahead ? r->seats[i].vms : sv->berths->items[first + i].vms;
            if (host != SIZE_MAX)
                places_keep(sv->starter->places, host, other->template, sign * vms, r->whole_host);
        }
    }
}

/* Start what is missing; what stops that is the request's reason. */
static void fill(struct serving *sv, size_t request)
{
    const struct booking *booking = &sv->b->items[request];
    const struct world_request *r = booking->facts;
    struct plan_request *row = &sv->rows[request];
    struct reason why = {0}, none_beside = {0};
    if (booking->template == SIZE_MAX)
        row->reason = (struct reason){REASON_TEMPLATE_GONE, .subject = r->template};
    else if (booking->group == SIZE_MAX)
        row->reason = (struct reason){REASON_REQUEST_NO_GROUP, .subject = r->group};
    if (row->reason.code)
        return;
    int64_t waiting = fill_seats(sv, request, &why);
    while (row->vms + row->starting + waiting < r->vms && !row->reason.code)
        row->reason = start_one(sv, request, ANYWHERE);
    if (waiting && sv->starter->w->now >= r->from) {
        keep_promises(sv, request, 1);
        for (; waiting && !none_beside.code; waiting -= !none_beside.code)
            none_beside = start_one(sv, request, BESIDE);
        keep_promises(sv, request, -1);
    }
    if (waiting && !row->reason.code)
        row->reason = why;
}

/* Nobody else takes the room that what is missing needs, under the limits and in its seats. */
static void keep_free(struct serving *sv, size_t request)
{
    const struct berths *berths = sv->berths;
    const struct booking *booking = &sv->b->items[request];
    struct starter *starter = sv->starter;
    const struct plan_request *row = &sv->rows[request];
    int64_t missing = row->request->vms - row->vms - row->starting;
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
    for (size_t i = berths->start[request]; i < berths->start[request + 1]; i++) {
        const struct berth *berth = &berths->items[i];
        int64_t vms = berth->vms < missing ? berth->vms : missing;
        if (berth->host == SIZE_MAX || vms <= 0)
            continue;
        places_keep(starter->places, berth->host, booking->template, vms,
                    booking->facts->whole_host);
        missing -= vms;
    }
}

const struct served_requests *request_serve(struct arena *a, const struct bookings *b,
                                            const struct vms *vms, const struct leavers *leavers,
                                            const struct demand *d, const struct supply *s,
                                            struct reason stop, struct starter *starter)
{
    struct served_requests *served = arena_take(a, 1, sizeof(*served));
    struct plan_request *rows = arena_take(a, b->n, sizeof(*rows));
    int64_t *starting = arena_take(a, d->n, sizeof(*starting));
    struct serving sv = {b, d, s, starter, rows, starting, vms->hosts, berths_gather(a, vms, b)};
    for (size_t i = 0; i < b->n; i++)
        rows[i] = (struct plan_request){.request = b->items[i].facts, .phase = b->items[i].phase};
    if (b->n)
        count_vms(a, vms, leavers, s, starter, b, rows);
    for (size_t k = 0; k < b->n; k++) {
        size_t i = (size_t)(b->order[k] - b->items);
        const struct world_request *r = rows[i].request;
        if (rows[i].phase != REQUEST_OPEN)
            continue;
        if (starter->w->now >= r->from && rows[i].up < r->vms)
            rows[i].short_of = r->vms - rows[i].up;
        if (rows[i].vms >= r->vms)
            continue;
        rows[i].reason = stop;
        fill(&sv, i);
        keep_free(&sv, i);
    }
    *served = (struct served_requests){rows, starting};
    return served;
}
