/* eyrie agent [list], eyrie agent add | remove NAME */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/http.h"
#include "cli/paint.h"
#include "cli/show.h"
#include "cli/table.h"

static const struct table_column columns[] = {
    {"NAME", 0},          {"STATE", 0},   {"HEARD", TABLE_RIGHT}, {"REVISION", TABLE_RIGHT},
    {"HAS", TABLE_RIGHT}, {"PROGRAM", 0}, {"ERROR", TABLE_CUT},
};

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    CLEANUP(table_free_p) struct table *t = table_new(cli, columns, ARRAY_SIZE(columns));
    struct json_object *agents = json_array_or_null(view, "agents");
    size_t n = agents ? json_object_array_length(agents) : 0;
    usec now = json_int_or(view, "now", 0);
    char age[UNITS_TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        struct json_object *agent = json_object_array_get_idx(agents, i);
        const char *state = json_string_or(agent, "state", "");
        table_row(t);
        table_cell(t, json_string_or(agent, "name", ""));
        table_cell(t, state);
        table_paint(t, paint_of_state(state));
        table_cell(t, show_ago(agent, "heard", now, age));
        table_cell_printf(t, "%lld", (long long)json_int_or(agent, "revision", 0));
        table_cell_printf(t, "%lld", (long long)json_int_or(agent, "has", 0));
        table_cell(t, json_string_or(agent, "program", ""));
        table_cell(t, json_string_or(agent, "error", ""));
    }
    table_print(t, out);
    if (n == 0)
        (void)fputs("There are no agents.\n", out);
}

/* The token is not part of the command: others see that while it runs. */
static void show_invitation(const struct cli *cli, struct json_object *answer)
{
    time_t until = (time_t)(json_int_or(answer, "until", 0) / USEC_PER_SEC);
    char clock[16] = "";
    struct tm tm;
    if (localtime_r(&until, &tm))
        (void)strftime(clock, sizeof(clock), "%H:%M", &tm);
    (void)fprintf(cli->out,
                  "On the machine of %s, as the user that eyrie-agent runs as:\n\n  %s\n\n"
                  "It asks for this token, which is good once, until %s:\n\n  %s\n",
                  json_string_or(answer, "name", ""), json_string_or(answer, "command", ""), clock,
                  json_string_or(answer, "secret", ""));
}

static int change(const struct cli *cli, const char *what, const char *name)
{
    AUTOFREE char *escaped = http_escape(name);
    AUTOFREE char *path = mem_printf("/v1/agents/%s/%s", what, escaped);
    CLEANUP(text_done) struct text body = {0};
    AUTOJSON struct json_object *answer = NULL;
    struct err e = {0};
    int code = http_ask(cli, "POST", path, &body, &e);
    if (code == CLI_OK && json_parse(text_get(&body), body.length, &answer, &e) < 0)
        code = CLI_FAILURE;
    if (code != CLI_OK)
        return show_failure(cli, code, &e);
    if (cli->json)
        (void)fwrite(text_get(&body), 1, body.length, cli->out);
    else if (strcmp(what, "add") == 0)
        show_invitation(cli, answer);
    else
        (void)fprintf(cli->out,
                      "The agent of %s is none any more. The fragment that it applied last "
                      "stays on its machine.\n",
                      name);
    return CLI_OK;
}

int agent_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .list = "agents"};
    const char *word = argc > 0 ? argv[0] : "list";
    if (argc <= 1 && strcmp(word, "list") == 0)
        return show_view(cli, "/v1/agents", &show);
    if (argc != 2 || (strcmp(word, "add") != 0 && strcmp(word, "remove") != 0))
        return command_wrong_arguments(cli, "agent");
    if (cli->watch)
        return cli_usage(cli, "eyrie agent %s cannot be watched", word);
    return change(cli, word, argv[1]);
}
