#include "plan/booked.h"

#include <string.h>

struct sum {
    int64_t vms, cpus, memory;
};

struct booked {
    const struct policy *p;
    const struct world_request *old; /* that is changed; NULL: none */
    bool stays;                      /* its VMs are there */
    size_t group, template;
    struct span *spans;              /* by when they begin */
    const struct order_item *ends;   /* of spans, by when they end */
    size_t n;
    struct seating *seating;
    struct sum all; /* at one moment */
    struct sum *groups;
    int64_t *templates; /* VMs */
    int64_t guaranteed; /* cpus that the quotas of other groups are short of */
};

static uint64_t time_key(usec t)
{
    return (uint64_t)t ^ (uint64_t)1 << 63;
}

/* Sort by time, then by id. */
static struct order_item *sort(struct arena *a, const struct span *spans, size_t n, bool by_end)
{
    struct order_item *items = arena_take(a, n, sizeof(*items));
    struct order_item *spare = arena_take(a, n, sizeof(*spare));
    for (size_t i = 0; i < n; i++)
        items[i] = (struct order_item){time_key(by_end ? spans[i].until : spans[i].from),
                                       spans[i].facts->id, i};
    order_sort(items, n, spare);
    arena_drop(a, spare);
    return items;
}

static void gather(struct arena *a, const struct world *w, const struct calendar_ask *ask,
                   struct booked *b)
{
    const struct policy *p = b->p;
    struct span *spans = arena_take(a, w->n_requests, sizeof(*spans));
    usec *boot = arena_take(a, p->n_templates, sizeof(*boot));
    for (size_t t = 0; t < p->n_templates; t++)
        boot[t] = request_boot(p, w, p->templates[t].name);
    for (size_t i = 0; i < w->n_requests; i++) {
        const struct world_request *r = &w->requests[i];
        if (request_is_over(r, w->now))
            continue;
        size_t group = policy_find_group(p, r->group), template = policy_find_template(p, r->template);
        if (group == SIZE_MAX || template == SIZE_MAX || r->vms <= 0)
            continue;
        struct span span = {.from = r->from - request_lead(p, boot[template], r->vms),
                            .until = r->ended && r->ended < r->until ? r->ended : r->until,
                            .vms = r->vms < REQUEST_VMS_MAX ? r->vms : REQUEST_VMS_MAX,
                            .group = (uint32_t)group,
                            .template = (uint32_t)template,
                            .facts = r};
        if (ask->replaces[0] && strcmp(r->id, ask->replaces) == 0) {
            b->old = r;
            b->stays = span.from <= w->now && template == b->template;
        } else if (span.from < span.until) {
            spans[b->n++] = span;
        }
    }
    const struct order_item *begins = sort(a, spans, b->n, false);
    b->spans = arena_take(a, b->n, sizeof(*b->spans));
    for (size_t i = 0; i < b->n; i++)
        b->spans[i] = spans[begins[i].ref];
    b->ends = sort(a, b->spans, b->n, true);
}

struct booked *booked_open(struct arena *a, const struct policy *p, const struct world *w,
                           const struct calendar_ask *ask)
{
    struct booked *b = arena_take(a, 1, sizeof(*b));
    size_t template = policy_find_template(p, ask->template);
    *b = (struct booked){.p = p,
                         .group = policy_find_group(p, ask->group),
                         .template = template,
                         .seating = seating_open(a, p, w, template, ask->whole_host),
                         .groups = arena_take(a, p->n_groups, sizeof(*b->groups)),
                         .templates = arena_take(a, p->n_templates, sizeof(*b->templates))};
    gather(a, w, ask, b);
    return b;
}

/* What a group's quota guarantees beyond what the group has booked. */
static int64_t rest_of_quota(const struct booked *b, size_t group)
{
    int64_t rest = b->p->groups[group].quota.value - b->groups[group].cpus;
    return group != b->group && rest > 0 ? rest : 0;
}

static void clear(struct booked *b)
{
    b->all = (struct sum){0};
    memset(b->groups, 0, b->p->n_groups * sizeof(*b->groups));
    memset(b->templates, 0, b->p->n_templates * sizeof(*b->templates));
    b->guaranteed = 0;
    for (size_t g = 0; g < b->p->n_groups; g++)
        b->guaranteed += rest_of_quota(b, g);
    seating_clear(b->seating);
}

static void hold(struct booked *b, struct span *span, int64_t sign)
{
    const struct policy_template *t = &b->p->templates[span->template];
    struct sum *to[] = {&b->all, &b->groups[span->group]};
    b->guaranteed -= rest_of_quota(b, span->group);
    for (size_t i = 0; i < 2; i++) {
        to[i]->vms += sign * span->vms;
        to[i]->cpus += sign * span->vms * t->cpus;
        to[i]->memory += sign * span->vms * t->memory;
    }
    b->templates[span->template] += sign * span->vms;
    b->guaranteed += rest_of_quota(b, span->group);
    seating_hold(b->seating, span, sign);
}

static struct reason over_quotas(int64_t cpus_left, int64_t guaranteed)
{
    return (struct reason){REASON_BOOKED_QUOTA, cpus_left > 0 ? cpus_left : 0, guaranteed};
}

