#include <inttypes.h>
#include <string.h>

#include "config/check-part.h"
#include "config/spelling.h"

/* @a times @b, or as much as fits. */
static int64_t product(int64_t a, int64_t b)
{
    int64_t r;
    return __builtin_mul_overflow(a, b, &r) ? INT64_MAX : r;
}

static int64_t sum(int64_t a, int64_t b)
{
    int64_t r;
    return __builtin_add_overflow(a, b, &r) ? INT64_MAX : r;
}

static void check_fit(struct check *c, const struct policy_template *t,
                      const struct tree_node *item)
{
    const struct policy *p = c->policy;
    const struct policy_host *largest = NULL;
    char wanted[UNITS_TEXT_MAX], size[UNITS_TEXT_MAX];
    for (size_t i = 0; i < p->n_hosts; i++) {
        const struct policy_host *h = &p->hosts[i];
        int64_t cpus = product(h->cpus, p->placement.overcommit.value) / 100;
        if ((h->cpus == 0 || t->cpus <= cpus) && (h->memory == 0 || t->memory <= h->memory))
            return; /* 0: as much as the host says */
        if (!largest || h->cpus > largest->cpus ||
            (h->cpus == largest->cpus && h->memory > largest->memory))
            largest = h;
    }
    if (!largest)
        return;
    tree_complain(c->report, item->key,
                  "no host is large enough for %" PRId64 " cpus and %s of memory; the largest, "
                  "%s (%s), has %" PRId64 " and %s",
                  t->cpus, units_format_bytes(t->memory, wanted), largest->name,
                  check_where(c, item, largest->at), largest->cpus,
                  units_format_bytes(largest->memory, size));
}

/* A tag that no host has may come with the next one; one that is nearly right is a slip. */
static void check_tags(struct check *c, const struct policy_template *t,
                       const struct tree_node *needs)
{
    const struct policy *p = c->policy;
    for (size_t n = 0; n < t->n_needs; n++) {
        const char *near = NULL;
        bool there = false;
        for (size_t i = 0; i < p->n_hosts && !there && !report_full(c->report); i++) {
            for (size_t k = 0; k < p->hosts[i].n_tags && !there; k++) {
                there = strcmp(p->hosts[i].tags[k], t->needs[n]) == 0;
                spelling_nearer(t->needs[n], p->hosts[i].tags[k], &near);
            }
        }
        if (!there && near)
            tree_complain(c->report, needs, "no host has the tag %s; did you mean %s?",
                          report_quote(c->arena, t->needs[n]), near);
    }
}

static void check_template(struct check *c, const struct policy_template *t,
                           const struct tree_node *item)
{
    enum { LABEL_MAX = 63, UUID_SHOWN = 8 }; /* RFC 1035: a label of a host name */
    const struct policy *p = c->policy;
    const struct tree_node *cpus = check_node(item, "cpus"), *memory = check_node(item, "memory");
    char size[UNITS_TEXT_MAX];
    size_t length = strlen(p->pool.name) + strlen(t->name) + UUID_SHOWN + 2;
    if (length > LABEL_MAX)
        tree_complain(c->report, item->key,
                      "too long by %zu: %s-%s-1a2b3c4d, as a VM would be called, may have at most "
                      "%d characters",
                      length - LABEL_MAX, p->pool.name, t->name, LABEL_MAX);
    check_fit(c, t, item);
    check_tags(c, t, check_node(item, "needs"));
    if (t->cpus > p->limits.cpus.value)
        tree_complain(c->report, cpus, "more than limits.cpus (%" PRId64 ", %s)",
                      p->limits.cpus.value, check_where(c, cpus, p->limits.cpus.at));
    if (t->memory > p->limits.memory.value)
        tree_complain(c->report, memory, "more than limits.memory (%s, %s)",
                      units_format_bytes(p->limits.memory.value, size),
                      check_where(c, memory, p->limits.memory.at));
}

