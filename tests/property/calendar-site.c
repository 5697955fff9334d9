#include <string.h>

#include "property/calendar.h"

static struct setting limit(struct draw *d, int percent, int64_t low, int64_t high)
{
    return (struct setting){draw_chance(d, percent) ? draw_range(d, low, high) : POLICY_UNLIMITED,
                            {20}};
}

static void make_hosts(struct calendar *c)
{
    static const char *const names[] = {"hv1", "hv2", "hv3", "hv4", "hv5"};
    static const char *tags[] = {"fast"};
    static const int64_t cpus[] = {8, 4, 16};
    struct policy_host *h = arena_take(c->arena, 5, sizeof(*h));
    struct world_host *facts = arena_take(c->arena, 5, sizeof(*facts));
    struct draw *d = c->draw;
    c->policy->hosts = h;
    c->policy->n_hosts = (size_t)draw_range(d, 1, 5);
    c->world.hosts = facts;
    c->world.n_hosts = c->policy->n_hosts;
    for (size_t i = 0; i < c->policy->n_hosts; i++) {
        h[i] = (struct policy_host){.name = names[i],
                                    .uri = "test:///default",
                                    .storage_pool = "eyrie",
                                    .cpus = DRAW_ONE(d, cpus),
                                    .memory = draw_range(d, 8, 64) * GIB,
                                    .max_vms = limit(d, 20, 1, 6),
                                    .tags = tags,
                                    .n_tags = draw_chance(d, 60)};
        facts[i] = (struct world_host){.name = names[i],
                                       .fact = {.asked = c->world.now, .error = ""},
                                       .order = WORLD_NOBODY,
                                       .storage_available = 1000 * TIB};
        if (draw_chance(d, 15)) {
            struct world_domain *foreign = arena_take(c->arena, 1, sizeof(*foreign));
            *foreign = (struct world_domain){.uuid = arena_printf(c->arena, "foreign-%zu", i),
                                             .name = "theirs",
                                             .state = "running",
                                             .why_foreign = "",
                                             .template = "",
                                             .generation = "",
                                             .group = "",
                                             .request = "",
                                             .cpus = draw_range(d, 1, 4),
                                             .memory = GIB};
            facts[i].domains = foreign;
            facts[i].n_domains = 1;
        }
    }
}

static void make_templates(struct calendar *c)
{
    static const char *const names[] = {"large", "middle", "tiny"};
    static const char *needs[] = {"fast"};
    struct policy_template *t = arena_take(c->arena, 3, sizeof(*t));
    struct draw *d = c->draw;
    c->policy->templates = t;
    c->policy->n_templates = (size_t)draw_range(d, 1, 3);
    for (size_t i = 0; i < c->policy->n_templates; i++)
        t[i] = (struct policy_template){.name = names[i],
                                        .domain = "x.xml",
                                        .domain_xml = "",
                                        .image = "img",
                                        .generation = "g",
                                        .cpus = draw_range(d, 1, 6),
                                        .memory = draw_range(d, 1, 16) * GIB,
                                        .disk = GIB,
                                        .max_vms = limit(d, 15, 1, 8),
                                        .needs = needs,
                                        .n_needs = draw_chance(d, 20),
                                        .at = {30}};
}

static void make_groups(struct calendar *c)
{
    static const char *const names[] = {"alpha", "beta", "others"};
    static const size_t all[] = {0, 1, 2};
    struct policy_group *g = arena_take(c->arena, 3, sizeof(*g));
    struct draw *d = c->draw;
    c->policy->groups = g;
    c->policy->n_groups = 3;
    for (size_t i = 0; i < 3; i++) {
        bool plain = i == 2; /* whose VMs are in the way */
        g[i] = (struct policy_group){
            .name = names[i],
            .quota = {!plain && draw_chance(d, 40) ? draw_range(d, 1, 12) : 0, {40}},
            .max = plain ? limit(d, 0, 0, 0) : limit(d, 20, 4, 40),
            .max_vms = plain ? limit(d, 0, 0, 0) : limit(d, 20, 1, 8),
            .max_memory = limit(d, 0, 0, 0),
            .weight = {1, {41}},
            .templates = all,
            .n_templates = c->policy->n_templates,
            .requests = {.max_cpus = limit(d, 15, 2, 20),
                         .max_length = {draw_chance(d, 15) ? 4 * USEC_PER_HOUR : 0, {42}},
                         .max_lead = {draw_chance(d, 15) ? USEC_PER_DAY : 0, {43}},
                         .max_open = limit(d, 15, 1, 6)},
            .at = {39}};
    }
}

struct calendar *calendar_new(struct arena *a, struct draw *d)
{
    static const char *const files[] = {"eyrie.yaml"};
    struct calendar *c = arena_take(a, 1, sizeof(*c));
    struct policy *p = c->policy = arena_take(a, 1, sizeof(*p));
    c->arena = a;
    c->draw = d;
    c->world = (struct world){.now = INT64_C(1700000000) * USEC_PER_SEC,
                              .order = WORLD_NOBODY,
                              .requests = c->booked};
    *p = (struct policy){
        .file = "eyrie.yaml",
        .files = files,
        .n_files = 1,
        .pool.name = "vpool",
        .limits = {limit(d, 25, 2, 20), limit(d, 35, 4, 60), limit(d, 15, 8, 128),
                   {draw_chance(d, 50) ? 1000 : 4, {24}}, {POLICY_UNLIMITED, {25}},
                   {POLICY_UNLIMITED, {26}}, {POLICY_UNLIMITED, {27}}, {0, {28}}, 0},
        .placement.overcommit = {draw_chance(d, 20) ? 150 : 100, {29}},
        .placement.order = draw_chance(d, 50) ? POLICY_PACK : POLICY_SPREAD,
        .timing = {.idle_before_drain = {1000 * USEC_PER_DAY, {50}},
                   .join_within = {5 * USEC_PER_MINUTE, {51}},
                   .poweroff_within = {2 * USEC_PER_MINUTE, {52}},
                   .max_age = {1000 * USEC_PER_DAY, {53}},
                   .trust_for = {USEC_PER_HOUR, {54}}}};
    if (p->limits.memory.value != POLICY_UNLIMITED)
        p->limits.memory.value *= GIB;
    make_hosts(c);
    make_templates(c);
    make_groups(c);
    if (draw_chance(d, 20)) {
        struct policy_blackout *b = arena_take(a, 1, sizeof(*b));
        b->from = c->world.now + draw_range(d, 0, 48) * USEC_PER_HOUR;
        b->until = b->from + draw_range(d, 1, 8) * USEC_PER_HOUR;
        b->from_text = b->until_text = b->reason = "";
        p->blackouts = b;
        p->n_blackouts = 1;
    }
    return c;
}
