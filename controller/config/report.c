#include "config/report.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

enum { LINE_SHOWN_MAX = 160, QUOTE_MAX = 60 };

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

/* Whether a character starts at @p (and is not the rest of one in UTF-8). */
static bool starts_character(const char *p)
{
    return ((unsigned char)*p & 0xc0) != 0x80;
}

/* Add the character at @p, or what may stand for it on a terminal; returns its bytes. */
static size_t add_character(struct text *t, const char *p, size_t left)
{
    uint32_t code = 0;
    size_t bytes = utf8_character(p, left, &code);
    bool plain = bytes > 0 && (!utf8_is_control(code) || code == '\t');
    text_add_bytes(t, plain ? p : "?", plain ? bytes : 1);
    return bytes ? bytes : 1;
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
    struct text shown = {0}; /* nothing of the file may move a terminal's cursor */
    for (size_t k = 0; k < (size_t)n;)
        k += add_character(&shown, text + k, (size_t)n - k);
    r->messages[i] = (struct message){at, i, arena_strdup(r->arena, text_get(&shown))};
    text_done(&shown);
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

/* The line of @at, or what is around @at in a long one, and a caret below. */
static void add_caret(struct text *t, struct place at)
{
    struct text below = {0};
    size_t length;
    unsigned first = at.column > LINE_SHOWN_MAX ? at.column - LINE_SHOWN_MAX / 2 : 1, column = 1;
    const char *line = source_line(at, &length);
    if (!line || at.column == 0)
        return;
    text_add(t, first > 1 ? "    …" : "    ");
    text_add(&below, first > 1 ? "     " : "    ");
    for (size_t i = 0; i < length; column++) {
        struct text skipped = {0};
        if (column == first + LINE_SHOWN_MAX) {
            text_add(t, "…");
            break;
        }
        if (column >= first && column < at.column)
            text_add(&below, line[i] == '\t' ? "\t" : " ");
        i += add_character(column < first ? &skipped : t, line + i, length - i);
        text_done(&skipped);
    }
    text_printf(t, "\n%s^\n", text_get(&below));
    text_done(&below);
}

size_t report_sorted(struct report *r, const struct message **ret)
{
    size_t n = r->count < REPORT_MESSAGES_MAX ? r->count : REPORT_MESSAGES_MAX;
    qsort(r->messages, n, sizeof(r->messages[0]), message_compare);
    *ret = r->messages;
    return n;
}

char *report_render(struct report *r)
{
    const struct message *sorted;
    size_t n = report_sorted(r, &sorted);
    struct text t = {0};
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