static void check_spare(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *spare = check_node(c->root, "spare"), *all = spare->key;
    int64_t vms = 0, cpus = 0, memory = 0;
    char wanted[UNITS_TEXT_MAX], size[UNITS_TEXT_MAX];
    for (size_t i = 0; i < p->n_templates; i++) {
        const struct policy_template *t = &p->templates[i];
        const struct tree_node *node = check_node(spare, t->name);
        vms = sum(vms, t->spare);
        cpus = sum(cpus, product(t->spare, t->cpus));
        memory = sum(memory, product(t->spare, t->memory));
        if (t->spare > t->max_vms.value)
            tree_complain(c->report, node,
                          "%" PRId64 " VMs are more than the template's max_vms (%" PRId64 ", %s)",
                          t->spare, t->max_vms.value, check_where(c, node, t->max_vms.at));
    }
    if (vms > p->limits.vms.value)
        tree_complain(c->report, all,
                      "%" PRId64 " VMs in all are more than limits.vms (%" PRId64 ", %s)", vms,
                      p->limits.vms.value, check_where(c, all, p->limits.vms.at));
    if (cpus > p->limits.cpus.value)
        tree_complain(c->report, all,
                      "%" PRId64 " cpus in all are more than limits.cpus (%" PRId64 ", %s)", cpus,
                      p->limits.cpus.value, check_where(c, all, p->limits.cpus.at));
    if (memory > p->limits.memory.value)
        tree_complain(c->report, all, "%s of memory in all are more than limits.memory (%s, %s)",
                      units_format_bytes(memory, wanted),
                      units_format_bytes(p->limits.memory.value, size),
                      check_where(c, all, p->limits.memory.at));
}

/* What a group may have, against what VMs it would have it in. */
static void check_group(struct check *c, const struct policy_group *g, const struct tree_node *item)
{
    const struct policy *p = c->policy;
    const struct tree_node *quota = check_node(item, "quota");
    int64_t few_cpus = INT64_MAX, most_cpus = 0, little_memory = INT64_MAX;
    char size[UNITS_TEXT_MAX];
    if (g->quota.value > g->max.value)
        tree_complain(c->report, quota,
                      "%" PRId64 " cpus are more than the group's max (%" PRId64 ", %s)",
                      g->quota.value, g->max.value, check_where(c, quota, g->max.at));
    if (g->n_templates == 0 || report_full(c->report))
        return;
    for (size_t i = 0; i < g->n_templates; i++) {
        const struct policy_template *t = &p->templates[g->templates[i]];
        few_cpus = t->cpus < few_cpus ? t->cpus : few_cpus;
        most_cpus = t->cpus > most_cpus ? t->cpus : most_cpus;
        little_memory = t->memory < little_memory ? t->memory : little_memory;
    }
    if (g->max.value > 0 && g->max.value < few_cpus)
        tree_complain(c->report, check_node(item, "max"),
                      "none of the group's templates fits: the smallest has %" PRId64
                      " cpus (max: 0 shuts a group out)",
                      few_cpus);
    if (g->max_memory.value > 0 && g->max_memory.value < little_memory)
        tree_complain(c->report, check_node(item, "max_memory"),
                      "none of the group's templates fits: the smallest has %s (max: 0 shuts a "
                      "group out)",
                      units_format_bytes(little_memory, size));
    if (most_cpus > 0 && g->quota.value > product(g->max_vms.value, most_cpus))
        tree_complain(c->report, quota,
                      "out of reach: max_vms is %" PRId64 " (%s), and the group's largest template "
                      "has %" PRId64 " cpus",
                      g->max_vms.value, check_where(c, quota, g->max_vms.at), most_cpus);
}

void check_sizes(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *templates = tree_get(c->root, "templates");
    const struct tree_node *groups = check_node(c->root, "groups");
    int64_t quotas = 0;
    for (size_t i = 0; i < p->n_templates && !report_full(c->report); i++)
        check_template(c, &p->templates[i], tree_item(templates, i));
    check_spare(c);
    for (size_t i = 0; i < p->n_groups; i++) {
        check_group(c, &p->groups[i], tree_item(groups, i));
        quotas += p->groups[i].quota.value;
    }
    if (quotas > p->limits.cpus.value)
        tree_complain(c->report, groups->key,
                      "the quotas are %" PRId64 " cpus in all, more than limits.cpus (%" PRId64
                      ", %s)",
                      quotas, p->limits.cpus.value, check_where(c, groups, p->limits.cpus.at));
}
