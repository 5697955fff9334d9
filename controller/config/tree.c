#include "config/tree.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/text.h"

enum { KEY_SHOWN_MAX = 64 };

struct builder {
    struct arena *arena;
    const struct source *source;
    struct report *report;
    struct tree_node *root;
    struct tree_node *open; /* the list or map that is being filled */
    struct tree_node *key;  /* waits for its value in open */
    size_t depth;
    size_t nodes;
    unsigned documents;
    bool refused; /* something was, and reading went on */
};

static struct place mark_place(const struct builder *b, yaml_mark_t mark)
{
    return (struct place){b->source, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

struct place tree_place(const struct tree_node *node)
{
    return node->key ? node->key->place : node->place;
}

struct policy_place tree_policy_place(const struct tree_node *node)
{
    struct place at = tree_place(node);
    return (struct policy_place){at.line, at.source->index};
}

static void add_path(struct text *t, const struct tree_node *node)
{
    const struct tree_node *steps[TREE_DEPTH_MAX + 2];
    size_t n = 0;
    for (; node->parent && n < ARRAY_SIZE(steps); node = node->parent)
        steps[n++] = node;
    while (n-- > 0) {
        if (steps[n]->key)
            text_printf(t, "%s%.*s", t->length ? "." : "",
                        (int)report_cut(steps[n]->key->text, KEY_SHOWN_MAX), steps[n]->key->text);
        else
            text_printf(t, "[%zu]", steps[n]->index);
    }
}

void tree_complain(struct report *report, const struct tree_node *node, const char *format, ...)
{
    struct text path = {0};
    AUTOFREE char *sentence = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&sentence, format, ap);
    va_end(ap);
    if (n < 0)
        mem_exhausted();
    add_path(&path, node);
    report_add(report, node->place, "%s%s%s", text_get(&path), path.length ? ": " : "", sentence);
    text_done(&path);
}

static int compare_keys(const void *a, const void *b)
{
    const struct tree_node *x = *(struct tree_node *const *)a, *y = *(struct tree_node *const *)b;
    int order = strcmp(x->key->text, y->key->text);
    return order ? order : x->position < y->position ? -1 : 1;
}

const struct tree_node *tree_get(const struct tree_node *map, const char *key)
{
    if (!map || map->kind != TREE_MAP)
        return NULL;
    size_t low = 0, high = map->n_sorted;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(map->sorted[middle]->key->text, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < map->n_sorted && strcmp(map->sorted[low]->key->text, key) == 0)
        return map->sorted[low];
    return NULL;
}

const struct tree_node *tree_item(const struct tree_node *list, size_t index)
{
    return list && list->kind != TREE_SCALAR && index < list->n ? list->items[index] : NULL;
}

void tree_append(struct arena *a, struct tree_node *node, struct tree_node *item)
{
    node->items =
        arena_grow(a, node->items, node->n, &node->capacity, sizeof(struct tree_node *));
    item->position = node->n;
    node->items[node->n++] = item;
}

void tree_sort(struct arena *a, struct tree_node *map)
{
    if (map->n == 0)
        return;
    if (map->sorted_capacity < map->n) {
        map->sorted = arena_take(a, map->capacity, sizeof(struct tree_node *));
        map->sorted_capacity = map->capacity;
    }
    map->n_sorted = map->n;
    memcpy(map->sorted, map->items, map->n * sizeof(struct tree_node *));
    qsort(map->sorted, map->n, sizeof(struct tree_node *), compare_keys);
}

/* The map is complete: put its keys in order, and find those that stand there twice. */
static void close_map(struct builder *b, struct tree_node *map)
{
    tree_sort(b->arena, map);
    for (size_t i = 1; i < map->n; i++) {
        const struct tree_node *one = map->sorted[i - 1]->key, *two = map->sorted[i]->key;
        if (strcmp(one->text, two->text) == 0)
            tree_complain(b->report, two, "the key is given twice; first in line %u",
                          one->place.line);
    }
}

static struct tree_node *add_node(struct builder *b, enum tree_kind kind, const yaml_event_t *event)
{
    struct tree_node *node = arena_take(b->arena, 1, sizeof(*node));
    struct tree_node *parent = b->open;
    *node = (struct tree_node){
        .kind = kind, .place = mark_place(b, event->start_mark), .parent = parent};
    b->nodes++;
    if (!parent) {
        b->root = node;
    } else if (parent->kind == TREE_MAP && !b->key) {
        b->key = node;
        node->key = node;
    } else {
        node->key = b->key;
        node->index = parent->n;
        b->key = NULL;
        tree_append(b->arena, parent, node);
    }
    return node;
}

/* Both start events begin with the anchor and the tag, but as members of different structs. */
static const char *refuse_features(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT)
        anchor = event->data.scalar.anchor, tag = event->data.scalar.tag;
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
    else if (event->type == YAML_MAPPING_START_EVENT)
        anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
    if (anchor || event->type == YAML_ALIAS_EVENT)
        return "anchors (&) and aliases (*) are not taken here; write the value out, or quote it";
    if (tag)
        return "tags (!) are not taken here; write the value alone, or quote it";
    return NULL;
}

