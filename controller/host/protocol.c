#include "host/protocol.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"

typedef int (*parse_members)(struct json_object *o, const char *pool, struct request *q,
                             struct err *e);

/* The string @key, which must be a plain name (a NULL @slot only checks). */
static int take_name(struct json_object *o, const char *key, char **slot, struct err *e)
{
    const char *text;
    int r = json_get_string(o, key, &text, e);
    if (r < 0)
        return r;
    if (!vm_is_plain(text))
        return err_set(e, EINVAL, "\"%s\" is too long or has control characters", key);
    *slot = mem_strdup(text);
    return 0;
}

static int take_uuid(struct json_object *o, struct vm *vm, struct err *e)
{
    const char *text;
    int r = json_get_string(o, "uuid", &text, e);
    if (r < 0)
        return r;
    if (!vm_is_uuid(text))
        return err_set(e, EINVAL, "\"uuid\" is not a UUID in lower case");
    memcpy(vm->uuid, text, VM_UUID_SIZE);
    return 0;
}

static int take_number(struct json_object *o, const char *key, int64_t least, int64_t most,
                       int64_t *ret, struct err *e)
{
    int64_t value;
    int r = json_get_int(o, key, &value, e);
    if (r < 0)
        return r;
    if (value < least || value > most)
        return err_set(e, EINVAL, "\"%s\" is %lld, outside %lld to %lld", key, (long long)value,
                       (long long)least, (long long)most);
    *ret = value;
    return 0;
}

static int take_metadata(struct json_object *o, struct vm *vm, struct err *e)
{
    struct json_object *m = json_object_or_null(o, "metadata");
    if (!m)
        return err_set(e, EINVAL, "\"metadata\" is missing or not an object");
    int r = take_name(m, "template", &vm->template, e);
    if (r >= 0)
        r = take_name(m, "generation", &vm->generation, e);
    if (r >= 0)
        r = take_name(m, "group", &vm->group, e);
    if (r >= 0)
        r = take_name(m, "request", &vm->request, e);
    vm->exclusive = json_bool_or(m, "exclusive", false);
    if (r >= 0)
        r = take_number(m, "born", 0, INT64_MAX, &vm->born, e);
    return r < 0 ? err_prefix(e, r, "metadata") : 0;
}

/* What create and check have in common: what a VM is made from. */
static int take_template(struct json_object *o, struct request *q, struct err *e)
{
    const char *xml;
    int r = take_name(o, "image", &q->image, e);
    if (r >= 0)
        r = take_number(o, "cpus", 1, 4096, &q->vm.cpus, e);
    if (r >= 0)
        r = take_number(o, "memory", MIB, 1024 * TIB, &q->vm.memory, e);
    if (r >= 0)
        r = take_number(o, "disk", 0, 1024 * TIB, &q->disk, e);
    if (r >= 0)
        r = json_get_string(o, "domain_xml", &xml, e);
    if (r >= 0)
        q->domain_xml = mem_strdup(xml);
    return r;
}

static int parse_check(struct json_object *o, const char *pool, struct request *q, struct err *e)
{
    (void)pool;
    return take_template(o, q, e);
}

/* A member may be refused, but the text of a seed must not be in the sentence. */
static int parse_create(struct json_object *o, const char *pool, struct request *q, struct err *e)
{
    int r = take_uuid(o, &q->vm, e);
    if (r >= 0)
        r = take_name(o, "name", &q->vm.name, e);
    if (r >= 0 && !vm_is_name(pool, q->vm.name, q->vm.uuid))
        r = err_set(e, EINVAL, "\"name\" is \"%s\", not %s-TEMPLATE-%.8s", q->vm.name, pool,
                    q->vm.uuid);
    if (r >= 0)
        r = take_template(o, q, e);
    if (r >= 0)
        r = take_metadata(o, &q->vm, e);
    if (r < 0)
        return r;
    q->seed = mem_strdup(json_string_or(o, "seed", NULL));
    if (q->seed && !q->seed[0])
        return err_set(e, EINVAL, "\"seed\" is empty");
    q->watch = json_int_or(o, "watch", 0);
    q->vm.pool = mem_strdup(pool);
    return 0;
}

static int parse_delete_volume(struct json_object *o, const char *pool, struct request *q,
                               struct err *e)
{
    int r = take_name(o, "name", &q->volume, e);
    if (r < 0)
        return r;
    if (!vm_volume_parse(pool, q->volume, q->vm.uuid, &q->volume_kind))
        return err_set(e, EINVAL,
                       "\"%s\" is not a volume of ours: those are %s.UUID.disk and "
                       "%s.UUID.seed",
                       q->volume, pool, pool);
    return 0;
}

