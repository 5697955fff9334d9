#include "serve/view-part.h"

struct rows {
    struct json_object *list;
    int64_t last;
};

static void add_row(void *userdata, const struct ledger_event *event)
{
    struct rows *rows = userdata;
    struct json_object *row = json_object_new_object();
    json_add_int(row, "id", event->id);
    part_add_time(row, "at", event->at);
    json_add_string(row, "kind", event->kind);
    json_add_string(row, "subject", event->subject);
    json_add_string(row, "text", event->text);
    (void)json_object_array_add(rows->list, row);
    rows->last = event->id;
}

/* Nothing was found: because nothing happened, or because the name is wrong. */
static int check_names(const struct snapshot *s, const struct ledger_events_wanted *wanted,
                       struct err *e)
{
    const struct plan_vm *vm;
    const struct policy_host *host;
    int r = 0;
    if (s && wanted->vm)
        r = part_find_vm(s->plan, wanted->vm, &vm, e);
    if (s && r == 0 && wanted->host)
        r = part_find_host(s->policy, wanted->host, &host, e);
    return r;
}

int view_events(const struct snapshot *s, usec now, const struct ledger_events_wanted *wanted,
                events_function events, void *userdata, struct json_object **ret, struct err *e)
{
    AUTOJSON struct json_object *view = part_begin(now);
    struct rows rows = {json_object_new_array(), wanted->after};
    json_add(view, "events", rows.list);
    int r = events(userdata, wanted, add_row, &rows, e);
    if (r == 0 && json_object_array_length(rows.list) == 0 && !wanted->after)
        r = check_names(s, wanted, e);
    if (r < 0)
        return r;
    json_add_int(view, "last", rows.last);
    *ret = json_object_get(view);
    return 0;
}
