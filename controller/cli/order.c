#include "cli/order.h"

#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/http.h"
#include "cli/paint.h"
#include "cli/show.h"

/* Ask for the order to be shown or done; *@ret_view is the answer. */
static int ask(const struct cli *cli, const char *path, bool preview, struct json_object **ret_view,
               struct err *e)
{
    AUTOJSON struct json_object *body = json_object_new_object();
    CLEANUP(text_done) struct text answer = {0};
    json_add_bool(body, "preview", preview);
    if (cli->now)
        json_add_bool(body, "now", true);
    if (cli->reason)
        json_add_string(body, "reason", cli->reason);
    int code = http_send(cli, "POST", path, json_object_to_json_string(body), &answer, e);
    if (code == CLI_OK && json_parse(text_get(&answer), answer.length, ret_view, e) < 0)
        code = CLI_FAILURE;
    return code;
}

static void show(const struct cli *cli, struct json_object *view)
{
    struct json_object *effects = json_array_or_null(view, "effects");
    bool preview = json_bool_or(view, "preview", false);
    if (cli->json) {
        (void)fprintf(cli->out, "%s\n", json_object_to_json_string(view));
        return;
    }
    for (size_t i = 0; effects && i < json_object_array_length(effects); i++) {
        (void)fputs(preview ? "  " : "", cli->out);
        paint_text(cli->out, json_object_get_string(json_object_array_get_idx(effects, i)), false);
        (void)fputc('\n', cli->out);
    }
}

static bool says_yes(const struct cli *cli)
{
    char line[16] = "";
    (void)fputs("Do it? [y/N] ", cli->out);
    (void)fflush(cli->out);
    if (!fgets(line, sizeof(line), stdin)) {
        (void)fputc('\n', cli->out);
        return false;
    }
    line[strcspn(line, "\n")] = '\0';
    return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
}

int order_give(const struct cli *cli, const char *verb, const char *path)
{
    AUTOJSON struct json_object *preview = NULL, *done = NULL;
    struct err e = {0};
    int code = CLI_OK;
    if (!cli->yes) {
        code = ask(cli, path, true, &preview, &e);
        if (code != CLI_OK)
            return show_failure(cli, code, &e);
        show(cli, preview);
        if (!json_bool_or(preview, "changes", true))
            return CLI_OK;
        if (!cli->terminal || cli->json || !isatty(STDIN_FILENO))
            return cli_usage(
                cli, "nothing was done: eyrie %s needs --yes where nobody can be asked", verb);
        if (!says_yes(cli)) {
            (void)fputs("Nothing was done.\n", cli->out);
            return CLI_FAILURE;
        }
    }
    code = ask(cli, path, false, &done, &e);
    if (code != CLI_OK)
        return show_failure(cli, code, &e);
    if (preview)
        (void)fputs("Done.\n", cli->out);
    else
        show(cli, done);
    return CLI_OK;
}

int order_give_about(const struct cli *cli, const char *verb, const char *path, const char *name)
{
    AUTOFREE char *escaped = http_escape(name);
    AUTOFREE char *whole = mem_printf("%s/%s", path, escaped);
    return order_give(cli, verb, whole);
}
