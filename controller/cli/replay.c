/*
 * eyrie replay: decide again in recorded worlds, under another policy. Each world stands for
 * itself: what the other policy would have made of the pool since is not in it.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/paint.h"
#include "cli/plan-offline.h"
#include "cli/show.h"
#include "plan/plan.h"
#include "record/recording.h"

struct totals {
    int64_t then[ACTION_KIND_COUNT];
    int64_t now[ACTION_KIND_COUNT];
    int64_t worlds;
    int64_t differ;
};

static bool ends(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);
    return n >= k && strcmp(text + n - k, end) == 0;
}

static int is_world(const struct dirent *entry)
{
    return entry->d_name[0] != '.' &&
           (ends(entry->d_name, ".json") || ends(entry->d_name, ".json.gz"));
}

static const char *what_of(struct json_object *row)
{
    return json_string_or(row, "what", "");
}

static int compare_rows(const void *a, const void *b)
{
    return strcmp(what_of(*(struct json_object *const *)a),
                  what_of(*(struct json_object *const *)b));
}

/* The rows sorted by what they do, and counted by kind; owned by the caller (free). */
static struct json_object **sorted(struct json_object *rows, size_t *ret_n,
                                   int64_t counts[static ACTION_KIND_COUNT])
{
    size_t n = rows ? json_object_array_length(rows) : 0;
    struct json_object **list = mem_new(n + 1, sizeof(struct json_object *));
    for (size_t i = 0; i < n; i++) {
        list[i] = json_object_array_get_idx(rows, i);
        for (int kind = 0; kind < ACTION_KIND_COUNT; kind++)
            counts[kind] += text_equal(json_string_or(list[i], "action", ""),
                                       action_kind_name((enum action_kind)kind));
    }
    if (n > 0)
        qsort(list, n, sizeof(*list), compare_rows);
    *ret_n = n;
    return list;
}

static void keep(struct json_object *list, struct json_object *row)
{
    (void)json_object_array_add(list, json_object_get(row));
}

/* What is in one list only: {"file", "made", "then": [ROW…], "now": [ROW…]}, or NULL. */
static struct json_object *compare(struct totals *t, const char *file, usec made,
                                   struct json_object *then_rows, struct json_object *now_rows)
{
    size_t n_then, n_now, i = 0, k = 0;
    AUTOFREE struct json_object **then = sorted(then_rows, &n_then, t->then);
    AUTOFREE struct json_object **now = sorted(now_rows, &n_now, t->now);
    struct json_object *only_then = json_object_new_array(), *only_now = json_object_new_array();
    while (i < n_then || k < n_now) {
        int order = i == n_then ? 1 : k == n_now ? -1 : compare_rows(&then[i], &now[k]);
        if (order < 0)
            keep(only_then, then[i]);
        else if (order > 0)
            keep(only_now, now[k]);
        i += order <= 0;
        k += order >= 0;
    }
    struct json_object *o = json_object_new_object();
    json_add_string(o, "file", file);
    json_add_int(o, "made", made);
    json_add(o, "then", only_then);
    json_add(o, "now", only_now);
    if (json_object_array_length(only_then) + json_object_array_length(only_now) > 0)
        return o;
    (void)json_object_put(o);
    return NULL;
}

static int replay_world(const struct policy *p, const char *folder, const char *name,
                        struct totals *t, struct json_object *rows, struct err *e)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    AUTOFREE char *path = mem_printf("%s/%s", folder, name);
    AUTOJSON struct json_object *then = NULL, *now = NULL;
    const struct world *w = NULL;
    int r = recording_read(a, path, &w, &then, e);
    if (r < 0)
        return r;
    if (!then)
        return err_set(e, EBADMSG, "%s: a world, but no recording: what was decided is not in it",
                       path);
    now = recording_actions(plan_make(a, p, w));
    struct json_object *difference = compare(t, name, w->now, then, now);
    t->worlds++;
    if (difference) {
        t->differ++;
        (void)json_object_array_add(rows, difference);
    }
    return 0;
}

