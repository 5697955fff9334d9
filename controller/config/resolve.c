#include "config/resolve.h"

#include <errno.h>
#include <string.h>
#include <uuid.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/when.h"
#include "config/budget.h"
#include "config/keys.h"
#include "config/value.h"

enum { GENERATION_BYTES = 6 };

const char *resolve_uri_host(struct arena *a, const char *uri)
{
    const char *from = strstr(uri, "://");
    if (!from)
        return "local";
    from += 3;
    size_t length = strcspn(from, "/?#");
    const char *at = memchr(from, '@', length);
    if (at) {
        length -= (size_t)(at + 1 - from);
        from = at + 1;
    }
    if (*from != '[' && memchr(from, ':', length))
        length = strcspn(from, ":");
    return length ? arena_printf(a, "%.*s", (int)length, from) : "local";
}

/* Whether @text, made from another value, may stand where @key may. */
static bool is_good(struct arena *a, const struct key *key, const char *text)
{
    const char *value;
    return value_parse(key, text, a, "", (struct policy_place){0}, &value, NULL) == 0;
}

static void resolve_hosts(struct arena *a, struct report *report, const struct tree_node *nodes,
                          struct policy *p)
{
    struct policy_host *hosts = (struct policy_host *)p->hosts;
    for (size_t i = 0; i < p->n_hosts; i++) {
        if (hosts[i].name)
            continue;
        hosts[i].name = resolve_uri_host(a, hosts[i].uri);
        if (!is_good(a, keys_find("hosts", "name"), hosts[i].name))
            tree_complain(report, tree_item(nodes, i),
                          "the host in the uri makes no name; give it one: name: …");
    }
}

/* The pieces of a generation, each with its length: no two recipes have the same text. */
static void add_piece(struct text *t, const char *name, const char *value, size_t length)
{
    text_printf(t, "%s %zu\n", name, length);
    text_add_bytes(t, value, length);
}

/*
 * All that is the same for each VM of the template. What the image is only its hosts can know: the
 * planner adds it (plan/generation.c). Of what the seed says (act/seed.c) there is missing what is of
 * one VM; who may submit, which changes with people and is told to VMs that run (act/renewals.c); the
 * times until which one has joined, which nobody needs who has; and what is of a request or group.
 */
