/*
 * One table a struct: member, place, kind. The copy, the writer and the reader all walk the same
 * tables, so a fact that is added to a table is in all three.
 */
#include "record/world.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"

enum field_kind {
    FIELD_STRING,
    FIELD_INT,
    FIELD_BYTES,
    FIELD_TIME,
    FIELD_DURATION,
    FIELD_BOOL,
    FIELD_ANSWER,
    FIELD_OBJECT, /* a struct inside; @type says which */
    FIELD_LIST,   /* pointer to an array of @type; its count is at @count */
    FIELD_STRINGS, /* pointer to an array of strings */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    const struct type *type;
    size_t count;
};

struct type {
    size_t size;
    void (*defaults)(void *object, usec now); /* what JSON leaves out; may be NULL */
    const struct field *fields;               /* ends with a NULL key */
};

#define FIELD(s, k, member) {#member, FIELD_##k, offsetof(struct s, member)}
#define LIST(s, member, t) {#member, FIELD_LIST, offsetof(struct s, member), t, offsetof(struct s, n_##member)}
#define STRINGS(s, member) {#member, FIELD_STRINGS, offsetof(struct s, member), NULL, offsetof(struct s, n_##member)}
#define OBJECT(s, member, t) {#member, FIELD_OBJECT, offsetof(struct s, member), t}

static void fact_defaults(void *object, usec now)
{
    ((struct world_fact *)object)->asked = now;
}

static void startd_defaults(void *object, usec now)
{
    struct world_startd *s = object;
    s->heard = now;
    s->usable = true;
}

static void domain_defaults(void *object, usec now)
{
    struct world_domain *d = object;
    (void)now;
    d->state = "running";
    d->ours = true;
}

static void record_defaults(void *object, usec now)
{
    struct world_record *r = object;
    (void)now;
    r->create_answer = WORLD_ANSWER_OK;
}

static const struct type fact_type = {
    sizeof(struct world_fact), fact_defaults,
    (const struct field[]){FIELD(world_fact, TIME, asked), FIELD(world_fact, TIME, since),
                           FIELD(world_fact, TIME, failed),
                           FIELD(world_fact, STRING, error), {0}}};

static const struct type order_type = {
    sizeof(struct world_order), NULL,
    (const struct field[]){FIELD(world_order, TIME, at), FIELD(world_order, STRING, by),
                           FIELD(world_order, STRING, reason), {0}}};

static const struct type shape_type = {
    sizeof(struct world_shape), NULL,
    (const struct field[]){FIELD(world_shape, STRING, owner), FIELD(world_shape, STRING, group),
                           FIELD(world_shape, INT, cpus), FIELD(world_shape, BYTES, memory),
                           FIELD(world_shape, BYTES, disk), FIELD(world_shape, INT, gpus),
                           FIELD(world_shape, DURATION, runtime), FIELD(world_shape, TIME, first_seen),
                           FIELD(world_shape, TIME, flock_from), FIELD(world_shape, BOOL, assumed),
                           FIELD(world_shape, INT, idle), FIELD(world_shape, INT, running),
                           FIELD(world_shape, INT, held), FIELD(world_shape, STRING, request), {0}}};

static const struct type queue_type = {
    sizeof(struct world_queue), NULL,
    (const struct field[]){FIELD(world_queue, STRING, schedd),
                           OBJECT(world_queue, fact, &fact_type),
                           LIST(world_queue, shapes, &shape_type), {0}}};

static const struct type startd_type = {
    sizeof(struct world_startd), startd_defaults,
    (const struct field[]){
        FIELD(world_startd, STRING, uuid), FIELD(world_startd, STRING, name),
        FIELD(world_startd, STRING, machine), FIELD(world_startd, STRING, address),
        FIELD(world_startd, INT, cpus), FIELD(world_startd, BYTES, memory),
        FIELD(world_startd, INT, gpus), FIELD(world_startd, INT, free_cpus),
        FIELD(world_startd, BYTES, free_memory), FIELD(world_startd, INT, free_gpus),
        FIELD(world_startd, INT, claimed), FIELD(world_startd, BOOL, draining),
        FIELD(world_startd, BOOL, drained), FIELD(world_startd, BOOL, usable),
        FIELD(world_startd, TIME, until), FIELD(world_startd, TIME, heard), FIELD(world_startd, STRING, job),
        STRINGS(world_startd, jobs), {0}}};

