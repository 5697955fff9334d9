#include "plan/seat.h"

#include <stdlib.h>
#include <string.h>

/* What is booked on a host. */
struct hold {
    int64_t cpus, memory, vms;
    int64_t whole; /* requests that have it for themselves */
};

struct ground {
    const struct policy_host *policy;
    int64_t cpus, memory; /* for VMs of ours */
    bool closed;          /* an admin said: no VM */
    bool foreign;         /* somebody else's domain is on it: it is nobody's whole host */
    bool suits;           /* the template that is asked for */
    struct hold now, most;
    int64_t room;  /* for VMs of the template, now */
    int64_t taken; /* of them, by what was chosen */
};

struct seating {
    struct arena *arena;
    const struct policy *p;
    const struct policy_template *t;
    bool whole_host;
    struct ground *grounds; /* as policy.hosts */
    const struct world_host **facts; /* likewise; NULL: never seen */
    const struct names *by_name;
    struct span **homeless; /* that have fewer seats than VMs, and were in the window */
    size_t n_homeless, capacity;
    int64_t room, cpus, booked_cpus;
};

static void survey(struct ground *g, const struct policy *p, const struct world_host *facts)
{
    g->cpus = plan_host_cpus(p, g->policy, facts);
    g->memory = plan_host_memory(g->policy, facts);
    g->closed = facts && (facts->cordoned || facts->drain || facts->fenced);
    for (size_t i = 0; facts && i < facts->n_domains; i++) {
        if (facts->domains[i].ours || !plan_domain_counts(&facts->domains[i]))
            continue;
        g->foreign = true;
        g->cpus -= facts->domains[i].cpus;
        g->memory -= facts->domains[i].memory + VM_OVERHEAD;
    }
    g->cpus = g->cpus > 0 ? g->cpus : 0;
}

static bool suits(const struct seating *s, size_t host, const struct policy_template *t)
{
    const struct ground *g = &s->grounds[host];
    return !g->closed && host_has_tags(g->policy, t) &&
           (!s->facts[host] || host_has_image(s->facts[host], t));
}

struct seating *seating_open(struct arena *a, const struct policy *p, const struct world *w,
                             size_t template, bool whole_host)
{
    struct seating *s = arena_take(a, 1, sizeof(*s));
    struct names *by_name = names_new(a, p->n_hosts);
    *s = (struct seating){.arena = a,
                          .p = p,
                          .t = &p->templates[template],
                          .whole_host = whole_host,
                          .grounds = arena_take(a, p->n_hosts, sizeof(*s->grounds)),
                          .facts = arena_take(a, p->n_hosts, sizeof(const struct world_host *)),
                          .by_name = by_name};
    for (size_t i = 0; i < p->n_hosts; i++)
        (void)names_add(by_name, p->hosts[i].name, i);
    for (size_t i = 0; i < w->n_hosts; i++) {
        size_t host = names_find(by_name, w->hosts[i].name);
        if (host != SIZE_MAX)
            s->facts[host] = &w->hosts[i];
    }
    for (size_t i = 0; i < p->n_hosts; i++) {
        struct ground *g = &s->grounds[i];
        g->policy = &p->hosts[i];
        survey(g, p, s->facts[i]);
        g->suits = suits(s, i, s->t);
        s->cpus += g->closed ? 0 : g->cpus;
    }
    return s;
}

static int64_t fits(int64_t room, int64_t each)
{
    return room < each || each <= 0 ? 0 : room / each;
}

/* How many VMs of @t a host has room for beside what is booked. */
static int64_t room_beside(const struct ground *g, const struct hold *booked,
                           const struct policy_template *t, bool whole_host)
{
    int64_t cpus = fits(g->cpus - booked->cpus, t->cpus);
    int64_t memory = fits(g->memory - booked->memory, t->memory + VM_OVERHEAD);
    int64_t n = cpus < memory ? cpus : memory;
    if (booked->whole || (whole_host && (booked->vms || g->foreign)))
        return 0;
    if (g->policy->max_vms.value != POLICY_UNLIMITED && g->policy->max_vms.value - booked->vms < n)
        n = g->policy->max_vms.value - booked->vms;
    if (whole_host && n > 1)
        n = 1;
    return n > 0 ? n : 0;
}

static void measure(struct seating *s, struct ground *g)
{
    s->room -= g->room;
    g->room = g->suits ? room_beside(g, &g->now, s->t, s->whole_host) : 0;
    s->room += g->room;
}

void seating_clear(struct seating *s)
{
    s->n_homeless = 0;
    s->booked_cpus = 0;
    for (size_t i = 0; i < s->p->n_hosts; i++) {
        struct ground *g = &s->grounds[i];
        g->now = g->most = (struct hold){0};
        g->taken = 0;
        measure(s, g);
    }
}

static void look_up(const struct seating *s, struct span *span)
{
    const struct world_request *r = span->facts;
    span->hosts = arena_take(s->arena, r->n_seats + 1, sizeof(*span->hosts));
    for (size_t i = 0; i < r->n_seats; i++) {
        size_t host = names_find(s->by_name, r->seats[i].host);
        bool there = host != SIZE_MAX && !s->grounds[host].closed && r->seats[i].vms > 0;
        span->hosts[i] = there ? (uint32_t)host : NO_HOST;
    }
}

static void add(struct hold *h, const struct policy_template *t, int64_t vms, bool whole_host)
{
    h->cpus += vms * t->cpus;
    h->memory += vms * (t->memory + VM_OVERHEAD);
    h->vms += vms;
    h->whole += vms > 0 ? whole_host : vms < 0 ? -whole_host : 0;
}

