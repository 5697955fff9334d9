/*
 * What a worker is asked, as lines of JSON: controller/host/README.md has what it makes of them.
 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "sense/host-private.h"

static struct json_object *request_new(struct host *host, enum host_op op, int64_t *ret_id)
{
    struct json_object *o = json_object_new_object();
    *ret_id = host_next_id(host);
    json_add_int(o, "id", *ret_id);
    json_add_string(o, "op", host_op_name(op));
    return o;
}

static const char *request_text(struct json_object *o)
{
    return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
}

void host_ask(struct host *host, enum host_op op, const char *key, const char *value,
                        host_done done, void *userdata)
{
    int64_t id = 0;
    AUTOJSON struct json_object *o = request_new(host, op, &id);
    if (key)
        json_add_string(o, key, value);
    char *line = mem_printf("%s\n", request_text(o));
    host_call(host, op, id, line, strlen(line), done, userdata);
}

void host_shutdown(struct host *host, const char *uuid, host_done done, void *userdata)
{
    host_ask(host, HOST_SHUTDOWN, "uuid", uuid, done, userdata);
}

void host_destroy(struct host *host, const char *uuid, host_done done, void *userdata)
{
    host_ask(host, HOST_DESTROY, "uuid", uuid, done, userdata);
}

void host_delete_volume(struct host *host, const char *name, host_done done, void *userdata)
{
    host_ask(host, HOST_DELETE_VOLUME, "name", name, done, userdata);
}

/* Write @text as the inside of a JSON string; returns where it ends. */
static char *escape(char *to, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            *to++ = '\\';
            *to++ = (char)c;
        } else if (c < 0x20) {
            memcpy(to, "\\u00", 4);
            to[4] = hex[c >> 4];
            to[5] = hex[c & 15];
            to += 6;
        } else {
            *to++ = (char)c;
        }
    }
    return to;
}

/* The secret is added by hand, into memory that will not move: json-c would keep copies of it. */
static void call_secret(struct host *host, enum host_op op, int64_t id, struct json_object *o,
                        const char *key, const char *secret, host_done done, void *userdata)
{
    const char *text = request_text(o);
    size_t head = strlen(text) - 1;
    size_t room = head + strlen(key) + 6 * strlen(secret) + sizeof(",\"\":\"\"}\n");
    char *line = mem_new(room, 1), *end = line;
    memcpy(end, text, head);
    end = stpcpy(end + head, ",\"");
    end = stpcpy(end, key);
    end = stpcpy(end, "\":\"");
    end = escape(end, secret);
    end = stpcpy(end, "\"}\n");
    host_call(host, op, id, line, (size_t)(end - line), done, userdata);
}

void host_create(struct host *host, const struct host_create_args *args, host_done done,
                 void *userdata)
{
    int64_t id = 0;
    AUTOJSON struct json_object *o = request_new(host, HOST_CREATE, &id);
    json_add_string(o, "name", args->name);
    json_add_string(o, "uuid", args->uuid);
    json_add_string(o, "domain_xml", args->domain_xml);
    json_add_string(o, "image", args->image);
    json_add_int(o, "cpus", args->cpus);
    json_add_int(o, "memory", args->memory);
    json_add_int(o, "disk", args->disk);
    json_add_int(o, "watch", args->watch);
    struct json_object *metadata = json_object_new_object();
    json_add(o, "metadata", metadata);
    json_add_string(metadata, "template", args->template);
    json_add_string(metadata, "generation", args->generation);
    json_add_string(metadata, "group", args->group);
    json_add_string(metadata, "request", args->request ? args->request : "");
    json_add_bool(metadata, "exclusive", args->exclusive);
    json_add_int(metadata, "born", args->born);
    call_secret(host, HOST_CREATE, id, o, "seed", args->seed, done, userdata);
}

void host_renew(struct host *host, const char *uuid, const char *rules, const char *token,
                host_done done, void *userdata)
{
    int64_t id = 0;
    AUTOJSON struct json_object *o = request_new(host, HOST_RENEW, &id);
    json_add_string(o, "uuid", uuid);
    if (rules && *rules)
        json_add_string(o, "rules", rules);
    call_secret(host, HOST_RENEW, id, o, "token", token, done, userdata);
}
