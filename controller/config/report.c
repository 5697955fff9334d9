#include "config/report.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { LINE_SHOWN_MAX = 160, QUOTE_MAX = 60 };

struct message {
    struct place at;
    size_t order;
    const char *text;
};

struct report {
    struct arena *arena;
    struct message messages[REPORT_MESSAGES_MAX];
    size_t count; /* of all, also of those not kept */
};

struct report *report_new(struct arena *a)
{
    struct report *r = arena_take(a, 1, sizeof(*r));
    r->arena = a;
    return r;
}

void report_add(struct report *r, struct place at, const char *format, ...)
{
    size_t i = r->count++;
    if (i >= REPORT_MESSAGES_MAX)
        return;
    char *text = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0)
        mem_exhausted();
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?'; /* nothing of the file may move a terminal's cursor */
    }
    r->messages[i] = (struct message){at, i, arena_strdup(r->arena, text)};
    free(text);
}

size_t report_count(const struct report *r)
{
    return r->count;
}

bool report_full(const struct report *r)
{
    return r->count >= REPORT_MESSAGES_MAX;
}

static int message_compare(const void *a, const void *b)
{
    const struct message *x = a, *y = b;
    unsigned one = x->at.source->index, two = y->at.source->index;
    if (one != two)
        return one < two ? -1 : 1;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    if (x->at.column != y->at.column)
        return x->at.column < y->at.column ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* Whether a character starts at @p (and is not the rest of one in UTF-8). */
static bool starts_character(const char *p)
{
    return ((unsigned char)*p & 0xc0) != 0x80;
}

static void add_caret(struct text *t, struct place at)
{
    size_t length;
    const char *line = source_line(at, &length);
    if (!line || at.column == 0)
        return;
    if (length > LINE_SHOWN_MAX)
        length = report_cut(line, LINE_SHOWN_MAX);
    text_add(t, "    ");
    for (size_t i = 0; i < length; i++) {
        bool control = ((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f;
        text_add_bytes(t, control ? "?" : line + i, 1);
    }
    text_add(t, "\n    ");
    unsigned column = 1;
    for (size_t i = 0; i < length && column < at.column; i++) {
        if (!starts_character(line + i))
            continue;
        text_add(t, line[i] == '\t' ? "\t" : " ");
        column++;
    }
    text_add(t, column == at.column ? "^\n" : "…\n");
}

char *report_render(const struct report *r)
{
    struct message sorted[REPORT_MESSAGES_MAX];
    size_t n = r->count < REPORT_MESSAGES_MAX ? r->count : REPORT_MESSAGES_MAX;
    struct text t = {0};
    memcpy(sorted, r->messages, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), message_compare);
    for (size_t i = 0; i < n; i++) {
        const struct place *at = &sorted[i].at;
        text_add(&t, at->source->name);
        if (at->line)
            text_printf(&t, ":%u:%u", at->line, at->column);
        text_printf(&t, ": %s\n", sorted[i].text);
        add_caret(&t, *at);
    }
    if (r->count > n)
        text_printf(&t, "%s: and %zu more\n", sorted[0].at.source->name, r->count - n);
    return t.data ? t.data : mem_strdup("");
}

size_t report_cut(const char *text, size_t most)
{
    size_t length = strnlen(text, most + 1);
    if (length > most) {
        for (length = most; length && !starts_character(text + length);)
            length--;
    }
    return length;
}

const char *report_quote(struct arena *a, const char *text)
{
    size_t shown = report_cut(text, QUOTE_MAX);
    return arena_printf(a, "\"%.*s%s\"", (int)shown, text, text[shown] ? "…" : "");
}
