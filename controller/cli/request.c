/* eyrie request add | preview | list | show | extend | cancel | approve | deny */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/http.h"
#include "cli/paint.h"
#include "cli/show.h"
#include "cli/table.h"

/* ---- options --------------------------------------------------------------------------------- */

enum {
    WHAT = 1 << 0,   /* group, cpus, …: what is asked for */
    END = 1 << 1,    /* --for, --until */
    REASON = 1 << 2, /* --reason */
    WHY = 1 << 3,    /* --why */
    LIST = 1 << 4,   /* --all */
    GROUP = 1 << 5,  /* --group */
    WATCH = 1 << 6,
};

/* The words after request: what they take, and the route that they ask. */
static const struct word {
    const char *name;
    int takes;
    const char *path; /* NULL: it only looks */
    bool named;       /* a request's name follows */
} words[] = {
    {"add", WHAT | GROUP | END | REASON, "/v1/requests/add", false},
    {"preview", WHAT | GROUP | END | REASON, "/v1/requests/add", false},
    {"list", LIST | GROUP | WATCH, NULL, false},
    {"show", WATCH, NULL, true},
    {"extend", END | REASON, "/v1/requests/extend/", true},
    {"cancel", WHY, "/v1/requests/cancel/", true},
    {"approve", WHY, "/v1/requests/approve/", true},
    {"deny", WHY, "/v1/requests/deny/", true},
};

/* The options, by which words they are taken, and what they are called in what is sent. */
static const struct {
    const char *option;
    int taken_by;
    size_t offset;
    const char *key;
} texts[] = {
    {"cpus", WHAT, offsetof(struct cli, cpus), "cpus"},
    {"for", END, offsetof(struct cli, length), "for"},
    {"from", WHAT, offsetof(struct cli, from), "from"},
    {"group", GROUP, offsetof(struct cli, group), "group"},
    {"reason", REASON, offsetof(struct cli, reason), "reason"},
    {"template", WHAT, offsetof(struct cli, template), "template"},
    {"until", END, offsetof(struct cli, until), "until"},
    {"vms", WHAT, offsetof(struct cli, vms), "vms"},
    {"why", WHY, offsetof(struct cli, why), "reason"},
};
static const struct {
    const char *option;
    int taken_by;
    size_t offset;
    const char *key;
} flags[] = {
    {"all", LIST, offsetof(struct cli, all), NULL},
    {"shared", WHAT, offsetof(struct cli, shared), "shared"},
    {"whole-host", WHAT, offsetof(struct cli, whole_host), "whole_host"},
};

static const char *text_of(const struct cli *cli, size_t i)
{
    const char *text;
    memcpy(&text, (const char *)cli + texts[i].offset, sizeof(text));
    return text;
}

static bool flag_of(const struct cli *cli, size_t i)
{
    bool flag;
    memcpy(&flag, (const char *)cli + flags[i].offset, sizeof(flag));
    return flag;
}

/* What the line has, and this word does not take. */
static int check_options(const struct cli *cli, const struct word *word)
{
    const char *surplus = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(texts) && !surplus; i++)
        if (text_of(cli, i) && !(texts[i].taken_by & word->takes))
            surplus = texts[i].option;
    for (size_t i = 0; i < ARRAY_SIZE(flags) && !surplus; i++)
        if (flag_of(cli, i) && !(flags[i].taken_by & word->takes))
            surplus = flags[i].option;
    if (surplus)
        return cli_usage(cli, "eyrie request %s takes no --%s", word->name, surplus);
    if (cli->watch && !(word->takes & WATCH))
        return cli_usage(cli, "eyrie request %s cannot be watched", word->name);
    if (cli->names && !(word->takes & LIST))
        return cli_usage(cli, "eyrie request %s has no names to show", word->name);
    return 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* The numbers are checked here: the API wants numbers. */
static int add_text(const struct cli *cli, struct json_object *body, size_t i)
{
    const char *text = text_of(cli, i);
    int64_t number;
    if (strcmp(texts[i].key, "cpus") != 0 && strcmp(texts[i].key, "vms") != 0) {
        json_add_string(body, texts[i].key, text);
        return 0;
    }
    if (units_parse_count(text, &number) < 0 || number < 1)
        return cli_usage(cli, "--%s=%s is not a whole number from 1 on", texts[i].option, text);
    json_add_int(body, texts[i].key, number);
    return 0;
}

static void show_lines(const struct cli *cli, struct json_object *answer)
{
    struct json_object *lines = json_array_or_null(answer, "lines");
    for (size_t i = 0; lines && i < json_object_array_length(lines); i++) {
        paint_text(cli->out, json_object_get_string(json_object_array_get_idx(lines, i)), false);
        (void)fputc('\n', cli->out);
    }
}

