#include "config/advise.h"

#include <string.h>

#include "base/text.h"
#include "config/spelling.h"

/* The key of @s that @word was probably meant to be; NULL: none, or it is one. */
static const char *meant_key(const struct section *s, const char *word)
{
    const char *near = NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->keys[i].name, word) == 0)
            return NULL;
        spelling_nearer(word, s->keys[i].name, &near);
    }
    return near;
}

/* The section that has such a key; NULL when there is none. */
static const char *section_with(const char *name)
{
    for (size_t i = 0; i < keys_file.n; i++) {
        const struct section *s = keys_file.keys[i].section;
        for (size_t k = 0; s && k < s->n; k++)
            if (strcmp(s->keys[k].name, name) == 0)
                return keys_file.keys[i].name;
    }
    return NULL;
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < keys_file.n; i++)
        if (strcmp(keys_file.keys[i].name, name) == 0)
            return true;
    return false;
}

void advise_unknown(struct report *report, const struct section *s, const struct tree_node *key)
{
    const char *near = report_full(report) ? NULL : meant_key(s, key->text);
    const char *elsewhere = section_with(key->text);
    struct text all = {0};
    for (size_t i = 0; i < s->n; i++)
        text_printf(&all, "%s%s", i ? ", " : "", s->keys[i].name);
    if (strcmp(key->text, "<<") == 0)
        tree_complain(report, key, "merging (<<) is not taken here; write the keys out");
    else if (near)
        tree_complain(report, key, "unknown key; did you mean %s?", near);
    else if (is_section(key->text))
        tree_complain(report, key, "unknown key here; it begins a section of its own");
    else if (elsewhere)
        tree_complain(report, key, "unknown key here; it is a key of %s", elsewhere);
    else
        tree_complain(report, key, "unknown key; the keys here are %s", text_get(&all));
    text_done(&all);
}

void advise_missing(struct report *report, const struct section *s, const struct tree_node *node,
                    const struct key *key)
{
    for (size_t i = 0; i < node->n && !report_full(report); i++) {
        const char *meant = meant_key(s, node->items[i]->key->text);
        if (meant && strcmp(meant, key->name) == 0)
            return;
    }
    tree_complain(report, node->key ? node->key : node, "\"%s\" is missing: %s", key->name,
                  key->help);
}
