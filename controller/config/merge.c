#include "config/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/resolve.h"

/* An item of a list, by the name that it has or will be given. */
struct named {
    const char *name;
    struct tree_node *item;
    const struct tree_node *from; /* what was merged into it; NULL: nothing */
};

static const char *name_of(struct arena *a, const struct tree_node *item)
{
    const struct tree_node *name = tree_get(item, "name"), *uri = tree_get(item, "uri");
    if (name)
        return name->text; /* NULL: it is no word, which is complained about later */
    return uri && uri->text ? resolve_uri_host(a, uri->text) : NULL;
}

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->item->position < y->item->position ? -1 : 1;
}

/* The first of that name; NULL when there is none. */
static struct named *find(struct named *names, size_t n, const char *name)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && strcmp(names[low].name, name) == 0 ? &names[low] : NULL;
}

static bool is_list_of_maps(const struct tree_node *node)
{
    bool maps = node->kind == TREE_LIST;
    for (size_t i = 0; maps && i < node->n; i++)
        maps = node->items[i]->kind == TREE_MAP;
    return maps;
}

static void merge_lists(struct arena *a, struct report *report, struct tree_node *into,
                        struct tree_node *from)
{
    struct named *names = arena_take(a, into->n, sizeof(*names));
    size_t n = 0;
    for (size_t i = 0; i < into->n; i++) {
        const char *name = name_of(a, into->items[i]);
        if (name)
            names[n++] = (struct named){name, into->items[i], NULL};
    }
    if (n > 0)
        qsort(names, n, sizeof(*names), compare_named);
    for (size_t i = 0; i < from->n; i++) {
        const char *name = name_of(a, from->items[i]);
        struct named *same = name ? find(names, n, name) : NULL;
        if (same && same->from)
            tree_complain(report, from->items[i],
                          "%s is given twice in this file; first in line %u", report_quote(a, name),
                          same->from->place.line);
        if (same) {
            same->from = from->items[i];
            merge_trees(a, report, same->item, from->items[i]);
        } else {
            tree_append(a, into, from->items[i]);
        }
    }
}

void merge_trees(struct arena *a, struct report *report, struct tree_node *into,
                 struct tree_node *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct tree_node *new = from->items[i];
        struct tree_node *old = (struct tree_node *)tree_get(into, new->key->text);
        if (!old) {
            tree_append(a, into, new);
        } else if (old->kind == TREE_MAP && new->kind == TREE_MAP) {
            merge_trees(a, report, old, new);
        } else if (is_list_of_maps(old) && is_list_of_maps(new)) {
            merge_lists(a, report, old, new);
        } else if (old->kind != TREE_SCALAR || !text_equal(old->text, new->text)) {
            new->over = old;
            new->position = old->position;
            into->items[old->position] = new;
        }
    }
    tree_sort(a, into);
}
