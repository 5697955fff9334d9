#include "sense/untrusted.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/limits.h"

const char *untrusted_name(struct arena *a, struct json_object *o, const char *key)
{
    const char *text = json_string_or(o, key, "");
    size_t length = strlen(text);
    bool cut = length > LIMIT_NAME_BYTES;
    /* a cut name must not become another's: no name in a policy ends like this */
    char *name = arena_printf(a, "%.*s%s", LIMIT_NAME_BYTES, text, cut ? "..." : "");
    for (char *p = name; *p; p++)
        if (iscntrl((unsigned char)*p))
            *p = '?';
    return name;
}

int64_t untrusted_number(struct json_object *o, const char *key, int64_t low, int64_t high,
                         int64_t fallback, bool *assumed)
{
    struct json_object *value = NULL;
    int64_t number = 0;
    (void)json_object_object_get_ex(o, key, &value);
    if (json_object_is_type(value, json_type_int)) {
        number = json_object_get_int64(value);
    } else if (json_object_is_type(value, json_type_double) &&
               !isnan(json_object_get_double(value))) {
        double d = ceil(json_object_get_double(value));
        number = d <= (double)low ? low : d >= (double)high ? high : (int64_t)d;
    } else {
        if (assumed)
            *assumed = true;
        return fallback;
    }
    return number < low ? low : number > high ? high : number;
}
