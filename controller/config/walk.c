#include "config/walk.h"

#include <string.h>

#include "base/text.h"
#include "config/value.h"

struct walk {
    const struct policy *policy;
    walk_visit visit;
    void *userdata;
    struct text path;
    const char *dash; /* begins a list item: in front of its first key */
};

static void walk_section(struct walk *w, const struct section *s, const struct tree_node *node,
                         const unsigned char *base, int indent);

/* Visit @step below the path so far; @add: its own part of the path. */
static void visit(struct walk *w, struct walk_step step, const char *add)
{
    size_t length = w->path.length;
    text_printf(&w->path, "%s%s", length && *add ? "." : "", add);
    step.dash = w->dash;
    step.path = text_get(&w->path);
    w->visit(w->userdata, &step);
    if (step.kind != WALK_NONE)
        w->dash = *w->dash ? "  " : "";
    text_cut(&w->path, length);
}

static void walk_words(struct walk *w, const struct key *key, const struct tree_node *node,
                       const unsigned char *base, int indent)
{
    struct walk_step step = {WALK_NONE,  indent,       .name = key->name, .text = "",
                             .key = key, .base = base, .node = node};
    struct text list = {0};
    const char **words;
    const size_t *indices;
    size_t n;
    memcpy(&n, base + key->count_offset, sizeof(n));
    memcpy(&words, base + key->offset, sizeof(words));
    memcpy(&indices, base + key->offset, sizeof(indices));
    for (size_t i = 0; i < n; i++) {
        text_add(&list, i ? ", " : "[");
        value_quote(key->type == KEY_TEXTS ? words[i] : w->policy->templates[indices[i]].name,
                    &list);
    }
    if (n > 0) {
        text_add(&list, "]");
        step.kind = WALK_VALUE;
        step.text = list.data;
    }
    visit(w, step, key->name);
    text_done(&list);
}

static void walk_elements(struct walk *w, const struct key *key, const struct tree_node *node,
                          const unsigned char *base, int indent)
{
    const struct section *s = key->section;
    const unsigned char *elements;
    size_t n, length = w->path.length;
    memcpy(&elements, base + key->offset, sizeof(elements));
    memcpy(&n, base + key->count_offset, sizeof(n));
    for (size_t i = 0; i < n; i++) {
        const unsigned char *element = elements + i * s->size;
        if (key->type == KEY_LIST) {
            text_printf(&w->path, "[%zu]", i);
            w->dash = "- ";
            walk_section(w, s, tree_item(node, i), element, indent);
            w->dash = "";
        } else {
            const char *name;
            memcpy(&name, element + s->name_offset, sizeof(name));
            const struct tree_node *item = tree_get(node, name);
            struct text quoted = {0};
            value_quote(name, &quoted);
            visit(w,
                  (struct walk_step){WALK_HEAD, indent, .name = text_get(&quoted), .text = "",
                                     .node = item},
                  name);
            text_done(&quoted);
            text_printf(&w->path, ".%s", name);
            walk_section(w, s, item, element, indent + 2);
        }
        text_cut(&w->path, length);
    }
}

static void walk_spare(struct walk *w, const struct tree_node *node)
{
    static const struct key count = {"spare", KEY_COUNT,
                                     .offset = offsetof(struct policy_template, spare)};
    for (size_t i = 0; i < w->policy->n_templates; i++) {
        const struct policy_template *t = &w->policy->templates[i];
        struct text number = {0}, name = {0};
        value_quote(t->name, &name);
        value_format(&count, &t->spare, &number);
        if (t->spare > 0)
            visit(w,
                  (struct walk_step){WALK_VALUE, 2, .name = text_get(&name),
                                     .text = text_get(&number), .key = &count,
                                     .base = (const unsigned char *)t,
                                     .node = tree_get(node, t->name)},
                  t->name);
        text_done(&name);
        text_done(&number);
    }
}

/* What stands for a section of which no value is there: its lists were left out, no template has
   spare VMs; or for a list without items. "" when there are some. */
static const char *bare(const struct walk *w, const struct key *key, const unsigned char *base)
{
    size_t n = 0;
    if (key->type == KEY_LIST || key->type == KEY_MAP)
        memcpy(&n, base + key->count_offset, sizeof(n));
    if (key->type == KEY_SPARE)
        for (size_t i = 0; i < w->policy->n_templates; i++)
            n += w->policy->templates[i].spare > 0;
    for (size_t i = 0; key->type == KEY_SECTION && n == 0 && i < key->section->n; i++) {
        const struct key *k = &key->section->keys[i];
        if (k->type == KEY_TEXTS)
            memcpy(&n, base + k->count_offset, sizeof(n));
        else
            n = 1;
    }
    return n > 0 ? "" : key->type == KEY_LIST ? "[]" : "{}";
}

static void walk_group(struct walk *w, const struct key *key, const struct tree_node *node,
                       const unsigned char *base, int indent)
{
    size_t length = w->path.length;
    visit(w,
          (struct walk_step){WALK_HEAD, indent, .name = key->name, .node = node,
                             .text = bare(w, key, base)},
          key->name);
    text_printf(&w->path, "%s%s", length ? "." : "", key->name);
    if (key->type == KEY_SECTION)
        walk_section(w, key->section, node, base, indent + 2);
    else if (key->type == KEY_SPARE)
        walk_spare(w, node);
    else
        walk_elements(w, key, node, base, indent + 2);
    text_cut(&w->path, length);
}

static void walk_section(struct walk *w, const struct section *s, const struct tree_node *node,
                         const unsigned char *base, int indent)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct key *key = &s->keys[i];
        const struct tree_node *child = tree_get(node, key->name);
        struct text value = {0};
        switch (key->type) {
        case KEY_INCLUDE: /* what it stands for is here */
            break;
        case KEY_SECTION:
        case KEY_LIST:
        case KEY_MAP:
        case KEY_SPARE:
            walk_group(w, key, child, base, indent);
            break;
        case KEY_TEXTS:
        case KEY_TEMPLATES:
            walk_words(w, key, child, base, indent);
            break;
        default:
            value_format(key, base + key->offset, &value);
            visit(w,
                  (struct walk_step){WALK_VALUE, indent, .name = key->name,
                                     .text = text_get(&value), .key = key, .base = base,
                                     .node = child},
                  key->name);
            break;
        }
        text_done(&value);
    }
}

void walk_policy(const struct policy *p, const struct tree_node *root, walk_visit on_step,
                 void *userdata)
{
    struct walk w = {.policy = p, .visit = on_step, .userdata = userdata, .dash = ""};
    walk_section(&w, &keys_file, root, (const unsigned char *)p, 0);
    text_done(&w.path);
}
