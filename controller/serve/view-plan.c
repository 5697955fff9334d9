#include "serve/view-part.h"

#include "base/mem.h"
#include "base/text.h"
#include "record/world.h"

static struct json_object *action_row(const struct snapshot *s, const struct plan_action *a)
{
    const struct policy *p = s->policy;
    struct json_object *row = json_object_new_object();
    json_add_string(row, "action", action_kind_name(a->kind));
    part_add_name(row, "name", a->name);
    part_add_name(row, "uuid", a->uuid);
    part_add_name(row, "host", a->host);
    part_add_name(row, "volume", a->volume);
    if (a->kind == ACTION_CREATE) {
        part_add_name(row, "template",
                      a->policy_template < p->n_templates ? p->templates[a->policy_template].name
                                                          : NULL);
        part_add_name(row, "group",
                      a->policy_group < p->n_groups ? p->groups[a->policy_group].name : NULL);
        part_add_name(row, "request", a->request);
        json_add_bool(row, "exclusive", a->exclusive);
    }
    part_add_reason(row, "reason", &a->reason, p->files);
    return row;
}

/* Of the VM that the action makes, or is about; NULL: none. */
static const char *group_of(const struct snapshot *s, const struct plan_action *a)
{
    const struct plan *plan = s->plan;
    if (a->kind == ACTION_CREATE)
        return a->policy_group < s->policy->n_groups ? s->policy->groups[a->policy_group].name
                                                     : NULL;
    for (size_t i = 0; a->uuid && *a->uuid && i < plan->n_vms; i++)
        if (text_equal(plan->vms[i].uuid, a->uuid))
            return plan->vms[i].group;
    return NULL;
}

struct json_object *part_actions(const struct snapshot *s, const char *host, const char *group)
{
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < s->plan->n_actions; i++) {
        const struct plan_action *a = &s->plan->actions[i];
        if ((!host || text_equal(a->host, host)) && (!group || text_equal(group_of(s, a), group)))
            (void)json_object_array_add(rows, action_row(s, a));
    }
    return rows;
}

struct json_object *view_plan(const struct snapshot *s, usec now)
{
    const struct plan *plan = s->plan;
    struct json_object *view = part_begin(now);
    CLEANUP(text_done) struct text text = {0};
    int64_t counts[ACTION_KIND_COUNT] = {0};
    struct json_object *actions = json_object_new_array();
    for (size_t i = 0; i < plan->n_actions; i++) {
        counts[plan->actions[i].kind]++;
        (void)json_object_array_add(actions, action_row(s, &plan->actions[i]));
    }
    plan_render(plan, &text);
    part_add_time(view, "made", plan->now);
    part_add_time(view, "next_look", plan->next_look);
    part_add_reason(view, "frozen", &plan->frozen, s->policy->files);
    json_add_int(view, "changes", (int64_t)plan->n_actions);
    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++)
        json_add_int(view, action_kind_name((enum action_kind)kind), counts[kind]);
    json_add(view, "actions", actions);
    json_add_string(view, "text", text_get(&text));
    return view;
}

struct json_object *view_world(const struct snapshot *s, usec now)
{
    (void)now; /* a world has its own */
    return world_to_json(s->world);
}
