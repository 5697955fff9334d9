#include "config/difference.h"

#include <inttypes.h>
#include <string.h>

#include "config/keys.h"
#include "config/tree.h"
#include "config/value.h"

struct comparer {
    struct arena *arena;
    struct report *report; /* what cannot change */
    const struct policy *old, *new;
    const struct tree_node *root; /* of the new one */
    struct change *items;
    size_t n, capacity;
};

/* A section, list or value on one side: where the file has it, and the struct that it fills. */
struct side {
    const struct policy *policy;
    const struct tree_node *node; /* NULL: it is not in the file */
    const unsigned char *base;
};

static void add(struct comparer *c, const char *key, const char *old, const char *new,
                          const struct tree_node *node)
{
    c->items = arena_grow(c->arena, c->items, c->n, &c->capacity, sizeof(*c->items));
    struct change *change = &c->items[c->n++];
    *change = (struct change){.key = key, .old = old, .new = new};
    if (node) {
        struct policy_place at = tree_policy_place(node);
        change->file = arena_strdup(c->arena, c->new->files[at.file]);
        change->line = at.line;
    }
}

static const char *join(struct comparer *c, const char *prefix, const char *name)
{
    return *prefix ? arena_printf(c->arena, "%s.%s", prefix, name) : name;
}

/* A list of words as the file would have it, or what its absence means. */
static const char *words_text(struct comparer *c, const struct key *key, struct side s)
{
    struct text list = {0};
    const char **words;
    const size_t *indices;
    size_t n;
    if (!s.node)
        return key->otherwise;
    memcpy(&n, s.base + key->count_offset, sizeof(n));
    memcpy(&words, s.base + key->offset, sizeof(words));
    memcpy(&indices, s.base + key->offset, sizeof(indices));
    for (size_t i = 0; i < n; i++) {
        text_add(&list, i ? ", " : "[");
        value_quote(key->type == KEY_TEXTS ? words[i] : s.policy->templates[indices[i]].name,
                    &list);
    }
    text_add(&list, n ? "]" : "[]");
    const char *copy = arena_strdup(c->arena, text_get(&list));
    text_done(&list);
    return copy;
}

static const char *value_text(struct comparer *c, const struct key *key, struct side s)
{
    struct text value = {0};
    if (key->type == KEY_TEXTS || key->type == KEY_TEMPLATES)
        return words_text(c, key, s);
    value_format(key, s.base + key->offset, &value);
    const char *copy = arena_strdup(c->arena, text_get(&value));
    text_done(&value);
    return copy;
}

static void compare_value(struct comparer *c, const struct key *key, const char *name,
                          struct side old, struct side new)
{
    const char *was = value_text(c, key, old), *is = value_text(c, key, new);
    if (strcmp(was, is) == 0)
        return;
    add(c, name, was, is, new.node);
    if (!key->fixed)
        return;
    static const char cannot[] = "cannot change from %s to %s while eyried runs: restart eyried, or "
                                 "put the old value back";
    if (new.node)
        tree_complain(c->report, new.node, cannot, was, is);
    else
        tree_complain(c->report, c->root, "without %s: %s", name,
                      arena_printf(c->arena, cannot, was, is));
}

static void compare_section(struct comparer *c, const struct section *s, const char *prefix,
                            struct side old, struct side new);

/* The elements of a list or map on one side. */
struct elements {
    const struct key *key;
    struct side side;
    const unsigned char *first;
    size_t n;
};

static struct elements elements_of(const struct key *key, struct side side)
{
    struct elements e = {.key = key, .side = side};
    memcpy(&e.first, side.base + key->offset, sizeof(e.first));
    memcpy(&e.n, side.base + key->count_offset, sizeof(e.n));
    return e;
}

static const char *element_name(const struct elements *e, size_t index)
{
    const char *name;
    memcpy(&name, e->first + index * e->key->section->size + e->key->section->name_offset,
           sizeof(name));
    return name;
}

static struct side element_side(const struct elements *e, size_t index)
{
    return (struct side){
        .policy = e->side.policy,
        .node = e->key->type == KEY_LIST ? tree_item(e->side.node, index)
                                         : tree_get(e->side.node, element_name(e, index)),
        .base = e->first + index * e->key->section->size,
    };
}

