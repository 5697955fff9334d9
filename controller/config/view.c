#include "config/view.h"

#include <string.h>

#include "config/value.h"
#include "config/walk.h"

struct viewer {
    const struct policy *policy;
    struct json_object *values;
};

static struct json_object *number(int64_t value)
{
    return value == POLICY_UNLIMITED ? NULL : json_object_new_int64(value);
}

static struct json_object *words(const struct policy *p, const struct walk_step *s)
{
    struct json_object *list = json_object_new_array();
    const char **names;
    const size_t *indices;
    size_t n;
    memcpy(&n, s->base + s->key->count_offset, sizeof(n));
    memcpy(&names, s->base + s->key->offset, sizeof(names));
    memcpy(&indices, s->base + s->key->offset, sizeof(indices));
    for (size_t i = 0; i < n; i++)
        (void)json_object_array_add(
            list, json_object_new_string(
                      s->key->type == KEY_TEXTS ? names[i] : p->templates[indices[i]].name));
    return list;
}

/* In the units of struct policy: bytes, microseconds. NULL: unlimited, or not there. */
static struct json_object *value_of(const struct policy *p, const struct walk_step *s)
{
    const unsigned char *field = s->base + s->key->offset;
    const char *word;
    int64_t n;
    bool is;
    if (s->kind == WALK_NONE)
        return NULL;
    switch (s->key->type) {
    case KEY_COUNT:
    case KEY_BYTES:
    case KEY_PERCENT:
    case KEY_DURATION: /* a struct setting begins with its value */
        memcpy(&n, field, sizeof(n));
        return number(n);
    case KEY_BOOL:
        memcpy(&is, field, sizeof(is));
        return json_object_new_boolean(is);
    case KEY_CHOICE:
        return json_object_new_string(s->key->choices[value_choice(s->key, field)]);
    case KEY_TEXTS:
    case KEY_TEMPLATES:
        return words(p, s);
    default:
        memcpy(&word, field, sizeof(word));
        return json_object_new_string(word);
    }
}

static void add_place(struct json_object *o, const struct policy *p, const struct tree_node *node)
{
    struct policy_place at = node ? tree_policy_place(node) : (struct policy_place){0};
    json_add_string(o, "file", node ? p->files[at.file] : NULL);
    json_add(o, "line", node ? json_object_new_int64(at.line) : NULL);
}

static void view_step(void *userdata, const struct walk_step *s)
{
    struct viewer *v = userdata;
    if (s->kind == WALK_HEAD)
        return;
    struct json_object *o = json_object_new_object(), *over = json_object_new_array();
    json_add_string(o, "key", s->path);
    json_add(o, "value", value_of(v->policy, s));
    json_add_string(o, "text", s->kind == WALK_NONE ? s->key->otherwise : s->text);
    add_place(o, v->policy, s->node);
    for (const struct tree_node *node = s->node ? s->node->over : NULL; node; node = node->over) {
        struct json_object *place = json_object_new_object();
        add_place(place, v->policy, node);
        (void)json_object_array_add(over, place);
    }
    json_add(o, "over", over);
    (void)json_object_array_add(v->values, o);
}

void view_add_values(struct json_object *o, const struct policy *p, const struct tree_node *root)
{
    struct viewer v = {.policy = p, .values = json_object_new_array()};
    walk_policy(p, root, view_step, &v);
    json_add(o, "values", v.values);
}

void view_add_errors(struct json_object *o, struct report *r)
{
    const struct message *messages;
    size_t n = report_sorted(r, &messages);
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < n; i++) {
        struct place at = messages[i].at;
        struct json_object *row = json_object_new_object();
        json_add_string(row, "file", at.source->name);
        json_add(row, "line", at.line ? json_object_new_int64(at.line) : NULL);
        json_add(row, "column", at.line ? json_object_new_int64(at.column) : NULL);
        json_add_string(row, "text", messages[i].text);
        (void)json_object_array_add(list, row);
    }
    json_add(o, "errors", list);
    json_add_int(o, "more", (int64_t)(report_count(r) - n));
}
