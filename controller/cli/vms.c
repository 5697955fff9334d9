/* eyrie vms */
#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/show.h"
#include "cli/table.h"

static const struct table_column columns[] = {
    {"NAME", 0},         {"STATE", 0}, {"AGE", TABLE_RIGHT}, {"HOST", TABLE_CUT}, {"GROUP", 0},
    {"CPUS", TABLE_RIGHT}, {"JOB", 0},   {"REASON", TABLE_CUT},
};

/* Cpus in use of those it has; what is not up has none in use. */
static void cpus_cell(struct table *t, struct json_object *vm)
{
    int64_t cpus = json_int_or(vm, "cpus", 0), claimed = json_int_or(vm, "claimed", 0);
    int64_t used = claimed ? cpus - json_int_or(vm, "free_cpus", 0) : 0;
    table_cell_printf(t, "%" PRId64 "/%" PRId64, used, cpus);
}

/* What an admin wants comes first. */
static void reason_cell(struct table *t, struct json_object *vm)
{
    const char *order = json_string_or(json_object_or_null(vm, "order"), "text", "");
    table_cell_printf(t, "%s%s%s", order, *order ? "; " : "", show_reason(vm, "reason"));
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    CLEANUP(table_free_p) struct table *t = table_new(cli, columns, ARRAY_SIZE(columns));
    struct json_object *vms = json_array_or_null(view, "vms");
    usec now = json_int_or(view, "now", 0);
    char age[UNITS_TEXT_MAX];
    size_t n_vms = vms ? json_object_array_length(vms) : 0;
    for (size_t i = 0; i < n_vms; i++) {
        struct json_object *vm = json_object_array_get_idx(vms, i);
        const char *state = json_string_or(vm, "state", "");
        table_row(t);
        table_cell(t, json_string_or(vm, "name", ""));
        table_cell(t, state);
        table_paint(t, paint_of_state(state));
        table_cell(t, show_ago(vm, "born", now, age));
        table_cell(t, json_string_or(vm, "host", ""));
        table_cell(t, json_string_or(vm, "group", ""));
        cpus_cell(t, vm);
        table_cell(t, json_string_or(vm, "job", ""));
        reason_cell(t, vm);
    }
    table_print(t, out);
    if (n_vms == 0)
        (void)fputs(cli->state || cli->host || cli->group ? "There are no such VMs.\n"
                                                          : "There are no VMs.\n",
                    out);
}

int vms_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .list = "vms"};
    CLEANUP(text_done) struct text path = {0};
    (void)argv;
    if (argc > 0)
        return command_wrong_arguments(cli, "vms");
    text_add(&path, "/v1/vms");
    show_add_parameter(&path, "state", cli->state);
    show_add_parameter(&path, "host", cli->host);
    show_add_parameter(&path, "group", cli->group);
    show_add_parameter(&path, "sort", cli->sort);
    return show_view(cli, text_get(&path), &show);
}
