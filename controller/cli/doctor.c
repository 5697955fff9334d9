/* eyrie doctor: what is wrong with the site, why it matters, and what mends it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/paint.h"
#include "cli/plan-offline.h"
#include "cli/show.h"
#include "doctor/doctor.h"

static const char *member(struct json_object *row, const char *key)
{
    return json_string_or(row, key, "");
}

static void line(const struct cli *cli, FILE *out, enum paint paint, const char *mark)
{
    (void)fprintf(out, "  %s%-5s%s  ", paint_begin(cli, paint), mark, paint_end(cli, paint));
}

static void advice(const struct cli *cli, FILE *out, const char *mark, const char *text)
{
    line(cli, out, PAINT_FAINT, mark);
    paint_text(out, text, false);
    (void)fputc('\n', out);
}

static void render_row(const struct cli *cli, struct json_object *row, FILE *out)
{
    bool wrong = strcmp(member(row, "verdict"), "wrong") == 0;
    bool ok = strcmp(member(row, "verdict"), "ok") == 0;
    line(cli, out,
         wrong ? PAINT_BAD
         : ok  ? PAINT_GOOD
               : PAINT_FAINT,
         wrong ? "WRONG"
         : ok  ? "ok"
               : "-");
    if (*member(row, "subject")) {
        paint_text(out, member(row, "subject"), false);
        (void)fputs(": ", out);
    }
    paint_text(out, member(row, "what"), false);
    (void)fputc('\n', out);
    if (wrong) {
        advice(cli, out, "why", member(row, "why"));
        advice(cli, out, "mend", member(row, "mend"));
    }
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *rows = json_array_or_null(view, "checks");
    size_t n = rows ? json_object_array_length(rows) : 0;
    int64_t wrong = json_int_or(view, "wrong", 0), skipped = json_int_or(view, "skipped", 0);
    const char *part = "";
    for (size_t i = 0; i < n; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        if (cli->quiet && strcmp(member(row, "verdict"), "wrong") != 0)
            continue;
        if (strcmp(part, member(row, "part")) != 0) {
            (void)fprintf(out, "%s%s%s%s\n", *part ? "\n" : "", paint_begin(cli, PAINT_TITLE),
                          member(row, "part"), paint_end(cli, PAINT_TITLE));
            part = member(row, "part");
        }
        render_row(cli, row, out);
    }
    if (cli->quiet)
        return;
    if (wrong > 0)
        (void)fprintf(out, "\n%" PRId64 " of %zu wrong", wrong, n);
    else
        (void)fprintf(out, "\nAll %" PRId64 " well", json_int_or(view, "ok", 0));
    if (skipped > 0)
        (void)fprintf(out, ", %" PRId64 " not looked at (-)", skipped);
    (void)fputs(".\n", out);
}

static int judge(struct json_object *view)
{
    return json_int_or(view, "wrong", 0) > 0 ? CLI_DEGRADED : CLI_OK;
}

int doctor_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .judge = judge};
    CLEANUP(config_free_p) struct config *config = NULL;
    AUTOJSON struct json_object *view = NULL;
    AUTOFREE char *program = realpath("/proc/self/exe", NULL);
    struct err e;
    (void)argv;
    if (argc > 0)
        return command_wrong_arguments(cli, "doctor");
    int r = offline_policy(cli, &config);
    if (r != CLI_OK)
        return r;
    bool asked = strcmp(cli->socket, CLI_SOCKET) != 0; /* else the policy knows better */
    const struct doctor_args args = {
        .policy = config_policy(config),
        .file = cli->policy ? cli->policy : CLI_POLICY,
        .eyrie = program ? program : "eyrie",
        .socket = asked ? cli->socket : NULL,
    };
    if (doctor_look(&args, &view, &e) < 0)
        return show_failure(cli, CLI_FAILURE, &e);
    return show_here(cli, view, &show);
}
