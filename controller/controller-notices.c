/*
 * What groups are told of their requests. A step writes down what is due; whatever is written down is
 * told by the messenger, also by the one of the next eyried.
 */
#include "controller-parts.h"

#include <string.h>

#include "act/notice.h"

/* Whether what the plan counts of VMs is so. */
static bool is_sure(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_trust; i++)
        if (strcmp(plan->trust[i].kind, "pool") == 0 && !plan->trust[i].trusted)
            return false;
    return plan->frozen.code == REASON_NONE;
}

static int64_t ways_of(const struct controller *c, const char *group)
{
    for (size_t i = 0; i < c->policy->n_groups; i++)
        if (strcmp(c->policy->groups[i].name, group) == 0)
            return messenger_ways(&c->policy->groups[i]);
    return 0;
}

/* Write down that these are told of @r, and, if its group wants to hear of it, what that is. */
static void write_down(struct controller *c, const struct ledger_request *r,
                       const struct plan_request *row, int64_t events, int64_t told, usec now)
{
    struct ledger_notice notices[NOTICE_EVENTS];
    int64_t ways = ways_of(c, r->booking.group);
    struct err e;
    size_t n = 0;
    for (int event = 0; event < NOTICE_EVENTS && ways; event++)
        if (events & (INT64_C(1) << event))
            notices[n++] = (struct ledger_notice){
                .group = r->booking.group,
                .about = mem_printf("%s %s", r->booking.id,
                                    notice_event_name((enum notice_event)event)),
                .body = notice_body(r, row, (enum notice_event)event, now, c->policy->files),
                .at = now,
                .owed = ways};
    if (ledger_notices_add(c->ledger, r->number, told, notices, n, &e) < 0)
        controller_note(c, "ledger-failed", r->booking.id, e.text);
    for (size_t i = 0; i < n; i++) {
        free((char *)notices[i].about);
        free((char *)notices[i].body);
    }
}

void controller_tell(struct controller *c, const struct plan *plan)
{
    usec next = USEC_NEVER, now = plan->now;
    bool sure = is_sure(plan), news = false;
    size_t n, k = 0;
    const struct ledger_request *all = ledger_requests(c->ledger, &n);
    for (size_t i = 0; i < n && !*ledger_error(c->ledger); i++) {
        const struct ledger_request *r = &all[i];
        int64_t told;
        /* The plan has those that were granted, in the same order. */
        bool planned = k < plan->n_requests && strcmp(plan->requests[k].request->id, r->booking.id) == 0;
        const struct plan_request *row = planned ? &plan->requests[k++] : NULL;
        row = sure ? row : NULL;
        int64_t events = notice_due(r, row, now, &told, &next);
        if (told == r->told)
            continue;
        write_down(c, r, row, events, told, now);
        news = news || events;
    }
    if (news)
        messenger_wake(c->messenger);
    loop_timer_set(c->notice_timer, next == USEC_NEVER ? USEC_NEVER : next - now);
}
