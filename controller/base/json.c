#include "base/json.h"

#include <ctype.h>
#include <errno.h>

#include "base/limits.h"
#include "base/mem.h"

int json_parse(const char *text, size_t length, struct json_object **ret, struct err *e)
{
    if (length > INT32_MAX)
        return err_set(e, EBADMSG, "%zu bytes of JSON are too many", length);
    struct json_tokener *tokener = json_tokener_new_ex(LIMIT_JSON_DEPTH);
    if (!tokener)
        mem_exhausted();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    struct json_object *value = json_tokener_parse_ex(tokener, text, (int)length);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    if (error == json_tokener_continue && !value) /* a bare number ends only at the end of input */
        value = json_tokener_parse_ex(tokener, "", 1), error = json_tokener_get_error(tokener);
    size_t at = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);
    while (at < length && isspace((unsigned char)text[at]))
        at++;
    if (error != json_tokener_success || at < length) {
        if (value)
            (void)json_object_put(value);
        return err_set(e, EBADMSG, "not JSON: %s at byte %zu",
                       error == json_tokener_success ? "more text" : json_tokener_error_desc(error),
                       at);
    }
    *ret = value;
    return 0;
}

static struct json_object *member(struct json_object *o, const char *key, enum json_type type)
{
    struct json_object *value = NULL;
    if (!o || !json_object_is_type(o, json_type_object) ||
        !json_object_object_get_ex(o, key, &value) || !json_object_is_type(value, type))
        return NULL;
    return value;
}

int json_get_string(struct json_object *o, const char *key, const char **ret, struct err *e)
{
    struct json_object *value = member(o, key, json_type_string);
    if (!value)
        return err_set(e, EBADMSG, "\"%s\" is missing or not a string", key);
    *ret = json_object_get_string(value);
    return 0;
}

int json_get_int(struct json_object *o, const char *key, int64_t *ret, struct err *e)
{
    struct json_object *value = member(o, key, json_type_int);
    if (!value)
        return err_set(e, EBADMSG, "\"%s\" is missing or not a whole number", key);
    *ret = json_object_get_int64(value);
    return 0;
}

const char *json_string_or(struct json_object *o, const char *key, const char *fallback)
{
    struct json_object *value = member(o, key, json_type_string);
    return value ? json_object_get_string(value) : fallback;
}

int64_t json_int_or(struct json_object *o, const char *key, int64_t fallback)
{
    struct json_object *value = member(o, key, json_type_int);
    return value ? json_object_get_int64(value) : fallback;
}

double json_double_or(struct json_object *o, const char *key, double fallback)
{
    struct json_object *value = member(o, key, json_type_double);
    if (!value)
        value = member(o, key, json_type_int);
    return value ? json_object_get_double(value) : fallback;
}

bool json_bool_or(struct json_object *o, const char *key, bool fallback)
{
    struct json_object *value = member(o, key, json_type_boolean);
    return value ? json_object_get_boolean(value) : fallback;
}

struct json_object *json_object_or_null(struct json_object *o, const char *key)
{
    return member(o, key, json_type_object);
}

struct json_object *json_array_or_null(struct json_object *o, const char *key)
{
    return member(o, key, json_type_array);
}

void json_add(struct json_object *o, const char *key, struct json_object *value)
{
    if (json_object_object_add(o, key, value) != 0)
        mem_exhausted();
}

void json_add_string(struct json_object *o, const char *key, const char *value)
{
    json_add(o, key, value ? json_object_new_string(value) : NULL);
}

void json_add_int(struct json_object *o, const char *key, int64_t value)
{
    json_add(o, key, json_object_new_int64(value));
}

void json_add_bool(struct json_object *o, const char *key, bool value)
{
    json_add(o, key, json_object_new_boolean(value));
}

enum stream_state {
    STREAM_START,   /* nothing but white space so far */
    STREAM_ARRAY,   /* after '[' or between its objects */
    STREAM_OBJECT,  /* inside an object */
    STREAM_BARE,    /* between objects outside an array */
    STREAM_END,     /* after ']' */
};

struct json_stream {
    json_stream_object object;
    void *userdata;
    struct json_tokener *tokener;
    enum stream_state state;
    bool in_array;
    size_t taken; /* bytes of the object under way */
};

struct json_stream *json_stream_new(json_stream_object object, void *userdata)
{
    struct json_stream *s = mem_new(1, sizeof(*s));
    s->object = object;
    s->userdata = userdata;
    s->tokener = json_tokener_new_ex(LIMIT_JSON_DEPTH);
    if (!s->tokener)
        mem_exhausted();
    return s;
}

struct json_stream *json_stream_free(struct json_stream *s)
{
    if (!s)
        return NULL;
    json_tokener_free(s->tokener);
    free(s);
    return NULL;
}

/* Skip what may stand between objects; -EBADMSG on anything else. */
static int stream_between(struct json_stream *s, char c, struct err *e)
{
    if (isspace((unsigned char)c))
        return 0;
    if (c == '{' && s->state != STREAM_END) {
        s->state = STREAM_OBJECT;
        s->taken = 0;
        json_tokener_reset(s->tokener);
        return 1;
    }
    if (c == '[' && s->state == STREAM_START) {
        s->in_array = true;
        s->state = STREAM_ARRAY;
        return 0;
    }
    if (c == ',' && s->state == STREAM_ARRAY)
        return 0;
    if (c == ']' && s->state == STREAM_ARRAY) {
        s->state = STREAM_END;
        return 0;
    }
    return err_set(e, EBADMSG, "not the JSON that was expected: '%c' between two objects",
                   isprint((unsigned char)c) ? c : '?');
}

int json_stream_feed(struct json_stream *s, const char *bytes, size_t length, struct err *e)
{
    size_t at = 0;
    while (at < length) {
        if (s->state != STREAM_OBJECT) {
            int r = stream_between(s, bytes[at], e);
            if (r < 0)
                return r;
            if (r == 0)
                at++;
            continue;
        }
        size_t piece = length - at < LIMIT_OBJECT_BYTES ? length - at : LIMIT_OBJECT_BYTES;
        struct json_object *value =
            json_tokener_parse_ex(s->tokener, bytes + at, (int)piece);
        enum json_tokener_error error = json_tokener_get_error(s->tokener);
        size_t used = json_tokener_get_parse_end(s->tokener);
        s->taken += used;
        at += used;
        if (error == json_tokener_continue) {
            if (s->taken > LIMIT_OBJECT_BYTES)
                return err_set(e, EMSGSIZE, "an object of more than %d bytes", LIMIT_OBJECT_BYTES);
            continue;
        }
        if (error != json_tokener_success)
            return err_set(e, EBADMSG, "not JSON: %s", json_tokener_error_desc(error));
        s->state = s->in_array ? STREAM_ARRAY : STREAM_BARE;
        int r = s->object(s->userdata, value, e);
        (void)json_object_put(value);
        if (r < 0)
            return r;
    }
    return 0;
}

int json_stream_end(struct json_stream *s, struct err *e)
{
    if (s->state == STREAM_OBJECT || s->state == STREAM_ARRAY)
        return err_set(e, EBADMSG, "the output ended in the middle of %s",
                       s->state == STREAM_OBJECT ? "an object" : "the list");
    return 0;
}
