/*
 * What several rungs share: the action list, the earliest next look, look-ups in the policy, and the
 * arithmetic of fitting.
 */
#include "plan/rungs.h"

#include <string.h>

void later_at(struct later *l, usec at)
{
    if (at > l->now && at < l->at) /* what is due already waits for news, not for time */
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
        .template = "",
        .volume = "",
        .machine = "",
        .policy_template = SIZE_MAX,
        .policy_group = SIZE_MAX,
        .request = "",
    };
    return action;
}

usec elapsed_since(const struct world *w, usec at)
{
    return w->now - (at > w->clock_jumped ? at : w->clock_jumped);
}

bool vm_drain_overdue(const struct policy *p, const struct world *w, const struct plan_vm *vm)
{
    const struct setting *allowed = &p->timing.drain_within;
    usec accepted = vm->record ? vm->record->drain_accepted : 0;
    return p->timing.on_drain_timeout == POLICY_DRAIN_KILL && allowed->value && accepted &&
           elapsed_since(w, accepted) >= allowed->value;
}

int64_t plan_host_cpus(const struct policy *p, const struct policy_host *h,
                       const struct world_host *w)
{
    int64_t cpus = h && h->cpus ? h->cpus : w ? w->cpus : 0;
    return cpus * p->placement.overcommit.value / 100;
}

int64_t plan_host_memory(const struct policy_host *h, const struct world_host *w)
{
    if (h && h->memory)
        return h->memory;
    int64_t left = w ? w->memory - (h ? h->reserve : 0) : 0;
    return left > 0 ? left : 0;
}

bool plan_domain_counts(const struct world_domain *d)
{
    return d->ours || strcmp(d->state, "shutoff") != 0;
}

static const char *admin(const struct world_order *order)
{
    return order->by && *order->by ? order->by : "an admin";
}

struct reason vm_ordered(const struct world *w, const struct plan_vm *vm)
{
    if (!vm->must_go)
        return (struct reason){0};
    const struct world_host *host = vm->world_host == SIZE_MAX ? NULL : &w->hosts[vm->world_host];
    if (vm->record && vm->record->drain)
        return (struct reason){REASON_DRAIN_ASKED, .subject = admin(&vm->record->order)};
    if (host && host->drain)
        return (struct reason){REASON_HOST_DRAINED, .subject = host->name};
    if (host && host->fenced) /* it came back: what was held to be gone is replaced by now */
        return (struct reason){REASON_HOST_FENCED, .subject = host->name};
    return (struct reason){0};
}

struct reason vm_ordered_now(const struct world *w, const struct plan_vm *vm)
{
    if (!vm->must_go)
        return (struct reason){0};
    const struct world_host *host = vm->world_host == SIZE_MAX ? NULL : &w->hosts[vm->world_host];
    if (vm->record && vm->record->drain && vm->record->drain_now)
        return (struct reason){REASON_DRAIN_NOW, vm->claimed,
                               .subject = admin(&vm->record->order)};
    if (vm->record && host && host->drain && host->drain_now)
        return (struct reason){REASON_DRAIN_NOW, vm->claimed, .subject = admin(&host->order)};
    return (struct reason){0};
}

bool vm_counts(const struct plan_vm *vm)
{
    return vm->state != VM_FOREIGN && vm->state != VM_GONE && vm->reason.code != REASON_AD_EXPIRED;
}

/* The named policy of S1. Only a domain that a trusted list shows is ended, and no copy of one. */
bool vm_ends_now(const struct world *w, const struct plan_vm *vm)
{
    bool alive = vm->state == VM_BOOTING || vm->state == VM_IDLE || vm->state == VM_BUSY ||
                 vm->state == VM_DRAINING ||
                 (vm->state == VM_LOST && vm->reason.code == REASON_SLOT_AD_MISSING);
    return alive && vm_ordered_now(w, vm).code;
}

