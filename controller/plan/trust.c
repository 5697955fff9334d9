/*
 * Rung 1. A source is trusted while its last complete answer is young enough. A failure alone does
 * not take trust away, age does: one lost answer is no reason to stop, a minute without one is.
 */
#include "plan/rungs.h"

static bool judge(struct plan_trust *row, const char *kind, const char *name,
                  const struct world_fact *fact, const struct policy *p, usec now,
                  struct later *later)
{
    bool answered = fact->asked > 0;
    usec age = answered ? now - fact->asked : USEC_NEVER;
    *row = (struct plan_trust){
        .kind = kind,
        .name = name,
        /* an answer from the future (the clock went back) is as good as none */
        .trusted = answered && age >= 0 && age <= p->timing.trust_for.value,
        .age = age,
        .error = fact->error,
    };
    if (row->trusted)
        later_at(later, fact->asked + p->timing.trust_for.value + 1);
    return row->trusted;
}

static bool judge_host(struct plan_trust *row, const struct world_host *host,
                       const struct policy *p, usec now, struct later *later)
{
    row->trusted =
        judge(row, "host", host->name, &host->fact, p, now, later) && !world_host_is_off(host);
    return row->trusted;
}

const struct trust *trust_judge(struct arena *a, const struct policy *p, const struct world *w,
                                struct later *later)
{
    struct trust *t = arena_take(a, 1, sizeof(*t));
    bool *queue = arena_take(a, w->n_queues, sizeof(*queue));
    bool *host = arena_take(a, w->n_hosts, sizeof(*host));
    size_t n_rows = 1 + w->n_queues + w->n_hosts;
    struct plan_trust *rows = arena_take(a, n_rows, sizeof(*rows)), *row = rows;

    *t = (struct trust){.rows = rows, .n_rows = n_rows, .queue = queue, .host = host};
    t->pool = judge(row++, "pool", p->pool.name, &w->pool.fact, p, w->now, later);
    size_t good = 0; /* schedds of the policy: each must have been looked at */
    if (!t->pool)
        t->why_not = (struct reason){REASON_POOL_UNTRUSTED, rows->age,
                                     p->timing.trust_for.value, p->timing.trust_for.at,
                                     p->pool.name};
    for (size_t i = 0; i < w->n_queues; i++) {
        bool named = policy_find_schedd(p, w->queues[i].schedd) != NULL;
        queue[i] = judge(row, "queue", w->queues[i].schedd, &w->queues[i].fact, p, w->now, later);
        good += named && queue[i];
        if (named && !queue[i] && !t->why_not.code)
            t->why_not = (struct reason){REASON_QUEUE_UNTRUSTED, row->age,
                                         p->timing.trust_for.value, p->timing.trust_for.at,
                                         w->queues[i].schedd};
        row++;
    }
    t->queues = good >= p->n_schedds;
    for (size_t i = 0; i < w->n_hosts; i++)
        host[i] = judge_host(row++, &w->hosts[i], p, w->now, later);
    return t;
}
