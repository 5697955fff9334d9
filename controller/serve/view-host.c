#include "serve/view-part.h"

#include "base/text.h"

/* What runs on a host, ours and other people's. */
struct host_use {
    int64_t vms;
    int64_t foreign;
    int64_t cpus;
    int64_t memory;
};

static struct host_use host_use(const struct plan *plan, const char *host)
{
    struct host_use use = {0};
    for (size_t i = 0; i < plan->n_vms; i++) {
        const struct plan_vm *vm = &plan->vms[i];
        if (vm->state == VM_GONE || !text_equal(vm->host, host))
            continue;
        if (vm->state == VM_FOREIGN)
            use.foreign++;
        else
            use.vms++;
        if (vm->domain && !plan_domain_counts(vm->domain))
            continue;
        use.cpus += vm->cpus;
        use.memory += vm->memory;
    }
    return use;
}

const struct plan_trust *part_trust(const struct plan *plan, const char *host)
{
    for (size_t i = 0; i < plan->n_trust; i++)
        if (text_equal(plan->trust[i].kind, "host") && text_equal(plan->trust[i].name, host))
            return &plan->trust[i];
    return NULL;
}

const struct world_host *part_world_host(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->n_hosts; i++)
        if (text_equal(w->hosts[i].name, name))
            return &w->hosts[i];
    return NULL;
}

struct json_object *part_host(const struct snapshot *s, const struct policy_host *set, usec now)
{
    static const struct world_host nothing_known;
    const struct world_host *host = part_world_host(s->world, set->name);
    const struct plan_trust *trust = part_trust(s->plan, set->name);
    struct host_use use = host_use(s->plan, set->name);
    struct json_object *row = json_object_new_object();
    if (!host)
        host = &nothing_known;
    json_add_string(row, "name", set->name);
    part_add_name(row, "uri", set->uri);
    json_add_string(row, "state", !*set->uri                  ? "removed"
                                  : host->fenced              ? "fenced"
                                  : host->drain               ? "drained"
                                  : host->cordoned            ? "cordoned"
                                  : trust && trust->trusted   ? "ready"
                                                              : "unknown");
    json_add_int(row, "vms", use.vms);
    json_add_int(row, "foreign", use.foreign);
    json_add_int(row, "cpus_used", use.cpus);
    json_add_int(row, "cpus", set->cpus ? set->cpus : host->cpus);
    json_add_int(row, "memory_used", use.memory);
    json_add_int(row, "memory", plan_host_memory(set, host));
    json_add_int(row, "storage_available", host->storage_available);
    json_add_bool(row, "trusted", trust && trust->trusted);
    part_add_time(row, "asked", host->fact.asked);
    part_add_name(row, "error", trust ? trust->error : NULL);
    json_add_int(row, "failures", host->failures);
    part_add_time(row, "last_failure", host->last_failure);
    part_add_host_order(row, host, now);
    part_add_limit(row, "max_vms", set->max_vms.value);
    part_add_place(row, "file", "line", set->at, s->policy->files);
    return row;
}

bool part_removed_host(const struct snapshot *s, const char *name, struct policy_host *ret)
{
    const struct world_host *host = part_world_host(s->world, name);
    for (size_t i = 0; i < s->policy->n_hosts; i++)
        if (text_equal(s->policy->hosts[i].name, name))
            return false;
    if (!host)
        return false;
    *ret = (struct policy_host){
        .name = host->name, .uri = "", .storage_pool = "", .max_vms = {.value = POLICY_UNLIMITED}};
    return true;
}

struct json_object *view_hosts(const struct snapshot *s, usec now)
{
    struct json_object *view = part_begin(now);
    struct json_object *rows = json_object_new_array();
    struct policy_host removed;
    for (size_t i = 0; i < s->policy->n_hosts; i++)
        (void)json_object_array_add(rows, part_host(s, &s->policy->hosts[i], now));
    for (size_t i = 0; i < s->world->n_hosts; i++)
        if (part_removed_host(s, s->world->hosts[i].name, &removed))
            (void)json_object_array_add(rows, part_host(s, &removed, now));
    part_add_name(view, "file", s->policy->file);
    json_add(view, "hosts", rows);
    return view;
}
