#include "serve/view-part.h"

#include "base/mem.h"

static struct json_object *names(const char *const *name, size_t count)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        (void)json_object_array_add(list, json_object_new_string(name[i]));
    return list;
}

static struct json_object *template_names(const struct policy *p, const struct policy_group *g)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < g->n_templates; i++)
        (void)json_object_array_add(list,
                                    json_object_new_string(p->templates[g->templates[i]].name));
    return list;
}

/* "quota", "quota_file", "quota_line" */
static void add_setting(struct json_object *o, const char *key, const struct setting *s,
                        const struct policy *p)
{
    AUTOFREE char *file = mem_printf("%s_file", key), *line = mem_printf("%s_line", key);
    part_add_limit(o, key, s->value);
    part_add_place(o, file, line, s->at, p->files);
}

struct json_object *part_groups(const struct snapshot *s)
{
    const struct policy *p = s->policy;
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < s->plan->n_groups && i < p->n_groups; i++) {
        const struct plan_group *g = &s->plan->groups[i];
        const struct policy_group *set = &p->groups[i];
        struct json_object *row = json_object_new_object();
        json_add_string(row, "name", g->name);
        json_add_int(row, "vms", g->vms);
        json_add_int(row, "cpus", g->cpus);
        add_setting(row, "quota", &set->quota, p);
        add_setting(row, "max", &set->max, p);
        add_setting(row, "weight", &set->weight, p);
        json_add_int(row, "idle_jobs", g->idle_jobs);
        json_add_int(row, "running_jobs", g->running_jobs);
        json_add_int(row, "starting", g->starting);
        json_add_bool(row, "exclusive", set->exclusive);
        json_add(row, "templates", template_names(p, set));
        json_add(row, "submitters", names(set->submitters, set->n_submitters));
        part_add_reason(row, "limited", &g->limited, p->files);
        (void)json_object_array_add(rows, row);
    }
    return rows;
}

struct json_object *view_groups(const struct snapshot *s, usec now)
{
    struct json_object *view = part_begin(now);
    part_add_name(view, "file", s->policy->file);
    json_add(view, "groups", part_groups(s));
    return view;
}
