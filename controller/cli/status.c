/* eyrie status: the pool on one screen. What is wrong comes first. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/show.h"
#include "cli/table.h"

/* So that it stays one screen; the verbs for each show all. Half as many on a small one. */
enum {
    TROUBLES_SHOWN = 4,
    REFUSED_SHOWN = 12, /* lines */
    ORDERS_SHOWN = 3,
    DOING_SHOWN = 4,
    GROUPS_SHOWN = 6,
    SHAPES_SHOWN = 4,
    EVENTS_SHOWN = 4,
};
enum { SMALL_HEIGHT = 34 };

static size_t fit(const struct cli *cli, size_t most)
{
    return cli->height && cli->height < SMALL_HEIGHT ? most / 2 : most;
}

static size_t length_of(struct json_object *array)
{
    return array ? json_object_array_length(array) : 0;
}

static void label(const struct cli *cli, FILE *out, const char *name)
{
    (void)fprintf(out, "%s%-9s%s ", paint_begin(cli, PAINT_TITLE), name,
                  paint_end(cli, PAINT_TITLE));
}

static void more(FILE *out, size_t all, size_t shown, const char *verb)
{
    if (all > shown)
        (void)fprintf(out, "… and %zu more%s%s\n", all - shown, *verb ? ": " : "", verb);
}

/* What is wrong with the files of the policy, as eyrie check would say it. */
static void render_refused(const struct cli *cli, struct json_object *policy, FILE *out)
{
    size_t lines = 0;
    for (const char *p = json_string_or(policy, "refused", ""); *p; lines++) {
        size_t length = strcspn(p, "\n");
        AUTOFREE char *line = mem_printf("%.*s", (int)length, p);
        if (lines < fit(cli, REFUSED_SHOWN)) {
            (void)fputs("  ", out);
            paint_text(out, line, false);
            (void)fputc('\n', out);
        }
        p += length + (p[length] == '\n');
    }
    if (lines > fit(cli, REFUSED_SHOWN))
        (void)fprintf(out, "  … and %zu more lines: eyrie check\n",
                      lines - fit(cli, REFUSED_SHOWN));
}

static void render_head(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *server = json_object_or_null(view, "server");
    const char *state = json_string_or(view, "state", "");
    usec now = json_int_or(view, "now", 0), took = json_int_or(server, "last_step_took", 0);
    char up[UNITS_TEXT_MAX], ago[UNITS_TEXT_MAX];
    label(cli, out, "pool");
    paint_text(out, json_string_or(view, "pool", ""), false);
    (void)fprintf(out, " is %s%s%s", paint_begin(cli, paint_of_state(state)), state,
                  paint_end(cli, paint_of_state(state)));
    if (json_bool_or(view, "paused", false))
        (void)fprintf(out, "%s: nothing is changed until eyrie resume",
                      text_equal(state, "paused") ? "" : " and paused");
    (void)fputc('\n', out);
    label(cli, out, "eyried");
    (void)fprintf(out,
                  "%s, pid %" PRId64 ", up %s, step %" PRId64 " %s ago took %" PRId64 ".%03d ms",
                  json_string_or(server, "version", ""), json_int_or(server, "pid", 0),
                  show_ago(server, "started", now, up), json_int_or(server, "steps", 0),
                  show_ago(server, "last_step", now, ago), took / 1000, (int)(took % 1000));
    (void)fprintf(out, ", %" PRId64 " under way\n", json_int_or(server, "under_way", 0));
    struct json_object *wrong = json_array_or_null(view, "degraded");
    for (size_t i = 0; i < length_of(wrong) && i < fit(cli, TROUBLES_SHOWN); i++) {
        (void)fputs(paint_begin(cli, PAINT_BAD), out);
        label(cli, out, "!");
        (void)fputs(paint_begin(cli, PAINT_BAD), out);
        paint_text(out, json_object_get_string(json_object_array_get_idx(wrong, i)), false);
        (void)fprintf(out, "%s\n", paint_end(cli, PAINT_BAD));
    }
    more(out, length_of(wrong), fit(cli, TROUBLES_SHOWN), "");
    render_refused(cli, json_object_or_null(view, "policy"), out);
}

