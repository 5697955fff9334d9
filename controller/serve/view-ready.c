/*
 * Whether the pool is taken care of: what must be so, one by one. One dead host of many is for
 * `eyrie status` to show; here is what stops everything.
 */
#include "serve/view-part.h"

#include "base/mem.h"
#include "base/text.h"

struct checks {
    struct json_object *rows;
    struct text missing; /* what is not so, in a sentence */
};

/* @why: what is wrong, or NULL when it is as it should be. */
static void check(struct checks *c, const char *name, const char *why)
{
    struct json_object *row = json_object_new_object();
    json_add_string(row, "name", name);
    json_add_bool(row, "ok", !why);
    part_add_name(row, "text", why);
    (void)json_object_array_add(c->rows, row);
    if (why)
        text_printf(&c->missing, "%s%s: %s", c->missing.length ? "; " : "", name, why);
}

static void check_step(struct checks *c, const struct snapshot *s, usec now)
{
    char age[UNITS_TEXT_MAX];
    usec old = now - s->server.last_step;
    if (old <= snapshot_steps_within(s->policy)) {
        check(c, "step", NULL);
        return;
    }
    AUTOFREE char *why =
        mem_printf("the last one was %s ago", units_format_duration(old - old % USEC_PER_SEC, age));
    check(c, "step", why);
}

/* One source of that kind must be trusted, if there is any. */
static void check_facts(struct checks *c, const struct snapshot *s, const char *kind)
{
    const struct plan_trust *bad = NULL;
    for (size_t i = 0; i < s->plan->n_trust; i++) {
        const struct plan_trust *t = &s->plan->trust[i];
        if (!text_equal(t->kind, kind))
            continue;
        if (t->trusted) {
            check(c, kind, NULL);
            return;
        }
        if (!bad)
            bad = t;
    }
    if (!bad) {
        check(c, kind, NULL);
        return;
    }
    AUTOFREE char *why = mem_printf(
        "%s of %s%s%s", bad->age == USEC_NEVER ? "no complete answer yet" : "no fresh answer",
        bad->name, *bad->error ? ": " : "", bad->error);
    check(c, kind, why);
}

bool view_ready(const struct snapshot *s, usec now, struct json_object **ret)
{
    struct checks c = {.rows = json_object_new_array()};
    struct json_object *view = part_begin(now);
    if (!s) {
        check(&c, "step", "eyried has only just started: there is no plan yet");
    } else {
        check_step(&c, s, now);
        check_facts(&c, s, "queue");
        check_facts(&c, s, "pool");
        check_facts(&c, s, "host");
        check(&c, "ledger", *s->server.ledger_error ? s->server.ledger_error : NULL);
    }
    bool ready = c.missing.length == 0;
    json_add_bool(view, "ready", ready);
    json_add(view, "checks", c.rows);
    if (!ready) {
        AUTOFREE char *error = mem_printf("not ready: %s", text_get(&c.missing));
        json_add_string(view, "error", error);
    }
    text_done(&c.missing);
    *ret = view;
    return ready;
}
