#include "config/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct check {
    struct arena *arena;
    struct report *report;
    const struct tree_node *root;
    const struct policy *policy;
};

/* A name, and where the file says it. */
struct named {
    const char *name;
    const struct tree_node *node;
};

static int named_compare(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order)
        return order;
    struct place p = x->node->place, q = y->node->place;
    if (p.source->index != q.source->index)
        return p.source->index < q.source->index ? -1 : 1;
    return p.line != q.line ? (p.line < q.line ? -1 : 1) : p.column < q.column ? -1 : 1;
}

/* Where something else is said, for a message about @here: "line 5", in another file with its name. */
static const char *where(struct check *c, const struct tree_node *here, struct policy_place at)
{
    if (at.line == 0)
        return "the default";
    if (at.file == here->place.source->index)
        return arena_printf(c->arena, "line %u", at.line);
    return arena_printf(c->arena, "%s:%u", c->policy->files[at.file], at.line);
}

/* Complain about every name but the first of each. "" (which was refused before) does not count. */
static void check_unique(struct check *c, struct named *names, size_t n, const char *what)
{
    qsort(names, n, sizeof(*names), named_compare);
    for (size_t i = 1; i < n; i++) {
        if (*names[i].name && strcmp(names[i].name, names[i - 1].name) == 0)
            tree_complain(c->report, names[i].node, "%s %s is given twice; first in %s", what,
                          report_quote(c->arena, names[i].name),
                          where(c, names[i].node, tree_policy_place(names[i - 1].node)));
    }
}

static const struct tree_node *node_of(const struct tree_node *parent, const char *key)
{
    const struct tree_node *node = tree_get(parent, key);
    return node ? node : parent;
}

static void check_schedds(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *list = tree_get(c->root, "schedds");
    struct named *names = arena_take(c->arena, p->n_schedds, sizeof(*names));
    struct named *paths = arena_take(c->arena, p->n_schedds, sizeof(*paths));
    for (size_t i = 0; i < p->n_schedds; i++) {
        const struct tree_node *item = tree_item(list, i), *flock = node_of(item, "flock");
        names[i] = (struct named){p->schedds[i].name, node_of(item, "name")};
        paths[i] = (struct named){p->schedds[i].flock, flock};
        if (flock->text && strcmp(flock->text, "agent") == 0)
            tree_complain(c->report, flock,
                          "agent is not available yet; give the path of the fragment on this host");
    }
    check_unique(c, names, p->n_schedds, "schedd");
    check_unique(c, paths, p->n_schedds, "the path");
}

static void check_hosts(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *list = tree_get(c->root, "hosts");
    struct named *names = arena_take(c->arena, p->n_hosts, sizeof(*names));
    struct named *uris = arena_take(c->arena, p->n_hosts, sizeof(*uris));
    for (size_t i = 0; i < p->n_hosts; i++) {
        const struct tree_node *item = tree_item(list, i);
        bool same_uri = tree_get(item, "name") != NULL;
        names[i] = (struct named){p->hosts[i].name, node_of(item, "name")};
        uris[i] = (struct named){same_uri ? p->hosts[i].uri : "", node_of(item, "uri")};
    }
    check_unique(c, names, p->n_hosts, "host");
    check_unique(c, uris, p->n_hosts, "the uri");
}

static bool fits_a_host(const struct policy *p, const struct policy_template *t)
{
    for (size_t i = 0; i < p->n_hosts; i++) {
        const struct policy_host *h = &p->hosts[i];
        if ((h->cpus == 0 || t->cpus <= h->cpus) && (h->memory == 0 || t->memory <= h->memory))
            return true;
    }
    return p->n_hosts == 0;
}

static void check_templates(struct check *c)
{
    enum { LABEL_MAX = 63, UUID_SHOWN = 8 }; /* RFC 1035: a label of a host name */
    const struct policy *p = c->policy;
    const struct tree_node *map = tree_get(c->root, "templates");
    int64_t spare_vms = 0, spare_cpus = 0;
    for (size_t i = 0; i < p->n_templates && !report_full(c->report); i++) {
        const struct policy_template *t = &p->templates[i];
        const struct tree_node *item = tree_item(map, i);
        char size[UNITS_TEXT_MAX];
        if (strlen(p->pool.name) + strlen(t->name) + UUID_SHOWN + 2 > LABEL_MAX)
            tree_complain(c->report, item->key,
                          "too long: <pool>-<template>-<%d letters> must be at most %d", UUID_SHOWN,
                          LABEL_MAX);
        if (!fits_a_host(p, t))
            tree_complain(c->report, item->key,
                          "no host is large enough for %" PRId64 " cpus and %s of memory", t->cpus,
                          units_format_bytes(t->memory, size));
        if (t->cpus > p->limits.cpus.value)
            tree_complain(c->report, node_of(item, "cpus"),
                          "more than limits.cpus (%" PRId64 ", %s)", p->limits.cpus.value,
                          where(c, node_of(item, "cpus"), p->limits.cpus.at));
        if (t->memory > p->limits.memory.value)
            tree_complain(c->report, node_of(item, "memory"), "more than limits.memory (%s, %s)",
                          units_format_bytes(p->limits.memory.value, size),
                          where(c, node_of(item, "memory"), p->limits.memory.at));
        spare_vms += t->spare;
        spare_cpus += t->spare * t->cpus;
    }
    const struct tree_node *spare = node_of(c->root, "spare");
    if (spare_vms > p->limits.vms.value)
        tree_complain(c->report, spare,
                      "%" PRId64 " VMs in all are more than limits.vms (%" PRId64 ", %s)",
                      spare_vms, p->limits.vms.value, where(c, spare, p->limits.vms.at));
    if (spare_cpus > p->limits.cpus.value)
        tree_complain(c->report, spare,
                      "%" PRId64 " cpus in all are more than limits.cpus (%" PRId64 ", %s)",
                      spare_cpus, p->limits.cpus.value, where(c, spare, p->limits.cpus.at));
}

