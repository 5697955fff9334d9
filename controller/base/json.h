/*
 * The one wrapper around json-c: parsing with a depth limit, typed look-ups that say what is wrong,
 * and a stream of objects for outputs of any size.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

static inline void json_put_p(struct json_object **o)
{
    if (*o)
        (void)json_object_put(*o);
}
#define AUTOJSON __attribute__((cleanup(json_put_p)))

/**
 * Parse @length bytes that hold one whole JSON value. Returns 0 and the value (owned by the caller,
 * json_object_put), or -EBADMSG.
 */
int json_parse(const char *text, size_t length, struct json_object **ret, struct err *e);

/* Look-ups in the object @o. The _get_ functions fail with -EBADMSG when the member is missing or of
 * another type; the others give the fallback then. Strings belong to @o. */
int json_get_string(struct json_object *o, const char *key, const char **ret, struct err *e);
int json_get_int(struct json_object *o, const char *key, int64_t *ret, struct err *e);
const char *json_string_or(struct json_object *o, const char *key, const char *fallback);
int64_t json_int_or(struct json_object *o, const char *key, int64_t fallback);
double json_double_or(struct json_object *o, const char *key, double fallback);
bool json_bool_or(struct json_object *o, const char *key, bool fallback);
/** The member when it is an object (or an array), else NULL; belongs to @o. */
struct json_object *json_object_or_null(struct json_object *o, const char *key);
struct json_object *json_array_or_null(struct json_object *o, const char *key);

/* Add a member; a NULL string adds null. */
void json_add_string(struct json_object *o, const char *key, const char *value);
void json_add_int(struct json_object *o, const char *key, int64_t value);
void json_add_bool(struct json_object *o, const char *key, bool value);
/** Takes over @value. */
void json_add(struct json_object *o, const char *key, struct json_object *value);

/*
 * A stream of objects: `[ {…}, {…} ]`, or objects one after the other, as HTCondor's tools print
 * them; memory stays that of one object. A stream that ends inside the array or an object is
 * incomplete, never empty. No output at all is a complete, empty stream (condor_q prints nothing
 * for an empty result; seen with 23.9.6).
 */
struct json_stream;

/** Called for each object, which it must not keep; a negative result ends the stream with it. */
typedef int (*json_stream_object)(void *userdata, struct json_object *object, struct err *e);

struct json_stream *json_stream_new(json_stream_object object, void *userdata);
struct json_stream *json_stream_free(struct json_stream *s);
/** Feed @length more bytes. 0, -EBADMSG (not JSON), -EMSGSIZE (one object too big), or as @object. */
int json_stream_feed(struct json_stream *s, const char *bytes, size_t length, struct err *e);
/** The input has ended: 0 when it was complete, else -EBADMSG. */
int json_stream_end(struct json_stream *s, struct err *e);

static inline void json_stream_free_p(struct json_stream **s)
{
    (void)json_stream_free(*s);
}