static void refuse(struct builder *b, const yaml_event_t *event, const char *why)
{
    b->refused = true;
    report_add(b->report, mark_place(b, event->start_mark), "%s", why);
}

/* Take one event into the tree. Returns NULL, or why the file cannot be read any further. */
static const char *take_event(struct builder *b, const yaml_event_t *event)
{
    const char *refused = refuse_features(event);
    if (b->nodes >= TREE_NODES_MAX)
        return "the file has too many values";
    if (refused)
        refuse(b, event, refused);
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        add_node(b, TREE_SCALAR, event)->text = "";
        return NULL;
    case YAML_DOCUMENT_START_EVENT:
        return ++b->documents > 1 ? "a second document starts here; the file must hold one" : NULL;
    case YAML_SCALAR_EVENT: {
        const char *value = (const char *)event->data.scalar.value;
        if (strlen(value) != event->data.scalar.length)
            refuse(b, event, "a NUL character cannot be part of a value");
        struct tree_node *node = add_node(b, TREE_SCALAR, event);
        bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        node->null = plain && (!*value || strcmp(value, "~") == 0 || strcmp(value, "null") == 0);
        node->text = arena_strdup(b->arena, value);
        return NULL;
    }
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        if (++b->depth > TREE_DEPTH_MAX)
            return "too many levels of lists and maps";
        if (b->open && b->open->kind == TREE_MAP && !b->key)
            return "a list or map cannot be a key; does a \"{…}\" need quotation marks?";
        b->open =
            add_node(b, event->type == YAML_SEQUENCE_START_EVENT ? TREE_LIST : TREE_MAP, event);
        return NULL;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        assert(b->open); /* libyaml's events are balanced */
        if (event->type == YAML_MAPPING_END_EVENT)
            close_map(b, b->open);
        b->depth--;
        b->open = (struct tree_node *)b->open->parent;
        return NULL;
    default:
        return NULL;
    }
}

/* The character at @at, or 0 at the end of its line. */
static char character_at(struct place at)
{
    size_t length, i = 0;
    const char *line = source_line(at, &length);
    for (unsigned column = 1; line && i < length; i++) {
        if (((unsigned char)line[i] & 0xc0) == 0x80)
            continue;
        if (column++ == at.column)
            return line[i];
    }
    return 0;
}

static void report_syntax(struct builder *b, struct source *source, const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "not enough memory to read it";
    if (parser->error == YAML_READER_ERROR) {
        struct place at = source_place(source, parser->problem_offset);
        source->binary = true;
        report_add(b->report, at, "not a text in UTF-8: %s", problem);
        return;
    }
    struct place at = mark_place(b, parser->problem_mark);
    char c = character_at(at);
    if (c == '\t')
        report_add(b->report, at, "YAML does not take tabs here; indent with spaces");
    else if (c && strchr("@`%", c) && strstr(problem, "cannot start any token"))
        report_add(b->report, at, "a word that begins with %c needs quotation marks", c);
    else if (strstr(problem, "mapping values are not allowed"))
        report_add(b->report, at,
                   "no \"key: value\" can stand here; is it indented too far, or does a line above "
                   "lack its colon, or a blank after it?");
    else if (parser->context)
        report_add(b->report, at, "not YAML: %s %s (from line %zu on)", problem, parser->context,
                   parser->context_mark.line + 1);
    else
        report_add(b->report, at, "not YAML: %s", problem);
}

int tree_parse(struct arena *a, struct source *source, struct report *report,
               struct tree_node **ret_root)
{
    struct builder b = {.arena = a, .source = source, .report = report};
    if (source->length >= 2 && (memcmp(source->bytes, "\xff\xfe", 2) == 0 ||
                                memcmp(source->bytes, "\xfe\xff", 2) == 0)) {
        source->binary = true;
        report_add(report, (struct place){source, 1, 1}, "this is UTF-16; save it as UTF-8");
        return -EINVAL;
    }
    if (source->length >= 3 && memcmp(source->bytes, "\xef\xbb\xbf", 3) == 0) {
        source->binary = true;
        report_add(report, (struct place){source, 1, 1},
                   "the file begins with a byte order mark (U+FEFF); save it without one");
        return -EINVAL;
    }
    const char *nul = memchr(source->bytes, '\0', source->length);
    if (nul) {
        source->binary = true;
        report_add(report, source_place(source, (size_t)(nul - source->bytes)),
                   "not a text: there is a NUL byte");
        return -EINVAL;
    }

    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        mem_exhausted();
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)source->bytes, source->length);
    bool good = true;
    for (bool more = true; more && good;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            report_syntax(&b, source, &parser);
            good = false;
            break;
        }
        const char *refused = take_event(&b, &event);
        if (refused)
            report_add(report, mark_place(&b, event.start_mark), "%s", refused);
        good = !refused;
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (!good || b.refused)
        return -EINVAL;
    if (!b.root || b.root->null) {
        report_add(report, (struct place){source, 1, 1}, "the file is empty%s",
                   source->index > 0 ? "; remove it, or write {}" : "");
        return -EINVAL;
    }
    *ret_root = b.root;
    return 0;
}
