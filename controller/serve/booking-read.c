/* What was sent along with an ask. */
#include "serve/booking.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

enum field_kind { FIELD_TEXT, FIELD_COUNT, FIELD_BOOL };

static const struct {
    const char *name;
    enum field_kind kind;
    unsigned verbs; /* a bit for each that takes it */
    size_t offset;
} fields[] = {
#define ONLY(verb) (1U << (verb))
#define ANY (~0U)
    {"cpus", FIELD_COUNT, ONLY(BOOKING_ADD), offsetof(struct booking, cpus)},
    {"for", FIELD_TEXT, ONLY(BOOKING_ADD) | ONLY(BOOKING_EXTEND), offsetof(struct booking, length)},
    {"from", FIELD_TEXT, ONLY(BOOKING_ADD), offsetof(struct booking, from)},
    {"group", FIELD_TEXT, ONLY(BOOKING_ADD), offsetof(struct booking, group)},
    {"preview", FIELD_BOOL, ANY, offsetof(struct booking, preview)},
    {"reason", FIELD_TEXT, ANY, offsetof(struct booking, reason)},
    {"shared", FIELD_BOOL, ONLY(BOOKING_ADD), offsetof(struct booking, shared)},
    {"template", FIELD_TEXT, ONLY(BOOKING_ADD), offsetof(struct booking, template)},
    {"until", FIELD_TEXT, ONLY(BOOKING_ADD) | ONLY(BOOKING_EXTEND), offsetof(struct booking, until)},
    {"vms", FIELD_COUNT, ONLY(BOOKING_ADD), offsetof(struct booking, vms)},
    {"whole_host", FIELD_BOOL, ONLY(BOOKING_ADD), offsetof(struct booking, whole_host)},
#undef ONLY
#undef ANY
};

static int take_text(const char *key, struct json_object *value, size_t most, void *field,
                     struct err *e)
{
    if (!json_object_is_type(value, json_type_string))
        return err_set(e, EINVAL, "\"%s\" must be a text", key);
    const char *text = json_object_get_string(value);
    size_t length = (size_t)json_object_get_string_len(value);
    if (length > most)
        return err_set(e, EINVAL, "\"%s\" is longer than %zu bytes", key, most);
    for (size_t i = 0; i < length; i++) /* it goes into logs, a line an event */
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return err_set(e, EINVAL, "\"%s\" has a control character in it (byte %zu)", key, i + 1);
    memcpy(field, &text, sizeof(text));
    return 0;
}

static int take_field(size_t i, struct json_object *value, struct booking *b, struct err *e)
{
    const char *key = fields[i].name;
    void *field = (char *)b + fields[i].offset;
    int64_t count;
    bool truth;
    switch (fields[i].kind) {
    case FIELD_TEXT:
        return take_text(key, value,
                         text_equal(key, "reason") ? LIMIT_REASON_BYTES : LIMIT_NAME_BYTES, field, e);
    case FIELD_COUNT:
        count = json_object_get_int64(value);
        if (!json_object_is_type(value, json_type_int) || count < 1 || count > 1000000000)
            return err_set(e, EINVAL, "\"%s\" must be a whole number from 1 on", key);
        memcpy(field, &count, sizeof(count));
        return 0;
    case FIELD_BOOL:
        truth = json_object_get_boolean(value);
        if (!json_object_is_type(value, json_type_boolean))
            return err_set(e, EINVAL, "\"%s\" must be true or false", key);
        memcpy(field, &truth, sizeof(truth));
        return 0;
    }
    return 0;
}

int booking_read(struct json_object *body, struct booking *b, struct err *e)
{
    b->group = b->template = b->from = b->until = b->length = b->reason = "";
    if (!body)
        return 0;
    json_object_object_foreach(body, key, value)
    {
        size_t i = 0;
        while (i < ARRAY_SIZE(fields) &&
               (strcmp(fields[i].name, key) != 0 || !(fields[i].verbs >> b->verb & 1)))
            i++;
        if (i == ARRAY_SIZE(fields))
            return err_set(e, EINVAL, "\"%.64s\" is nothing that is asked for here", key);
        int r = take_field(i, value, b, e);
        if (r < 0)
            return r;
    }
    return 0;
}