bool vm_had_no_job(const struct plan_vm *vm)
{
    return vm->startd && vm->startd->claimed == 0 && vm->record && vm->record->joined &&
           !vm->record->first_job;
}

/* It joined, and within the time that it is given no job came though some waited; or, as was seen in
 * an earlier step, this was so. */
static struct reason got_no_job(const struct policy *p, const struct world *w,
                                const struct plan_vm *vm)
{
    const struct setting *allowed = &p->timing.first_job_within;
    if (!vm_had_no_job(vm))
        return (struct reason){0};
    const struct world_record *r = vm->record;
    bool due = allowed->value > 0 && r->jobless_since &&
               elapsed_since(w, r->jobless_since) >= allowed->value;
    if (!due && !r->given_up)
        return (struct reason){0};
    usec since = r->jobless_since ? r->jobless_since : r->joined;
    return (struct reason){vm->startd->usable ? REASON_NO_FIRST_JOB : REASON_TAKES_NO_JOBS,
                           w->now - since, allowed->value, allowed->at};
}

struct reason vm_must_go(const struct policy *p, const struct world *w, const struct plan_vm *vm)
{
    if (!vm->must_go)
        return (struct reason){0};
    const struct setting *age = &p->timing.max_age;
    struct reason ordered = vm_ordered(w, vm);
    if (ordered.code)
        return ordered;
    if (vm->request == UNKNOWN_REQUEST ||
        (vm->request != NO_REQUEST && w->now >= request_leaves(p, &w->requests[vm->request])))
        return (struct reason){REASON_REQUEST_ENDED, .subject = plan_vm_request(vm)};
    if (vm->request != NO_REQUEST) /* held for all of its time, whatever its age */
        return (struct reason){0};
    if (vm->born && w->now - vm->born >= age->value)
        return (struct reason){REASON_TOO_OLD, w->now - vm->born, age->value, age->at};
    if (vm->host_removed)
        return (struct reason){REASON_HOST_REMOVED, .subject = vm->host};
    if (vm->policy_template == SIZE_MAX)
        return (struct reason){REASON_TEMPLATE_GONE, .subject = vm->template};
    const char *made_from = vm->domain ? vm->domain->generation : "";
    struct reason old = {0};
    if (made_from[0])
        old = generation_is_old(&p->templates[vm->policy_template],
                                vm->world_host == SIZE_MAX ? NULL : &w->hosts[vm->world_host], made_from);
    return old.code ? old : got_no_job(p, w, vm);
}

bool vm_is_given_up(const struct policy *p, const struct world *w, const struct plan_vm *vm)
{
    enum reason_code why = vm_must_go(p, w, vm).code;
    return why == REASON_NO_FIRST_JOB || why == REASON_TAKES_NO_JOBS;
}

const char *plan_vm_request(const struct plan_vm *vm)
{
    const char *id = vm->domain ? vm->domain->request : vm->record ? vm->record->request : "";
    return id ? id : "";
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

const struct policy_schedd *policy_find_schedd(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_schedds; i++)
        if (strcmp(p->schedds[i].name, name) == 0)
            return &p->schedds[i];
    return NULL;
}

int64_t want_fits(const struct want *want, int64_t cpus, int64_t memory, int64_t gpus)
{
    const struct world_shape *shape = want->shape;
    int64_t n = INT64_MAX;
    if ((shape->cpus > 0 && cpus < shape->cpus) || (want->memory > 0 && memory < want->memory) ||
        (shape->gpus > 0 && gpus < shape->gpus))
        return 0; /* mostly, and it spares divisions */
    if (shape->cpus > 0)
        n = cpus / shape->cpus;
    if (want->memory > 0 && memory / want->memory < n)
        n = memory / want->memory;
    if (shape->gpus > 0 && gpus / shape->gpus < n)
        n = gpus / shape->gpus;
    return n;
}

bool want_fits_template(const struct want *want, const struct policy_template *t)
{
    return want_fits(want, t->cpus, t->memory, t->gpus) > 0 && want->shape->disk <= t->disk;
}
