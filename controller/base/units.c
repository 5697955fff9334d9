#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t size;
};

static const struct unit durations[] = {
    {"ms", 1000}, {"d", USEC_PER_DAY}, {"h", USEC_PER_HOUR}, {"m", USEC_PER_MINUTE},
    {"s", USEC_PER_SEC},
};

static const struct unit sizes[] = {
    {"KiB", KIB},  {"MiB", MIB},     {"GiB", GIB},        {"TiB", TIB},           {"B", 1},
    {"kB", 1000},  {"MB", 1000000},  {"GB", 1000000000},  {"TB", 1000000000000},
};

/* The number of decimal digits at *@p, advanced past them; -ERANGE when it leaves 0 … @max. */
static int take_number(const char **p, int64_t max, int64_t *ret_number)
{
    const char *s = *p;
    int64_t n = 0;
    if (*s < '0' || *s > '9')
        return -EINVAL;
    for (; *s >= '0' && *s <= '9'; s++) {
        int digit = *s - '0';
        if (n > (max - digit) / 10)
            return -ERANGE;
        n = n * 10 + digit;
    }
    *p = s;
    *ret_number = n;
    return 0;
}

int units_parse_duration(const char *text, usec *ret_usec)
{
    const usec most = 36525 * USEC_PER_DAY;
    usec sum = 0, last = USEC_NEVER;
    if (strcmp(text, "0") == 0) {
        *ret_usec = 0;
        return 0;
    }
    for (const char *p = text; *p || p == text;) {
        int64_t n;
        int r = take_number(&p, most, &n);
        if (r < 0)
            return r;
        const struct unit *found = NULL;
        for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]) && !found; i++) {
            size_t length = strlen(durations[i].name);
            if (strncmp(p, durations[i].name, length) == 0) {
                found = &durations[i];
                p += length;
            }
        }
        if (!found || found->size >= last)
            return -EINVAL;
        last = found->size;
        if (n > (most - sum) / found->size)
            return -ERANGE;
        sum += n * found->size;
    }
    *ret_usec = sum;
    return 0;
}

int units_parse_bytes(const char *text, int64_t *ret_bytes)
{
    const int64_t most = INT64_C(1) << 62;
    const char *p = text;
    int64_t whole, bytes;
    int r = take_number(&p, most, &whole);
    if (r < 0)
        return r;
    int64_t part = 0, scale = 1;
    if (*p == '.') {
        p++;
        const char *from = p;
        r = take_number(&p, 999999, &part);
        if (r < 0)
            return -EINVAL;
        for (const char *q = from; q < p; q++)
            scale *= 10;
    }
    if (whole == 0 && part == 0 && *p == '\0') {
        *ret_bytes = 0;
        return 0;
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (strcmp(p, sizes[i].name) != 0)
            continue;
        if (whole >= most / sizes[i].size)
            return -ERANGE;
        bytes = whole * sizes[i].size + part * (sizes[i].size / scale) +
                part * (sizes[i].size % scale) / scale;
        *ret_bytes = bytes;
        return 0;
    }
    return -EINVAL;
}

int units_parse_count(const char *text, int64_t *ret_count)
{
    const char *p = text;
    int64_t n;
    int r = take_number(&p, 1000000000, &n);
    if (r < 0)
        return r;
    if (*p != '\0')
        return -EINVAL;
    *ret_count = n;
    return 0;
}

const char *units_format_duration(usec d, char buffer[static UNITS_TEXT_MAX])
{
    static const struct unit steps[] = {
        {"d", USEC_PER_DAY}, {"h", USEC_PER_HOUR}, {"m", USEC_PER_MINUTE}, {"s", USEC_PER_SEC},
        {"ms", 1000},
    };
    if (d == USEC_NEVER)
        return strcpy(buffer, "never");
    size_t used = 0;
    const char *sign = d < 0 ? "-" : "";
    uint64_t rest = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
    used += (size_t)snprintf(buffer, UNITS_TEXT_MAX, "%s", sign);
    size_t empty = used;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        uint64_t size = (uint64_t)steps[i].size;
        if (rest < size)
            continue;
        used += (size_t)snprintf(buffer + used, UNITS_TEXT_MAX - used, "%" PRIu64 "%s", rest / size,
                                 steps[i].name);
        rest %= size;
    }
    if (used == empty)
        return strcpy(buffer, "0s");
    return buffer;
}

const char *units_format_bytes(int64_t bytes, char buffer[static UNITS_TEXT_MAX])
{
    static const struct unit steps[] = {{"TiB", TIB}, {"GiB", GIB}, {"MiB", MIB}, {"KiB", KIB}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (bytes < steps[i].size)
            continue;
        if (bytes % steps[i].size == 0)
            (void)snprintf(buffer, UNITS_TEXT_MAX, "%" PRId64 "%s", bytes / steps[i].size,
                           steps[i].name);
        else
            (void)snprintf(buffer, UNITS_TEXT_MAX, "%.1f%s",
                           (double)bytes / (double)steps[i].size, steps[i].name);
        return buffer;
    }
    (void)snprintf(buffer, UNITS_TEXT_MAX, "%" PRId64 "B", bytes);
    return buffer;
}
