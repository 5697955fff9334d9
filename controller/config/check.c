#include "config/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/check-part.h"

/* A name, and where the file says it. */
struct named {
    const char *name;
    const struct tree_node *node;
    const char *of; /* the name of what has it: two of one name are refused for that; or NULL */
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

const struct tree_node *check_node(const struct tree_node *parent, const char *key)
{
    const struct tree_node *node = tree_get(parent, key);
    return node ? node : parent;
}

const char *check_where(struct check *c, const struct tree_node *here, struct policy_place at)
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
        const char *of = names[i].of;
        if (*names[i].name && strcmp(names[i].name, names[i - 1].name) == 0 &&
            !(of && strcmp(of, names[i - 1].of) == 0))
            tree_complain(c->report, names[i].node, "%s %s is given twice; first in %s", what,
                          report_quote(c->arena, names[i].name),
                          check_where(c, names[i].node, tree_policy_place(names[i - 1].node)));
    }
}

/* What @node says needs agents, and they need a way to us. */
static void need_agents(struct check *c, const struct tree_node *node)
{
    if (!*c->policy->agents.listen)
        tree_complain(c->report, node,
                      "an agent has no way to eyried: give agents.listen, certificate and key");
}

static bool is_any_address(const char *endpoint)
{
    return text_starts_with(endpoint, "0.0.0.0:") || text_starts_with(endpoint, "[::]:");
}

static void check_agents(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *agents = tree_get(c->root, "agents");
    const struct tree_node *listen = tree_get(agents, "listen");
    const char *const ports[] = {p->agents.listen, p->agents.address};
    if (strcmp(p->pool.shares, POLICY_AGENT) == 0)
        need_agents(c, tree_get(tree_get(c->root, "pool"), "shares"));
    if (!listen || !*p->agents.listen)
        return;
    if (!*p->agents.certificate || !*p->agents.key)
        tree_complain(c->report, listen,
                      "agents speak TLS: give agents.certificate and agents.key, too");
    if (is_any_address(p->agents.address))
        tree_complain(c->report, check_node(agents, "address"),
                      "%s is no address that an agent reaches; give agents.address",
                      report_quote(c->arena, p->agents.address));
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        const struct tree_node *node = tree_get(agents, i == 0 ? "listen" : "address");
        long port = strtol(strrchr(ports[i], ':') + 1, NULL, 10);
        if (node && (port < 1 || port > 65535))
            tree_complain(c->report, node, "%s: a port is a number from 1 to 65535",
                          report_quote(c->arena, ports[i]));
    }
}

static void check_schedds(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *list = tree_get(c->root, "schedds");
    struct named *names = arena_take(c->arena, p->n_schedds, sizeof(*names));
    struct named *paths = arena_take(c->arena, p->n_schedds, sizeof(*paths));
    for (size_t i = 0; i < p->n_schedds; i++) {
        const struct tree_node *item = tree_item(list, i), *flock = check_node(item, "flock");
        names[i] = (struct named){p->schedds[i].name, check_node(item, "name"), NULL};
        bool agent = strcmp(p->schedds[i].flock, POLICY_AGENT) == 0;
        paths[i] = (struct named){agent ? "" : p->schedds[i].flock, flock, NULL};
        if (agent)
            need_agents(c, flock);
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
        const char *name = p->hosts[i].name;
        names[i] = (struct named){name, check_node(item, "name"), NULL};
        uris[i] = (struct named){p->hosts[i].uri, check_node(item, "uri"), name};
    }
    check_unique(c, names, p->n_hosts, "host");
    check_unique(c, uris, p->n_hosts, "the uri");
}

static size_t add_names(struct named *names, size_t n, const struct tree_node *list)
{
    for (size_t i = 0; list && list->kind == TREE_LIST && i < list->n; i++)
        names[n++] =
            (struct named){list->items[i]->text ? list->items[i]->text : "", list->items[i], NULL};
    return n;
}

/* A job's group is looked up by its owner, too: an owner must not stand for two. */
static void check_submitters(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *map = tree_get(c->root, "groups");
    size_t n = 0;
    for (size_t i = 0; i < p->n_groups; i++) {
        const struct tree_node *submitters = tree_get(tree_item(map, i), "submitters");
        n += submitters ? submitters->n : 0;
    }
    struct named *names = arena_take(c->arena, n, sizeof(*names));
    n = 0;
    for (size_t i = 0; i < p->n_groups; i++)
        n = add_names(names, n, tree_get(tree_item(map, i), "submitters"));
    if (n > 0)
        qsort(names, n, sizeof(*names), named_compare);
    for (size_t i = 1; i < n; i++) {
        const struct tree_node *here = names[i].node, *there = names[i - 1].node;
        if (!*names[i].name || strcmp(names[i].name, names[i - 1].name) != 0 ||
            here->parent == there->parent) /* said already */
            continue;
        tree_complain(c->report, here, "%s is in group %s already (%s); a submitter has one group",
                      report_quote(c->arena, names[i].name), there->parent->parent->key->text,
                      check_where(c, here, tree_policy_place(there)));
    }
}

