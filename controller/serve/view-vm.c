#include "serve/view-part.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/spelling.h"

enum { MATCHES_SHOWN = 5 };

struct json_object *part_vm(const struct snapshot *s, const struct plan_vm *vm, usec now)
{
    struct json_object *row = json_object_new_object();
    json_add_string(row, "name", vm->name);
    json_add_string(row, "uuid", vm->uuid);
    json_add_string(row, "state", vm_state_name(vm->state));
    part_add_name(row, "host", vm->host);
    part_add_name(row, "template", vm->template);
    part_add_name(row, "group", vm->group);
    part_add_name(row, "request", plan_vm_request(vm));
    json_add_bool(row, "exclusive", vm->exclusive);
    part_add_time(row, "born", vm->born);
    part_add_time(row, "joined", vm->record ? vm->record->joined : 0);
    part_add_time(row, "idle_since", vm->idle_since);
    part_add_time(row, "first_job", vm->record ? vm->record->first_job : 0);
    part_add_time(row, "jobless_since", vm->jobless_since);
    json_add_int(row, "cpus", vm->cpus);
    json_add_int(row, "free_cpus", vm->free_cpus);
    json_add_int(row, "memory", vm->memory);
    json_add_int(row, "free_memory", vm->free_memory);
    json_add_int(row, "claimed", vm->claimed);
    part_add_name(row, "job", vm->startd ? vm->startd->job : "");
    part_add_reason(row, "reason", &vm->reason, s->policy->files);
    part_add_vm_order(row, vm->record, now);
    return row;
}

struct json_object *view_vms(const struct snapshot *s, usec now)
{
    const struct vms_wanted all = {0};
    struct json_object *view = NULL;
    (void)view_vms_wanted(s, now, &all, &view, NULL);
    return view;
}

static struct json_object *domain_facts(const struct world_domain *d)
{
    if (!d)
        return NULL;
    struct json_object *o = json_object_new_object();
    json_add_string(o, "state", d->state);
    json_add_bool(o, "ours", d->ours);
    part_add_name(o, "why_foreign", d->why_foreign);
    part_add_name(o, "template", d->template);
    part_add_name(o, "generation", d->generation);
    part_add_name(o, "group", d->group);
    part_add_time(o, "born", d->born);
    json_add_int(o, "cpus", d->cpus);
    json_add_int(o, "memory", d->memory);
    return o;
}

static struct json_object *startd_facts(const struct world_startd *d)
{
    if (!d)
        return NULL;
    struct json_object *o = json_object_new_object();
    json_add_string(o, "machine", d->machine);
    part_add_name(o, "address", d->address);
    json_add_int(o, "cpus", d->cpus);
    json_add_int(o, "free_cpus", d->free_cpus);
    json_add_int(o, "memory", d->memory);
    json_add_int(o, "free_memory", d->free_memory);
    json_add_int(o, "claimed", d->claimed);
    json_add_bool(o, "draining", d->draining);
    json_add_bool(o, "drained", d->drained);
    json_add_bool(o, "usable", d->usable);
    part_add_time(o, "heard", d->heard);
    part_add_name(o, "job", d->job);
    return o;
}

static const char *answer_name(enum world_answer answer)
{
    static const char *const name[] = {
        [WORLD_ANSWER_NONE] = "none yet",
        [WORLD_ANSWER_OK] = "ok",
        [WORLD_ANSWER_FAILED] = "failed",
    };
    return (size_t)answer < ARRAY_SIZE(name) ? name[answer] : "unknown";
}

static struct json_object *record_facts(const struct world_record *r)
{
    if (!r)
        return NULL;
    struct json_object *o = json_object_new_object();
    part_add_time(o, "create_decided", r->create_decided);
    json_add_string(o, "create_answer", answer_name(r->create_answer));
    part_add_time(o, "create_answered", r->create_answered);
    part_add_time(o, "joined", r->joined);
    part_add_time(o, "idle_since", r->idle_since);
    part_add_time(o, "first_job", r->first_job);
    part_add_time(o, "given_up", r->given_up);
    part_add_time(o, "drain_decided", r->drain_decided);
    part_add_time(o, "drain_accepted", r->drain_accepted);
    part_add_time(o, "poweroff_decided", r->poweroff_decided);
    part_add_time(o, "destroy_decided", r->destroy_decided);
    part_add_name(o, "why", r->why);
    return o;
}

/* The actions of the last plan that are about this VM. */
static struct json_object *planned_actions(const struct snapshot *s, const struct plan_vm *vm)
{
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < s->plan->n_actions; i++) {
        const struct plan_action *a = &s->plan->actions[i];
        if (!*vm->uuid || !text_equal(a->uuid, vm->uuid))
            continue;
        struct json_object *row = json_object_new_object();
        json_add_string(row, "action", action_kind_name(a->kind));
        part_add_reason(row, "reason", &a->reason, s->policy->files);
        (void)json_object_array_add(rows, row);
    }
    return rows;
}

static bool begins(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

int part_find_vm(const struct plan *plan, const char *name, const struct plan_vm **ret,
                 struct err *e)
{
    const struct plan_vm *first = NULL;
    const char *near = NULL;
    size_t matches = 0;
    CLEANUP(text_done) struct text some = {0};
    for (size_t i = 0; i < plan->n_vms; i++) {
        const struct plan_vm *vm = &plan->vms[i];
        if (text_equal(vm->name, name) || strcasecmp(vm->uuid, name) == 0) {
            *ret = vm;
            return 0;
        }
        spelling_nearer(name, vm->name, &near);
        if (!*name || (!begins(vm->name, name) && !begins(vm->uuid, name)))
            continue;
        if (!first)
            first = vm;
        if (matches++ < MATCHES_SHOWN)
            text_printf(&some, "%s%s", some.length ? ", " : "", vm->name);
    }
    if (matches == 1) {
        *ret = first;
        return 0;
    }
    if (matches > 1)
        return err_set(e, ENOTUNIQ, "\"%.64s\" could be any of %zu VMs: %s%s", name, matches,
                       text_get(&some), matches > MATCHES_SHOWN ? ", …" : "");
    if (near)
        return err_set(e, ENOENT, "there is no VM \"%.64s\"; did you mean %s?", name, near);
    return err_set(e, ENOENT, "there is no VM \"%.64s\" (%zu are known; eyrie vms lists them)",
                   name, plan->n_vms);
}

struct json_object *view_gone_vm(usec now)
{
    static const char *const facts[] = {"vm", "domain", "startd", "record"};
    struct json_object *view = part_begin(now);
    json_add(view, "planned", json_object_new_array());
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
        json_add(view, facts[i], NULL);
    return view;
}

int view_explain_vm(const struct snapshot *s, usec now, const char *name, struct json_object **ret,
                    struct err *e)
{
    const struct plan_vm *vm = NULL;
    int r = part_find_vm(s->plan, name, &vm, e);
    if (r < 0)
        return r;
    assert(vm);
    struct json_object *view = part_begin(now);
    json_add(view, "vm", part_vm(s, vm, now));
    json_add(view, "planned", planned_actions(s, vm));
    json_add(view, "domain", domain_facts(vm->domain));
    json_add(view, "startd", startd_facts(vm->startd));
    json_add(view, "record", record_facts(vm->record));
    *ret = view;
    return 0;
}