static const struct type pool_type = {
    sizeof(struct world_pool), NULL,
    (const struct field[]){OBJECT(world_pool, fact, &fact_type),
                           LIST(world_pool, startds, &startd_type), {0}}};

static const struct type domain_type = {
    sizeof(struct world_domain), domain_defaults,
    (const struct field[]){
        FIELD(world_domain, STRING, uuid), FIELD(world_domain, STRING, name),
        FIELD(world_domain, STRING, state), FIELD(world_domain, BOOL, ours),
        FIELD(world_domain, STRING, why_foreign), FIELD(world_domain, STRING, template),
        FIELD(world_domain, STRING, generation), FIELD(world_domain, STRING, group),
        FIELD(world_domain, BOOL, exclusive), FIELD(world_domain, TIME, born),
        FIELD(world_domain, INT, cpus), FIELD(world_domain, BYTES, memory),
        FIELD(world_domain, STRING, request), {0}}};

static const struct type volume_type = {
    sizeof(struct world_volume), NULL,
    (const struct field[]){FIELD(world_volume, STRING, name), FIELD(world_volume, STRING, uuid),
                           FIELD(world_volume, BOOL, seed), {0}}};

static const struct type seal_type = {
    sizeof(struct world_seal), NULL,
    (const struct field[]){FIELD(world_seal, STRING, image), FIELD(world_seal, STRING, digest),
                           FIELD(world_seal, BOOL, intact), {0}}};

static const struct type host_type = {
    sizeof(struct world_host), NULL,
    (const struct field[]){
        FIELD(world_host, STRING, name), OBJECT(world_host, fact, &fact_type),
        FIELD(world_host, BOOL, cordoned), FIELD(world_host, BOOL, drain),
        FIELD(world_host, BOOL, drain_now), FIELD(world_host, TIME, fenced),
        OBJECT(world_host, order, &order_type), FIELD(world_host, INT, cpus),
        FIELD(world_host, BYTES, memory), FIELD(world_host, BYTES, storage_available),
        LIST(world_host, domains, &domain_type), LIST(world_host, volumes, &volume_type),
        STRINGS(world_host, images), LIST(world_host, seals, &seal_type),
        FIELD(world_host, INT, failures),
        FIELD(world_host, TIME, last_failure), FIELD(world_host, INT, joined),
        FIELD(world_host, INT, jobless), {0}}};

static const struct type template_type = {
    sizeof(struct world_template), NULL,
    (const struct field[]){FIELD(world_template, STRING, name), FIELD(world_template, INT, failures),
                           FIELD(world_template, TIME, last_failure),
                           FIELD(world_template, INT, joined), FIELD(world_template, INT, jobless),
                           FIELD(world_template, TIME, last_start),
                           FIELD(world_template, DURATION, boot), {0}}};

static const struct type group_type = {
    sizeof(struct world_group), NULL,
    (const struct field[]){FIELD(world_group, STRING, name), FIELD(world_group, INT, jobless),
                           FIELD(world_group, TIME, last_failure), {0}}};

static const struct type start_type = {
    sizeof(struct world_start), NULL,
    (const struct field[]){FIELD(world_start, TIME, at), FIELD(world_start, STRING, host), {0}}};

static const struct type record_type = {
    sizeof(struct world_record), record_defaults,
    (const struct field[]){
        FIELD(world_record, STRING, uuid), FIELD(world_record, STRING, name),
        FIELD(world_record, STRING, host), FIELD(world_record, STRING, template),
        FIELD(world_record, STRING, generation), FIELD(world_record, STRING, group),
        FIELD(world_record, BOOL, exclusive), FIELD(world_record, TIME, create_decided),
        FIELD(world_record, ANSWER, create_answer), FIELD(world_record, TIME, create_answered),
        FIELD(world_record, BOOL, create_asked),
        FIELD(world_record, TIME, joined), FIELD(world_record, TIME, idle_since),
        FIELD(world_record, TIME, first_job), FIELD(world_record, TIME, jobless_since),
        FIELD(world_record, TIME, given_up),
        FIELD(world_record, TIME, drain_decided), FIELD(world_record, TIME, drain_accepted),
        FIELD(world_record, TIME, poweroff_decided), FIELD(world_record, BOOL, poweroff_lost),
        FIELD(world_record, TIME, destroy_decided),
        FIELD(world_record, STRING, why), FIELD(world_record, BOOL, drain),
        FIELD(world_record, BOOL, drain_now), OBJECT(world_record, order, &order_type),
        FIELD(world_record, STRING, request), {0}}};

