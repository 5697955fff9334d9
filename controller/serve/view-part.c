#include "serve/view-part.h"

#include "base/mem.h"

struct json_object *part_begin(usec now)
{
    struct json_object *o = json_object_new_object();
    if (!o)
        mem_exhausted();
    json_add_int(o, "version", VIEW_VERSION);
    json_add_int(o, "now", now);
    return o;
}

void part_add_time(struct json_object *o, const char *key, usec at)
{
    json_add(o, key, at == 0 || at == USEC_NEVER ? NULL : json_object_new_int64(at));
}

void part_add_duration(struct json_object *o, const char *key, usec duration)
{
    json_add(o, key, duration == USEC_NEVER ? NULL : json_object_new_int64(duration));
}

void part_add_name(struct json_object *o, const char *key, const char *name)
{
    json_add_string(o, key, name && *name ? name : NULL);
}

void part_add_limit(struct json_object *o, const char *key, int64_t limit)
{
    json_add(o, key, limit == POLICY_UNLIMITED ? NULL : json_object_new_int64(limit));
}

bool part_is_reason(const struct reason *r)
{
    return r->code != REASON_NONE;
}

void part_add_place(struct json_object *o, const char *file_key, const char *line_key,
                    struct policy_place at, const char *const *files)
{
    json_add_string(o, file_key, at.line ? files[at.file] : NULL);
    json_add(o, line_key, at.line ? json_object_new_int64(at.line) : NULL);
}

void part_add_reason(struct json_object *o, const char *key, const struct reason *r,
                     const char *const *files)
{
    if (!part_is_reason(r)) {
        json_add(o, key, NULL);
        return;
    }
    CLEANUP(text_done) struct text sentence = {0};
    reason_render(r, files, &sentence);
    struct json_object *reason = json_object_new_object();
    json_add_string(reason, "code", reason_name(r->code));
    json_add_string(reason, "text", text_get(&sentence));
    json_add_int(reason, "n", r->n);
    part_add_limit(reason, "limit", r->limit);
    part_add_place(reason, "file", "line", r->at, files);
    part_add_name(reason, "subject", r->subject);
    json_add(o, key, reason);
}

struct part_use part_use(const struct plan *plan)
{
    struct part_use use = {0};
    for (size_t i = 0; i < plan->n_vms; i++) {
        const struct plan_vm *vm = &plan->vms[i];
        if (vm->state == VM_GONE || vm->state == VM_FOREIGN)
            continue;
        use.vms++;
        use.cpus += vm->cpus;
        use.memory += vm->memory;
    }
    return use;
}

struct json_object *view_error(const char *text)
{
    struct json_object *o = json_object_new_object();
    if (!o)
        mem_exhausted();
    json_add_int(o, "version", VIEW_VERSION);
    json_add_string(o, "error", text);
    return o;
}
