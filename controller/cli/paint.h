/*
 * Colour on a terminal, and text of others made harmless: names come from users, and a terminal
 * obeys control characters.
 */
#pragma once

#include <stdio.h>

#include "base/units.h"
#include "cli/cli.h"

enum paint {
    PAINT_NONE,
    PAINT_GOOD,
    PAINT_BUSY,  /* under way */
    PAINT_BAD,
    PAINT_FAINT,
    PAINT_TITLE,
    PAINT_COUNT,
};

/** The sequence that begins a colour; "" for PAINT_NONE, or when @cli wants no colour. */
const char *paint_begin(const struct cli *cli, enum paint paint);
const char *paint_end(const struct cli *cli, enum paint paint);
/** The colour for a state of a VM, a host, a fragment or the pool. */
enum paint paint_of_state(const char *state);
/** Write @text with control characters as "?"; new lines stay when @lines. */
void paint_text(FILE *out, const char *text, bool lines);
/** Write the lines of a plan, each in the colour of its sign. */
void paint_plan(const struct cli *cli, FILE *out, const char *text);
/** @d to the second, or to the minute when it is hours, and so on: "7s", "2m5s", "3h12m", "9d". */
const char *paint_age(usec d, char buffer[static UNITS_TEXT_MAX]);
