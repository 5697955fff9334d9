/* eyrie check: the policy of a file, every value with where it comes from, or all that is wrong. */
#include "base/mem.h"
#include "cli/command.h"
#include "cli/paint.h"
#include "cli/show.h"
#include "config/config.h"

static int judge(struct json_object *view)
{
    return json_bool_or(view, "good", false) ? CLI_OK : CLI_CONFIGURATION;
}

int check_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.judge = judge};
    CLEANUP(config_free_p) struct config *config = NULL;
    AUTOFREE char *messages = NULL;
    if (argc > 1 || (argc == 1 && cli->policy))
        return command_wrong_arguments(cli, "check");
    const char *path = argc == 1 ? argv[0] : cli->policy ? cli->policy : CLI_POLICY;
    int r = config_try(path, &config, &messages);
    if (cli->json) {
        AUTOJSON struct json_object *view = config_view(config);
        return show_here(cli, view, &show);
    }
    if (r < 0) {
        paint_text(cli->err, messages, true);
        return CLI_CONFIGURATION;
    }
    config_print(config, cli->out);
    return CLI_OK;
}
