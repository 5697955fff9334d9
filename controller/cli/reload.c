/* eyrie reload: what eyried makes of the changed files of its policy. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/http.h"
#include "cli/paint.h"
#include "cli/show.h"

int reload_run(const struct cli *cli, int argc, char **argv)
{
    CLEANUP(text_done) struct text body = {0};
    AUTOJSON struct json_object *answer = NULL;
    struct err e = {0};
    (void)argv;
    if (argc > 0)
        return command_wrong_arguments(cli, "reload");
    int code = http_ask(cli, "POST", "/v1/reload", &body, &e);
    if (code != CLI_OK && code != CLI_CONFIGURATION)
        return show_failure(cli, code, &e);
    if (json_parse(text_get(&body), body.length, &answer, &e) < 0) {
        (void)err_prefix(&e, 0, "eyried's answer");
        return show_failure(cli, CLI_FAILURE, &e);
    }
    if (cli->json) {
        (void)fwrite(text_get(&body), 1, body.length, cli->out);
    } else if (code == CLI_OK) {
        paint_plan(cli, cli->out, json_string_or(answer, "text", ""));
    } else {
        paint_text(cli->err, json_string_or(answer, "error", ""), true);
        (void)fputc('\n', cli->err);
    }
    return code;
}