/* What is in the way of @vms VMs more, at one moment; @ret_room: how many would do. */
static struct reason in_the_way(const struct booked *b, int64_t vms, int64_t *ret_room)
{
    const struct policy *p = b->p;
    const struct policy_template *t = &p->templates[b->template];
    const struct policy_group *g = &p->groups[b->group];
    const struct sum *all = &b->all, *own = &b->groups[b->group];
    const struct {
        const struct setting *limit;
        int64_t used, each;
        enum reason_code code;
        const char *subject;
    } held[] = {
        {&p->limits.vms, all->vms, 1, REASON_BOOKED_VMS, NULL},
        {&p->limits.cpus, all->cpus + b->guaranteed, t->cpus, REASON_BOOKED_CPUS, NULL},
        {&p->limits.memory, all->memory, t->memory, REASON_BOOKED_MEMORY, NULL},
        {&t->max_vms, b->templates[b->template], 1, REASON_BOOKED_TEMPLATE, t->name},
        {&g->max, own->cpus, t->cpus, REASON_BOOKED_GROUP, g->name},
        {&g->max_vms, own->vms, 1, REASON_BOOKED_GROUP_VMS, g->name},
        {&g->max_memory, own->memory, t->memory, REASON_BOOKED_GROUP_MEMORY, g->name},
    };
    const int64_t room = seating_room(b->seating);
    struct reason why = {0};
    *ret_room = room;
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        const int64_t limit = held[i].limit->value, n = held[i].used + vms * held[i].each;
        if (limit == POLICY_UNLIMITED || n <= limit)
            continue;
        int64_t left = limit > held[i].used ? (limit - held[i].used) / held[i].each : 0;
        *ret_room = left < *ret_room ? left : *ret_room;
        if (!why.code)
            why = (struct reason){held[i].code, n, limit, held[i].limit->at, held[i].subject};
    }
    if (why.code)
        return why;
    if (room < vms)
        return (struct reason){REASON_BOOKED_HOSTS, room, vms, t->at, t->name};
    int64_t cpus = seating_cpus(b->seating) - seating_booked_cpus(b->seating);
    if (b->guaranteed == 0 || cpus - vms * t->cpus >= b->guaranteed)
        return (struct reason){0};
    *ret_room = cpus > b->guaranteed ? (cpus - b->guaranteed) / t->cpus : 0;
    return over_quotas(cpus - vms * t->cpus, b->guaranteed);
}

/* A window while it is swept. */
struct sweep {
    struct fit fit;
    usec until;
    usec first_end;  /* after its start; USEC_NEVER: there is none */
    usec last_begin; /* within it; 0: there is none */
    int64_t least_left; /* cpus of hosts that are neither booked nor guaranteed by a quota */
    int64_t guaranteed; /* then */
};

/* From @at to @next nothing begins and nothing ends. */
static void look(const struct booked *b, int64_t vms, usec at, usec next, struct sweep *s)
{
    int64_t room = 0;
    struct reason why = in_the_way(b, vms, &room);
    int64_t left = seating_cpus(b->seating) - seating_booked_cpus(b->seating) - b->guaranteed;
    if (b->guaranteed > 0 && left < s->least_left) {
        s->least_left = left;
        s->guaranteed = b->guaranteed;
    }
    if (!why.code)
        return;
    s->fit.room = room < s->fit.room ? room : s->fit.room;
    if (!s->fit.reason.code) {
        s->fit.reason = why;
        s->fit.free_until = at;
    }
    s->fit.free_from = next;
}

static void sweep(struct booked *b, int64_t vms, usec starts, struct sweep *s)
{
    size_t begin = 0, end = 0;
    int64_t room = 0;
    clear(b);
    if (in_the_way(b, vms, &room).code) { /* whatever is booked */
        look(b, vms, starts, USEC_NEVER, s);
        s->fit.free_until = 0;
        return;
    }
    for (; begin < b->n && b->spans[begin].from <= starts; begin++)
        if (b->spans[begin].until > starts)
            hold(b, &b->spans[begin], 1);
    while (end < b->n && b->spans[b->ends[end].ref].until <= starts)
        end++;
    s->first_end = end < b->n ? b->spans[b->ends[end].ref].until : USEC_NEVER;
    for (usec at = starts; at < s->until;) {
        usec ends = end < b->n ? b->spans[b->ends[end].ref].until : USEC_NEVER;
        usec begins = begin < b->n ? b->spans[begin].from : USEC_NEVER;
        usec next = ends < begins ? ends : begins;
        look(b, vms, at, next, s);
        at = next;
        if (at >= s->until)
            return;
        for (; end < b->n && b->spans[b->ends[end].ref].until == at; end++)
            hold(b, &b->spans[b->ends[end].ref], -1);
        for (; begin < b->n && b->spans[begin].from == at; begin++) {
            hold(b, &b->spans[begin], 1);
            s->last_begin = at;
        }
    }
}

struct fit booked_fit(struct booked *b, int64_t vms, usec starts, usec until)
{
    const struct policy_template *t = &b->p->templates[b->template];
    struct sweep s = {.fit.room = vms, .until = until, .least_left = INT64_MAX};
    int64_t cpus = 0;
    sweep(b, vms, starts, &s);
    if (s.fit.reason.code)
        return s.fit;
    int64_t seats = seating_choose(b->seating, vms, b->old, b->stays, &cpus);
    s.fit.room = seats;
    if (seats < vms)
        s.fit.reason = (struct reason){REASON_BOOKED_HOSTS, seats, vms, t->at, t->name};
    else if (s.least_left < cpus)
        s.fit.reason = over_quotas(s.least_left + s.guaranteed - cpus, s.guaranteed);
    s.fit.free_from = s.first_end; /* then there are other seats */
    s.fit.free_until = s.last_begin;
    return s.fit;
}

const struct world_seat *booked_seats(const struct booked *b, size_t *ret_n)
{
    return seating_list(b->seating, ret_n);
}
