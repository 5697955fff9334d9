#include "config/read.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/advise.h"
#include "config/keys.h"
#include "config/spelling.h"
#include "config/value.h"

struct reader {
    struct arena *arena;
    struct report *report;
    const struct tree_node *root;
    struct policy *policy;
};

static void read_section(struct reader *r, const struct section *s, const struct tree_node *node,
                         unsigned char *base);
static void read_key(struct reader *r, const struct key *key, const struct tree_node *node,
                     unsigned char *base);

/* Whether @node has the kind that is wanted there; complains if not. */
static bool has_kind(struct reader *r, const struct tree_node *node, enum tree_kind kind)
{
    static const char *const forms[] = {
        [TREE_SCALAR] = "one value is wanted here, not a list or map",
        [TREE_LIST] = "a list is wanted here: [a, b], or lines that begin with \"- \"",
        [TREE_MAP] = "a map is wanted here: {key: value, …}, or lines of key: value",
    };
    if (node->kind == kind && !node->null)
        return true;
    tree_complain(r->report, node, "%s",
                  node->null ? "there is no value; give one or leave the key out" : forms[kind]);
    return false;
}

static void set_default(struct reader *r, const struct key *key, void *field)
{
    struct err e;
    if (!key->fallback)
        return;
    int bad = value_parse(key, key->fallback, r->arena, "", (struct policy_place){0}, field, &e);
    assert(bad == 0);
}

/* A value that must be there and is wrong: something that needs no further care. */
static void set_harmless(const struct key *key, void *field)
{
    if (key->fallback || key->otherwise)
        return;
    if (key->type == KEY_TEXT || key->type == KEY_PATH || key->type == KEY_ADDRESS)
        memcpy(field, &(const char *){""}, sizeof(const char *));
}

static bool read_scalar(struct reader *r, const struct key *key, const struct tree_node *node,
                        void *field)
{
    struct err e;
    if (!has_kind(r, node, TREE_SCALAR))
        return false;
    if (value_parse(key, node->text, r->arena, node->place.source->folder, tree_policy_place(node),
                    field, &e) == 0)
        return true;
    tree_complain(r->report, node, "%s", e.text);
    return false;
}

/* The template with that @name, which @node refers to; NULL and a complaint when there is none. */
static const struct tree_node *template_named(struct reader *r, const struct tree_node *node,
                                              const char *name)
{
    const struct tree_node *templates = tree_get(r->root, "templates");
    const char *near = NULL;
    if (r->policy->n_templates == 0)
        return NULL; /* said already: there are none */
    const struct tree_node *named = tree_get(templates, name);
    if (named)
        return named;
    for (size_t i = 0; i < templates->n && !report_full(r->report); i++)
        spelling_nearer(name, templates->items[i]->key->text, &near);
    tree_complain(r->report, node, "there is no template %s%s%s%s", report_quote(r->arena, name),
                  near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return NULL;
}

static int compare_words(const void *a, const void *b)
{
    const struct tree_node *x = *(struct tree_node *const *)a, *y = *(struct tree_node *const *)b;
    int order = strcmp(x->text, y->text);
    return order ? order : x->index < y->index ? -1 : 1;
}

static void complain_doubled_words(struct reader *r, const struct tree_node *list)
{
    struct tree_node **words = arena_take(r->arena, list->n, sizeof(struct tree_node *));
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i]->kind == TREE_SCALAR)
            words[n++] = list->items[i];
    if (n > 0)
        qsort(words, n, sizeof(struct tree_node *), compare_words);
    for (size_t i = 1; i < n && !report_full(r->report); i++)
        if (*words[i]->text && strcmp(words[i]->text, words[i - 1]->text) == 0)
            tree_complain(r->report, words[i], "%s is given twice; first in line %u",
                          report_quote(r->arena, words[i]->text), words[i - 1]->place.line);
}

static void read_words(struct reader *r, const struct key *key, const struct tree_node *node,
                       unsigned char *base)
{
    if (!has_kind(r, node, TREE_LIST))
        return;
    if (node->n == 0) {
        tree_complain(r->report, node, "the list is empty; leave the key out for %s",
                      key->otherwise);
        return;
    }
    complain_doubled_words(r, node);
    const char **words = arena_take(r->arena, node->n, sizeof(*words));
    size_t *indices = arena_take(r->arena, node->n, sizeof(*indices));
    size_t n = 0; /* of those that are right */
    for (size_t i = 0; i < node->n; i++) {
        const struct tree_node *item = node->items[i];
        if (key->type == KEY_TEXTS) {
            struct key scalar = *key;
            scalar.type = KEY_TEXT;
            n += read_scalar(r, &scalar, item, &words[n]);
        } else if (has_kind(r, item, TREE_SCALAR)) {
            const struct tree_node *named = template_named(r, item, item->text);
            if (named)
                indices[n++] = named->position;
        }
    }
    if (key->type == KEY_TEXTS)
        memcpy(base + key->offset, &words, sizeof(words));
    else
        memcpy(base + key->offset, &indices, sizeof(indices));
    memcpy(base + key->count_offset, &n, sizeof(n));
}