static const struct type seat_type = {
    sizeof(struct world_seat), NULL,
    (const struct field[]){FIELD(world_seat, STRING, host), FIELD(world_seat, INT, vms), {0}}};

static const struct type request_type = {
    sizeof(struct world_request), NULL,
    (const struct field[]){FIELD(world_request, STRING, id), FIELD(world_request, STRING, group),
                           FIELD(world_request, STRING, template), FIELD(world_request, INT, vms),
                           FIELD(world_request, BOOL, exclusive),
                           FIELD(world_request, BOOL, whole_host),
                           FIELD(world_request, STRING, user),
                           LIST(world_request, seats, &seat_type),
                           FIELD(world_request, TIME, from), FIELD(world_request, TIME, until),
                           FIELD(world_request, TIME, ended), {0}}};

static const struct type flock_type = {
    sizeof(struct world_flock), NULL,
    (const struct field[]){FIELD(world_flock, STRING, schedd), FIELD(world_flock, STRING, wanted),
                           FIELD(world_flock, BOOL, remote), FIELD(world_flock, STRING, offered),
                           FIELD(world_flock, STRING, present),
                           FIELD(world_flock, STRING, believed), FIELD(world_flock, TIME, failed),
                           FIELD(world_flock, STRING, error), {0}}};

static const struct type world_type = {
    sizeof(struct world), NULL,
    (const struct field[]){
        FIELD(world, TIME, now), FIELD(world, DURATION, utc_offset),
        FIELD(world, TIME, clock_jumped), FIELD(world, BOOL, paused),
        OBJECT(world, order, &order_type), FIELD(world, TIME, vanished_at),
        LIST(world, queues, &queue_type), OBJECT(world, pool, &pool_type),
        LIST(world, hosts, &host_type), LIST(world, records, &record_type),
        LIST(world, templates, &template_type), LIST(world, groups, &group_type),
        LIST(world, requests, &request_type), LIST(world, flocks, &flock_type),
        LIST(world, starts, &start_type), {0}}};

static const char *const answers[] = {"none", "ok", "failed"};

/* The members, by value: the tables hold offsets, and memcpy keeps the aliasing rules. */
#define GET(T, object, offset) (*(T const *)((const char *)(object) + (offset)))
#define PUT(T, object, offset) (*(T *)((char *)(object) + (offset)))

static void copy_inside(struct arena *a, void *object, const struct type *type)
{
    for (const struct field *f = type->fields; f->key; f++) {
        if (f->kind == FIELD_STRING) {
            PUT(const char *, object, f->offset) =
                arena_strdup(a, GET(const char *, object, f->offset));
        } else if (f->kind == FIELD_OBJECT) {
            copy_inside(a, (char *)object + f->offset, f->type);
        } else if (f->kind == FIELD_LIST || f->kind == FIELD_STRINGS) {
            size_t n = GET(size_t, object, f->count);
            size_t size = f->type ? f->type->size : sizeof(const char *);
            char *list = arena_take(a, n, size);
            if (n)
                memcpy(list, GET(const void *, object, f->offset), n * size);
            for (size_t i = 0; i < n; i++) {
                if (f->type)
                    copy_inside(a, list + i * size, f->type);
                else
                    PUT(const char *, list, i * size) =
                        arena_strdup(a, GET(const char *, list, i * size));
            }
            PUT(const void *, object, f->offset) = list;
        }
    }
}

const struct world *world_copy(struct arena *a, const struct world *w)
{
    struct world *copy = arena_take(a, 1, sizeof(*copy));
    *copy = *w;
    copy_inside(a, copy, &world_type);
    return copy;
}

