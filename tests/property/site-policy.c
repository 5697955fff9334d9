/*
 * The policy of a random site. Names are few, so that worlds and policies meet.
 */
#include "property/site.h"

#include <string.h>

static const char *const tags[] = {"ssd", "gpu", "fast"};

/* Mostly no limit; else one that is often reached, and sometimes 0. */
static struct setting limit(struct draw *d, unsigned line, int percent, int64_t most)
{
    if (!draw_chance(d, percent))
        return (struct setting){POLICY_UNLIMITED};
    return (struct setting){draw_chance(d, 10) ? 0 : draw_range(d, 1, most), {line}};
}

static const char **some_tags(struct arena *a, struct draw *d, int percent, size_t *ret_n)
{
    const char **list = arena_take(a, sizeof(tags) / sizeof(tags[0]), sizeof(*list));
    *ret_n = 0;
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (draw_chance(d, percent))
            list[(*ret_n)++] = tags[i];
    return list;
}

static void make_templates(struct arena *a, struct draw *d, struct policy *p)
{
    static const char *const names[] = {"small", "large", "gpu", "tiny"};
    static const int64_t sizes[] = {2, 1, 4, 8, 16, 64};
    static const int64_t each[] = {2 * GIB, GIB, 4 * GIB, 1900 * MIB, 512 * MIB};
    struct policy_template *t = arena_take(a, 4, sizeof(*t));
    p->n_templates = (size_t)draw_range(d, 1, 4);
    p->templates = t;
    for (size_t i = 0; i < p->n_templates; i++) {
        t[i] = (struct policy_template){
            .name = names[i],
            .domain = "/etc/eyrie/domain.xml",
            .domain_xml = "<domain/>",
            .image = "debian13.qcow2",
            .generation = draw_chance(d, 10) ? "g2" : "g1",
            .cpus = DRAW_ONE(d, sizes),
            .disk = draw_range(d, 1, 10) * 10 * GIB,
            .gpus = draw_chance(d, 10) ? draw_range(d, 1, 4) : 0,
            .spare = draw_chance(d, 20) ? draw_range(d, 1, 3) : 0,
            .max_vms = limit(d, 50 + (unsigned)i, 15, 6),
            .at = {40 + (unsigned)i},
        };
        t[i].memory = t[i].cpus * DRAW_ONE(d, each);
        t[i].needs = some_tags(a, d, 4, &t[i].n_needs);
    }
}

static void make_budgets(struct arena *a, struct draw *d, struct policy_group *g)
{
    struct policy_budget *list = arena_take(a, 2, sizeof(*list));
    g->disruption = list;
    g->n_disruption = draw_chance(d, 20) ? (size_t)draw_range(d, 1, 2) : 0;
    g->disruption_text = arena_take(a, 2, sizeof(*g->disruption_text));
    g->n_disruption_text = g->n_disruption;
    for (size_t i = 0; i < g->n_disruption; i++) {
        list[i] = (struct policy_budget){
            .days = draw_chance(d, 50) ? POLICY_EVERY_DAY : (unsigned)draw_range(d, 1, 0x7f),
            .from = draw_chance(d, 50) ? 0 : (int)draw_range(d, 0, POLICY_DAY_MINUTES - 1),
            .until = POLICY_DAY_MINUTES,
            .percent = draw_chance(d, 50),
            .at = {90},
        };
        if (list[i].from && draw_chance(d, 70))
            list[i].until = (int)draw_range(d, 1, POLICY_DAY_MINUTES);
        list[i].number = list[i].percent ? draw_range(d, 0, 100) : draw_range(d, 0, 3);
        g->disruption_text[i] = "a budget";
    }
}

static void make_groups(struct arena *a, struct draw *d, struct policy *p)
{
    static const char *const names[] = {"alpha", "beta", "delta", "gamma", "zeta"};
    static const char *const users[] = {"alice", "bob"};
    struct policy_group *g = arena_take(a, 5, sizeof(*g));
    size_t first = draw_chance(d, 5) ? 5 : draw_index(d, 3);
    p->groups = g;
    for (size_t k = first; k < 5; k++) {
        if (k > first && !draw_chance(d, 60))
            continue;
        struct policy_group *group = &g[p->n_groups++];
        size_t *list = arena_take(a, p->n_templates, sizeof(*list));
        *group = (struct policy_group){
            .name = names[k],
            .quota = {draw_chance(d, 30) ? draw_range(d, 1, 40) : 0, {60}},
            .max = limit(d, 61, 25, 60),
            .max_vms = limit(d, 62, 15, 8),
            .max_memory = limit(d, 63, 10, 200),
            .weight = {draw_chance(d, 30) ? draw_range(d, 0, 5) : 1, {64}},
            .templates = list,
            .exclusive = draw_chance(d, 25),
            .at = {59},
        };
        if (group->max_memory.value != POLICY_UNLIMITED)
            group->max_memory.value *= GIB;
        if (group->quota.value > group->max.value)
            group->quota.value = group->max.value;
        bool all = !draw_chance(d, 30);
        for (size_t t = 0; t < p->n_templates; t++)
            if (all || draw_chance(d, 50))
                list[group->n_templates++] = t;
        draw_shuffle(d, list, all ? 0 : group->n_templates, sizeof(*list));
        if (draw_chance(d, 20)) {
            group->submitters = arena_take(a, 1, sizeof(*group->submitters));
            group->submitters[group->n_submitters++] = DRAW_ONE(d, users);
        }
        make_budgets(a, d, group);
    }
}

