/* eyrie groups */
#include "base/mem.h"
#include "cli/command.h"
#include "cli/show.h"
#include "cli/table.h"

static const struct table_column columns[] = {
    {"GROUP", 0},            {"VMS", TABLE_RIGHT},     {"CPUS", TABLE_RIGHT},
    {"QUOTA", TABLE_RIGHT},  {"MAX", TABLE_RIGHT},     {"WEIGHT", TABLE_RIGHT},
    {"IDLE", TABLE_RIGHT},   {"RUNNING", TABLE_RIGHT}, {"STARTING", TABLE_RIGHT},
    {"EXCLUSIVE", 0},        {"LIMITED BY", TABLE_CUT},
};

static void limit_cell(struct table *t, struct json_object *group, const char *key)
{
    int64_t limit = json_int_or(group, key, -1);
    if (limit < 0)
        table_cell(t, NULL); /* null: unlimited */
    else
        table_cell_number(t, limit);
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    CLEANUP(table_free_p) struct table *t = table_new(cli, columns, ARRAY_SIZE(columns));
    struct json_object *groups = json_array_or_null(view, "groups");
    size_t n_groups = groups ? json_object_array_length(groups) : 0;
    for (size_t i = 0; i < n_groups; i++) {
        struct json_object *group = json_object_array_get_idx(groups, i);
        table_row(t);
        table_cell(t, json_string_or(group, "name", ""));
        table_cell_number(t, json_int_or(group, "vms", 0));
        table_cell_number(t, json_int_or(group, "cpus", 0));
        limit_cell(t, group, "quota");
        limit_cell(t, group, "max");
        limit_cell(t, group, "weight");
        table_cell_number(t, json_int_or(group, "idle_jobs", 0));
        table_cell_number(t, json_int_or(group, "running_jobs", 0));
        table_cell_number(t, json_int_or(group, "starting", 0));
        table_cell(t, json_bool_or(group, "exclusive", false) ? "yes" : "no");
        table_cell(t, show_reason(group, "limited"));
    }
    table_print(t, out);
    if (n_groups == 0)
        (void)fputs("The policy has no groups.\n", out);
}

int groups_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .list = "groups"};
    (void)argv;
    return argc > 0 ? command_wrong_arguments(cli, "groups")
                    : show_view(cli, "/v1/groups", &show);
}