static int change(const struct cli *cli, const struct word *word, const char *name)
{
    AUTOJSON struct json_object *body = json_object_new_object(), *answer = NULL;
    AUTOFREE char *escaped = http_escape(name);
    AUTOFREE char *path = mem_printf("%s%s", word->path, escaped);
    CLEANUP(text_done) struct text said = {0};
    struct err e = {0};
    json_add_bool(body, "preview", strcmp(word->name, "preview") == 0);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        int r = text_of(cli, i) ? add_text(cli, body, i) : 0;
        if (r != 0)
            return r;
    }
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (flag_of(cli, i))
            json_add_bool(body, flags[i].key, true);
    int code = http_send(cli, "POST", path, json_object_to_json_string(body), &said, &e);
    if (cli->json && said.length > 0) /* what would fit is in a refusal, too */
        (void)fwrite(text_get(&said), 1, said.length, cli->out);
    if (code == CLI_OK && json_parse(text_get(&said), said.length, &answer, &e) < 0)
        code = CLI_FAILURE;
    if (code != CLI_OK)
        return show_failure(cli, code, &e);
    if (!cli->json)
        show_lines(cli, answer);
    return CLI_OK;
}

/* ---- looking --------------------------------------------------------------------------------- */

static const struct table_column columns[] = {
    {"NAME", 0},          {"STATE", 0},           {"GROUP", 0},        {"USER", 0},
    {"CPUS", TABLE_RIGHT}, {"VMS", TABLE_RIGHT},   {"TEMPLATE", 0},     {"FROM", 0},
    {"UNTIL", 0},         {"CPU-HOURS", TABLE_RIGHT}, {"REASON", TABLE_CUT},
};

static double hours(struct json_object *row, const char *key)
{
    return (double)json_int_or(row, key, 0) / (double)USEC_PER_HOUR;
}

static void render_list(const struct cli *cli, struct json_object *view, FILE *out)
{
    CLEANUP(table_free_p) struct table *t = table_new(cli, columns, ARRAY_SIZE(columns));
    struct json_object *rows = json_array_or_null(view, "requests");
    size_t n = rows ? json_object_array_length(rows) : 0;
    for (size_t i = 0; i < n; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        table_row(t);
        table_cell(t, json_string_or(row, "name", ""));
        table_cell(t, json_string_or(row, "state", ""));
        table_cell(t, json_string_or(row, "group", ""));
        table_cell(t, json_string_or(row, "user", ""));
        table_cell_number(t, json_int_or(row, "cpus", 0));
        table_cell_printf(t, "%" PRId64 "/%" PRId64, json_int_or(row, "up", 0),
                          json_int_or(row, "vms", 0));
        table_cell(t, json_string_or(row, "template", ""));
        table_cell(t, json_string_or(row, "from_local", ""));
        table_cell(t, json_string_or(row, "until_local", ""));
        table_cell_printf(t, "%.1f/%.1f", hours(row, "cpu_time"), hours(row, "cpu_time_asked"));
        table_cell(t, json_string_or(row, "reason", ""));
    }
    table_print(t, out);
    if (n == 0)
        (void)fputs(cli->all ? "Nothing was booked yet.\n" : "Nothing is booked.\n", out);
}

static void render_one(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *row = json_object_or_null(view, "request");
    struct json_object *lines = json_array_or_null(view, "lines");
    struct json_object *vms = json_array_or_null(view, "vms");
    (void)cli;
    paint_text(out, json_string_or(row, "name", ""), false);
    (void)fputs(" of ", out);
    paint_text(out, json_string_or(view, "text", ""), false);
    (void)fputc('\n', out);
    for (size_t i = 0; lines && i < json_object_array_length(lines); i++) {
        (void)fputs("  ", out);
        paint_text(out, json_object_get_string(json_object_array_get_idx(lines, i)), false);
        (void)fputc('\n', out);
    }
    explain_line(out, "asked by", json_string_or(row, "user", ""));
    explain_line(out, "reason", json_string_or(row, "reason", ""));
    for (size_t i = 0; vms && i < json_object_array_length(vms); i++) {
        struct json_object *vm = json_object_array_get_idx(vms, i);
        AUTOFREE char *text = mem_printf("%s on %s is %s", json_string_or(vm, "name", ""),
                                         json_string_or(vm, "host", ""),
                                         json_string_or(vm, "state", ""));
        explain_line(out, "vm", text);
    }
}

static int look(const struct cli *cli, const struct word *word, const char *name)
{
    static const struct show list = {.render = render_list, .list = "requests"};
    static const struct show one = {.render = render_one};
    CLEANUP(text_done) struct text path = {0};
    if (!word->named) {
        text_add(&path, "/v1/requests");
        show_add_parameter(&path, "all", cli->all ? "true" : NULL);
        show_add_parameter(&path, "group", cli->group);
        return show_view(cli, text_get(&path), &list);
    }
    AUTOFREE char *escaped = http_escape(name);
    text_printf(&path, "/v1/requests/%s", escaped);
    return show_view(cli, text_get(&path), &one);
}

int request_run(const struct cli *cli, int argc, char **argv)
{
    const char *name = argc > 0 ? argv[0] : "list";
    const struct word *word = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(words[i].name, name) == 0)
            word = &words[i];
    if (!word || argc > 2 || (argc == 2) != word->named)
        return command_wrong_arguments(cli, "request");
    int r = check_options(cli, word);
    if (r != 0)
        return r;
    const char *request = word->named ? argv[1] : "";
    return word->path ? change(cli, word, request) : look(cli, word, request);
}