static const char *generation(struct arena *a, const struct policy *p,
                              const struct policy_template *t, const struct source *fragment)
{
    /* A name space of our own for RFC 4122's hash; its first bytes are plain SHA-1. */
    static const uuid_t space = {0x65, 0x79, 0x72, 0x69, 0x65, 0x20, 0x67, 0x65,
                                 0x6e, 0x65, 0x72, 0x61, 0x74, 0x69, 0x6f, 0x6e};
    struct text recipe = {0};
    uuid_t digest;
    add_piece(&recipe, "domain", t->domain_xml, strlen(t->domain_xml));
    add_piece(&recipe, "image", t->image, strlen(t->image));
    text_printf(&recipe, "cpus %lld memory %lld disk %lld\n", (long long)t->cpus,
                (long long)t->memory, (long long)t->disk);
    add_piece(&recipe, "flag", p->pool.flag, strlen(p->pool.flag));
    add_piece(&recipe, "central manager", p->pool.central_manager, strlen(p->pool.central_manager));
    add_piece(&recipe, "trust domain", p->pool.trust_domain, strlen(p->pool.trust_domain));
    text_printf(&recipe, "orphan %lld\n", (long long)p->timing.orphan_after.value);
    if (fragment)
        add_piece(&recipe, "vm-startd.conf", fragment->bytes, fragment->length);
    uuid_generate_sha1(digest, space, text_get(&recipe), recipe.length);
    text_done(&recipe);
    char *hex = arena_take(a, 2 * GENERATION_BYTES + 1, 1);
    for (size_t i = 0; i < GENERATION_BYTES; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    return hex;
}

static void resolve_templates(struct arena *a, struct report *report, const struct tree_node *root,
                              struct policy *p)
{
    struct policy_template *templates = (struct policy_template *)p->templates;
    struct source *fragment = NULL;
    struct err e;
    int r = source_read(a, arena_printf(a, "%s/vm-startd.conf", p->paths.fragments),
                        LIMIT_CONFIG_BYTES, &fragment, &e);
    const struct tree_node *node = tree_get(tree_get(root, "paths"), "fragments");
    if (r < 0 && r != -ENOENT && r != -ENOTDIR)
        tree_complain(report, node ? node : root, "cannot read %s/vm-startd.conf: %s",
                      p->paths.fragments, e.text);

    for (size_t i = 0; i < p->n_templates; i++) {
        struct policy_template *t = &templates[i];
        struct source *xml = NULL;
        /* Many templates may share one domain XML: it is read and kept once. */
        for (size_t k = 0; k < i && !t->domain_xml && !report_full(report); k++) {
            if (strcmp(templates[k].domain, t->domain) == 0)
                t->domain_xml = templates[k].domain_xml;
        }
        if (!t->domain_xml && *t->domain) {
            node = tree_get(tree_item(tree_get(root, "templates"), i), "domain");
            if (source_read(a, t->domain, LIMIT_CONFIG_BYTES, &xml, &e) < 0)
                tree_complain(report, node, "cannot read %s: %s", t->domain, e.text);
            else if (strlen(xml->bytes) != xml->length || !strstr(xml->bytes, "<domain"))
                tree_complain(report, node, "%s is no libvirt domain XML", t->domain);
        }
        if (!t->domain_xml)
            t->domain_xml = xml ? xml->bytes : "";
        t->generation = generation(a, p, t, fragment);
    }
}

static void resolve_budgets(struct arena *a, struct report *report, const struct tree_node *node,
                            struct policy_group *g)
{
    struct policy_budget *budgets = arena_take(a, g->n_disruption_text, sizeof(*budgets));
    struct err e;
    for (size_t i = 0; i < g->n_disruption_text; i++) {
        const struct tree_node *item = tree_item(node, i);
        budgets[i].at = tree_policy_place(item);
        if (budget_parse(g->disruption_text[i], &budgets[i], &e) < 0)
            tree_complain(report, item, "%s", e.text);
    }
    g->disruption = budgets;
    g->n_disruption = g->n_disruption_text;
}

static void resolve_groups(struct arena *a, struct report *report, const struct tree_node *nodes,
                           struct policy *p)
{
    struct policy_group *groups = (struct policy_group *)p->groups;
    size_t *all = arena_take(a, p->n_templates, sizeof(*all));
    for (size_t i = 0; i < p->n_templates; i++)
        all[i] = i;
    for (size_t i = 0; i < p->n_groups; i++) {
        const struct tree_node *item = tree_item(nodes, i);
        resolve_budgets(a, report, tree_get(item, "disruption"), &groups[i]);
        if (!tree_get(tree_get(item, "requests"), "answer"))
            groups[i].requests.answer = p->requests;
        if (groups[i].templates)
            continue;
        groups[i].templates = all;
        groups[i].n_templates = p->n_templates;
    }
}

/* @node: of the text; what is wrong with it is said there. "": it is missing, as was said. */
static usec resolve_time(struct report *report, const struct tree_node *node, const char *text)
{
    struct err e;
    usec t = 0;
    if (*text && when_parse(text, &t, &e) < 0)
        tree_complain(report, node, "%s", e.text);
    return t;
}

static void resolve_blackouts(struct report *report, const struct tree_node *nodes,
                              struct policy *p)
{
    struct policy_blackout *blackouts = (struct policy_blackout *)p->blackouts;
    for (size_t i = 0; i < p->n_blackouts; i++) {
        const struct tree_node *item = tree_item(nodes, i);
        struct policy_blackout *b = &blackouts[i];
        b->from = resolve_time(report, tree_get(item, "from"), b->from_text);
        b->until = resolve_time(report, tree_get(item, "until"), b->until_text);
    }
}

void resolve_policy(struct arena *a, struct report *report, const struct tree_node *root,
                    struct policy *p)
{
    if (!p->pool.trust_domain) {
        const char *colon = strrchr(p->pool.central_manager, ':');
        int length = colon ? (int)(colon - p->pool.central_manager) : 0;
        p->pool.trust_domain = arena_printf(a, "%.*s", length, p->pool.central_manager);
        if (length > 0 && !is_good(a, keys_find("pool", "trust_domain"), p->pool.trust_domain))
            tree_complain(report, tree_get(tree_get(root, "pool"), "central_manager"),
                          "its host is no trust domain; give one: trust_domain: …");
    }
    if (!*p->agents.address)
        p->agents.address = p->agents.listen;
    resolve_hosts(a, report, tree_get(root, "hosts"), p);
    resolve_templates(a, report, root, p);
    resolve_groups(a, report, tree_get(root, "groups"), p);
    resolve_blackouts(report, tree_get(root, "blackouts"), p);
}
