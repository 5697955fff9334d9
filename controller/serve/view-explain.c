/*
 * Hosts and groups explained: what the last plan said of them, looked up and put side by side.
 */
#include "serve/view-part.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/spelling.h"

/* Sentences, and whether one of them forbids. */
struct why {
    const struct snapshot *s;
    struct json_object *list;
    struct text text; /* the sentence that is being made */
    bool forbids;
};

static void why_end(struct why *why, bool forbids)
{
    (void)json_object_array_add(why->list, json_object_new_string(text_get(&why->text)));
    text_clear(&why->text);
    why->forbids = why->forbids || forbids;
}

static void why_reason(struct why *why, const struct reason *r, bool forbids)
{
    reason_render(r, why->s->policy->files, &why->text);
    why_end(why, forbids);
}

static const char *seconds(usec d, char buffer[static UNITS_TEXT_MAX])
{
    return units_format_duration(d - d % USEC_PER_SEC, buffer);
}

/* VMs by state, of those on a host or of a group; NULL: any. */
static struct json_object *count_vms(const struct snapshot *s, const char *host, const char *group)
{
    int64_t counts[VM_STATE_COUNT] = {0};
    for (size_t i = 0; i < s->plan->n_vms; i++) {
        const struct plan_vm *vm = &s->plan->vms[i];
        if ((!host || text_equal(vm->host, host)) && (!group || text_equal(vm->group, group)))
            counts[vm->state]++;
    }
    struct json_object *o = json_object_new_object();
    for (int state = 0; state < VM_STATE_COUNT; state++)
        json_add_int(o, vm_state_name((enum vm_state)state), counts[state]);
    return o;
}

/* A reason of that code about @subject, wherever the plan gave it. */
static const struct reason *find_reason(const struct plan *plan, enum reason_code code,
                                        const char *subject)
{
    for (size_t i = 0; i < plan->n_groups; i++)
        if (plan->groups[i].limited.code == code &&
            text_equal(plan->groups[i].limited.subject, subject))
            return &plan->groups[i].limited;
    for (size_t i = 0; i < plan->n_shapes; i++)
        if (plan->shapes[i].reason.code == code &&
            text_equal(plan->shapes[i].reason.subject, subject))
            return &plan->shapes[i].reason;
    return NULL;
}

static void why_facts(struct why *why, const char *host, usec now)
{
    const struct plan_trust *t = part_trust(why->s->plan, host);
    char age[UNITS_TEXT_MAX];
    const struct world_host *facts = part_world_host(why->s->world, host);
    bool fails = facts && facts->fact.failed;
    if (t && t->trusted && !fails)
        return;
    if (t && t->trusted)
        text_add(&why->text, "its last look failed, and it gets nothing new until one succeeds");
    else if (!t || t->age == USEC_NEVER)
        text_add(&why->text, "it has not answered yet");
    else
        text_printf(&why->text, "its facts are stale, the last complete answer is %s old",
                    seconds(t->age + (now > why->s->plan->now ? now - why->s->plan->now : 0), age));
    if (t && t->error && *t->error)
        text_printf(&why->text, ": %s", t->error);
    why_end(why, true);
}

static void why_failures(struct why *why, struct json_object *row, usec now)
{
    const char *host = json_string_or(row, "name", "");
    const struct reason *rest = find_reason(why->s->plan, REASON_HOST_BACKOFF, host);
    int64_t failures = json_int_or(row, "failures", 0);
    usec last = json_int_or(row, "last_failure", 0);
    char ago[UNITS_TEXT_MAX];
    if (rest) {
        why_reason(why, rest, true);
    } else if (failures > 0) {
        text_printf(&why->text,
                    "%" PRId64 " start%s in a row failed, the last %s ago: it rests after each, "
                    "then one VM probes",
                    failures, failures == 1 ? "" : "s", seconds(now > last ? now - last : 0, ago));
        why_end(why, false);
    }
}

static void why_images(struct why *why, const char *host)
{
    const struct world_host *facts = part_world_host(why->s->world, host);
    for (size_t i = 0; facts && i < facts->n_seals; i++) {
        const struct world_seal *seal = &facts->seals[i];
        if (seal->intact)
            text_printf(&why->text, "its image %s is as it was pushed (sha256 %.12s…)", seal->image,
                        seal->digest);
        else
            text_printf(&why->text,
                        "its image %s was written to since it was pushed (sha256 %.12s… then): VMs that "
                        "were made of it are replaced",
                        seal->image, seal->digest);
        why_end(why, false);
    }
}

static void why_room(struct why *why, struct json_object *row)
{
    int64_t cpus = json_int_or(row, "cpus", 0), memory = json_int_or(row, "memory", 0);
    int64_t used_cpus = json_int_or(row, "cpus_used", 0);
    int64_t used_memory = json_int_or(row, "memory_used", 0);
    int64_t foreign = json_int_or(row, "foreign", 0), vms = json_int_or(row, "vms", 0);
    int64_t max_vms = json_int_or(row, "max_vms", POLICY_UNLIMITED);
    int64_t overcommit = why->s->policy->placement.overcommit.value;
    char used[UNITS_TEXT_MAX], all[UNITS_TEXT_MAX], disk[UNITS_TEXT_MAX];
    text_printf(&why->text,
                "%" PRId64 " of %" PRId64 " cpus and %s of %s are used by %" PRId64 " VM%s of ours",
                used_cpus, cpus, units_format_bytes(used_memory, used),
                units_format_bytes(memory, all), vms, vms == 1 ? "" : "s");
    if (foreign)
        text_printf(&why->text, " and %" PRId64 " foreign domain%s", foreign,
                    foreign == 1 ? "" : "s");
    if (overcommit > 0 && overcommit != 100)
        text_printf(&why->text, " (%" PRId64 " %% of the cpus may be)", overcommit);
    text_printf(&why->text, "; %s of storage are left",
                units_format_bytes(json_int_or(row, "storage_available", 0), disk));
    bool full = used_memory >= memory ||
                used_cpus * 100 >= cpus * (overcommit > 0 ? overcommit : 100);
    why_end(why, full && cpus > 0);
    if (vms >= max_vms) {
        text_printf(&why->text, "%" PRId64 " VMs of ours are on it and its max_vms is %" PRId64,
                    vms, max_vms);
        why_end(why, true);
    }
}

