/*
 * Members of JSON objects whose values were chosen by users or by machines that we do not trust:
 * names are cut and made printable, numbers are held inside a range. In ClassAds a value may also
 * be an expression, which the tools print as a string "/Expr(…)/".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"

/** The string @key of @o, cut to LIMIT_NAME_BYTES and printable, in @a; "" when there is none. */
const char *untrusted_name(struct arena *a, struct json_object *o, const char *key);
/**
 * The number @key of @o, fractions rounded up, held between @low and @high; @fallback when it is
 * missing, an expression or anything else, and *@assumed is set to true then (NULL: not wanted).
 */
int64_t untrusted_number(struct json_object *o, const char *key, int64_t low, int64_t high,
                         int64_t fallback, bool *assumed);
