/* eyrie hosts */
#include <inttypes.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/show.h"
#include "cli/table.h"

static const struct table_column columns[] = {
    {"HOST", 0},           {"STATE", 0},            {"VMS", TABLE_RIGHT},
    {"FOREIGN", TABLE_RIGHT}, {"CPUS", TABLE_RIGHT},   {"MEMORY", TABLE_RIGHT},
    {"STORAGE", TABLE_RIGHT}, {"FAILED", TABLE_RIGHT}, {"SEEN", TABLE_RIGHT},
    {"ORDER", TABLE_CUT},  {"ERROR", TABLE_CUT},
};

/* Bytes for a table: nobody reads the last of six digits. */
static const char *size(int64_t bytes, char buffer[static UNITS_TEXT_MAX])
{
    int64_t unit = bytes >= 10 * GIB ? GIB : MIB;
    return units_format_bytes(bytes - bytes % unit, buffer);
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    CLEANUP(table_free_p) struct table *t = table_new(cli, columns, ARRAY_SIZE(columns));
    struct json_object *hosts = json_array_or_null(view, "hosts");
    usec now = json_int_or(view, "now", 0);
    size_t n_hosts = hosts ? json_object_array_length(hosts) : 0;
    char used[UNITS_TEXT_MAX], all[UNITS_TEXT_MAX];
    for (size_t i = 0; i < n_hosts; i++) {
        struct json_object *host = json_object_array_get_idx(hosts, i);
        const char *state = json_string_or(host, "state", "");
        table_row(t);
        table_cell(t, json_string_or(host, "name", ""));
        table_cell(t, state);
        table_paint(t, paint_of_state(state));
        table_cell_number(t, json_int_or(host, "vms", 0));
        table_cell_number(t, json_int_or(host, "foreign", 0));
        table_cell_printf(t, "%" PRId64 "/%" PRId64, json_int_or(host, "cpus_used", 0),
                          json_int_or(host, "cpus", 0));
        table_cell_printf(t, "%s/%s", size(json_int_or(host, "memory_used", 0), used),
                          size(json_int_or(host, "memory", 0), all));
        table_cell(t, size(json_int_or(host, "storage_available", 0), all));
        table_cell_number(t, json_int_or(host, "failures", 0));
        table_cell(t, show_ago(host, "asked", now, all));
        table_cell(t, json_string_or(json_object_or_null(host, "order"), "text", ""));
        table_cell(t, json_string_or(host, "error", ""));
    }
    table_print(t, out);
    if (n_hosts == 0)
        (void)fputs("The policy has no hosts.\n", out);
}

int hosts_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .list = "hosts"};
    (void)argv;
    return argc > 0 ? command_wrong_arguments(cli, "hosts") : show_view(cli, "/v1/hosts", &show);
}
