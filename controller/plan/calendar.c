/*
 * Asks, as they come: whether they make sense, what their group may ask for, and blackouts.
 */
#include "plan/calendar.h"

#include <string.h>

#include "plan/rungs.h"

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

/* What the policy lets the group ask for. */
static struct reason over_cap(const struct policy *p, const struct world *w,
                              const struct calendar_ask *ask)
{
    const struct policy_group *g = &p->groups[policy_find_group(p, ask->group)];
    const struct setting *cpus = &g->requests.max_cpus, *length = &g->requests.max_length,
                         *lead = &g->requests.max_lead, *most = &g->requests.max_open;
    const int64_t asked = ask->vms * p->templates[policy_find_template(p, ask->template)].cpus;
    if (g->requests.answer.value == POLICY_REFUSE)
        return (struct reason){REASON_ASK_REFUSED, .at = g->requests.answer.at, .subject = g->name};
    if (asked > cpus->value)
        return (struct reason){REASON_ASK_CPUS, asked, cpus->value, cpus->at, g->name};
    if (length->value && ask->until - ask->from > length->value)
        return (struct reason){REASON_ASK_LENGTH, ask->until - ask->from, length->value, length->at,
                               g->name};
    if (lead->value && ask->from - w->now > lead->value)
        return (struct reason){REASON_ASK_LEAD, ask->from - w->now, lead->value, lead->at, g->name};
    int64_t open = count_open(w, ask);
    if (open >= most->value)
        return (struct reason){REASON_ASK_OPEN, open, most->value, most->at, g->name};
    return (struct reason){0};
}

static struct reason blacked_out(const struct policy *p, usec starts, usec until)
{
    for (size_t i = 0; i < p->n_blackouts; i++) {
        const struct policy_blackout *b = &p->blackouts[i];
        if (starts < b->until && until > b->from)
            return (struct reason){REASON_BLACKOUT, b->from, b->until, b->at,
                                   b->reason[0] ? b->reason : "a blackout"};
    }
    return (struct reason){0};
}

struct calendar_answer calendar_ask(struct arena *a, const struct policy *p, const struct world *w,
                                    const struct calendar_ask *ask)
{
    struct calendar_answer answer = {.reason = nonsense(p, w, ask)};
    (void)a;
    if (answer.reason.code)
        return answer;
    usec boot = request_boot(p, w, ask->template);
    answer.starts = ask->from - request_lead(p, boot, ask->vms);
    if (answer.starts < w->now)
        answer.starts = w->now;
    answer.reason = over_cap(p, w, ask);
    if (!answer.reason.code)
        answer.reason = blacked_out(p, answer.starts, ask->until);
    return answer;
}
