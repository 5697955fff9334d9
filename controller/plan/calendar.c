/*
 * Asks, as they come: whether they make sense, what their group may ask for, and blackouts.
 */
#include "plan/asking.h"

#include <string.h>

static const struct world_request *find_open(const struct world *w, const struct calendar_ask *ask)
{
    for (size_t i = 0; i < w->n_requests; i++)
        if (strcmp(w->requests[i].id, ask->replaces) == 0 &&
            strcmp(w->requests[i].group, ask->group) == 0 &&
            !request_is_over(&w->requests[i], w->now))
            return &w->requests[i];
    return NULL;
}

static bool may_use(const struct policy_group *g, size_t template)
{
    for (size_t i = 0; i < g->n_templates; i++)
        if (g->templates[i] == template)
            return true;
    return false;
}

/* What makes no sense, whatever is booked. */
static struct reason nonsense(const struct policy *p, const struct world *w,
                              const struct calendar_ask *ask)
{
    size_t group = policy_find_group(p, ask->group);
    if (group == SIZE_MAX)
        return (struct reason){REASON_ASK_NO_GROUP, .subject = ask->group};
    const struct policy_group *g = &p->groups[group];
    if (!may_use(g, policy_find_template(p, ask->template)))
        return (struct reason){REASON_ASK_NO_TEMPLATE, .at = g->at, .subject = ask->template};
    if (ask->vms < 1 || ask->vms > REQUEST_VMS_MAX)
        return (struct reason){REASON_ASK_SIZE, ask->vms, REQUEST_VMS_MAX};
    if (ask->until <= ask->from || ask->until <= w->now)
        return (struct reason){REASON_ASK_TIMES};
    if (ask->replaces[0] && !find_open(w, ask))
        return (struct reason){REASON_ASK_CHANGES_NOTHING, .subject = ask->replaces};
    return (struct reason){0};
}

static int64_t count_open(const struct world *w, const struct calendar_ask *ask)
{
    int64_t open = 0;
    for (size_t i = 0; i < w->n_requests; i++)
        open += strcmp(w->requests[i].group, ask->group) == 0 &&
                strcmp(w->requests[i].id, ask->replaces) != 0 &&
                !request_is_over(&w->requests[i], w->now);
    return open;
}

usec asking_lead(const struct asking *q, int64_t vms)
{
    return request_lead(q->p, q->boot, vms);
}

/* What the policy lets the group ask for. */
static struct fit over_cap(const struct asking *q, int64_t vms, usec from, usec until)
{
    const struct policy_group *g = q->group;
    const struct setting *cpus = &g->requests.max_cpus, *length = &g->requests.max_length,
                         *lead = &g->requests.max_lead, *most = &g->requests.max_open;
    const int64_t asked = vms * q->template->cpus;
    struct fit fit = {.free_from = USEC_NEVER};
    if (g->requests.answer.value == POLICY_REFUSE)
        fit.reason = (struct reason){REASON_ASK_REFUSED, .at = g->requests.answer.at};
    else if (q->open >= most->value)
        fit.reason = (struct reason){REASON_ASK_OPEN, q->open, most->value, most->at};
    else if (asked > cpus->value) {
        fit.reason = (struct reason){REASON_ASK_CPUS, asked, cpus->value, cpus->at};
        fit.room = cpus->value / q->template->cpus;
    } else if (lead->value && from - q->w->now > lead->value)
        fit.reason = (struct reason){REASON_ASK_LEAD, from - q->w->now, lead->value, lead->at};
    else if (length->value && until - from > length->value) {
        fit.reason = (struct reason){REASON_ASK_LENGTH, until - from, length->value, length->at};
        fit.free_until = from + length->value;
    }
    fit.reason.subject = g->name;
    return fit;
}

static struct fit blacked_out(const struct policy *p, usec starts, usec until)
{
    for (size_t i = 0; i < p->n_blackouts; i++) {
        const struct policy_blackout *b = &p->blackouts[i];
        if (starts < b->until && until > b->from)
            return (struct fit){{REASON_BLACKOUT, b->from, b->until, b->at,
                                 b->reason[0] ? b->reason : "a blackout"},
                                .free_from = b->until,
                                .free_until = b->from};
    }
    return (struct fit){0};
}

static usec begin(const struct asking *q, int64_t vms, usec from)
{
    usec starts = from - asking_lead(q, vms);
    return starts > q->w->now ? starts : q->w->now;
}

struct fit asking_judge(struct asking *q, int64_t vms, usec from, usec until)
{
    usec starts = begin(q, vms, from);
    struct fit fit = over_cap(q, vms, from, until);
    if (!fit.reason.code)
        fit = blacked_out(q->p, starts, until);
    return fit.reason.code ? fit : booked_fit(q->booked, vms, starts, until);
}

struct calendar_answer calendar_ask(struct arena *a, const struct policy *p, const struct world *w,
                                    const struct calendar_ask *ask)
{
    struct calendar_answer answer = {.reason = nonsense(p, w, ask)};
    if (answer.reason.code)
        return answer;
    struct asking q = {.p = p,
                       .w = w,
                       .ask = ask,
                       .group = &p->groups[policy_find_group(p, ask->group)],
                       .template = &p->templates[policy_find_template(p, ask->template)],
                       .boot = request_boot(p, w, ask->template),
                       .open = count_open(w, ask),
                       .booked = booked_open(a, p, w, ask)};
    struct fit fit = asking_judge(&q, ask->vms, ask->from, ask->until);
    answer.reason = fit.reason;
    answer.starts = begin(&q, ask->vms, ask->from);
    if (fit.reason.code)
        offer_nearest(&q, &fit, &answer);
    else
        answer.seats = booked_seats(q.booked, &answer.n_seats);
    return answer;
}
