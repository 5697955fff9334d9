#include "cli/paint.h"

#include <string.h>

#include "base/mem.h"

static const char *const sequences[PAINT_COUNT] = {
    [PAINT_NONE] = "",         [PAINT_GOOD] = "\033[32m", [PAINT_BUSY] = "\033[33m",
    [PAINT_BAD] = "\033[31m",  [PAINT_FAINT] = "\033[2m", [PAINT_TITLE] = "\033[1m",
};

static const struct {
    const char *state;
    enum paint paint;
} states[] = {
    {"absent", PAINT_FAINT},   {"applied", PAINT_GOOD},    {"booting", PAINT_BUSY},
    {"busy", PAINT_GOOD},      {"cordoned", PAINT_BUSY},   {"creating", PAINT_BUSY},
    {"degraded", PAINT_BAD},   {"differs", PAINT_BUSY},    {"drained", PAINT_BUSY},
    {"draining", PAINT_BUSY},      {"foreign", PAINT_FAINT},  {"gone", PAINT_FAINT},      {"leaving", PAINT_BUSY},
    {"lost", PAINT_BAD},       {"missing", PAINT_BUSY},    {"ok", PAINT_GOOD},
    {"paused", PAINT_BUSY},    {"ready", PAINT_GOOD},      {"removed", PAINT_BUSY},
    {"unknown", PAINT_BAD},
    {"unverified", PAINT_BUSY},
};

const char *paint_begin(const struct cli *cli, enum paint paint)
{
    return cli->color ? sequences[paint] : "";
}

const char *paint_end(const struct cli *cli, enum paint paint)
{
    return cli->color && paint != PAINT_NONE ? "\033[0m" : "";
}

enum paint paint_of_state(const char *state)
{
    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        if (strcmp(states[i].state, state) == 0)
            return states[i].paint;
    return PAINT_NONE;
}

void paint_text(FILE *out, const char *text, bool lines)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool control = *p < 0x20 || *p == 0x7f;
        if (*p == '\n' && lines)
            control = false;
        /* U+0080 … U+009F are control characters too */
        if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
            control = true;
            p++;
        }
        (void)fputc(control ? '?' : *p, out);
    }
}

const char *paint_age(usec d, char buffer[static UNITS_TEXT_MAX])
{
    usec unit = d >= 10 * USEC_PER_DAY    ? USEC_PER_DAY
                : d >= USEC_PER_DAY       ? USEC_PER_HOUR
                : d >= USEC_PER_HOUR      ? USEC_PER_MINUTE
                                          : USEC_PER_SEC;
    if (d == USEC_NEVER)
        return units_format_duration(d, buffer);
    return units_format_duration(d - d % unit, buffer);
}

/* The colour of a line of the plan, by the sign that it begins with. */
static enum paint paint_of_line(char sign)
{
    switch (sign) {
    case '+':
        return PAINT_GOOD;
    case '-':
    case '!':
        return PAINT_BAD;
    case '~':
        return PAINT_BUSY;
    default:
        return PAINT_NONE;
    }
}

void paint_plan(const struct cli *cli, FILE *out, const char *text)
{
    char line[1024];
    for (const char *p = text; *p;) {
        size_t length = strcspn(p, "\n");
        enum paint paint = paint_of_line(*p);
        (void)snprintf(line, sizeof(line), "%.*s", (int)length, p);
        (void)fputs(paint_begin(cli, paint), out);
        paint_text(out, line, false);
        (void)fputs(paint_end(cli, paint), out);
        (void)fputc('\n', out);
        p += length + (p[length] == '\n');
    }
}
