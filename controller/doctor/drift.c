#include "doctor/drift.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "act/flock.h"
#include "act/gates.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "doctor/plain.h"
#include "loop/condor.h"

struct drift {
    struct loop *loop;
    struct arena *arena;
    size_t n_out; /* children */
};

struct look {
    struct drift *drift;
    struct flock_target target;
    const char *wanted;   /* the text */
    const char *revision; /* the knob */
    struct plain plain;
    struct json_object *knobs, *errors, *row;
    struct child *diff, *ask;
};

static void over(struct look *l)
{
    if (--l->drift->n_out == 0)
        loop_quit(l->drift->loop, 0);
}

static void failed(struct look *l, const char *text)
{
    (void)json_object_array_add(l->errors, json_object_new_string(text));
}

static void compared(void *userdata, const struct child_result *r)
{
    struct look *l = userdata;
    AUTOFREE char *text = mem_strdup(r->output);
    utf8_mend(text, strlen(text));
    if (r->end == CHILD_EXITED && r->code == 1)
        json_add_string(l->row, "file", text);
    else if (r->error)
        failed(l, r->error);
    over(l);
}

static void compare(struct look *l)
{
    bool there = access(l->target.path, F_OK) == 0;
    const char *const argv[] = {"diff",
                                "-u",
                                "--label",
                                l->target.path,
                                "--label",
                                "as the policy wants it",
                                there ? l->target.path : "/dev/null",
                                "-",
                                NULL};
    l->diff = child_run(l->drift->loop, &(struct child_args){.argv = argv,
                                                             .input = l->wanted,
                                                             .input_length = strlen(l->wanted),
                                                             .deadline = CONDOR_DEADLINE,
                                                             .done = compared,
                                                             .userdata = l});
    l->drift->n_out++;
}

/* Why the daemon has another value than the fragment, or lacks a word of it. */
static const char *explain(const struct look *l, const struct knob_rule *rule, const struct knob *k)
{
    struct arena *a = l->drift->arena;
    const char *value = k ? k->value : NULL, *at = k ? k->at : "";
    size_t length = strlen(l->target.path);
    bool ours = strncmp(at, l->target.path, length) == 0 && at[length] == ',';
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

static void add_knob(struct look *l, const struct knob_rule *rule, const struct knob *k)
{
    struct json_object *row = json_object_new_object();
    json_add_string(row, "name", rule->name);
    json_add_string(row, "wanted", rule->wanted);
    json_add_string(row, "believed", k ? k->value : NULL);
    json_add_string(row, "at", k && *k->at ? k->at : NULL);
    json_add_string(row, "text", explain(l, rule, k));
    (void)json_object_array_add(l->knobs, row);
}

static void told(void *userdata, const struct child_result *r)
{
    struct look *l = userdata;
    struct arena *a = l->drift->arena;
    AUTOFREE char *output = mem_strdup(r->output);
    utf8_mend(output, strlen(output));
    /* Exit status 1 says that some are not defined. */
    struct knobs knobs = knobs_parse(a, output, r->messages);
    if (r->end != CHILD_EXITED || knobs.n == 0) {
        failed(l, arena_printf(a, "the daemon does not tell what it goes by: %s",
                               r->error ? r->error : "no answer"));
        over(l);
        return;
    }
    const struct knob *revision = knobs_find(&knobs, l->revision);
    bool read = revision && revision->value;
    for (size_t i = 0; i < l->plain.n; i++) {
        const struct knob_rule *rule = &l->plain.rules[i];
        const struct knob *k = knobs_find(&knobs, rule->name);
        /* Of a fragment that was not read one line is enough. */
        if ((read || strcmp(rule->name, l->revision) == 0) &&
            !knob_keeps(rule, rule->wanted, k ? k->value : NULL))
            add_knob(l, rule, k);
    }
    over(l);
}

/* The daemon itself, as eyried asks it; once for all knobs. */
static void ask(struct look *l)
{
    size_t n = 0;
    const char **argv = arena_take(l->drift->arena, l->plain.n + 4, sizeof(*argv));
    argv[n++] = "condor_config_val";
    argv[n++] = l->target.daemon;
    argv[n++] = "-verbose";
    for (size_t i = 0; i < l->plain.n; i++) {
        size_t k = 0;
        while (k < i && strcmp(l->plain.rules[k].name, l->plain.rules[i].name) != 0)
            k++;
        if (k == i) /* a list has a rule for each word */
            argv[n++] = l->plain.rules[i].name;
    }
    l->ask = condor_run(l->drift->loop, l->target.tools,
                        &(struct child_args){.argv = argv, .done = told, .userdata = l});
    l->drift->n_out++;
}

static int begin(struct drift *d, const struct policy *p, struct look *l, struct json_object *rows,
                 struct err *e)
{
    CLEANUP(text_done) struct text text = {0};
    int r = flock_text(p, &l->target, &text, e);
    if (r < 0)
        return r;
    AUTOFREE char *revision = gates_knob(l->target.knob, p);
    l->drift = d;
    l->revision = arena_strdup(d->arena, revision);
    l->wanted = arena_strdup(d->arena, text_get(&text));
    l->plain = plain_read(d->arena, l->wanted);
    l->row = json_object_new_object();
    l->knobs = json_object_new_array();
    l->errors = json_object_new_array();
    json_add_string(l->row, "name", l->target.name);
    json_add_string(l->row, "path", l->target.path);
    json_add_string(l->row, "file", NULL);
    json_add(l->row, "knobs", l->knobs);
    json_add(l->row, "errors", l->errors);
    (void)json_object_array_add(rows, l->row);
    if (strcmp(l->target.path, POLICY_AGENT) == 0) {
        failed(l,
               "an agent keeps it on another machine, and eyrie flock status shows what it says");
        return 0;
    }
    compare(l);
    ask(l);
    return 0;
}

int drift_look(const struct policy *p, const char *name, struct json_object **ret, struct err *e)
{
    CLEANUP(arena_free_p) struct arena *arena = arena_new();
    AUTOJSON struct json_object *view = json_object_new_object();
    struct json_object *rows = json_object_new_array();
    struct drift d = {.arena = arena};
    size_t n = 0;
    int r = loop_new(&d.loop, e);
    if (r < 0) {
        json_object_put(rows);
        return r;
    }
    json_add_int(view, "version", 1);
    json_add(view, "flock", rows);
    struct look *looks = arena_take(arena, flock_count(p), sizeof(*looks));
    for (size_t i = 0; i < flock_count(p) && r == 0; i++) {
        struct flock_target target = flock_target(p, i);
        if (name && strcmp(name, target.name) != 0)
            continue;
        looks[n].target = target;
        r = begin(&d, p, &looks[n++], rows, e);
    }
    if (r == 0 && n == 0 && name)
        r = -ENOENT;
    if (r == 0 && d.n_out > 0 && loop_run(d.loop) < 0)
        r = err_set(e, EIO, "the event loop failed");
    for (size_t i = 0; i < n; i++) {
        looks[i].diff = child_free(looks[i].diff);
        looks[i].ask = child_free(looks[i].ask);
    }
    (void)loop_free(d.loop);
    if (r == 0)
        *ret = json_object_get(view);
    return r;
}
