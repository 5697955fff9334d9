/*
 * The nearest that would be granted instead of an ask that is not: fewer VMs for the same time, the
 * same at a later time, and the same for a shorter time. Each was held against everything that the
 * ask itself was.
 */
#include "plan/asking.h"

enum {
    FEWER_TRIES = 16,
    LATER_TRIES = 8, /* moments at which something ends */
    SHORTER_TRIES = 8,
};

static void offer(struct calendar_answer *answer, int64_t vms, usec from, usec until)
{
    answer->offers[answer->n_offers++] = (struct calendar_offer){vms, from, until};
}

/* The room that there is; when that is no answer either, as it is with quotas and whole hosts, less. */
static void fewer(struct asking *q, struct calendar_answer *answer, struct fit fit)
{
    const struct calendar_ask *ask = q->ask;
    int64_t vms = ask->vms;
    for (int i = 0; i < FEWER_TRIES && fit.reason.code; i++) {
        int64_t less = i < FEWER_TRIES / 2 ? vms - 1 : vms / 2;
        vms = fit.room < less ? fit.room : less;
        if (vms <= 0)
            return;
        fit = asking_judge(q, vms, ask->from, ask->until);
    }
    if (!fit.reason.code)
        offer(answer, vms, ask->from, ask->until);
}

static usec minute_up(usec t)
{
    return (t + USEC_PER_MINUTE - 1) / USEC_PER_MINUTE * USEC_PER_MINUTE;
}

static void later(struct asking *q, struct calendar_answer *answer, struct fit fit)
{
    const struct calendar_ask *ask = q->ask;
    const usec length = ask->until - ask->from;
    usec from = ask->from > q->w->now ? ask->from : q->w->now;
    if (ask->replaces[0] && ask->from <= q->w->now) /* it has begun */
        return;
    for (int i = 0; i < LATER_TRIES && fit.reason.code; i++) {
        if (fit.free_from == USEC_NEVER || fit.free_from > USEC_NEVER / 2)
            return;
        usec next = minute_up(fit.free_from + asking_lead(q, ask->vms));
        from = next > from ? next : from + USEC_PER_MINUTE;
        fit = asking_judge(q, ask->vms, from, from + length);
    }
    if (!fit.reason.code)
        offer(answer, ask->vms, from, from + length);
}

static void shorter(struct asking *q, struct calendar_answer *answer, struct fit fit)
{
    const struct calendar_ask *ask = q->ask;
    usec earliest = ask->from > q->w->now ? ask->from : q->w->now;
    usec until = ask->until;
    for (int i = 0; i < SHORTER_TRIES && fit.reason.code; i++) {
        usec before = fit.free_until / USEC_PER_MINUTE * USEC_PER_MINUTE;
        if (before <= earliest || before >= until)
            return;
        until = before;
        fit = asking_judge(q, ask->vms, ask->from, until);
    }
    if (!fit.reason.code)
        offer(answer, ask->vms, ask->from, until);
}

void offer_nearest(struct asking *q, const struct fit *fit, struct calendar_answer *answer)
{
    fewer(q, answer, *fit);
    later(q, answer, *fit);
    shorter(q, answer, *fit);
}
