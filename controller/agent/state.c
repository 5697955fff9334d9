#include "agent/state.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "act/fragment.h"
#include "act/replace.h"
#include "base/credential.h"
#include "base/limits.h"
#include "base/mem.h"

static const struct {
    const char *key;
    size_t offset;
} members[] = {
    {"server", offsetof(struct state_joined, server)},
    {"pin", offsetof(struct state_joined, pin)},
    {"ca", offsetof(struct state_joined, ca)},
    {"controller", offsetof(struct state_joined, controller)},
    {"name", offsetof(struct state_joined, name)},
    {"token", offsetof(struct state_joined, token)},
    {"fragment", offsetof(struct state_joined, fragment)},
    {"tools", offsetof(struct state_joined, tools)},
};

/* A file with one JSON object. */
static int read_object(const char *path, struct json_object **ret, struct err *e)
{
    CLEANUP(text_done) struct text text = {0};
    AUTOJSON struct json_object *o = NULL;
    int r = fragment_read(path, 3 * (size_t)LIMIT_CONFIG_BYTES, &text, e);
    if (r < 0)
        return r;
    r = json_parse(text_get(&text), text.length, &o, e);
    if (r == 0 && !json_object_is_type(o, json_type_object))
        r = err_set(e, EBADMSG, "is no JSON object");
    if (text.data)
        explicit_bzero(text.data, text.length);
    if (r < 0)
        return err_prefix(e, r, "%s", path);
    *ret = json_object_get(o);
    return 0;
}

static int write_object(const char *folder, const char *name, struct json_object *o, struct err *e)
{
    AUTOFREE char *path = mem_printf("%s/%s", folder, name);
    return replace_private(path, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY), e);
}

int state_read_joined(const char *folder, struct state_joined *ret, struct json_object **ret_object,
                      struct err *e)
{
    AUTOJSON struct json_object *o = NULL;
    AUTOFREE char *given = credential_find("joined.json");
    AUTOFREE char *path = given ? mem_strdup(given) : mem_printf("%s/joined.json", folder);
    int r = read_object(path, &o, e);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(members); i++) {
        const char *value;
        r = json_get_string(o, members[i].key, &value, e);
        if (r < 0)
            return err_prefix(e, r, "%s", path);
        memcpy((char *)ret + members[i].offset, &value, sizeof(value));
    }
    if (r == 0)
        *ret_object = json_object_get(o);
    return r;
}

int state_prepare(const char *folder, struct err *e)
{
    if ((mkdir(folder, 0700) < 0 && errno != EEXIST) || access(folder, W_OK | X_OK) < 0)
        return err_set(e, errno, "%s: %s", folder, strerror(errno));
    return 0;
}

int state_write_joined(const char *folder, const struct state_joined *joined, struct err *e)
{
    AUTOJSON struct json_object *o = json_object_new_object();
    AUTOFREE char *parcel = mem_printf("%s/fragment.json", folder);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const char *value;
        memcpy(&value, (const char *)joined + members[i].offset, sizeof(value));
        json_add_string(o, members[i].key, value);
    }
    int r = state_prepare(folder, e);
    if (r == 0)
        r = replace_remove(parcel, e);
    return r < 0 ? r : write_object(folder, "joined.json", o, e);
}

int state_read_parcel(const char *folder, struct json_object **ret, struct err *e)
{
    AUTOFREE char *path = mem_printf("%s/fragment.json", folder);
    return read_object(path, ret, e);
}

int state_write_parcel(const char *folder, struct json_object *parcel, struct err *e)
{
    return write_object(folder, "fragment.json", parcel, e);
}