/* "3 of 10 cpus (eyrie.yaml:11)" */
static void render_limit(struct json_object *limit, const char *what, FILE *out)
{
    char text[UNITS_TEXT_MAX];
    bool bytes = text_equal(what, "memory");
    int64_t used = json_int_or(limit, "used", 0), most = json_int_or(limit, "limit", -1);
    int64_t at = json_int_or(limit, "line", 0);
    if (bytes)
        (void)fputs(units_format_bytes(used, text), out);
    else
        (void)fprintf(out, "%" PRId64, used);
    if (most >= 0 && bytes)
        (void)fprintf(out, " of %s", units_format_bytes(most, text));
    else if (most >= 0)
        (void)fprintf(out, " of %" PRId64, most);
    (void)fprintf(out, "%s%s", *what ? " " : "", what);
    if (at)
        (void)fprintf(out, " (%s:%" PRId64 ")", json_string_or(limit, "file", ""), at);
}

/* ": 1 booting, 4 busy" */
static void render_counts(const struct cli *cli, struct json_object *counts, FILE *out)
{
    const char *comma = ": ";
    if (counts) {
        json_object_object_foreach(counts, state, count) {
            enum paint paint = paint_of_state(state);
            if (json_object_get_int64(count) == 0)
                continue;
            (void)fprintf(out, "%s%s%" PRId64 " %s%s", comma, paint_begin(cli, paint),
                          json_object_get_int64(count), state, paint_end(cli, paint));
            comma = ", ";
        }
    }
    (void)fputc('\n', out);
}

static void render_sizes(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *limits = json_object_or_null(view, "limits");
    struct json_object *counts = json_object_or_null(view, "vms");
    label(cli, out, "VMs");
    render_limit(json_object_or_null(limits, "vms"), "", out);
    render_counts(cli, counts, out);
    label(cli, out, "size");
    render_limit(json_object_or_null(limits, "cpus"), "cpus", out);
    (void)fputs(", ", out);
    render_limit(json_object_or_null(limits, "memory"), "memory", out);
    (void)fputc('\n', out);
    label(cli, out, "starts");
    render_limit(json_object_or_null(limits, "starts_in_flight"), "in flight", out);
    (void)fputs(", ", out);
    render_limit(json_object_or_null(limits, "starts_per_minute"), "this minute", out);
    (void)fputc('\n', out);
}

/* One line: how fresh the facts of each kind are. Those that are stale were named before. */
static void render_facts(const struct cli *cli, struct json_object *view, FILE *out)
{
    static const char *const kinds[] = {"pool", "queue", "host"};
    struct json_object *facts = json_array_or_null(view, "facts");
    const char *comma = "";
    char text[UNITS_TEXT_MAX];
    label(cli, out, "facts");
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        size_t all = 0, fresh = 0;
        usec oldest = 0;
        for (size_t i = 0; i < length_of(facts); i++) {
            struct json_object *fact = json_object_array_get_idx(facts, i);
            usec age = json_int_or(fact, "age", USEC_NEVER);
            if (!text_equal(json_string_or(fact, "kind", ""), kinds[k]))
                continue;
            all++;
            fresh += json_bool_or(fact, "trusted", false);
            oldest = age > oldest ? age : oldest;
        }
        if (all == 0)
            continue;
        (void)fprintf(out, "%s%s ", comma, kinds[k]);
        if (all > 1)
            (void)fprintf(out, "%zu of %zu fresh, oldest ", fresh, all);
        else if (fresh == 0)
            (void)fputs("stale, ", out);
        (void)fputs(oldest == USEC_NEVER ? "never seen" : paint_age(oldest, text), out);
        comma = "; ";
    }
    (void)fputc('\n', out);
}

static void render_flock(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *flocks = json_array_or_null(view, "flock");
    if (length_of(flocks) == 0)
        return;
    label(cli, out, "flocking");
    for (size_t i = 0; i < length_of(flocks); i++) {
        struct json_object *flock = json_object_array_get_idx(flocks, i);
        const char *state = json_string_or(flock, "state", "");
        (void)fputs(i ? ", " : "", out);
        paint_text(out, json_string_or(flock, "schedd", ""), false);
        (void)fprintf(out, " %s%s%s", paint_begin(cli, paint_of_state(state)), state,
                      paint_end(cli, paint_of_state(state)));
    }
    (void)fputc('\n', out);
}

