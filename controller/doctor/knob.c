#include "doctor/knob.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "act/fragment.h"
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

const char *knobs_fill(struct visit *v, const char *text)
{
    const struct policy *p = v->policy;
    AUTOFREE char *knob = mem_strdup(p->pool.name);
    for (char *c = knob; *c; c++)
        if (*c == '-')
            *c = '_';
    const struct fragment_value values[] = {
        {"POOL", p->pool.name},
        {"KNOB", knob},
        {"FLAG", p->pool.flag},
        {"CENTRAL_MANAGER", p->pool.central_manager},
        {"TRUST_DOMAIN", p->pool.trust_domain},
    };
    CLEANUP(text_done) struct text out = {0};
    struct err e;
    int r = fragment_render("rule", text, values, ARRAY_SIZE(values), NULL, &out, &e);
    assert(r == 0); /* our own text */
    return arena_strdup(v->arena, text_get(&out));
}

const char *const *knobs_argv(struct visit *v, const char *const *head,
                              const struct knob_rule *rules, size_t n_rules)
{
    size_t n = 0;
    while (head[n])
        n++;
    const char **argv = arena_take(v->arena, n + n_rules + 1, sizeof(*argv));
    memcpy(argv, head, n * sizeof(*argv));
    for (size_t i = 0; i < n_rules; i++)
        argv[n + i] = knobs_fill(v, rules[i].name);
    return argv;
}

static const char *test_text(enum knob_test test)
{
    static const char *const texts[] = {
        [KNOB_IS] = "",
        [KNOB_HAS] = "a list with ",
        [KNOB_CONTAINS] = "an expression with ",
        [KNOB_AT_LEAST] = "at least ",
        [KNOB_AT_MOST] = "at most ",
    };
    return texts[test];
}

static const char *mend_text(struct visit *v, const struct knob *k, const char *name,
                             const struct knob_rule *rule, const char *wanted, const char *where,
                             const char *owner)
{
    bool set = k && k->value && *k->at && !strchr(k->at, '<');
    const char *to = visit_text(v, "%s to be %s%s", name, test_text(rule->test), wanted);
    if (set && owner)
        return visit_text(v, "on %s: take it out of %s (%s sets it), then: condor_reconfig", where,
                          k->at, owner);
    if (set)
        return visit_text(v, "on %s: change %s in %s, then: condor_reconfig", where, to, k->at);
    return visit_text(v, "on %s: set %s in HTCondor's configuration, then: condor_reconfig", where,
                      to);
}

void knobs_judge(struct visit *v, enum check_id check, const char *subject, const struct knobs *k,
                 const struct knob_rule *rules, size_t n_rules, const char *where,
                 const char *owner)
{
    CLEANUP(text_done) struct text kept = {0};
    for (size_t i = 0; i < n_rules; i++) {
        const char *name = knobs_fill(v, rules[i].name), *wanted = knobs_fill(v, rules[i].wanted);
        const struct knob *knob = knobs_find(k, name);
        const char *value = knob ? knob->value : NULL;
        if (knob_keeps(&rules[i], wanted, value)) {
            text_printf(&kept, "%s%s", kept.length ? ", " : "", name);
            continue;
        }
        const char *what =
            value ? visit_text(v, "%s is \"%s\"%s%s, not %s%s", name, value,
                               *knob->at ? " by " : "", knob->at, test_text(rules[i].test), wanted)
                  : visit_text(v, "%s is not defined, and should be %s%s", name,
                               test_text(rules[i].test), wanted);
        visit_wrong(v, check, subject, what, rules[i].why,
                    mend_text(v, knob, name, &rules[i], wanted, where, owner));
    }
    if (kept.length)
        visit_ok(v, check, subject, "right: %s", text_get(&kept));
}
