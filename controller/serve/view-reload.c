#include "serve/view-part.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static struct json_object *change_row(const struct change *change)
{
    CLEANUP(text_done) struct text text = {0};
    struct json_object *row = json_object_new_object();
    change_render(change, &text);
    json_add_string(row, "key", change->key);
    part_add_name(row, "old", change->old);
    part_add_name(row, "new", change->new);
    part_add_name(row, "file", change->file);
    json_add(row, "line", change->line ? json_object_new_int64(change->line) : NULL);
    json_add_string(row, "text", text_get(&text));
    return row;
}

static struct json_object *change_rows(const struct difference *changes, struct text *text)
{
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < changes->n; i++) {
        text_add(text, "  ");
        change_render(&changes->items[i], text);
        text_add(text, "\n");
        (void)json_object_array_add(rows, change_row(&changes->items[i]));
    }
    return rows;
}

/* The last reload that changed something, when this one did not. */
static struct json_object *last_change(const struct server_reload *r, usec now, struct text *text)
{
    char age[UNITS_TEXT_MAX];
    usec ago = now > r->last ? now - r->last : 0;
    if (r->changes->n > 0 || !r->last)
        return NULL;
    text_printf(text, "It changed %s ago (%s):\n%s",
                units_format_duration(ago - ago % USEC_PER_SEC, age), r->last_who, r->last_text);
    struct json_object *o = json_object_new_object();
    part_add_time(o, "at", r->last);
    json_add_string(o, "why", r->last_who);
    json_add_string(o, "text", r->last_text);
    return o;
}

struct json_object *view_reload(const struct server_reload *r, usec now)
{
    struct json_object *view = part_begin(now), *plan = json_object_new_object();
    CLEANUP(text_done) struct text text = {0}, steps = {0};
    json_add_string(view, "file", r->file);
    if (r->refused) {
        (void)json_object_put(plan);
        text_printf(&text, "%s\nnothing is changed: the policy from before stays in force",
                    r->refused);
        json_add_string(view, "error", text_get(&text));
        return view;
    }
    text_printf(&text, "%s is in force; %s\n", last_name(r->file),
                r->changes->n ? "it changes" : "nothing has changed in it now");
    json_add(view, "changes", change_rows(r->changes, &text));
    json_add(view, "last", last_change(r, now, &text));
    plan_render(r->plan, &steps);
    if (r->changes->n)
        text_printf(&text, "What it makes of the pool as it is:\n%s", text_get(&steps));
    json_add_int(plan, "changes", (int64_t)r->plan->n_actions);
    json_add_string(plan, "text", text_get(&steps));
    json_add(view, "plan", plan);
    json_add_string(view, "text", text_get(&text));
    return view;
}
