/* eyrie world: the answer itself is what is wanted, with or without -o json. */
#include "base/mem.h"
#include "cli/command.h"
#include "cli/http.h"
#include "cli/show.h"

int world_run(const struct cli *cli, int argc, char **argv)
{
    CLEANUP(text_done) struct text body = {0};
    struct err e = {0};
    (void)argv;
    if (argc > 0)
        return command_wrong_arguments(cli, "world");
    int code = http_ask(cli, "GET", "/v1/world", &body, &e);
    if (code != CLI_OK)
        return show_failure(cli, code, &e);
    (void)fwrite(text_get(&body), 1, body.length, cli->out);
    return CLI_OK;
}
