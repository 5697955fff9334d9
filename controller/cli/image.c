/* eyrie image push FILE */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/image-push.h"
#include "cli/paint.h"
#include "cli/plan-offline.h"
#include "cli/show.h"

enum { BAR_COLUMNS = 30 };

/* A bar over what all hosts have to take, drawn anew in its line. */
static void draw(void *userdata, int64_t done, int64_t all, size_t ended, size_t hosts)
{
    const struct cli *cli = userdata;
    int64_t percent = all > 0 ? 100 * done / all : 0;
    int full = (int)(percent * BAR_COLUMNS / 100);
    (void)fprintf(cli->err, "\r[%.*s%*s] %3" PRId64 " %%, %zu of %zu host%s", full,
                  "##############################", BAR_COLUMNS - full, "", percent, ended, hosts,
                  hosts == 1 ? "" : "s");
    (void)fflush(cli->err);
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *rows = json_array_or_null(view, "hosts");
    for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *error = json_string_or(row, "error", "");
        (void)fprintf(out, "%s%s%s: ", paint_begin(cli, *error ? PAINT_BAD : PAINT_GOOD),
                      json_string_or(row, "name", ""),
                      paint_end(cli, *error ? PAINT_BAD : PAINT_GOOD));
        paint_text(out,
                   *error                               ? error
                   : json_bool_or(row, "already", false) ? "has it already"
                                                         : "has it, read back and compared",
                   false);
        (void)fputc('\n', out);
    }
    if (*json_string_or(view, "digest", ""))
        (void)fprintf(out, "sha256 %s\n", json_string_or(view, "digest", ""));
}

static int judge(struct json_object *view)
{
    return json_int_or(view, "failed", 0) > 0 ? CLI_FAILURE : CLI_OK;
}

int image_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .judge = judge};
    CLEANUP(config_free_p) struct config *config = NULL;
    AUTOJSON struct json_object *view = NULL;
    struct err e;
    if (argc != 2 || strcmp(argv[0], "push") != 0)
        return command_wrong_arguments(cli, "image");
    AUTOFREE char *file = realpath(argv[1], NULL);
    if (!file) {
        (void)err_set(&e, errno, "%s: %s", argv[1], strerror(errno));
        return show_failure(cli, CLI_FAILURE, &e);
    }
    int r = offline_policy(cli, &config);
    if (r != CLI_OK)
        return r;
    const struct image_push_args args = {
        .policy = config_policy(config),
        .file = file,
        .host = cli->host,
        .progress = cli->terminal && !cli->json ? draw : NULL,
        .userdata = (void *)cli,
    };
    r = image_push(&args, &view, &e);
    if (args.progress)
        (void)fputc('\n', cli->err);
    if (r < 0)
        return show_failure(cli, CLI_FAILURE, &e);
    return show_here(cli, view, &show);
}
