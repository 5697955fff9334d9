#include "doctor/knob.h"

#include <assert.h>
#include <string.h>

#include "act/fragment.h"
#include "base/mem.h"
#include "base/text.h"

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