static void check_group_size(struct check *c, const struct policy_group *g,
                             const struct tree_node *item)
{
    const struct policy *p = c->policy;
    int64_t smallest = INT64_MAX;
    if (g->quota.value > g->max.value)
        tree_complain(c->report, node_of(item, "quota"),
                      "%" PRId64 " cpus are more than the group's max (%" PRId64 ", %s)",
                      g->quota.value, g->max.value, where(c, node_of(item, "quota"), g->max.at));
    for (size_t i = 0; i < g->n_templates && g->max.value < smallest; i++) {
        int64_t cpus = p->templates[g->templates[i]].cpus;
        smallest = cpus < smallest ? cpus : smallest;
    }
    if (g->max.value > 0 && g->max.value < smallest && g->n_templates)
        tree_complain(c->report, node_of(item, "max"),
                      "none of the group's templates fits: the smallest has %" PRId64
                      " cpus (max: 0 shuts a group out)",
                      smallest);
}

static size_t add_names(struct named *names, size_t n, const struct tree_node *list)
{
    for (size_t i = 0; list && list->kind == TREE_LIST && i < list->n; i++)
        names[n++] =
            (struct named){list->items[i]->text ? list->items[i]->text : "", list->items[i]};
    return n;
}

static void check_groups(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *map = tree_get(c->root, "groups");
    int64_t sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < p->n_groups; i++) {
        const struct tree_node *item = tree_item(map, i);
        const struct tree_node *templates = tree_get(item, "templates");
        const struct tree_node *submitters = tree_get(item, "submitters");
        check_group_size(c, &p->groups[i], item);
        sum += p->groups[i].quota.value;
        n += submitters ? submitters->n : 0;
        struct named *names = arena_take(c->arena, templates ? templates->n : 0, sizeof(*names));
        check_unique(c, names, add_names(names, 0, templates), "template");
    }
    if (sum > p->limits.cpus.value)
        tree_complain(
            c->report, node_of(c->root, "groups"),
            "the quotas are %" PRId64 " cpus in all, more than limits.cpus (%" PRId64 ", %s)", sum,
            p->limits.cpus.value, where(c, node_of(c->root, "groups"), p->limits.cpus.at));

    struct named *names = arena_take(c->arena, n, sizeof(*names));
    n = 0;
    for (size_t i = 0; i < p->n_groups; i++)
        n = add_names(names, n, tree_get(tree_item(map, i), "submitters"));
    qsort(names, n, sizeof(*names), named_compare);
    for (size_t i = 1; i < n; i++) {
        const struct tree_node *here = names[i].node, *there = names[i - 1].node;
        if (!*names[i].name || strcmp(names[i].name, names[i - 1].name) != 0)
            continue;
        tree_complain(c->report, here, "%s is in group %s already (%s); a submitter has one group",
                      report_quote(c->arena, names[i].name), there->parent->parent->key->text,
                      where(c, here, tree_policy_place(there)));
    }
}

static void check_timing(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *timing = node_of(c->root, "timing");
    if (p->timing.trust_for.value <= p->timing.look_every.value)
        tree_complain(c->report,
                      node_of(timing, p->timing.look_every.at.line ? "look_every" : "trust_for"),
                      "facts would be stale before the next look: "
                      "trust_for must be longer than look_every");
    if (p->timing.token_life.value < p->timing.max_age.value)
        tree_complain(c->report, node_of(timing, "token_life"),
                      "shorter than max_age: VMs would outlive their tokens");
    if (p->timing.drain_within.value == 0 && p->timing.token_life.at.line == 0)
        tree_complain(c->report, node_of(timing, "drain_within"),
                      "without a deadline for drains, token_life must be given");
}

void check_policy(struct arena *a, struct report *report, const struct tree_node *root,
                  const struct policy *p)
{
    struct check c = {.arena = a, .report = report, .root = root, .policy = p};
    check_schedds(&c);
    check_hosts(&c);
    check_templates(&c);
    check_groups(&c);
    check_timing(&c);
}