int part_find_host(const struct policy *p, const char *name, const struct policy_host **ret,
                   struct err *e)
{
    const char *near = NULL;
    for (size_t i = 0; i < p->n_hosts; i++) {
        if (text_equal(p->hosts[i].name, name)) {
            *ret = &p->hosts[i];
            return 0;
        }
        spelling_nearer(name, p->hosts[i].name, &near);
    }
    if (near)
        return err_set(e, ENOENT, "there is no host \"%.64s\"; did you mean %s?", name, near);
    return err_set(e, ENOENT,
                   "there is no host \"%.64s\" (%zu are in the policy; eyrie hosts lists them)", name,
                   p->n_hosts);
}

int view_explain_host(const struct snapshot *s, usec now, const char *name,
                      struct json_object **ret, struct err *e)
{
    struct policy_host removed;
    const struct policy_host *host = &removed;
    bool is_removed = part_removed_host(s, name, &removed);
    int r = is_removed ? 0 : part_find_host(s->policy, name, &host, e);
    if (r < 0)
        return r;
    struct json_object *view = part_begin(now), *row = part_host(s, host, now);
    struct why why = {.s = s, .list = json_object_new_array()};
    if (part_is_reason(&s->plan->frozen))
        why_reason(&why, &s->plan->frozen, true);
    if (is_removed)
        why_reason(&why, &(struct reason){REASON_HOST_REMOVED, .subject = host->name}, true);
    why_facts(&why, host->name, now);
    struct json_object *order = json_object_or_null(row, "order");
    if (order) {
        text_printf(&why.text, "it is %s", json_string_or(order, "text", ""));
        why_end(&why, true);
    }
    why_failures(&why, row, now);
    why_images(&why, json_string_or(row, "name", ""));
    why_room(&why, row);
    text_done(&why.text);
    part_add_name(view, "file", s->policy->file);
    json_add(view, "host", row);
    json_add_bool(view, "takes", !why.forbids);
    json_add(view, "why", why.list);
    json_add(view, "vms", count_vms(s, host->name, NULL));
    json_add(view, "planned", part_actions(s, host->name, NULL));
    *ret = view;
    return 0;
}

/* The row of a group in the policy; owned by the caller. NULL: the policy has no such group. */
static struct json_object *find_group(const struct snapshot *s, const char *name, const char **near)
{
    AUTOJSON struct json_object *rows = part_groups(s);
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        if (text_equal(json_string_or(row, "name", ""), name))
            return json_object_get(row);
    }
    for (size_t i = 0; i < s->policy->n_groups; i++)
        spelling_nearer(name, s->policy->groups[i].name, near);
    return NULL;
}

static void why_group(struct why *why, struct json_object *row, struct json_object *demand,
                      const struct reason *limited)
{
    if (!row) {
        text_add(&why->text, "it is not in the policy: its jobs ask for nothing");
        why_end(why, true);
    } else if (part_is_reason(&why->s->plan->frozen)) {
        why_reason(why, &why->s->plan->frozen, true);
    }
    if (limited && part_is_reason(limited))
        why_reason(why, limited, true);
    else if (row && json_int_or(demand, "idle", 0) == 0)
        text_add(&why->text, "none of its jobs is idle");
    else if (row && json_int_or(demand, "waiting", 0) == 0)
        text_add(&why->text, "all its idle jobs fit into VMs that are up or being started");
    if (why->text.length > 0)
        why_end(why, false);
}

int view_explain_group(const struct snapshot *s, usec now, const char *name,
                       struct json_object **ret, struct err *e)
{
    const char *near = NULL;
    AUTOJSON struct json_object *row = find_group(s, name, &near);
    AUTOJSON struct json_object *demand = part_demand(s, name, VIEW_STATUS_SHAPES_MAX);
    if (!row && json_int_or(demand, "shapes_total", 0) == 0)
        return near ? err_set(e, ENOENT, "there is no group \"%.64s\"; did you mean %s?", name,
                              near)
                    : err_set(e, ENOENT, "there is no group \"%.64s\" (eyrie groups lists them)",
                              name);
    const struct reason *limited = NULL;
    for (size_t i = 0; i < s->plan->n_groups; i++)
        if (text_equal(s->plan->groups[i].name, name))
            limited = &s->plan->groups[i].limited;
    struct why why = {.s = s, .list = json_object_new_array()};
    why_group(&why, row, demand, limited);
    text_done(&why.text);
    struct json_object *view = part_begin(now);
    part_add_name(view, "file", s->policy->file);
    json_add_string(view, "name", name);
    json_add_bool(view, "stopped", why.forbids);
    json_add(view, "why", why.list);
    json_add(view, "group", json_object_get(row));
    json_add(view, "vms", count_vms(s, NULL, name));
    json_add(view, "demand", json_object_get(demand));
    json_add(view, "planned", part_actions(s, NULL, name));
    *ret = view;
    return 0;
}
