/* eyrie flock diff: what should be, what is in the file, and what the running daemon goes by. */
#include <errno.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/paint.h"
#include "cli/plan-offline.h"
#include "cli/show.h"
#include "doctor/drift.h"

static size_t length_of(struct json_object *array)
{
    return array ? json_object_array_length(array) : 0;
}

static void line(FILE *out, const char *name, const char *text)
{
    paint_text(out, name, false);
    (void)fputs(": ", out);
    paint_text(out, text, false);
    (void)fputc('\n', out);
}

static void render_row(struct json_object *row, FILE *out)
{
    struct json_object *knobs = json_array_or_null(row, "knobs");
    struct json_object *errors = json_array_or_null(row, "errors");
    const char *name = json_string_or(row, "name", ""), *file = json_string_or(row, "file", "");
    paint_text(out, file, true);
    for (size_t i = 0; i < length_of(knobs); i++)
        line(out, name, json_string_or(json_object_array_get_idx(knobs, i), "text", ""));
    for (size_t i = 0; i < length_of(errors); i++)
        line(out, name, json_object_get_string(json_object_array_get_idx(errors, i)));
    if (!*file && length_of(knobs) == 0 && length_of(errors) == 0)
        line(out, name, "the file and the daemon are as the policy wants them");
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *rows = json_array_or_null(view, "flock");
    (void)cli;
    for (size_t i = 0; i < length_of(rows); i++)
        render_row(json_object_array_get_idx(rows, i), out);
    if (length_of(rows) == 0)
        (void)fputs("The policy has no schedds.\n", out);
}

static int judge(struct json_object *view)
{
    struct json_object *rows = json_array_or_null(view, "flock");
    int code = CLI_OK;
    for (size_t i = 0; i < length_of(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        if (length_of(json_array_or_null(row, "errors")) > 0)
            return CLI_FAILURE;
        if (length_of(json_array_or_null(row, "knobs")) > 0 || *json_string_or(row, "file", ""))
            code = CLI_CHANGES;
    }
    return code;
}

int flock_diff(const struct cli *cli, const char *name)
{
    static const struct show show = {.render = render, .list = "flock", .judge = judge};
    CLEANUP(config_free_p) struct config *config = NULL;
    AUTOJSON struct json_object *view = NULL;
    struct err e = {0};
    int r = offline_policy(cli, &config);
    if (r != CLI_OK)
        return r;
    r = drift_look(config_policy(config), name, &view, &e);
    if (r == -ENOENT && !*e.text)
        return cli_usage(cli, "the policy keeps no fragment of \"%s\"", name);
    return r < 0 ? show_failure(cli, CLI_FAILURE, &e) : show_here(cli, view, &show);
}
