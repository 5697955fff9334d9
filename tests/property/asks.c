/*
 * Random calendars. Whatever is asked for, changed and cancelled while time passes, what is granted
 * can be honoured all together; every offer would be granted; the same ask has the same answer; and
 * the planner does what was promised.
 *
 * usage: asks [--seed N] [--calendars N] [--calendar K]
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "property/calendar.h"

enum { DEEDS = 40 };

static bool same_answer(const struct calendar_answer *a, const struct calendar_answer *b)
{
    bool same = a->reason.code == b->reason.code && a->reason.n == b->reason.n &&
                a->reason.limit == b->reason.limit && a->starts == b->starts &&
                a->n_seats == b->n_seats && a->n_offers == b->n_offers;
    for (size_t i = 0; same && i < a->n_seats; i++)
        same = a->seats[i].vms == b->seats[i].vms && strcmp(a->seats[i].host, b->seats[i].host) == 0;
    for (size_t i = 0; same && i < a->n_offers; i++)
        same = a->offers[i].vms == b->offers[i].vms && a->offers[i].from == b->offers[i].from &&
               a->offers[i].until == b->offers[i].until;
    return same;
}

/* Each is less of something, and would be granted. */
static int offers_hold(const struct calendar *c, const struct calendar_ask *ask,
                       const struct calendar_answer *answer, struct err *e)
{
    for (size_t i = 0; i < answer->n_offers; i++) {
        const struct calendar_offer *o = &answer->offers[i];
        struct calendar_ask again = *ask;
        again.vms = o->vms;
        again.from = o->from;
        again.until = o->until;
        struct calendar_answer granted = calendar_ask(c->arena, c->policy, &c->world, &again);
        bool fewer = o->vms < ask->vms && o->from == ask->from && o->until == ask->until;
        bool later = o->vms == ask->vms && o->from > ask->from &&
                     o->until - o->from == ask->until - ask->from;
        bool shorter = o->vms == ask->vms && o->from == ask->from && o->until < ask->until;
        if (granted.reason.code || !(fewer || later || shorter))
            return err_set(e, EINVAL, "offer %zu would be refused: %s", i,
                           reason_name(granted.reason.code));
    }
    return 0;
}

/* With nothing booked, hosts refuse only what they cannot hold. */
static int hosts_do_not_lie(const struct calendar *c, const struct calendar_ask *ask,
                            const struct calendar_answer *answer, struct err *e)
{
    const struct policy *p = c->policy;
    const struct policy_template *t = p->templates;
    int64_t room = 0;
    if (answer->reason.code != REASON_BOOKED_HOSTS || c->world.n_requests)
        return 0;
    while (strcmp(t->name, ask->template) != 0)
        t++;
    for (size_t h = 0; h < p->n_hosts; h++) {
        int64_t cpus = p->hosts[h].cpus * p->placement.overcommit.value / 100;
        int64_t memory = p->hosts[h].memory, vms = 0;
        size_t foreign = c->world.hosts[h].n_domains;
        if ((t->n_needs && !p->hosts[h].n_tags) || (ask->whole_host && foreign))
            continue;
        cpus -= foreign ? c->world.hosts[h].domains[0].cpus : 0;
        memory -= foreign ? c->world.hosts[h].domains[0].memory + 150 * MIB : 0;
        while (cpus >= t->cpus && memory >= t->memory + 150 * MIB && vms < p->hosts[h].max_vms.value &&
               (!ask->whole_host || !vms)) {
            cpus -= t->cpus;
            memory -= t->memory + 150 * MIB;
            vms++;
        }
        room += vms;
    }
    return room < ask->vms ? 0
                           : err_set(e, EINVAL, "there is room for %" PRId64 " of %" PRId64, room,
                                     ask->vms);
}

/* The quotas of others are not touched by what was granted just now. */
static int quotas_are_kept(const struct calendar *c, size_t granted, struct err *e)
{
    const struct policy *p = c->policy;
    for (size_t i = 0; i < c->world.n_requests; i++) {
        usec at = c->starts[i] > c->starts[granted] ? c->starts[i] : c->starts[granted];
        int64_t of_group[3] = {0}, needed = 0;
        if (at >= c->booked[granted].until)
            continue;
        for (size_t k = 0; k < c->world.n_requests; k++) {
            const struct world_request *r = &c->booked[k];
            usec until = r->ended && r->ended < r->until ? r->ended : r->until;
            for (size_t t = 0; t < p->n_templates && at >= c->starts[k] && at < until; t++)
                if (strcmp(p->templates[t].name, r->template) == 0)
                    of_group[strcmp(r->group, "alpha") != 0] += r->vms * p->templates[t].cpus;
        }
        for (size_t g = 0; g < p->n_groups; g++) {
            bool own = strcmp(p->groups[g].name, c->booked[granted].group) == 0;
            needed += own || of_group[g] > p->groups[g].quota.value ? of_group[g]
                                                                    : p->groups[g].quota.value;
        }
        if (p->limits.cpus.value != POLICY_UNLIMITED && needed > p->limits.cpus.value)
            return err_set(e, EINVAL, "%" PRId64 " cpus are promised or guaranteed", needed);
    }
    return 0;
}

