/*
 * What stays: VMs, cpus and memory of those that are not on their way out, of all, of each group
 * and of each template, held against the limits. A drain that would have to be undone, or a
 * cancelled drain that would have to be asked for again, is seen here first. What is booked and not
 * there yet counts as well: the room for it is made by VMs beyond the quota of their group.
 */
#include "plan/rungs.h"

struct sums {
    int64_t vms, cpus, memory;
};

struct tally {
    const struct policy *p;
    struct sums all;
    struct sums *groups; /* as in the policy */
    struct sums *templates;
    struct sums booked_all; /* and is not there */
    struct sums *booked_groups;
    struct sums *booked_templates;
    struct stand *hosts; /* as world.hosts; NULL: none has a seat to be made free */
};

/* A host. */
struct stand {
    int64_t vms, cpus, memory; /* that we may have there */
    struct sums stays;
    struct sums booked; /* seats that have no VM yet */
    bool whole;         /* one of them is for the whole host */
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
    if (t->hosts && vm->world_host != SIZE_MAX)
        add(&t->hosts[vm->world_host].stays, vm, sign);
}

static void book(struct tally *t, const struct booking *b, int64_t vms)
{
    const struct policy_template *of = &t->p->templates[b->template];
    const struct sums more = {vms, vms * of->cpus, vms * of->memory};
    struct sums *to[] = {&t->booked_all, &t->booked_groups[b->group],
                         &t->booked_templates[b->template]};
    for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
        to[i]->vms += more.vms;
        to[i]->cpus += more.cpus;
        to[i]->memory += more.memory;
    }
}

/* What is missing of the requests that are open. */
static void count_booked(struct arena *a, struct tally *t, const struct vms *vms,
                         const struct bookings *b)
{
    int64_t *there = arena_take(a, b->n, sizeof(*there));
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm->request < b->n && !vm->must_go && vm_counts(vm) &&
            (vm->state < VM_DRAINING || vm->state == VM_LOST))
            there[vm->request]++;
    }
    for (size_t i = 0; i < b->n; i++) {
        const struct booking *booking = &b->items[i];
        int64_t vms_booked =
            booking->facts->vms < REQUEST_VMS_MAX ? booking->facts->vms : REQUEST_VMS_MAX;
        if (booking->phase == REQUEST_OPEN && booking->group != SIZE_MAX &&
            booking->template != SIZE_MAX && there[i] < vms_booked)
            book(t, booking, vms_booked - there[i]);
    }
}

/* The seats that are to be made free. */
static void count_seats(struct arena *a, struct tally *t, const struct world *w,
                        const struct vms *vms, const struct bookings *b)
{
    const struct berths *berths = berths_gather(a, vms, b);
    if (!berths->n)
        return;
    t->hosts = arena_take(a, w->n_hosts, sizeof(*t->hosts));
    for (size_t i = 0; i < w->n_hosts; i++) {
        const struct world_host *facts = &w->hosts[i];
        struct stand *stand = &t->hosts[i];
        stand->vms = vms->policy_hosts[i] ? vms->policy_hosts[i]->max_vms.value : 0;
        stand->cpus = plan_host_cpus(t->p, vms->policy_hosts[i], facts);
        stand->memory = plan_host_memory(vms->policy_hosts[i], facts);
        for (size_t k = 0; k < facts->n_domains; k++) {
            const struct world_domain *domain = &facts->domains[k];
            if (domain->ours || !plan_domain_counts(domain))
                continue;
            stand->cpus -= domain->cpus;
            stand->memory -= domain->memory + VM_OVERHEAD;
        }
    }
    for (size_t i = 0; i < b->n; i++) {
        for (size_t k = berths->start[i]; k < berths->start[i + 1]; k++) {
            const struct berth *berth = &berths->items[k];
            const struct policy_template *of = &t->p->templates[b->items[i].template];
            if (berth->host == SIZE_MAX || berth->vms <= 0 || w->hosts[berth->host].cordoned ||
                w->hosts[berth->host].drain)
                continue;
            struct stand *stand = &t->hosts[berth->host];
            stand->booked.vms += berth->vms;
            stand->booked.cpus += berth->vms * of->cpus;
            stand->booked.memory += berth->vms * of->memory;
            stand->whole |= b->items[i].facts->whole_host;
        }
    }
}