/* As in parse_create, the token must not be in the sentence. */
static int parse_renew(struct json_object *o, const char *pool, struct request *q, struct err *e)
{
    (void)pool;
    int r = take_uuid(o, &q->vm, e);
    if (r < 0)
        return r;
    q->token = mem_strdup(json_string_or(o, "token", NULL));
    if (!q->token || !q->token[0] || strcspn(q->token, " \t\r\n") < strlen(q->token))
        return err_set(e, EINVAL, "\"token\" is missing, or more than one word");
    q->rules = mem_strdup(json_string_or(o, "rules", NULL));
    if (q->rules && (!q->rules[0] || strcspn(q->rules, "\r\n") < strlen(q->rules)))
        return err_set(e, EINVAL, "\"rules\" are empty, or more than one line");
    return 0;
}

static int parse_push(struct json_object *o, const char *pool, struct request *q, struct err *e)
{
    const char *file;
    enum vm_volume kind;
    int r = take_name(o, "name", &q->volume, e);
    if (r >= 0)
        r = json_get_string(o, "file", &file, e);
    if (r < 0)
        return r;
    if (!text_ends_with(q->volume, ".qcow2") || strchr(q->volume, '/') || q->volume[0] == '.' ||
        vm_volume_parse(pool, q->volume, q->vm.uuid, &kind))
        return err_set(e, EINVAL, "\"%s\" is no name for an image: those end in .qcow2", q->volume);
    q->file = mem_strdup(file);
    return 0;
}

static int parse_uuid(struct json_object *o, const char *pool, struct request *q, struct err *e)
{
    (void)pool;
    return take_uuid(o, &q->vm, e);
}

static int parse_nothing(struct json_object *o, const char *pool, struct request *q, struct err *e)
{
    (void)o, (void)pool, (void)q, (void)e;
    return 0;
}

static const struct {
    const char *name;
    parse_members parse;
} ops[PROTOCOL_OP_MAX] = {
    [PROTOCOL_CHECK] = {"check", parse_check},
    [PROTOCOL_CREATE] = {"create", parse_create},
    [PROTOCOL_DELETE_VOLUME] = {"delete_volume", parse_delete_volume},
    [PROTOCOL_DESTROY] = {"destroy", parse_uuid},
    [PROTOCOL_LIST] = {"list", parse_nothing},
    [PROTOCOL_PING] = {"ping", parse_nothing},
    [PROTOCOL_PUSH] = {"push", parse_push},
    [PROTOCOL_RENEW] = {"renew", parse_renew},
    [PROTOCOL_SHUTDOWN] = {"shutdown", parse_uuid},
};

const char *protocol_op_name(enum protocol_op op)
{
    return ops[op].name;
}

static int parse(const char *line, size_t length, const char *pool, struct request *q,
                 struct err *e)
{
    struct json_object *o AUTOJSON = NULL;
    const char *name;
    int r = json_parse(line, length, &o, e);
    if (r < 0)
        return r;
    r = json_get_int(o, "id", &q->id, e);
    if (r >= 0 && q->id <= 0)
        r = err_set(e, EINVAL, "\"id\" must be more than 0");
    if (r >= 0)
        r = json_get_string(o, "op", &name, e);
    if (r < 0)
        return r;
    for (q->op = 0; q->op < PROTOCOL_OP_MAX; q->op++)
        if (strcmp(name, ops[q->op].name) == 0) {
            r = ops[q->op].parse(o, pool, q, e);
            return r < 0 ? err_prefix(e, r, "%s", ops[q->op].name) : 0;
        }
    return err_set(e, EINVAL, "no operation has the name \"%.40s\"", name);
}

int protocol_parse(const char *line, size_t length, const char *pool, struct request **ret,
                   int64_t *ret_id, struct fault *f)
{
    struct request *q CLEANUP(protocol_free_p) = mem_new(1, sizeof(*q));
    struct err e;
    int r = parse(line, length, pool, q, &e);
    *ret_id = q->id > 0 ? q->id : 0;
    if (r < 0)
        return fault_set(f, VIR_ERR_INVALID_ARG, "%s", e.text);
    *ret = q;
    q = NULL;
    return 0;
}

struct request *protocol_free(struct request *q)
{
    if (!q)
        return NULL;
    vm_done(&q->vm);
    free(q->domain_xml);
    free(q->image);
    if (q->seed)
        explicit_bzero(q->seed, strlen(q->seed));
    free(q->seed);
    if (q->token)
        explicit_bzero(q->token, strlen(q->token));
    free(q->token);
    free(q->rules);
    free(q->volume);
    free(q->file);
    free(q);
    return NULL;
}

struct json_object *protocol_answer(int64_t id)
{
    struct json_object *o = json_object_new_object();
    json_add_int(o, "id", id);
    json_add_bool(o, "ok", true);
    return o;
}

struct json_object *protocol_failure(int64_t id, const struct fault *f)
{
    struct json_object *o = json_object_new_object();
    json_add_int(o, "id", id);
    json_add_bool(o, "ok", false);
    json_add_int(o, "code", f->code);
    json_add_string(o, "error", f->err.text);
    json_add_bool(o, "unknown", f->unknown);
    return o;
}

struct json_object *protocol_event(const char *name)
{
    struct json_object *o = json_object_new_object();
    json_add_string(o, "event", name);
    return o;
}
