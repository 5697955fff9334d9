/* eyrie plan: of eyried, or made here of a world and a policy. */
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/http.h"
#include "cli/paint.h"
#include "cli/plan-offline.h"
#include "cli/show.h"
#include "record/recording.h"
#include "record/world.h"

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    paint_plan(cli, out, json_string_or(view, "text", ""));
}

static int judge(struct json_object *view)
{
    return json_int_or(view, "changes", 0) > 0 ? CLI_CHANGES : CLI_OK;
}

/* The world of a file, or of eyried's last step. */
static int get_world(const struct cli *cli, struct arena *a, const struct world **ret)
{
    CLEANUP(text_done) struct text body = {0};
    AUTOJSON struct json_object *json = NULL;
    struct err e = {0};
    if (cli->world) {
        int r = recording_read(a, cli->world, ret, NULL, &e);
        return r < 0 ? show_failure(cli, CLI_FAILURE, &e) : CLI_OK;
    }
    int code = http_ask(cli, "GET", "/v1/world", &body, &e);
    if (code == CLI_OK && (json_parse(text_get(&body), body.length, &json, &e) < 0 ||
                           world_from_json(a, json, ret, &e) < 0)) {
        (void)err_prefix(&e, 0, "eyried's answer");
        code = CLI_FAILURE;
    }
    return code == CLI_OK ? CLI_OK : show_failure(cli, code, &e);
}

/* A bad policy is said before the world is looked at. */
static int plan_here(const struct cli *cli, const struct show *show)
{
    CLEANUP(config_free_p) struct config *config = NULL;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    AUTOJSON struct json_object *view = NULL;
    const struct world *w = NULL;
    int code = offline_policy(cli, &config);
    if (code == CLI_OK)
        code = get_world(cli, a, &w);
    if (code != CLI_OK)
        return code;
    view = offline_view(config_policy(config), w);
    return show_here(cli, view, show);
}

int plan_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .judge = judge};
    (void)argv;
    if (argc > 0)
        return command_wrong_arguments(cli, "plan");
    return cli->world || cli->policy ? plan_here(cli, &show) : show_view(cli, "/v1/plan", &show);
}
