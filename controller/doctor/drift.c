#include "doctor/drift.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "act/belief.h"
#include "act/flock.h"
#include "act/gates.h"
#include "base/mem.h"
#include "base/utf8.h"
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

static void told(void *userdata, const struct child_result *r)
{
    struct look *l = userdata;
    struct belief belief;
    struct err e;
    if (belief_read(l->drift->arena, &l->plain, l->revision, l->target.path, r, &belief, &e) < 0) {
        failed(l, e.text);
        over(l);
        return;
    }
    for (size_t i = 0; i < belief.n; i++) {
        const struct belief_difference *difference = &belief.rows[i];
        struct json_object *row = json_object_new_object();
        json_add_string(row, "name", difference->name);
        json_add_string(row, "wanted", difference->wanted);
        json_add_string(row, "believed", difference->value);
        json_add_string(row, "at", *difference->at ? difference->at : NULL);
        json_add_string(row, "text", difference->text);
        (void)json_object_array_add(l->knobs, row);
    }
    over(l);
}

/* The daemon itself, as eyried asks it; once for all knobs. */
static void ask(struct look *l)
{
    const char *const *argv = belief_argv(l->drift->arena, l->target.daemon, &l->plain);
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