static struct json_object *write_object(const void *object, const struct type *type)
{
    struct json_object *o = json_object_new_object();
    for (const struct field *f = type->fields; f->key; f++) {
        switch (f->kind) {
        case FIELD_STRING:
            json_add_string(o, f->key, GET(const char *, object, f->offset));
            break;
        case FIELD_INT:
        case FIELD_BYTES:
        case FIELD_TIME:
        case FIELD_DURATION:
            json_add_int(o, f->key, GET(int64_t, object, f->offset));
            break;
        case FIELD_BOOL:
            json_add_bool(o, f->key, GET(bool, object, f->offset));
            break;
        case FIELD_ANSWER:
            json_add_string(o, f->key, answers[GET(enum world_answer, object, f->offset)]);
            break;
        case FIELD_OBJECT:
            json_add(o, f->key, write_object((const char *)object + f->offset, f->type));
            break;
        case FIELD_LIST:
        case FIELD_STRINGS: {
            struct json_object *list = json_object_new_array();
            const char *items = GET(const char *, object, f->offset);
            for (size_t i = 0; i < GET(size_t, object, f->count); i++)
                (void)json_object_array_add(
                    list,
                    f->type ? write_object(items + i * f->type->size, f->type)
                            : json_object_new_string(GET(const char *, items, i * sizeof(char *))));
            json_add(o, f->key, list);
            break;
        }
        }
    }
    return o;
}

struct json_object *world_to_json(const struct world *w)
{
    struct json_object *o = write_object(w, &world_type);
    json_add_int(o, "version", 1);
    return o;
}

struct reader {
    struct arena *arena;
    usec now;
    struct err *e;
};

static int wrong(const struct reader *r, const char *place, const char *key,
                 struct json_object *value, const char *what)
{
    return err_set(r->e, EBADMSG, "%s%s%s: %s is not %s", place, place[0] ? "." : "", key,
                   json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN), what);
}

static int read_time(const struct reader *r, struct json_object *value, usec *ret)
{
    const char *text = json_object_get_string(value);
    if (json_object_is_type(value, json_type_int)) {
        *ret = json_object_get_int64(value);
        return 0;
    }
    if (!json_object_is_type(value, json_type_string))
        return -EINVAL;
    if (strcmp(text, "now") == 0) {
        *ret = r->now;
        return 0;
    }
    if (text[0] == '-' || text[0] == '+') {
        usec away = 0;
        int k = units_parse_duration(text + 1, &away);
        *ret = text[0] == '-' ? r->now - away : r->now + away;
        return k;
    }
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (!end || *end)
        return -EINVAL;
    *ret = (usec)timegm(&tm) * USEC_PER_SEC;
    return 0;
}

static int read_object(struct reader *r, struct json_object *json, void *object,
                       const struct type *type, const char *place);

static int read_list(struct reader *r, struct json_object *value, void *object,
                     const struct field *f, const char *place)
{
    if (!json_object_is_type(value, json_type_array))
        return wrong(r, place, f->key, value, "a list");
    size_t n = json_object_array_length(value);
    size_t size = f->type ? f->type->size : sizeof(const char *);
    char *list = arena_take(r->arena, n, size);
    for (size_t i = 0; i < n; i++) {
        struct json_object *item = json_object_array_get_idx(value, i);
        char *inside = arena_printf(r->arena, "%s%s%s[%zu]", place, place[0] ? "." : "", f->key, i);
        if (!f->type && !json_object_is_type(item, json_type_string))
            return wrong(r, place, f->key, item, "a string");
        if (!f->type)
            PUT(const char *, list, i * size) =
                arena_strdup(r->arena, json_object_get_string(item));
        int k = f->type ? read_object(r, item, list + i * size, f->type, inside) : 0;
        if (k < 0)
            return k;
    }
    PUT(const void *, object, f->offset) = list;
    PUT(size_t, object, f->count) = n;
    return 0;
}

