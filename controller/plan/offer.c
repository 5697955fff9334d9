/*
 * The nearest that would be granted instead of an ask that is not: fewer VMs for the same time, the
 * same at a later time, and the same for a shorter time. Each was held against everything that the
 * ask itself was.
 */
#include "plan/asking.h"

enum {
    LATER_TRIES = 48, /* moments at which something ends */
    SHORTER_TRIES = 16,
};

static void offer(struct calendar_answer *answer, int64_t vms, usec from, usec until)
{
    answer->offers[answer->n_offers++] = (struct calendar_offer){vms, from, until};
}

static void fewer(struct asking *q, struct calendar_answer *answer)
{
    const struct calendar_ask *ask = q->ask;
    int64_t low = 0, high = ask->vms - 1;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        if (asking_judge(q, middle, ask->from, ask->until).reason.code)
            high = middle - 1;
        else
            low = middle;
    }
    if (low > 0 && !asking_judge(q, low, ask->from, ask->until).reason.code)
        offer(answer, low, ask->from, ask->until);
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
    fewer(q, answer);
    later(q, answer, *fit);
    shorter(q, answer, *fit);
}