static void make_hosts(struct arena *a, struct draw *d, struct policy *p)
{
    static const char *const names[] = {"hv1", "hv2", "hv3", "hv4", "hv5"};
    struct policy_host *h = arena_take(a, 5, sizeof(*h));
    p->hosts = h;
    p->n_hosts = draw_chance(d, 3) ? 0 : (size_t)draw_range(d, 1, draw_chance(d, 20) ? 5 : 2);
    for (size_t i = 0; i < p->n_hosts; i++) {
        h[i] = (struct policy_host){
            .name = names[i],
            .uri = "test:///default",
            .storage_pool = "eyrie",
            .cpus = draw_chance(d, 30) ? draw_range(d, 1, 64) : 0,
            .memory = draw_chance(d, 30) ? draw_range(d, 1, 128) * GIB : 0,
            .reserve = i % 2 * GIB,
            .max_vms = limit(d, 30, 10, 5),
            .at = {29},
        };
        h[i].tags = some_tags(a, d, 60, &h[i].n_tags);
    }
}

static void make_limits(struct draw *d, struct policy *p)
{
    p->limits.vms = limit(d, 20, 30, 12);
    p->limits.cpus = limit(d, 21, 25, 80);
    p->limits.memory = limit(d, 22, 15, 200);
    if (p->limits.memory.value != POLICY_UNLIMITED)
        p->limits.memory.value *= GIB;
    p->limits.starts_in_flight = (struct setting){10};
    p->limits.starts_per_minute = (struct setting){60};
    if (draw_chance(d, 25))
        p->limits.starts_in_flight = limit(d, 23, 80, 8);
    if (draw_chance(d, 25))
        p->limits.starts_per_minute = limit(d, 24, 80, 8);
    p->limits.host_starts_in_flight = limit(d, 25, 10, 4);
    p->limits.host_starts_per_minute = limit(d, 26, 10, 4);
    if (p->limits.host_starts_in_flight.value == 0)
        p->limits.host_starts_in_flight.value = 1;
    if (p->limits.host_starts_per_minute.value == 0)
        p->limits.host_starts_per_minute.value = 1;
    p->limits.slow_start = (struct setting){draw_chance(d, 30) ? draw_range(d, 1, 3) : 0, {27}};
    if (draw_chance(d, 2)) { /* nothing holds it back but the number of actions in a step */
        const struct setting none = {POLICY_UNLIMITED};
        p->limits.vms = p->limits.cpus = p->limits.memory = none;
        p->limits.starts_in_flight = p->limits.starts_per_minute = none;
        p->limits.slow_start.value = 0;
    }
    p->placement.order = draw_chance(d, 30) ? POLICY_PACK : POLICY_SPREAD;
    p->placement.overcommit.value = draw_chance(d, 25) ? draw_range(d, 1, 400) : 100;
}

static void make_timing(struct draw *d, struct policy *p)
{
    p->timing.look_every.value = 10 * USEC_PER_SEC;
    p->timing.settle.value = draw_chance(d, 15) ? 30 * USEC_PER_SEC : 0;
    p->timing.idle_before_drain.value = draw_chance(d, 20) ? 0 : 10 * USEC_PER_MINUTE;
    p->timing.min_life.value = draw_chance(d, 15) ? USEC_PER_HOUR : 0;
    p->timing.cool_down.value = draw_chance(d, 15) ? 5 * USEC_PER_MINUTE : 0;
    p->timing.join_within.value = 10 * USEC_PER_MINUTE;
    p->timing.first_job_within.value = draw_chance(d, 10) ? 0 : draw_range(d, 1, 6) * 10 * USEC_PER_MINUTE;
    p->timing.drain_within.value = draw_chance(d, 20) ? 0 : USEC_PER_DAY;
    p->timing.poweroff_within.value = 2 * USEC_PER_MINUTE;
    p->timing.max_age.value = draw_chance(d, 20) ? USEC_PER_HOUR : 14 * USEC_PER_DAY;
    p->timing.rest_after_failure.value = 10 * USEC_PER_SEC;
    p->timing.rest_at_most.value = 10 * USEC_PER_MINUTE;
    p->timing.trust_for.value = USEC_PER_MINUTE;
    p->timing.token_life.value = 15 * USEC_PER_DAY;
    p->timing.on_drain_timeout = draw_chance(d, 30) ? POLICY_DRAIN_KILL : POLICY_DRAIN_WAIT;
}

const struct policy *site_policy(struct arena *a, struct draw *d)
{
    static const char *const names[] = {"schedd1", "schedd2", "schedd3"};
    struct policy *p = arena_take(a, 1, sizeof(*p));
    struct policy_schedd *schedds = arena_take(a, 3, sizeof(*schedds));
    *p = (struct policy){
        .file = "eyrie.yaml",
        .pool = {SITE_POOL, "VirtualPool", "vcm:9618", "vcm", "EYRIE", ""},
        .paths = {"/var/lib/eyrie", "/run/eyrie.sock", "/usr/share/eyrie",
                  "/usr/libexec/eyrie-host"},
        .schedds = schedds,
        .n_schedds = (size_t)draw_range(d, 1, draw_chance(d, 20) ? 3 : 1),
    };
    for (size_t i = 0; i < p->n_schedds; i++)
        schedds[i] = (struct policy_schedd){names[i], "cm", "/etc/condor/60-eyrie.conf", "", {10}};
    make_limits(d, p);
    make_timing(d, p);
    make_templates(a, d, p);
    make_groups(a, d, p);
    make_hosts(a, d, p);
    return p;
}
