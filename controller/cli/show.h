/*
 * Looking: ask for a view and show it, once or again and again. On a terminal a watched view is
 * drawn in place; elsewhere each is a block of its own.
 */
#pragma once

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"

struct show {
    /** Write @view for people. */
    void (*render)(const struct cli *cli, struct json_object *view, FILE *out);
    /** The list of @view whose rows have names, for -o name; NULL: none. */
    const char *list;
    /** The exit code that @view means; NULL: CLI_OK. */
    int (*judge)(struct json_object *view);
};

/** Add @key and @value as a parameter to @path, unless @value is NULL. */
void show_add_parameter(struct text *path, const char *key, const char *value);
/** GET @path and show it (as it is, for -o json). Returns the exit code. */
int show_view(const struct cli *cli, const char *path, const struct show *show);
/** Show a view that was made here, not asked for. Returns the exit code. */
int show_here(const struct cli *cli, struct json_object *view, const struct show *show);
/** Print "eyrie: " and the sentence; returns @code. */
int show_failure(const struct cli *cli, int code, const struct err *e);

/* What the views of several verbs have in common. */

/** The text of the reason in @o's member @key, or "". */
const char *show_reason(struct json_object *o, const char *key);
/** How long ago the point in time in @o's member @key was; "" when it is null. Returns @buffer. */
const char *show_ago(struct json_object *o, const char *key, usec now,
                     char buffer[static UNITS_TEXT_MAX]);
