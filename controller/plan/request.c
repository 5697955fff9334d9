/*
 * Requests: capacity that a group has booked for a time; which of them are open, in which order they
 * are served, and whose jobs their VMs take.
 *
 * A job that names a request runs in VMs of that request and nowhere else. VMs of an exclusive
 * request run only jobs that name it; those of a shared one any job of the group that names no
 * other.
 */
#include "plan/rungs.h"

#include <stdlib.h>
#include <string.h>

usec request_leaves(const struct policy *p, const struct world_request *r)
{
    usec before = p->timing.poweroff_within.value, most = (r->until - r->from) / 4;
    usec leaves = r->until - (before < most ? before : most);
    return r->ended && r->ended < leaves ? r->ended : leaves;
}

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
        if (names_add(by_id, r->id, i) != i || w->now >= request_leaves(p, r))
            items[i].phase = REQUEST_OVER;
        else if (w->now < starts)
            items[i].phase = REQUEST_AHEAD;
        if (items[i].phase == REQUEST_AHEAD)
            later_at(later, starts);
        else if (items[i].phase == REQUEST_OPEN) {
            later_at(later, r->from);
            later_at(later, request_leaves(p, r));
        }
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