/* Ask; what is granted is booked, at @at or as a new one. */
static int ask_for(struct calendar *c, struct calendar_ask ask, size_t at, struct err *e)
{
    const struct calendar_answer answer = calendar_ask(c->arena, c->policy, &c->world, &ask);
    const struct calendar_answer again = calendar_ask(c->arena, c->policy, &c->world, &ask);
    c->seen.asked++;
    c->seen.offers += answer.n_offers;
    if (!same_answer(&answer, &again))
        return err_set(e, EINVAL, "the same ask has two answers");
    int r = offers_hold(c, &ask, &answer, e);
    if (r == 0)
        r = hosts_do_not_lie(c, &ask, &answer, e);
    if (r < 0 || answer.reason.code)
        return r;
    c->seen.granted++;
    c->seen.changed += ask.replaces[0] != '\0';
    c->world.n_requests += at == c->world.n_requests;
    c->starts[at] = answer.starts;
    c->booked[at] = (struct world_request){
        .id = ask.replaces[0] ? ask.replaces
                              : arena_printf(c->arena, "r-%" PRIu64, c->seen.asked),
        .group = ask.group,
        .template = ask.template,
        .vms = ask.vms,
        .exclusive = ask.exclusive,
        .whole_host = ask.whole_host,
        .user = "alice",
        .seats = answer.seats,
        .n_seats = answer.n_seats,
        .from = ask.from,
        .until = ask.until};
    return quotas_are_kept(c, at, e);
}

static int ask_anew(struct calendar *c, struct err *e)
{
    static const char *const groups[] = {"alpha", "beta"};
    struct draw *d = c->draw;
    usec from = c->world.now + draw_range(d, 0, 30 * 60) * USEC_PER_MINUTE;
    struct calendar_ask ask = {
        .group = DRAW_ONE(d, groups),
        .template = c->policy->templates[draw_index(d, c->policy->n_templates)].name,
        .vms = draw_range(d, 1, draw_chance(d, 10) ? 40 : 6),
        .from = from,
        .until = from + draw_range(d, 10, draw_chance(d, 20) ? 2000 : 300) * USEC_PER_MINUTE,
        .exclusive = draw_chance(d, 50),
        .whole_host = draw_chance(d, 15),
        .replaces = ""};
    return ask_for(c, ask, c->world.n_requests, e);
}

/* More or fewer VMs, or another end; what has begun keeps its beginning. */
static int change(struct calendar *c, struct err *e)
{
    struct draw *d = c->draw;
    size_t at = draw_index(d, c->world.n_requests);
    const struct world_request *r = &c->booked[at];
    if (r->ended || r->until <= c->world.now)
        return 0;
    struct calendar_ask ask = {r->group, r->template,  r->vms,        r->from,
                               r->until, r->exclusive, r->whole_host, r->id};
    if (draw_chance(d, 60))
        ask.until += draw_range(d, -120, 240) * USEC_PER_MINUTE;
    else
        ask.vms = draw_range(d, 1, 8);
    if (r->from > c->world.now && draw_chance(d, 30))
        ask.from += draw_range(d, 0, 120) * USEC_PER_MINUTE;
    return ask_for(c, ask, at, e);
}

static void cancel(struct calendar *c)
{
    struct world_request *r = &c->booked[draw_index(c->draw, c->world.n_requests)];
    c->seen.cancelled += !r->ended;
    r->ended = r->ended ? r->ended : c->world.now;
}

/* Time passes, and what is over is forgotten. */
static void wait_a_while(struct calendar *c)
{
    size_t n = 0;
    c->world.now += draw_range(c->draw, 1, 300) * USEC_PER_MINUTE;
    for (size_t i = 0; i < c->world.n_requests; i++) {
        if (c->booked[i].until <= c->world.now || c->booked[i].ended)
            continue;
        c->starts[n] = c->starts[i];
        c->booked[n++] = c->booked[i];
    }
    c->world.n_requests = n;
}

static int run(struct calendar *c, struct err *e)
{
    for (int i = 0; i < DEEDS; i++) {
        int64_t deed = draw_range(c->draw, 0, 99);
        int r = 0;
        if (deed < 60 || !c->world.n_requests)
            r = c->world.n_requests < BOOKED_MOST ? ask_anew(c, e) : 0;
        else if (deed < 80)
            r = change(c, e);
        else if (deed < 88)
            cancel(c);
        else
            wait_a_while(c);
        if (r == 0)
            r = calendar_is_honest(c, e);
        if (r < 0)
            return r;
    }
    return calendar_live(c, e);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"seed", required_argument, NULL, 's'},
                                          {"calendars", required_argument, NULL, 'n'},
                                          {"calendar", required_argument, NULL, 'k'},
                                          {0}};
    uint64_t seed = 1, first = 0, until = 1000, n[5] = {0};
    int failed = 0;
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) >= 0;) {
        uint64_t value = optarg ? strtoull(optarg, NULL, 10) : 0;
        if (o == 's')
            seed = value;
        else if (o == 'n')
            until = value;
        else if (o == 'k')
            until = (first = value) + 1;
        else
            return 64;
    }
    for (uint64_t i = first; i < until && !failed; i++) {
        CLEANUP(arena_free_p) struct arena *a = arena_new();
        struct draw d = draw_from_seed(seed, i);
        struct calendar *c = calendar_new(a, &d);
        struct err e = {""};
        if (run(c, &e) < 0) {
            failed = 1;
            (void)printf("# %s\n#   again: --seed %" PRIu64 " --calendar %" PRIu64 "\n", e.text,
                         seed, i);
        }
        n[0] += c->seen.asked;
        n[1] += c->seen.granted;
        n[2] += c->seen.offers;
        n[3] += c->seen.changed;
        n[4] += c->seen.cancelled;
    }
    (void)printf("# %" PRIu64 " asks, %" PRIu64 " granted, %" PRIu64 " offers, %" PRIu64
                 " changed, %" PRIu64 " cancelled\n",
                 n[0], n[1], n[2], n[3], n[4]);
    (void)printf("%s 1 - random calendars of seed %" PRIu64 " promise what can be honoured\n1..1\n",
                 failed ? "not ok" : "ok", seed);
    return failed;
}