/* What admins ordered and is in force. */
static void render_requests(const struct cli *cli, struct json_object *view, FILE *out)
{
    static const struct {
        const char *key, *what;
    } rows[] = {{"waiting", "waiting for an admin"},
                {"open", "open"},
                {"short", "of them short of VMs"},
                {"ahead", "ahead"}};
    struct json_object *requests = json_object_or_null(view, "requests");
    const char *before = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t n = json_int_or(requests, rows[i].key, 0);
        if (n == 0)
            continue;
        if (!before)
            label(cli, out, "requests");
        (void)fprintf(out, "%s%" PRId64 " %s", before ? before : "", n, rows[i].what);
        before = ", ";
    }
    if (before)
        (void)fputc('\n', out);
}

static void render_orders(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *orders = json_array_or_null(view, "orders");
    size_t n = length_of(orders), most = fit(cli, ORDERS_SHOWN);
    for (size_t i = 0; i < n && i < most; i++) {
        label(cli, out, i ? "" : "orders");
        paint_text(out, json_string_or(json_object_array_get_idx(orders, i), "text", ""), false);
        (void)fputc('\n', out);
    }
    more(out, n, most, "eyrie hosts, eyrie vms");
}

/* What the last plan does, and why. */
static void render_doing(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *doing = json_array_or_null(view, "doing");
    size_t n = length_of(doing), most = fit(cli, DOING_SHOWN);
    for (size_t i = 0; i < n && i < most; i++) {
        struct json_object *row = json_object_array_get_idx(doing, i);
        label(cli, out, i ? "" : "doing");
        (void)fprintf(out, "%" PRId64 " %s: ", json_int_or(row, "count", 0),
                      json_string_or(row, "action", ""));
        paint_text(out, show_reason(row, "reason"), false);
        (void)fputc('\n', out);
    }
    more(out, n, most, "eyrie plan");
}

static void render_last_error(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *server = json_object_or_null(view, "server");
    const char *error = json_string_or(server, "last_error", "");
    char ago[UNITS_TEXT_MAX];
    if (!*error)
        return;
    label(cli, out, "error");
    paint_text(out, error, false);
    (void)fprintf(out, " (%s ago, the last one)\n",
                  show_ago(server, "last_error_at", json_int_or(view, "now", 0), ago));
}

static void render_groups(const struct cli *cli, struct json_object *view, FILE *out)
{
    static const struct table_column columns[] = {
        {"GROUP", 0},          {"VMS", TABLE_RIGHT},     {"CPUS", TABLE_RIGHT},
        {"QUOTA", TABLE_RIGHT}, {"MAX", TABLE_RIGHT},     {"IDLE", TABLE_RIGHT},
        {"RUNNING", TABLE_RIGHT}, {"LIMITED BY", TABLE_CUT},
    };
    CLEANUP(table_free_p) struct table *t = table_new(cli, columns, ARRAY_SIZE(columns));
    struct json_object *groups = json_array_or_null(view, "groups");
    size_t active = 0;
    for (size_t i = 0; i < length_of(groups); i++) {
        struct json_object *group = json_object_array_get_idx(groups, i);
        int64_t max = json_int_or(group, "max", -1);
        if (json_int_or(group, "vms", 0) + json_int_or(group, "idle_jobs", 0) +
                json_int_or(group, "running_jobs", 0) == 0 ||
            active++ >= fit(cli, GROUPS_SHOWN))
            continue;
        table_row(t);
        table_cell(t, json_string_or(group, "name", ""));
        table_cell_number(t, json_int_or(group, "vms", 0));
        table_cell_number(t, json_int_or(group, "cpus", 0));
        table_cell_number(t, json_int_or(group, "quota", 0));
        if (max >= 0)
            table_cell_number(t, max);
        else
            table_cell(t, NULL);
        table_cell_number(t, json_int_or(group, "idle_jobs", 0));
        table_cell_number(t, json_int_or(group, "running_jobs", 0));
        table_cell(t, show_reason(group, "limited"));
    }
    if (active > 0)
        (void)fputc('\n', out);
    table_print(t, out);
    more(out, active, fit(cli, GROUPS_SHOWN), "eyrie groups");
}