/* A budget that always holds hides those after it. */
static void check_disruption(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *map = tree_get(c->root, "groups");
    for (size_t i = 0; i < p->n_groups; i++) {
        const struct policy_group *g = &p->groups[i];
        const struct tree_node *list = tree_get(tree_item(map, i), "disruption");
        for (size_t k = 0; k + 1 < g->n_disruption && !report_full(c->report); k++) {
            const struct policy_budget *b = &g->disruption[k];
            if (b->days != POLICY_EVERY_DAY || b->from != 0 || b->until != POLICY_DAY_MINUTES)
                continue;
            tree_complain(c->report, tree_item(list, k + 1),
                          "never counts: the budget before it, %s, holds at all times",
                          report_quote(c->arena, g->disruption_text[k]));
            break;
        }
    }
}

static void check_paths(struct check *c)
{
    struct sockaddr_un address;
    const char *socket = c->policy->paths.socket;
    const struct tree_node *node = check_node(check_node(c->root, "paths"), "socket");
    if (strlen(socket) >= sizeof(address.sun_path))
        tree_complain(c->report, node, "%s is too long for a socket by %zu characters",
                      report_quote(c->arena, socket),
                      strlen(socket) + 1 - sizeof(address.sun_path));
}

/* @less may not be longer than @more. */
static void check_order(struct check *c, const char *less, const struct setting *a,
                        const char *more, const struct setting *b)
{
    const struct tree_node *timing = check_node(c->root, "timing");
    const struct tree_node *node = check_node(timing, a->at.line ? less : more);
    char one[UNITS_TEXT_MAX], two[UNITS_TEXT_MAX];
    if (a->value <= b->value)
        return;
    tree_complain(c->report, node, "%s (%s, %s) is longer than %s (%s, %s)", less,
                  units_format_duration(a->value, one), check_where(c, node, a->at), more,
                  units_format_duration(b->value, two), check_where(c, node, b->at));
}

static void check_timing(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *timing = check_node(c->root, "timing");
    if (p->timing.trust_for.value <= p->timing.look_every.value)
        tree_complain(c->report,
                      check_node(timing, p->timing.look_every.at.line ? "look_every" : "trust_for"),
                      "facts would be stale before the next look: "
                      "trust_for must be longer than look_every");
    if (p->timing.drain_within.value == 0 && p->timing.on_drain_timeout == POLICY_DRAIN_KILL)
        tree_complain(c->report, check_node(timing, "on_drain_timeout"),
                      "never happens: drain_within is 0 (%s), which sets no deadline",
                      check_where(c, timing, p->timing.drain_within.at));
    check_order(c, "rest_after_failure", &p->timing.rest_after_failure, "rest_at_most",
                &p->timing.rest_at_most);
    check_order(c, "min_life", &p->timing.min_life, "max_age", &p->timing.max_age);
    check_order(c, "join_within", &p->timing.join_within, "max_age", &p->timing.max_age);
    check_order(c, "join_within", &p->timing.join_within, "token_life", &p->timing.token_life);
}

static void check_blackouts(struct check *c)
{
    const struct policy *p = c->policy;
    const struct tree_node *list = tree_get(c->root, "blackouts");
    struct named *names = arena_take(c->arena, p->n_blackouts, sizeof(*names));
    for (size_t i = 0; i < p->n_blackouts; i++) {
        const struct policy_blackout *b = &p->blackouts[i];
        const struct tree_node *item = tree_item(list, i);
        names[i] = (struct named){b->from_text, check_node(item, "from"), NULL};
        if (b->from && b->until && b->until <= b->from)
            tree_complain(c->report, check_node(item, "until"),
                          "a blackout ends after it begins (%s)", b->from_text);
    }
    check_unique(c, names, p->n_blackouts, "the blackout from");
}

/* What nobody would be told by. */
static void check_notify(struct check *c)
{
    const struct policy *p = c->policy;
    for (size_t i = 0; i < p->n_groups; i++) {
        const struct policy_group *g = &p->groups[i];
        const struct tree_node *item = tree_item(tree_get(c->root, "groups"), i);
        if (*g->notify.secret_file && !*g->notify.url)
            tree_complain(c->report, check_node(tree_get(item, "notify"), "secret_file"),
                          "is sent nowhere: give url, too");
    }
}

void check_policy(struct arena *a, struct report *report, const struct tree_node *root,
                  const struct policy *p)
{
    struct check c = {.arena = a, .report = report, .root = root, .policy = p};
    check_agents(&c);
    check_schedds(&c);
    check_hosts(&c);
    check_paths(&c);
    check_sizes(&c);
    check_submitters(&c);
    check_disruption(&c);
    check_blackouts(&c);
    check_notify(&c);
    check_timing(&c);
}