static struct json_object *view_new(const char *policy, const struct totals *t,
                                    struct json_object *rows)
{
    struct json_object *view = json_object_new_object(), *totals = json_object_new_object();
    json_add_int(view, "version", 1);
    json_add_string(view, "policy", policy);
    json_add_int(view, "worlds", t->worlds);
    json_add_int(view, "differ", t->differ);
    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++) {
        struct json_object *both = json_object_new_object();
        json_add_int(both, "then", t->then[kind]);
        json_add_int(both, "now", t->now[kind]);
        json_add(totals, action_kind_name((enum action_kind)kind), both);
    }
    json_add(view, "actions", totals);
    json_add(view, "differences", rows);
    return view;
}

static void render_rows(const struct cli *cli, struct json_object *rows, char sign, FILE *out)
{
    enum paint paint = sign == '+' ? PAINT_GOOD : PAINT_BAD;
    size_t n = rows ? json_object_array_length(rows) : 0;
    for (size_t i = 0; i < n; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        (void)fprintf(out, "%s  %c ", paint_begin(cli, paint), sign);
        paint_text(out, what_of(row), false);
        (void)fputs(": ", out);
        paint_text(out, json_string_or(row, "why", ""), false);
        (void)fprintf(out, "%s\n", paint_end(cli, paint));
    }
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *rows = json_array_or_null(view, "differences");
    struct json_object *totals = json_object_or_null(view, "actions");
    size_t n = rows ? json_object_array_length(rows) : 0;
    for (size_t i = 0; i < n; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        time_t seconds = (time_t)(json_int_or(row, "made", 0) / USEC_PER_SEC);
        char clock[32] = "?";
        struct tm tm;
        if (gmtime_r(&seconds, &tm))
            (void)strftime(clock, sizeof(clock), "%Y-%m-%d %H:%M:%S UTC", &tm);
        (void)fprintf(out, "%s%s%s (", paint_begin(cli, PAINT_TITLE), clock,
                      paint_end(cli, PAINT_TITLE));
        paint_text(out, json_string_or(row, "file", ""), false);
        (void)fputs(")\n", out);
        render_rows(cli, json_array_or_null(row, "then"), '-', out);
        render_rows(cli, json_array_or_null(row, "now"), '+', out);
    }
    (void)fprintf(out, "replay: %" PRId64 " worlds, %" PRId64 " differ\n",
                  json_int_or(view, "worlds", 0), json_int_or(view, "differ", 0));
    json_object_object_foreach(totals, kind, both)
    {
        int64_t then = json_int_or(both, "then", 0), now = json_int_or(both, "now", 0);
        if (then || now)
            (void)fprintf(out, "  %-14s %6" PRId64 " then %6" PRId64 " now\n", kind, then, now);
    }
}

static int judge(struct json_object *view)
{
    return json_int_or(view, "differ", 0) > 0 ? CLI_CHANGES : CLI_OK;
}

static int replay_folder(const struct cli *cli, const struct policy *p, const char *folder)
{
    static const struct show show = {.render = render, .judge = judge};
    struct dirent **entries = NULL;
    struct totals t = {0};
    struct err e = {0};
    int n = scandir(folder, &entries, is_world, alphasort), r = 0; /* names sort as time does */
    if (n < 0)
        (void)err_set(&e, errno, "%s: %s", folder, strerror(errno));
    else if (n == 0)
        (void)err_set(&e, ENOENT, "%s: no recorded worlds (*.json, *.json.gz) are in it", folder);
    struct json_object *rows = json_object_new_array();
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = replay_world(p, folder, entries[i]->d_name, &t, rows, &e);
        free(entries[i]);
    }
    free(entries);
    AUTOJSON struct json_object *view = view_new(p->file, &t, rows);
    return n <= 0 || r < 0 ? show_failure(cli, CLI_FAILURE, &e) : show_here(cli, view, &show);
}

int replay_run(const struct cli *cli, int argc, char **argv)
{
    CLEANUP(config_free_p) struct config *config = NULL;
    if (argc != 1)
        return command_wrong_arguments(cli, "replay");
    int code = offline_policy(cli, &config);
    return code == CLI_OK ? replay_folder(cli, config_policy(config), argv[0]) : code;
}
