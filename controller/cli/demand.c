/* eyrie demand */
#include <inttypes.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/show.h"
#include "cli/table.h"

static const struct table_column columns[] = {
    {"OWNER", 0},           {"GROUP", 0},           {"CPUS", TABLE_RIGHT},
    {"MEMORY", TABLE_RIGHT}, {"IDLE", TABLE_RIGHT},  {"SERVED", TABLE_RIGHT},
    {"STARTING", TABLE_RIGHT}, {"WAITING", TABLE_RIGHT}, {"RUNNING", TABLE_RIGHT},
    {"HELD", TABLE_RIGHT},  {"REASON", TABLE_CUT},
};

static const char *const numbers[] = {"idle", "served", "starting", "waiting", "running", "held"};

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    CLEANUP(table_free_p) struct table *t = table_new(cli, columns, ARRAY_SIZE(columns));
    struct json_object *demand = json_object_or_null(view, "demand");
    struct json_object *shapes = json_array_or_null(demand, "shapes");
    size_t n = shapes ? json_object_array_length(shapes) : 0;
    int64_t total = json_int_or(demand, "shapes_total", 0);
    char memory[UNITS_TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        struct json_object *shape = json_object_array_get_idx(shapes, i);
        bool assumed = json_bool_or(shape, "assumed", false);
        table_row(t);
        table_cell(t, json_string_or(shape, "owner", ""));
        table_cell(t, json_string_or(shape, "group", ""));
        table_cell_printf(t, "%" PRId64 "%s", json_int_or(shape, "cpus", 0), assumed ? "?" : "");
        table_cell_printf(t, "%s%s", units_format_bytes(json_int_or(shape, "memory", 0), memory),
                          assumed ? "?" : "");
        for (size_t k = 0; k < ARRAY_SIZE(numbers); k++)
            table_cell_number(t, json_int_or(shape, numbers[k], 0));
        table_cell(t, show_reason(shape, "reason"));
    }
    table_print(t, out);
    if (n == 0)
        (void)fputs("No flagged jobs are in the queues.\n", out);
    else if (total > (int64_t)n)
        (void)fprintf(out, "and %" PRId64 " more shapes with fewer waiting jobs\n",
                      total - (int64_t)n);
}

int demand_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render};
    (void)argv;
    return argc > 0 ? command_wrong_arguments(cli, "demand")
                    : show_view(cli, "/v1/demand", &show);
}