static void remember_most(struct ground *g)
{
    const struct hold *now = &g->now;
    struct hold *most = &g->most;
    most->cpus = now->cpus > most->cpus ? now->cpus : most->cpus;
    most->memory = now->memory > most->memory ? now->memory : most->memory;
    most->vms = now->vms > most->vms ? now->vms : most->vms;
    most->whole = now->whole > most->whole ? now->whole : most->whole;
}

void seating_hold(struct seating *s, struct span *span, int64_t sign)
{
    const struct policy_template *t = &s->p->templates[span->template];
    const struct world_request *r = span->facts;
    int64_t left = span->vms;
    if (!span->hosts)
        look_up(s, span);
    for (size_t i = 0; i < r->n_seats && left > 0; i++) {
        if (span->hosts[i] == NO_HOST)
            continue;
        struct ground *g = &s->grounds[span->hosts[i]];
        int64_t vms = r->seats[i].vms < left ? r->seats[i].vms : left;
        add(&g->now, t, sign * vms, r->whole_host);
        remember_most(g);
        measure(s, g);
        s->booked_cpus += sign * (r->whole_host ? g->cpus : vms * t->cpus);
        left -= vms;
    }
    s->booked_cpus += sign * left * t->cpus;
    if (left > 0 && sign > 0) {
        s->homeless = arena_grow(s->arena, s->homeless, s->n_homeless, &s->capacity,
                                 sizeof(struct span *));
        s->homeless[s->n_homeless++] = span;
    }
}

int64_t seating_room(const struct seating *s)
{
    return s->room;
}

int64_t seating_cpus(const struct seating *s)
{
    return s->cpus;
}

int64_t seating_booked_cpus(const struct seating *s)
{
    return s->booked_cpus;
}

static int homeless_order(const void *left, const void *right)
{
    const struct span *a = *(const struct span *const *)left;
    const struct span *b = *(const struct span *const *)right;
    return request_order(a->facts, b->facts);
}

/* VMs that have no seat are given the room that is left, as if for all of the window. */
static void house(struct seating *s)
{
    if (s->n_homeless > 1)
        qsort(s->homeless, s->n_homeless, sizeof(struct span *), homeless_order);
    for (size_t k = 0; k < s->n_homeless; k++) {
        const struct span *span = s->homeless[k];
        const struct policy_template *t = &s->p->templates[span->template];
        int64_t left = span->vms;
        for (size_t i = 0; i < span->facts->n_seats; i++)
            left -= span->hosts[i] == NO_HOST ? 0 : span->facts->seats[i].vms;
        for (size_t i = 0; i < s->p->n_hosts && left > 0; i++) {
            struct ground *g = &s->grounds[i];
            int64_t room = suits(s, i, t) ? room_beside(g, &g->most, t, span->facts->whole_host) : 0;
            int64_t vms = room < left ? room : left;
            add(&g->most, t, vms, span->facts->whole_host);
            left -= vms;
        }
    }
}

static void choose(struct seating *s, struct ground *g, int64_t vms, int64_t *left,
                   int64_t *ret_cpus)
{
    int64_t room = g->suits ? room_beside(g, &g->most, s->t, s->whole_host) : 0;
    vms = vms < *left ? vms : *left;
    vms = vms < room ? vms : room;
    if (vms <= 0)
        return;
    add(&g->most, s->t, vms, s->whole_host);
    g->taken += vms;
    *left -= vms;
    *ret_cpus += s->whole_host ? g->cpus : vms * s->t->cpus;
}

/* A host with little left, so that those with more are left to larger VMs and whole hosts; among
 * equals the one that the file names first. */
struct choice {
    struct ground *ground;
    int64_t room, memory;
};

static int tightest_first(const void *left, const void *right)
{
    const struct choice *a = left, *b = right;
    if (a->room != b->room)
        return a->room < b->room ? -1 : 1;
    if (a->memory != b->memory)
        return a->memory < b->memory ? -1 : 1;
    return a->ground < b->ground ? -1 : a->ground > b->ground;
}

int64_t seating_choose(struct seating *s, int64_t vms, const struct world_request *old, bool stays,
                       int64_t *ret_cpus)
{
    int64_t left = vms, kept = 0;
    struct choice *choices = arena_take(s->arena, s->p->n_hosts, sizeof(*choices));
    size_t n = 0;
    *ret_cpus = 0;
    house(s);
    for (size_t i = 0; old && i < old->n_seats; i++) {
        size_t host = names_find(s->by_name, old->seats[i].host);
        if (host == SIZE_MAX || s->grounds[host].closed)
            continue;
        choose(s, &s->grounds[host], old->seats[i].vms, &left, ret_cpus);
        kept += old->seats[i].vms;
    }
    kept = kept < vms ? kept : vms;
    if (stays && vms - left < kept) /* they are there, and cannot move */
        return vms - left;
    for (size_t i = 0; i < s->p->n_hosts; i++) {
        struct ground *g = &s->grounds[i];
        int64_t room = g->suits ? room_beside(g, &g->most, s->t, s->whole_host) : 0;
        if (room > 0)
            choices[n++] = (struct choice){g, room, g->memory - g->most.memory};
    }
    if (n > 1)
        qsort(choices, n, sizeof(*choices), tightest_first);
    for (size_t i = 0; i < n && left > 0; i++)
        choose(s, choices[i].ground, choices[i].room, &left, ret_cpus);
    arena_drop(s->arena, choices);
    return vms - left;
}

const struct world_seat *seating_list(const struct seating *s, size_t *ret_n)
{
    struct world_seat *seats = arena_take(s->arena, s->p->n_hosts, sizeof(*seats));
    *ret_n = 0;
    for (size_t i = 0; i < s->p->n_hosts; i++)
        if (s->grounds[i].taken > 0)
            seats[(*ret_n)++] = (struct world_seat){s->grounds[i].policy->name, s->grounds[i].taken};
    return seats;
}
