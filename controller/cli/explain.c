/* eyrie explain vm|host|group NAME */
#include "cli/explain.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/http.h"
#include "cli/paint.h"
#include "cli/show.h"

static const struct {
    const char *word;
    struct show show;
} kinds[] = {
    {"group", {.render = explain_group}},
    {"host", {.render = explain_host}},
    {"job", {.render = explain_job}},
    {"vm", {.render = explain_vm}},
};

void explain_label(FILE *out, const char *name)
{
    (void)fprintf(out, "  %-12s ", name);
}

void explain_line(FILE *out, const char *name, const char *content)
{
    if (!*content)
        return;
    explain_label(out, name);
    paint_text(out, content, false);
    (void)fputc('\n', out);
}

void explain_list(FILE *out, const char *name, struct json_object *list)
{
    for (size_t i = 0; list && i < json_object_array_length(list); i++)
        explain_line(out, name, json_object_get_string(json_object_array_get_idx(list, i)));
}

void explain_planned(FILE *out, struct json_object *planned)
{
    for (size_t i = 0; planned && i < json_object_array_length(planned); i++) {
        struct json_object *action = json_object_array_get_idx(planned, i);
        const char *name = json_string_or(action, "template", "");
        name = *name ? name : json_string_or(action, "name", "");
        explain_label(out, "planned");
        paint_text(out, json_string_or(action, "action", ""), false);
        (void)fputs(*name ? " " : "", out);
        paint_text(out, name, false);
        (void)fputs(": ", out);
        paint_text(out, show_reason(action, "reason"), false);
        (void)fputc('\n', out);
    }
}

void explain_counts(FILE *out, const char *name, struct json_object *counts)
{
    const char *comma = "";
    explain_label(out, name);
    if (counts) {
        json_object_object_foreach(counts, state, count)
        {
            if (json_object_get_int64(count) == 0)
                continue;
            (void)fprintf(out, "%s%" PRId64 " %s", comma, json_object_get_int64(count), state);
            comma = ", ";
        }
    }
    (void)fputs(*comma ? "\n" : "none\n", out);
}

int explain_run(const struct cli *cli, int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(argv[0], kinds[i].word) != 0)
            continue;
        CLEANUP(text_done) struct text path = {0};
        AUTOFREE char *name = http_escape(argv[1]);
        if (cli->schedd && strcmp(argv[0], "job") != 0)
            return cli_usage(cli, "--schedd is for a job");
        text_printf(&path, "/v1/explain/%s/%s", kinds[i].word, name);
        show_add_parameter(&path, "schedd", cli->schedd);
        return show_view(cli, text_get(&path), &kinds[i].show);
    }
    return command_wrong_arguments(cli, "explain");
}
