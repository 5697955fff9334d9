/*
 * What holds the pool back by itself or by hand: hosts and templates that rest after failures, and
 * what admins ordered.
 */
#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/view-part.h"

void part_render_order(struct text *t, const struct world_order *order, usec now)
{
    char age[UNITS_TEXT_MAX];
    usec since = now > order->at ? now - order->at : 0;
    text_printf(t, "by %s", order->by && *order->by ? order->by : "an admin");
    if (order->at)
        text_printf(t, " %s ago", units_format_duration(since - since % USEC_PER_SEC, age));
    if (order->reason && *order->reason)
        text_printf(t, ": %s", order->reason);
}

static struct json_object *order_row(const char *what, const struct world_order *order,
                                     bool drain_now, usec now)
{
    struct json_object *o = json_object_new_object();
    CLEANUP(text_done) struct text t = {0};
    json_add_string(o, "order", what);
    json_add_bool(o, "now", drain_now);
    part_add_time(o, "at", order->at);
    part_add_name(o, "by", order->by);
    part_add_name(o, "reason", order->reason);
    text_printf(&t, "%s%s ",
                text_equal(what, "drain")   ? "drained"
                : text_equal(what, "pause") ? "paused"
                : text_equal(what, "fence") ? "fenced"
                                            : "cordoned",
                drain_now ? " at once" : "");
    part_render_order(&t, order, now);
    json_add_string(o, "text", text_get(&t));
    return o;
}

/* The last of them, or NULL. */
static struct json_object *host_order(const struct world_host *host, usec now)
{
    const char *what = host->fenced     ? "fence"
                       : host->drain    ? "drain"
                       : host->cordoned ? "cordon"
                                        : NULL;
    bool at_once = !host->fenced && host->drain_now;
    return what ? order_row(what, &host->order, at_once, now) : NULL;
}

void part_add_host_order(struct json_object *row, const struct world_host *host, usec now)
{
    json_add(row, "order", host_order(host, now));
}

void part_add_vm_order(struct json_object *row, const struct world_record *record, usec now)
{
    json_add(row, "order",
             record && record->drain ? order_row("drain", &record->order, record->drain_now, now)
                                     : NULL);
}

/* Add @order, which may be NULL, to @list, about @subject. */
static void list_order(struct json_object *list, struct json_object *order, const char *subject)
{
    if (!order)
        return;
    AUTOFREE char *text = mem_printf("%s is %s", subject, json_string_or(order, "text", ""));
    json_add_string(order, "subject", subject);
    json_add_string(order, "text", text);
    (void)json_object_array_add(list, order);
}

struct json_object *part_orders(const struct snapshot *s, usec now)
{
    const struct world *w = s->world;
    struct json_object *list = json_object_new_array();
    if (w->paused)
        list_order(list, order_row("pause", &w->order, false, now), "the pool");
    for (size_t i = 0; i < w->n_hosts; i++)
        list_order(list, host_order(&w->hosts[i], now), w->hosts[i].name);
    for (size_t i = 0; i < w->n_records; i++)
        if (w->records[i].drain && json_object_array_length(list) < VIEW_ORDERS_MAX)
            list_order(list, order_row("drain", &w->records[i].order, w->records[i].drain_now, now),
                       w->records[i].name);
    return list;
}

static void list_rest(struct json_object *list, const struct snapshot *s, const char *kind,
                      const char *name, int64_t failures, usec last, usec now)
{
    if (failures <= 0)
        return;
    usec until = plan_rests_until(s->policy, failures, last);
    char ago[UNITS_TEXT_MAX], left[UNITS_TEXT_MAX];
    usec since = now > last ? now - last : 0;
    usec more = until > now ? (until - now + USEC_PER_SEC - 1) / USEC_PER_SEC * USEC_PER_SEC : 0;
    AUTOFREE char *rests =
        more ? mem_printf("it rests for %s more", units_format_duration(more, left))
             : mem_strdup("one VM may try it next");
    AUTOFREE char *text = mem_printf(
        "%s %s: %" PRId64 " failed start%s in a row, the last %s ago; %s", kind, name, failures,
        failures == 1 ? "" : "s", units_format_duration(since - since % USEC_PER_SEC, ago), rests);
    struct json_object *row = json_object_new_object();
    json_add_string(row, "kind", kind);
    json_add_string(row, "name", name);
    json_add_int(row, "failures", failures);
    part_add_time(row, "last_failure", last);
    part_add_time(row, "until", until > now ? until : 0);
    json_add_string(row, "text", text);
    (void)json_object_array_add(list, row);
}

struct json_object *part_resting(const struct snapshot *s, usec now)
{
    const struct world *w = s->world;
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < w->n_hosts; i++)
        list_rest(list, s, "host", w->hosts[i].name, w->hosts[i].failures, w->hosts[i].last_failure,
                  now);
    for (size_t i = 0; i < w->n_templates; i++)
        list_rest(list, s, "template", w->templates[i].name, w->templates[i].failures,
                  w->templates[i].last_failure, now);
    for (size_t i = 0; i < w->n_groups; i++)
        list_rest(list, s, "group", w->groups[i].name, w->groups[i].jobless,
                  w->groups[i].last_failure, now);
    return list;
}

/* Actions of a kind with the same cause are one row: their numbers differ, their sense does not. */
struct json_object *part_doing(const struct plan *plan, const struct policy *p)
{
    struct json_object *list = json_object_new_array();
    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++) {
        const struct plan_action *first[REASON_COUNT] = {NULL};
        int64_t n[REASON_COUNT] = {0};
        for (size_t i = 0; i < plan->n_actions; i++) {
            const struct plan_action *a = &plan->actions[i];
            if ((int)a->kind == kind && n[a->reason.code]++ == 0)
                first[a->reason.code] = a;
        }
        for (int code = 0; code < REASON_COUNT; code++) {
            if (n[code] == 0)
                continue;
            struct json_object *row = json_object_new_object();
            json_add_string(row, "action", action_kind_name((enum action_kind)kind));
            json_add_int(row, "count", n[code]);
            part_add_reason(row, "reason", &first[code]->reason, p->files);
            (void)json_object_array_add(list, row);
        }
    }
    return list;
}
