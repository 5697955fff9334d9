#include "act/belief.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/* Why the daemon has another value than the fragment, or lacks a word of it. */
static const char *explain(struct arena *a, const char *path, const struct knob_rule *rule,
                           const struct knob *k)
{
    const char *value = k ? k->value : NULL, *at = k ? k->at : "";
    size_t length = strlen(path);
    bool ours = strncmp(at, path, length) == 0 && at[length] == ',';
    const char *should = rule->test == KNOB_HAS
                             ? arena_printf(a, "%s is missing in it", rule->wanted)
                             : arena_printf(a, "it should be \"%s\"", rule->wanted);
    if (!value)
        return arena_printf(a,
                            "%s is not defined, and the fragment sets it: the daemon has not "
                            "read it, or not this text of it",
                            rule->name);
    if (ours)
        return arena_printf(a,
                            "%s is \"%s\" by another text of the fragment, which the daemon read "
                            "last: %s",
                            rule->name, value, should);
    if (strcmp(at, "<Default>") == 0)
        return arena_printf(a, "%s is \"%s\", which is HTCondor's default: %s", rule->name, value,
                            should);
    return arena_printf(a, "%s is \"%s\"%s%s, and not by the fragment: %s", rule->name, value,
                        *at ? " by " : "", at, should);
}

const char *const *belief_argv(struct arena *a, const char *daemon, const struct plain *plain)
{
    size_t n = 0;
    const char **argv = arena_take(a, plain->n + 4, sizeof(*argv));
    argv[n++] = "condor_config_val";
    argv[n++] = daemon;
    argv[n++] = "-verbose";
    for (size_t i = 0; i < plain->n; i++) {
        size_t k = 0;
        while (k < i && strcmp(plain->rules[k].name, plain->rules[i].name) != 0)
            k++;
        if (k == i) /* a list has a rule for each word */
            argv[n++] = plain->rules[i].name;
    }
    argv[n] = NULL;
    return argv;
}

int belief_read(struct arena *a, const struct plain *plain, const char *knob, const char *path,
                const struct child_result *r, struct belief *ret, struct err *e)
{
    AUTOFREE char *output = mem_strdup(r->output);
    utf8_mend(output, strlen(output));
    /* Exit status 1 says that some are not defined. */
    struct knobs knobs = knobs_parse(a, output, r->messages);
    if (r->end != CHILD_EXITED || knobs.n == 0)
        return err_set(e, EIO, "the daemon does not tell what it goes by: %s",
                       r->error ? r->error : "no answer");
    const struct knob *revision = knobs_find(&knobs, knob);
    bool read = revision && revision->value;
    struct belief_difference *rows = arena_take(a, plain->n, sizeof(*rows));
    size_t n = 0;
    for (size_t i = 0; i < plain->n; i++) {
        const struct knob_rule *rule = &plain->rules[i];
        const struct knob *k = knobs_find(&knobs, rule->name);
        /* Of a fragment that was not read one line is enough. */
        if ((read || strcmp(rule->name, knob) == 0) &&
            !knob_keeps(rule, rule->wanted, k ? k->value : NULL))
            rows[n++] = (struct belief_difference){.name = rule->name,
                                                   .wanted = rule->wanted,
                                                   .value = k ? k->value : NULL,
                                                   .at = k ? k->at : "",
                                                   .text = explain(a, path, rule, k)};
    }
    *ret = (struct belief){read ? revision->value : "", rows, n};
    return 0;
}
