#include "act/plain.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct reading {
    struct arena *arena;
    struct knob_rule *rules;
    size_t n, capacity;
};

static void add(struct reading *r, const char *name, enum knob_test test, const char *wanted)
{
    r->rules = arena_grow(r->arena, r->rules, r->n, &r->capacity, sizeof(*r->rules));
    r->rules[r->n++] = (struct knob_rule){.name = name, .test = test, .wanted = wanted};
}

/* The words of @value that come besides $(@name), if it is a list that is added to. */
static void add_words(struct reading *r, const char *name, const char *value)
{
    static const char between[] = ", \t";
    const char *self = arena_printf(r->arena, "$(%s)", name);
    const char *at = strstr(value, self);
    const char *rest =
        at ? arena_printf(r->arena, "%.*s %s", (int)(at - value), value, at + strlen(self)) : "";
    if (strstr(rest, "$(") || strpbrk(rest, "()\""))
        return; /* an expression */
    for (const char *p = rest + strspn(rest, between); *p; p += strspn(p, between)) {
        size_t n = strcspn(p, between);
        add(r, name, KNOB_HAS, arena_printf(r->arena, "%.*s", (int)n, p));
        p += n;
    }
}

static void read_knob(struct reading *r, const char *line)
{
    size_t name_length = 0;
    while (isalnum((unsigned char)line[name_length]) || strchr("_.", line[name_length]))
        if (!line[name_length++])
            return;
    const char *equals = line + name_length + strspn(line + name_length, " \t");
    if (name_length == 0 || *equals != '=')
        return;
    const char *name = arena_printf(r->arena, "%.*s", (int)name_length, line);
    const char *value = equals + 1 + strspn(equals + 1, " \t");
    if (strstr(value, "$("))
        add_words(r, name, value);
    else
        add(r, name, KNOB_IS, value);
}

/* The next line without the blanks around it, as a copy; NULL after the last. */
static const char *take_line(struct arena *a, const char **text)
{
    if (!**text)
        return NULL;
    const char *from = *text + strspn(*text, " \t");
    size_t length = strcspn(from, "\n");
    *text = from + length + (from[length] == '\n');
    while (length > 0 && strchr(" \t\r", from[length - 1]))
        length--;
    return arena_printf(a, "%.*s", (int)length, from);
}

struct plain plain_read(struct arena *a, const char *fragment)
{
    struct reading r = {.arena = a};
    const char *line, *until = NULL; /* the end of a value of several lines */
    bool left_out = false;           /* by an if; the fragments have none inside another */
    while ((line = take_line(a, &fragment))) {
        const char *tag = strstr(line, "@=");
        if (until)
            until = strcmp(line, until) == 0 ? NULL : until;
        else if (*line == '#')
            continue;
        else if (tag)
            until = arena_printf(a, "@%s", tag + 2);
        else if (text_starts_with(line, "if "))
            left_out = strcmp(line, "if false") == 0;
        else if (strcmp(line, "endif") == 0)
            left_out = false;
        else if (!left_out)
            read_knob(&r, line);
    }
    return (struct plain){r.rules, r.n};
}