static int read_field(struct reader *r, struct json_object *value, void *object,
                      const struct field *f, const char *place)
{
    switch (f->kind) {
    case FIELD_STRING:
        if (!json_object_is_type(value, json_type_string))
            return wrong(r, place, f->key, value, "a string");
        PUT(const char *, object, f->offset) =
            arena_strdup(r->arena, json_object_get_string(value));
        return 0;
    case FIELD_BYTES:
        if (json_object_is_type(value, json_type_string))
            return units_parse_bytes(json_object_get_string(value),
                                     &PUT(int64_t, object, f->offset)) < 0
                       ? wrong(r, place, f->key, value, "a size such as \"4GiB\"")
                       : 0;
        __attribute__((fallthrough));
    case FIELD_INT:
        if (!json_object_is_type(value, json_type_int))
            return wrong(r, place, f->key, value, "a whole number");
        PUT(int64_t, object, f->offset) = json_object_get_int64(value);
        return 0;
    case FIELD_TIME:
        return read_time(r, value, &PUT(usec, object, f->offset)) < 0
                   ? wrong(r, place, f->key, value, "a time: µs, \"-5m\" before now, or \"+5m\"")
                   : 0;
    case FIELD_DURATION:
        if (json_object_is_type(value, json_type_string))
            return units_parse_duration(json_object_get_string(value),
                                        &PUT(usec, object, f->offset)) < 0
                       ? wrong(r, place, f->key, value, "a duration such as \"36h\"")
                       : 0;
        if (!json_object_is_type(value, json_type_int))
            return wrong(r, place, f->key, value, "a duration: µs, or \"36h\"");
        PUT(usec, object, f->offset) = json_object_get_int64(value);
        return 0;
    case FIELD_BOOL:
        if (!json_object_is_type(value, json_type_boolean))
            return wrong(r, place, f->key, value, "true or false");
        PUT(bool, object, f->offset) = json_object_get_boolean(value);
        return 0;
    case FIELD_ANSWER:
        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
            if (json_object_is_type(value, json_type_string) &&
                strcmp(json_object_get_string(value), answers[i]) == 0) {
                PUT(enum world_answer, object, f->offset) = (enum world_answer)i;
                return 0;
            }
        }
        return wrong(r, place, f->key, value, "\"ok\", \"failed\" or \"none\"");
    case FIELD_OBJECT:
        return read_object(r, value, (char *)object + f->offset, f->type,
                           arena_printf(r->arena, "%s%s%s", place, place[0] ? "." : "", f->key));
    case FIELD_LIST:
    case FIELD_STRINGS:
        return read_list(r, value, object, f, place);
    }
    return 0;
}

/* Before a struct is read: no string in it is NULL, and what JSON leaves out is ordinary. */
static void set_defaults(const struct reader *r, void *object, const struct type *type)
{
    for (const struct field *f = type->fields; f->key; f++) {
        if (f->kind == FIELD_STRING)
            PUT(const char *, object, f->offset) = "";
        else if (f->kind == FIELD_OBJECT)
            set_defaults(r, (char *)object + f->offset, f->type);
    }
    if (type->defaults)
        type->defaults(object, r->now);
}

static int read_object(struct reader *r, struct json_object *json, void *object,
                       const struct type *type, const char *place)
{
    if (!json_object_is_type(json, json_type_object))
        return err_set(r->e, EBADMSG, "%s: not an object", place);
    set_defaults(r, object, type);
    json_object_object_foreach(json, key, value)
    {
        const struct field *f = type->fields;
        while (f->key && strcmp(f->key, key) != 0)
            f++;
        if (!f->key && type == &world_type && strcmp(key, "version") == 0)
            continue;
        if (!f->key)
            return err_set(r->e, EBADMSG, "%s%s%s: no such fact", place, place[0] ? "." : "", key);
        int k = read_field(r, value, object, f, place);
        if (k < 0)
            return k;
    }
    return 0;
}

int world_from_json(struct arena *a, struct json_object *json, const struct world **ret,
                    struct err *e)
{
    struct reader reader = {.arena = a, .e = e};
    struct json_object *now = NULL;
    struct world *w = arena_take(a, 1, sizeof(*w));
    if (!json_object_is_type(json, json_type_object))
        return err_set(e, EBADMSG, "a world is a JSON object");
    if (json_int_or(json, "version", 0) != 1)
        return err_set(e, EBADMSG, "version: this eyrie reads worlds of version 1");
    if (!json_object_object_get_ex(json, "now", &now) || read_time(&reader, now, &reader.now) < 0)
        return err_set(e, EBADMSG, "now: missing, or not a time (µs or 2026-11-22T20:00:00Z)");
    int r = read_object(&reader, json, w, &world_type, "");
    if (r < 0)
        return r;
    *ret = w;
    return 0;
}
