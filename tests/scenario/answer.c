#include "scenario/answer.h"

#include <inttypes.h>
#include <string.h>

/* "+2h", "-5m" or "now": as worlds are written. */
static void say_time(usec t, usec now, struct text *out)
{
    char buffer[UNITS_TEXT_MAX];
    if (t == now)
        text_add(out, "now");
    else
        text_printf(out, "%c%s", t < now ? '-' : '+',
                    units_format_duration(t < now ? now - t : t - now, buffer));
}

static void say_answer(const struct policy *p, const struct world *w,
                       const struct world_request *ask, const struct calendar_answer *answer,
                       struct text *out)
{
    text_printf(out, "%s: ", ask->id);
    if (answer->reason.code) {
        text_add(out, "refused: ");
        reason_render(&answer->reason, p->files, out);
    } else {
        text_add(out, "granted, starts ");
        say_time(answer->starts, w->now, out);
        for (size_t i = 0; i < answer->n_seats; i++)
            text_printf(out, "%s %" PRId64 " on %s", i ? "," : ":", answer->seats[i].vms,
                        answer->seats[i].host);
    }
    text_add(out, "\n");
    for (size_t i = 0; i < answer->n_offers; i++) {
        const struct calendar_offer *offer = &answer->offers[i];
        text_printf(out, "  or %" PRId64 " from ", offer->vms);
        say_time(offer->from, w->now, out);
        text_add(out, " until ");
        say_time(offer->until, w->now, out);
        text_add(out, "\n");
    }
}

static struct world_request *find(struct world_request *requests, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(requests[i].id, id) == 0)
            return &requests[i];
    return NULL;
}

void answer_all(struct arena *a, const struct policy *p, const struct world *w,
                const struct world *asks, struct text *out)
{
    struct world then = *w;
    struct world_request *booked =
        arena_take(a, w->n_requests + asks->n_requests, sizeof(*booked));
    if (w->n_requests)
        memcpy(booked, w->requests, w->n_requests * sizeof(*booked));
    then.requests = booked;
    for (size_t i = 0; i < asks->n_requests; i++) {
        const struct world_request *ask = &asks->requests[i];
        struct world_request *old = find(booked, then.n_requests, ask->id);
        if (ask->ended && old) {
            old->ended = ask->ended;
            text_printf(out, "%s: cancelled\n", ask->id);
            continue;
        }
        struct calendar_answer answer =
            calendar_ask(a, p, &then,
                         &(struct calendar_ask){ask->group, ask->template, ask->vms, ask->from,
                                                ask->until, ask->exclusive, ask->whole_host,
                                                old ? ask->id : ""});
        say_answer(p, w, ask, &answer, out);
        if (answer.reason.code)
            continue;
        old = old ? old : &booked[then.n_requests++];
        *old = *ask;
        old->seats = answer.seats;
        old->n_seats = answer.n_seats;
    }
}
