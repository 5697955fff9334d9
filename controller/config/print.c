#include "config/print.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "config/keys.h"
#include "config/value.h"

enum { COMMENT_COLUMN = 56 };

struct printer {
    const struct policy *policy;
    const struct tree_node *root;
    FILE *out;
    const char *dash; /* begins a list item: in front of its first key */
};

static void print_section(struct printer *p, const struct section *s, const struct tree_node *node,
                          const unsigned char *base, int indent);

/* One line, with where its value comes from; @node NULL: from nowhere, it is the default. */
static void print_line(struct printer *p, int indent, const char *name, const char *value,
                       const struct tree_node *node)
{
    int used = fprintf(p->out, "%*s%s%s:%s%s", indent, "", p->dash, name, *value ? " " : "", value);
    int pad = used < COMMENT_COLUMN ? COMMENT_COLUMN - used : 1;
    p->dash = p->dash[0] ? "  " : "";
    if (!node) {
        fprintf(p->out, "%*s# default\n", pad, "");
        return;
    }
    struct policy_place at = tree_policy_place(node);
    fprintf(p->out, "%*s# %s:%u", pad, "", p->policy->files[at.file], at.line);
    for (node = node->over; node; node = node->over) {
        at = tree_policy_place(node);
        fprintf(p->out, ", over %s:%u", p->policy->files[at.file], at.line);
    }
    fprintf(p->out, "\n");
}

static void print_words(struct printer *p, const struct key *key, const struct tree_node *node,
                        const unsigned char *base, int indent)
{
    struct text list = {0};
    const char **words;
    const size_t *indices;
    size_t n;
    memcpy(&n, base + key->count_offset, sizeof(n));
    memcpy(&words, base + key->offset, sizeof(words));
    memcpy(&indices, base + key->offset, sizeof(indices));
    for (size_t i = 0; i < n; i++) {
        text_add(&list, i ? ", " : "[");
        value_quote(key->type == KEY_TEXTS ? words[i] : p->policy->templates[indices[i]].name,
                    &list);
    }
    if (n > 0) {
        text_add(&list, "]");
        print_line(p, indent, key->name, list.data, node);
    } else {
        fprintf(p->out, "%*s%s# %s: %s\n", indent, "", p->dash, key->name, key->otherwise);
    }
    text_done(&list);
}

static void print_elements(struct printer *p, const struct key *key, const struct tree_node *node,
                           const unsigned char *base, int indent)
{
    const struct section *s = key->section;
    const unsigned char *elements;
    size_t n;
    memcpy(&elements, base + key->offset, sizeof(elements));
    memcpy(&n, base + key->count_offset, sizeof(n));
    fprintf(p->out, "%s:\n", key->name);
    for (size_t i = 0; i < n; i++) {
        const unsigned char *element = elements + i * s->size;
        if (key->type == KEY_LIST) {
            p->dash = "- ";
            print_section(p, s, tree_item(node, i), element, indent);
            p->dash = "";
            continue;
        }
        const char *name;
        memcpy(&name, element + s->name_offset, sizeof(name));
        const struct tree_node *item = tree_get(node, name);
        struct text quoted = {0};
        value_quote(name, &quoted);
        print_line(p, indent, text_get(&quoted), "", item);
        text_done(&quoted);
        print_section(p, s, item, element, indent + 2);
    }
}

static void print_spare(struct printer *p, const struct tree_node *node)
{
    size_t n = 0;
    for (size_t i = 0; i < p->policy->n_templates; i++)
        n += p->policy->templates[i].spare > 0;
    if (n == 0) {
        print_line(p, 0, "spare", "{}", node);
        return;
    }
    fprintf(p->out, "spare:\n");
    for (size_t i = 0; i < p->policy->n_templates; i++) {
        const struct policy_template *t = &p->policy->templates[i];
        char number[32];
        (void)snprintf(number, sizeof(number), "%" PRId64, t->spare);
        if (t->spare > 0)
            print_line(p, 2, t->name, number, tree_get(node, t->name));
    }
}

/* Whether nothing of a section is said: lists without a constant default, left out. */
static bool is_bare(const struct section *s, const unsigned char *base)
{
    for (size_t i = 0; i < s->n; i++) {
        size_t n;
        memcpy(&n, base + s->keys[i].count_offset, sizeof(n));
        if (s->keys[i].type != KEY_TEXTS || n > 0)
            return false;
    }
    return true;
}

static void print_section(struct printer *p, const struct section *s, const struct tree_node *node,
                          const unsigned char *base, int indent)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct key *key = &s->keys[i];
        const struct tree_node *child = tree_get(node, key->name);
        struct text value = {0};
        switch (key->type) {
        case KEY_SECTION:
            fprintf(p->out, "%s:%s\n", key->name, is_bare(key->section, base) ? " {}" : "");
            print_section(p, key->section, child, base, indent + 2);
            break;
        case KEY_LIST:
        case KEY_MAP:
            print_elements(p, key, child, base, indent + 2);
            break;
        case KEY_INCLUDE:
            break;
        case KEY_SPARE:
            print_spare(p, child);
            break;
        case KEY_TEXTS:
        case KEY_TEMPLATES:
            print_words(p, key, child, base, indent);
            break;
        default:
            value_format(key, base + key->offset, &value);
            print_line(p, indent, key->name, text_get(&value), child);
            break;
        }
        text_done(&value);
    }
}

void print_policy(const struct policy *p, const struct tree_node *root, FILE *out)
{
    struct printer printer = {.policy = p, .root = root, .out = out, .dash = ""};
    print_section(&printer, &keys_file, root, (const unsigned char *)p, 0);
}