static size_t element_find(const struct elements *e, const char *name)
{
    size_t i = 0;
    while (i < e->n && strcmp(element_name(e, i), name) != 0)
        i++;
    return i < e->n ? i : SIZE_MAX;
}

/* By name: an element that moved in its list is the same. */
static void compare_elements(struct comparer *c, const struct key *key, const char *prefix,
                             struct side old_side, struct side new_side)
{
    const struct elements old = elements_of(key, old_side), new = elements_of(key, new_side);
    for (size_t i = 0; i < old.n; i++)
        if (element_find(&new, element_name(&old, i)) == SIZE_MAX)
            add(c, join(c, prefix, element_name(&old, i)), "", NULL, NULL);
    for (size_t i = 0; i < new.n; i++) {
        const char *name = join(c, prefix, element_name(&new, i));
        size_t was = element_find(&old, element_name(&new, i));
        struct side is = element_side(&new, i);
        if (was == SIZE_MAX)
            add(c, name, NULL, "", is.node);
        else
            compare_section(c, key->section, name, element_side(&old, was), is);
    }
}

/* A template that both have, by the name that it has in @new. */
static const struct policy_template *same_template(const struct comparer *c,
                                                   const struct policy_template *new)
{
    for (size_t i = 0; i < c->old->n_templates; i++)
        if (strcmp(c->old->templates[i].name, new->name) == 0)
            return &c->old->templates[i];
    return NULL;
}

static void compare_spare(struct comparer *c, const char *prefix, const struct tree_node *node)
{
    for (size_t i = 0; i < c->new->n_templates; i++) {
        const struct policy_template *new = &c->new->templates[i], *old = same_template(c, new);
        int64_t was = old ? old->spare : 0;
        if (was != new->spare)
            add(c, join(c, prefix, new->name), arena_printf(c->arena, "%" PRId64, was),
                      arena_printf(c->arena, "%" PRId64, new->spare), tree_get(node, new->name));
    }
}

static void compare_section(struct comparer *c, const struct section *s, const char *prefix,
                            struct side old, struct side new)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct key *key = &s->keys[i];
        const char *name = join(c, prefix, key->name);
        struct side was = {old.policy, tree_get(old.node, key->name), old.base};
        struct side is = {new.policy, tree_get(new.node, key->name), new.base};
        switch (key->type) {
        case KEY_SECTION:
            compare_section(c, key->section, name, was, is);
            break;
        case KEY_LIST:
        case KEY_MAP:
            compare_elements(c, key, name, was, is);
            break;
        case KEY_SPARE:
            compare_spare(c, name, is.node);
            break;
        case KEY_INCLUDE: /* what is included shows in the rest */
            break;
        default:
            compare_value(c, key, name, was, is);
            break;
        }
    }
}

/* What templates refer to may change although no key does: the domain XML, and what is in guests. */
static void compare_generations(struct comparer *c)
{
    for (size_t i = 0; i < c->new->n_templates; i++) {
        const struct policy_template *new = &c->new->templates[i], *old = same_template(c, new);
        if (old && strcmp(old->generation, new->generation) != 0)
            add(c, arena_printf(c->arena, "templates.%s.generation", new->name),
                      old->generation, new->generation, NULL);
    }
}

struct difference difference_make(struct arena *a, struct report *report,
                                  struct difference_side old, struct difference_side new)
{
    struct comparer c = {
        .arena = a, .report = report, .old = old.policy, .new = new.policy, .root = new.root};
    compare_section(&c, &keys_file, "",
                    (struct side){old.policy, old.root, (const unsigned char *)old.policy},
                    (struct side){new.policy, new.root, (const unsigned char *)new.policy});
    compare_generations(&c);
    return (struct difference){c.items, c.n};
}

void change_render(const struct change *change, struct text *out)
{
    text_printf(out, "%s: ", change->key);
    if (!change->old)
        text_add(out, "added");
    else if (!change->new)
        text_add(out, "removed");
    else
        text_printf(out, "%s → %s", *change->old ? change->old : "\"\"",
                    *change->new ? change->new : "\"\"");
    if (change->line)
        text_printf(out, " (%s:%u)", change->file, change->line);
}