static void render_shapes(const struct cli *cli, struct json_object *shapes, FILE *out)
{
    static const struct table_column columns[] = {
        {"GROUP", 0},           {"OWNER", 0},              {"CPUS", TABLE_RIGHT},
        {"MEMORY", TABLE_RIGHT}, {"IDLE", TABLE_RIGHT},     {"RUNNING", TABLE_RIGHT},
        {"SERVED", TABLE_RIGHT}, {"STARTING", TABLE_RIGHT}, {"WAITING", TABLE_RIGHT},
        {"REASON", TABLE_CUT},
    };
    CLEANUP(table_free_p) struct table *t = table_new(cli, columns, ARRAY_SIZE(columns));
    char text[UNITS_TEXT_MAX];
    for (size_t i = 0; i < length_of(shapes) && i < fit(cli, SHAPES_SHOWN); i++) {
        struct json_object *shape = json_object_array_get_idx(shapes, i);
        table_row(t);
        table_cell(t, json_string_or(shape, "group", ""));
        table_cell(t, json_string_or(shape, "owner", ""));
        table_cell_number(t, json_int_or(shape, "cpus", 0));
        table_cell(t, units_format_bytes(json_int_or(shape, "memory", 0), text));
        table_cell_number(t, json_int_or(shape, "idle", 0));
        table_cell_number(t, json_int_or(shape, "running", 0));
        table_cell_number(t, json_int_or(shape, "served", 0));
        table_cell_number(t, json_int_or(shape, "starting", 0));
        table_cell_number(t, json_int_or(shape, "waiting", 0));
        table_cell(t, show_reason(shape, "reason"));
    }
    table_print(t, out);
}

static void render_demand(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *demand = json_object_or_null(view, "demand");
    (void)fputc('\n', out);
    label(cli, out, "demand");
    int64_t refused = json_int_or(view, "refused_jobs", 0);
    (void)fprintf(out,
                  "%" PRId64 " idle jobs: %" PRId64 " served, %" PRId64 " starting, %" PRId64
                  " waiting; %" PRId64 " running, %" PRId64 " held",
                  json_int_or(demand, "idle", 0), json_int_or(demand, "served", 0),
                  json_int_or(demand, "starting", 0), json_int_or(demand, "waiting", 0),
                  json_int_or(demand, "running", 0), json_int_or(demand, "held", 0));
    if (refused > 0)
        (void)fprintf(out, ", %" PRId64 " of them because a VM refused them (eyrie events: job-refused)",
                      refused);
    (void)fputc('\n', out);
    render_shapes(cli, json_array_or_null(demand, "shapes"), out);
    more(out, (size_t)json_int_or(demand, "shapes_total", 0), fit(cli, SHAPES_SHOWN), "eyrie plan");
}

static void render_events(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *events = json_array_or_null(view, "events");
    size_t count = length_of(events), most = fit(cli, EVENTS_SHOWN);
    usec now = json_int_or(view, "now", 0);
    char ago[UNITS_TEXT_MAX];
    if (count > 0)
        (void)fputc('\n', out);
    for (size_t i = count > most ? count - most : 0; i < count; i++) {
        struct json_object *event = json_object_array_get_idx(events, i);
        (void)fprintf(out, "%s%8s ago%s  ", paint_begin(cli, PAINT_FAINT),
                      show_ago(event, "at", now, ago), paint_end(cli, PAINT_FAINT));
        paint_text(out, json_string_or(event, "text", ""), false);
        (void)fputc('\n', out);
    }
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    render_head(cli, view, out);
    render_sizes(cli, view, out);
    render_facts(cli, view, out);
    render_flock(cli, view, out);
    render_orders(cli, view, out);
    render_requests(cli, view, out);
    render_doing(cli, view, out);
    render_last_error(cli, view, out);
    render_groups(cli, view, out);
    render_demand(cli, view, out);
    render_events(cli, view, out);
}

static int judge(struct json_object *view)
{
    return text_equal(json_string_or(view, "state", ""), "degraded") ? CLI_DEGRADED : CLI_OK;
}

int status_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .judge = judge};
    (void)argv;
    return argc > 0 ? command_wrong_arguments(cli, "status")
                    : show_view(cli, "/v1/status", &show);
}
