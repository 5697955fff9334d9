/* eyrie flock [status | apply | remove], eyrie flock show NAME; diff is in flock-diff.c */
#include <string.h>

#include "act/flock.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/order.h"
#include "cli/paint.h"
#include "cli/plan-offline.h"
#include "cli/show.h"
#include "cli/table.h"

static const struct table_column columns[] = {
    {"SCHEDD", 0},   {"STATE", 0},          {"WANTED", TABLE_CUT}, {"PRESENT", TABLE_CUT},
    {"BELIEVED", TABLE_CUT}, {"FAILED", TABLE_RIGHT}, {"ERROR", TABLE_CUT},
};

/* Enough of a digest to tell two apart. */
static void digest_cell(struct table *t, struct json_object *flock, const char *key)
{
    table_cell_printf(t, "%.12s", json_string_or(flock, key, "-"));
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    CLEANUP(table_free_p) struct table *t = table_new(cli, columns, ARRAY_SIZE(columns));
    struct json_object *flocks = json_array_or_null(view, "flock");
    usec now = json_int_or(view, "now", 0);
    size_t n_flocks = flocks ? json_object_array_length(flocks) : 0;
    char age[UNITS_TEXT_MAX];
    for (size_t i = 0; i < n_flocks; i++) {
        struct json_object *flock = json_object_array_get_idx(flocks, i);
        const char *state = json_string_or(flock, "state", "");
        table_row(t);
        table_cell(t, json_string_or(flock, "schedd", ""));
        table_cell(t, state);
        table_paint(t, paint_of_state(state));
        digest_cell(t, flock, "wanted");
        digest_cell(t, flock, "present");
        digest_cell(t, flock, "believed");
        table_cell(t, show_ago(flock, "failed", now, age));
        table_cell(t, json_string_or(flock, "error", ""));
    }
    table_print(t, out);
    if (n_flocks == 0)
        (void)fputs("The policy has no schedds.\n", out);
}

/* Whose fragment @name is, whether eyried keeps it or not; false when nobody's. */
static bool find_target(const struct policy *p, const char *name, struct flock_target *ret)
{
    const struct flock_target of_pools[] = {
        flock_of_shares(p->pool.central_manager, "", ""),
        flock_of_main_cm(),
    };
    for (size_t i = 0; i < ARRAY_SIZE(of_pools) + p->n_schedds; i++) {
        const struct flock_target target =
            i < p->n_schedds ? flock_target(p, i) : of_pools[i - p->n_schedds];
        if (strcmp(name, target.name) != 0)
            continue;
        *ret = target;
        return true;
    }
    return false;
}

/* The fragment as the policy wants it: what `eyrie flock apply` would put in place. */
static int show_text(const struct cli *cli, const char *name)
{
    CLEANUP(config_free_p) struct config *config = NULL;
    int code = offline_policy(cli, &config);
    if (code != CLI_OK)
        return code;
    const struct policy *p = config_policy(config);
    struct flock_target target;
    if (!find_target(p, name, &target))
        return cli_usage(cli, "the policy names no schedd \"%s\", its central manager is %s, and the "
                              "fragment that an admin puts in place is %s", name,
                         p->pool.central_manager, flock_of_main_cm().name);
    struct text text = {0};
    struct err e;
    code = CLI_OK;
    if (flock_text(p, &target, &text, &e) < 0) {
        paint_text(cli->err, e.text, true);
        code = CLI_FAILURE;
    } else {
        (void)fputs(text_get(&text), cli->out);
    }
    text_done(&text);
    return code;
}

int flock_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .list = "flock"};
    const char *word = argc > 0 ? argv[0] : "status";
    bool status = strcmp(word, "status") == 0, diff = strcmp(word, "diff") == 0;
    bool text = strcmp(word, "show") == 0;
    if (text ? argc != 2 : argc > 1 + diff)
        return command_wrong_arguments(cli, "flock");
    if (cli->watch && !status)
        return cli_usage(cli, "eyrie flock %s cannot be watched", word);
    if ((status || diff || text) && (cli->yes || cli->reason))
        return cli_usage(cli, "eyrie flock %s changes nothing", word);
    if (status)
        return show_view(cli, "/v1/flock", &show);
    if (diff)
        return flock_diff(cli, argc > 1 ? argv[1] : NULL);
    if (text)
        return show_text(cli, argv[1]);
    if (strcmp(word, "apply") == 0)
        return order_give(cli, "flock apply", "/v1/flock/apply");
    if (strcmp(word, "remove") == 0)
        return order_give(cli, "flock remove", "/v1/flock/remove");
    return command_wrong_arguments(cli, "flock");
}
