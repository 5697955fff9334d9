#include "serve/view-part.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

/* "12 idle jobs of al (juno) want 2 cpus, 4GiB: 8 wait for VMs being started, 4 are over group juno's
 * max of 40 cpus (eyrie.yaml:31)" */
void part_render_shape(const struct snapshot *s, const struct plan_shape *p, struct text *out)
{
    const struct world_shape *shape = p->shape;
    const char *comma = ": ";
    char memory[UNITS_TEXT_MAX];
    const char *request = shape->request ? shape->request : "";
    text_printf(out, "%" PRId64 " idle job%s of %s (%s)%s%s want%s %" PRId64 " cpu%s, %s",
                shape->idle, shape->idle == 1 ? "" : "s", shape->owner,
                *shape->group ? shape->group : "no group", *request ? " for " : "", request,
                shape->idle == 1 ? "s" : "",
                shape->cpus, shape->cpus == 1 ? "" : "s",
                units_format_bytes(shape->memory, memory));
    if (p->served) {
        text_printf(out, "%s%" PRId64 " fit into VMs that are up", comma, p->served);
        comma = ", ";
    }
    if (p->starting) {
        text_printf(out, "%s%" PRId64 " wait for VMs being started", comma, p->starting);
        comma = ", ";
    }
    if (p->waiting) {
        text_add(out, comma);
        reason_render_jobs(&p->reason, p->waiting, s->policy->files, out);
    }
}

static struct json_object *shape_row(const struct snapshot *s, const struct plan_shape *p)
{
    CLEANUP(text_done) struct text sentence = {0};
    struct json_object *row = json_object_new_object();
    json_add_string(row, "schedd", p->schedd);
    json_add_string(row, "owner", p->shape->owner);
    part_add_name(row, "group", p->shape->group);
    part_add_name(row, "request", p->shape->request);
    json_add_int(row, "cpus", p->shape->cpus);
    json_add_int(row, "memory", p->shape->memory);
    json_add_int(row, "disk", p->shape->disk);
    json_add_int(row, "gpus", p->shape->gpus);
    json_add_bool(row, "assumed", p->shape->assumed);
    json_add_int(row, "idle", p->shape->idle);
    json_add_int(row, "running", p->shape->running);
    json_add_int(row, "held", p->shape->held);
    json_add_int(row, "served", p->served);
    json_add_int(row, "starting", p->starting);
    json_add_int(row, "waiting", p->waiting);
    part_add_reason(row, "reason", &p->reason, s->policy->files);
    part_render_shape(s, p, &sentence);
    json_add_string(row, "text", p->shape->idle > 0 ? text_get(&sentence) : NULL);
    return row;
}

static int by_waiting(const void *a, const void *b)
{
    const struct plan_shape *x = *(const struct plan_shape *const *)a;
    const struct plan_shape *y = *(const struct plan_shape *const *)b;
    if (x->waiting != y->waiting)
        return x->waiting < y->waiting ? 1 : -1;
    if (x->shape->idle != y->shape->idle)
        return x->shape->idle < y->shape->idle ? 1 : -1;
    return x < y ? -1 : x > y;
}

struct json_object *part_demand(const struct snapshot *s, const char *group, size_t max)
{
    const struct plan *plan = s->plan;
    int64_t idle = 0, running = 0, held = 0, served = 0, starting = 0, waiting = 0;
    AUTOFREE const struct plan_shape **order = mem_new(plan->n_shapes + 1, sizeof(*order));
    size_t n = 0;
    for (size_t i = 0; i < plan->n_shapes; i++) {
        const struct plan_shape *p = &plan->shapes[i];
        if (group && !text_equal(p->shape->group, group))
            continue;
        order[n++] = p;
        idle += p->shape->idle;
        running += p->shape->running;
        held += p->shape->held;
        served += p->served;
        starting += p->starting;
        waiting += p->waiting;
    }
    qsort(order, n, sizeof(*order), by_waiting);
    struct json_object *o = json_object_new_object();
    json_add_int(o, "idle", idle);
    json_add_int(o, "running", running);
    json_add_int(o, "held", held);
    json_add_int(o, "served", served);
    json_add_int(o, "starting", starting);
    json_add_int(o, "waiting", waiting);
    json_add_int(o, "shapes_total", (int64_t)n);
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < n && i < max; i++)
        (void)json_object_array_add(rows, shape_row(s, order[i]));
    json_add(o, "shapes", rows);
    return o;
}

struct json_object *view_demand(const struct snapshot *s, usec now)
{
    struct json_object *view = part_begin(now);
    json_add(view, "demand", part_demand(s, NULL, VIEW_SHAPES_MAX));
    return view;
}