struct tally *tally_open(struct arena *a, const struct policy *p, const struct world *w,
                         const struct vms *vms, const struct bookings *bookings)
{
    struct tally *t = arena_take(a, 1, sizeof(*t));
    *t = (struct tally){.p = p,
                        .groups = arena_take(a, p->n_groups, sizeof(*t->groups)),
                        .templates = arena_take(a, p->n_templates, sizeof(*t->templates)),
                        .booked_groups = arena_take(a, p->n_groups, sizeof(struct sums)),
                        .booked_templates = arena_take(a, p->n_templates, sizeof(struct sums))};
    if (bookings && bookings->n) {
        count_booked(a, t, vms, bookings);
        count_seats(a, t, w, vms, bookings);
    }
    for (size_t i = 0; i < vms->n; i++) {
        const struct plan_vm *vm = &vms->items[i];
        if (vm_counts(vm) && vm->state != VM_LEAVING && vm->state != VM_DRAINING)
            tally_add(t, vm, 1);
    }
    return t;
}

/* What a group's quota guarantees is not taken for what another one has booked. */
static bool is_guaranteed(const struct tally *t, const struct plan_vm *vm)
{
    return vm->policy_group != SIZE_MAX &&
           t->groups[vm->policy_group].cpus - vm->cpus < t->p->groups[vm->policy_group].quota.value;
}

static bool exceeds(const struct setting *limit, int64_t used, int64_t booked, bool guaranteed,
                    struct reason *ret_why)
{
    if (limit->value == POLICY_UNLIMITED || used + (guaranteed ? 0 : booked) <= limit->value)
        return false;
    *ret_why = used > limit->value
                   ? (struct reason){REASON_OVER_LIMIT, used, limit->value, limit->at}
                   : (struct reason){REASON_ROOM_FOR_REQUEST, booked, limit->value, limit->at};
    return true;
}

/* Whether it is in a seat that was promised to somebody; those in seats of their own stay. */
static bool is_in_the_way(const struct tally *t, const struct plan_vm *vm, struct reason *ret_why)
{
    if (!t->hosts || vm->world_host == SIZE_MAX || vm->request != NO_REQUEST)
        return false;
    const struct stand *s = &t->hosts[vm->world_host];
    const int64_t vms = s->stays.vms + s->booked.vms;
    if (!s->booked.vms ||
        (!s->whole && vms <= s->vms && s->stays.cpus + s->booked.cpus <= s->cpus &&
         s->stays.memory + s->booked.memory + vms * VM_OVERHEAD <= s->memory))
        return false;
    *ret_why = (struct reason){REASON_HOST_FOR_REQUEST, .subject = vm->host};
    return true;
}

bool tally_exceeds(const struct tally *t, const struct plan_vm *vm, struct reason *ret_why)
{
    const struct policy *p = t->p;
    const struct sums *s = &t->all, *b = &t->booked_all;
    const size_t template = vm->policy_template, group = vm->policy_group;
    const bool guaranteed = is_guaranteed(t, vm);
    if (exceeds(&p->limits.vms, s->vms, b->vms, guaranteed, ret_why) ||
        exceeds(&p->limits.cpus, s->cpus, b->cpus, guaranteed, ret_why) ||
        exceeds(&p->limits.memory, s->memory, b->memory, guaranteed, ret_why))
        return true;
    if (template != SIZE_MAX && exceeds(&p->templates[template].max_vms, t->templates[template].vms,
                                        t->booked_templates[template].vms, guaranteed, ret_why))
        return true;
    if (is_in_the_way(t, vm, ret_why))
        return true;
    if (group == SIZE_MAX)
        return false;
    const struct policy_group *g = &p->groups[group];
    s = &t->groups[group];
    b = &t->booked_groups[group];
    return exceeds(&g->max, s->cpus, b->cpus, false, ret_why) ||
           exceeds(&g->max_vms, s->vms, b->vms, false, ret_why) ||
           exceeds(&g->max_memory, s->memory, b->memory, false, ret_why);
}

int64_t tally_group_vms(const struct tally *t, size_t group)
{
    return group == SIZE_MAX ? t->all.vms : t->groups[group].vms;
}
