#include "act/knob.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

static void add(struct arena *a, struct knobs *k, size_t *capacity, const char *name, size_t length,
                const char *value)
{
    k->rows = arena_grow(a, k->rows, k->n, capacity, sizeof(*k->rows));
    k->rows[k->n++] = (struct knob){
        .name = arena_printf(a, "%.*s", (int)length, name),
        .value = value,
        .at = "",
    };
}

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

struct knobs knobs_parse(struct arena *a, const char *output, const char *messages)
{
    static const char at[] = " # at: ", missing[] = "Not defined: ";
    struct knobs k = {0};
    size_t capacity = 0;
    for (const char *line = output; *line; line = next_line(line)) {
        int length = (int)strcspn(line, "\n");
        const char *equals = memchr(line, '=', (size_t)length);
        if (k.n > 0 && text_starts_with(line, at))
            k.rows[k.n - 1].at =
                arena_printf(a, "%.*s", length - (int)strlen(at), line + strlen(at));
        else if (*line != ' ' && *line != '#' && equals && equals > line + 1 && equals[-1] == ' ')
            add(a, &k, &capacity, line, (size_t)(equals - line) - 1,
                arena_printf(a, "%.*s", length - (int)(equals - line) - 1 - (equals[1] == ' '),
                             equals + 1 + (equals[1] == ' ')));
    }
    for (const char *line = messages; *line; line = next_line(line))
        if (text_starts_with(line, missing))
            add(a, &k, &capacity, line + strlen(missing), strcspn(line + strlen(missing), " \n"),
                NULL);
    return k;
}

const struct knob *knobs_find(const struct knobs *k, const char *name)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcasecmp(k->rows[i].name, name) == 0)
            return &k->rows[i];
    return NULL;
}

static bool is_false(const char *word)
{
    static const char *const words[] = {"false", "f", "no", "n", "0"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(word, words[i]) == 0)
            return true;
    return false;
}

static bool has_word(const char *list, const char *word)
{
    static const char between[] = ", \t";
    size_t length = strlen(word);
    for (const char *p = list + strspn(list, between); *p; p += strspn(p, between)) {
        size_t n = strcspn(p, between);
        if (n == length && strncasecmp(p, word, n) == 0)
            return true;
        p += n;
    }
    return false;
}

bool knob_keeps(const struct knob_rule *rule, const char *wanted, const char *value)
{
    char *end;
    if (!value)
        return rule->unset_is_well;
    switch (rule->test) {
    case KNOB_IS:
        return strcasecmp(value, wanted) == 0 || (is_false(wanted) && is_false(value));
    case KNOB_HAS:
        return has_word(value, wanted);
    case KNOB_CONTAINS:
        return strcasestr(value, wanted) != NULL;
    default:
        break;
    }
    long long number = strtoll(value, &end, 10);
    if (end == value || *end)
        return true;
    return rule->test == KNOB_AT_LEAST ? number >= atoll(wanted) : number <= atoll(wanted);
}