static void read_elements(struct reader *r, const struct key *key, const struct tree_node *node,
                          unsigned char *base)
{
    const struct section *s = key->section;
    struct err e;
    if (!has_kind(r, node, key->type == KEY_LIST ? TREE_LIST : TREE_MAP))
        return;
    if (node->n == 0 && !key->fallback) {
        tree_complain(r->report, node, "at least one is needed");
        return;
    }
    unsigned char *elements = arena_take(r->arena, node->n, s->size);
    for (size_t i = 0; i < node->n; i++) {
        const struct tree_node *item = node->items[i];
        unsigned char *element = elements + i * s->size;
        struct policy_place at = tree_policy_place(item);
        memcpy(element + s->at_offset, &at, sizeof(at));
        if (key->type == KEY_MAP) {
            void *name = element + s->name_offset;
            memcpy(name, &item->key->text, sizeof(const char *));
            if (value_parse(s->name, item->key->text, r->arena, "", at, name, &e) < 0)
                tree_complain(r->report, item->key, "%s", e.text);
        }
        read_section(r, s, item, element);
    }
    memcpy(base + key->offset, &elements, sizeof(elements));
    memcpy(base + key->count_offset, &node->n, sizeof(node->n));
}

static void read_spare(struct reader *r, const struct key *key, const struct tree_node *node)
{
    struct key count = *key;
    count.type = KEY_COUNT;
    count.fallback = NULL;
    if (!has_kind(r, node, TREE_MAP))
        return;
    for (size_t i = 0; i < node->n; i++) {
        const struct tree_node *item = node->items[i];
        const struct tree_node *named = template_named(r, item->key, item->key->text);
        int64_t spare = 0;
        if (read_scalar(r, &count, item, &spare) && named)
            ((struct policy_template *)r->policy->templates)[named->position].spare = spare;
    }
}

/* A value that a later file replaced counts no more, but a mistake in it is one. */
static void read_replaced(struct reader *r, const struct key *key, const struct tree_node *node,
                          unsigned char *base)
{
    switch (key->type) {
    case KEY_LIST: /* only of another kind: else they were merged */
        (void)has_kind(r, node, TREE_LIST);
        return;
    case KEY_SECTION:
    case KEY_MAP:
    case KEY_SPARE:
        (void)has_kind(r, node, TREE_MAP);
        return;
    case KEY_TEXTS:
    case KEY_TEMPLATES:
        read_key(r, key, node, base);
        memcpy(base + key->offset, &(void *){NULL}, sizeof(void *));
        memcpy(base + key->count_offset, &(size_t){0}, sizeof(size_t));
        return;
    default:
        read_key(r, key, node, base);
        return;
    }
}

static void read_key(struct reader *r, const struct key *key, const struct tree_node *node,
                     unsigned char *base)
{
    void *field = base + key->offset;
    if (node && node->over)
        read_replaced(r, key, node->over, base);
    switch (key->type) {
    case KEY_INCLUDE: /* done before */
        return;
    case KEY_SECTION:
        read_section(r, key->section, node, base);
        return;
    case KEY_LIST:
    case KEY_MAP:
        if (node)
            read_elements(r, key, node, base);
        return;
    case KEY_SPARE:
        if (node)
            read_spare(r, key, node);
        return;
    case KEY_TEXTS:
    case KEY_TEMPLATES:
        if (node)
            read_words(r, key, node, base);
        return;
    default:
        set_default(r, key, field);
        if (!node || !read_scalar(r, key, node, field))
            set_harmless(key, field);
        return;
    }
}

/* @node NULL: the section was left out or is no map; fill in what it is then. */
static void read_section(struct reader *r, const struct section *s, const struct tree_node *node,
                         unsigned char *base)
{
    if (node && !has_kind(r, node, TREE_MAP))
        node = NULL;
    for (size_t i = 0; node && i < node->n; i++) {
        bool known = false;
        for (size_t k = 0; k < s->n && !known; k++)
            known = strcmp(node->items[i]->key->text, s->keys[k].name) == 0;
        if (!known)
            advise_unknown(r->report, s, node->items[i]->key);
    }
    for (size_t k = 0; k < s->n; k++) {
        const struct key *key = &s->keys[k];
        const struct tree_node *child = tree_get(node, key->name);
        if (!child && node && !key->fallback && !key->otherwise)
            advise_missing(r->report, s, node, key);
        read_key(r, key, child, base);
    }
}

void read_policy(struct arena *a, struct report *report, const struct tree_node *root,
                 struct policy *p)
{
    struct reader r = {.arena = a, .report = report, .root = root, .policy = p};
    read_section(&r, &keys_file, root, (unsigned char *)p);
}
