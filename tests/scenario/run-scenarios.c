/*
 * The scenarios: a folder each, named for the behaviour it shows, with a world written by hand and
 * the plan that Eyrie must make of it. The policy is eyrie.yaml in the folder, else the common one.
 * With an ask.json it shows the calendar instead: a list of asks, as requests of a world, and the
 * answer to each. What is granted is booked before the next one is asked; an id that is booked
 * already is to be changed.
 *
 * usage: run-scenarios [--update] FOLDER-OF-SCENARIOS
 *
 * Prints TAP. Each world is planned twice, and the two plans must be the same byte for byte (S9).
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "plan/plan.h"
#include "record/world.h"
#include "scenario/answer.h"

static int read_file(const char *path, struct text *out, struct err *e)
{
    char buffer[4096];
    size_t n;
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(e, errno, "%s: %s", path, strerror(errno));
    while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
        text_add_bytes(out, buffer, n);
    (void)fclose(file);
    return 0;
}

static int read_json(const char *path, struct json_object **ret, struct err *e)
{
    CLEANUP(text_done) struct text json = {0};
    int r = read_file(path, &json, e);
    return r < 0 ? r : json_parse(text_get(&json), json.length, ret, e);
}

/* The asks as the requests of a world of the same moment. */
static int read_asks(struct arena *a, const char *path, usec now, const struct world **ret,
                     struct err *e)
{
    AUTOJSON struct json_object *root = json_object_new_object();
    struct json_object *asks = NULL;
    int r = read_json(path, &asks, e);
    if (r < 0)
        return r;
    json_add_int(root, "version", 1);
    json_add_int(root, "now", now);
    json_add(root, "requests", asks);
    return world_from_json(a, root, ret, e);
}

static int scenario_text(const struct policy *p, const char *world_path, const char *asks_path,
                         struct text *out, struct err *e)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    AUTOJSON struct json_object *root = NULL;
    const struct world *w = NULL, *asks = NULL;
    int r = read_json(world_path, &root, e);
    if (r == 0)
        r = world_from_json(a, root, &w, e);
    if (r < 0)
        return err_prefix(e, r, "%s", world_path);
    if (access(asks_path, F_OK) < 0) {
        plan_render(plan_make(a, p, w), out);
        return 0;
    }
    r = read_asks(a, asks_path, w->now, &asks, e);
    if (r < 0)
        return err_prefix(e, r, "%s", asks_path);
    answer_all(a, p, w, asks, out);
    return 0;
}

static int load_policy(const char *folder, const char *scenario, struct config **ret, struct err *e)
{
    AUTOFREE char *own = mem_printf("%s/%s/eyrie.yaml", folder, scenario);
    AUTOFREE char *common = mem_printf("%s/eyrie.yaml", folder);
    AUTOFREE char *messages = NULL;
    int r = config_load(access(own, F_OK) == 0 ? own : common, ret, &messages);
    return r < 0 ? err_set(e, EINVAL, "%s", messages) : 0;
}

static int write_file(const char *path, const struct text *content, struct err *e)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return err_set(e, errno, "%s: %s", path, strerror(errno));
    bool written = fputs(text_get(content), file) != EOF;
    if (fclose(file) == EOF || !written)
        return err_set(e, EIO, "%s: it was not written as a whole", path);
    return 0;
}

/* Whether the scenario holds; otherwise @e says what is wrong. */
static int run(const char *folder, const char *scenario, bool update, struct err *e)
{
    CLEANUP(config_free_p) struct config *config = NULL;
    CLEANUP(text_done) struct text got = {0}, again = {0}, expected = {0};
    AUTOFREE char *world = mem_printf("%s/%s/world.json", folder, scenario);
    AUTOFREE char *asks = mem_printf("%s/%s/ask.json", folder, scenario);
    AUTOFREE char *golden = mem_printf("%s/%s/%s.txt", folder, scenario,
                                       access(asks, F_OK) == 0 ? "answer" : "plan");

    int r = load_policy(folder, scenario, &config, e);
    if (r == 0)
        r = scenario_text(config_policy(config), world, asks, &got, e);
    if (r == 0)
        r = scenario_text(config_policy(config), world, asks, &again, e);
    if (r == 0 && strcmp(text_get(&got), text_get(&again)) != 0)
        r = err_set(e, EINVAL, "two answers to one world differ (S9):\n%s--\n%s", text_get(&got),
                    text_get(&again));
    if (r == 0 && update)
        return write_file(golden, &got, e);
    if (r == 0)
        r = read_file(golden, &expected, e);
    if (r == 0 && strcmp(text_get(&got), text_get(&expected)) != 0)
        r = err_set(e, EINVAL, "expected:\n%sgot:\n%s", text_get(&expected), text_get(&got));
    return r;
}

static int is_scenario(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && entry->d_type == DT_DIR;
}

int main(int argc, char **argv)
{
    bool update = argc == 3 && strcmp(argv[1], "--update") == 0;
    const char *folder = argc > 1 ? argv[argc - 1] : ".";
    struct dirent **entries = NULL;
    int failed = 0;
    int n = scandir(folder, &entries, is_scenario, alphasort);
    if (n <= 0) {
        (void)fprintf(stderr, "%s: no scenarios\n", folder);
        return 1;
    }
    (void)printf("1..%d\n", n);
    for (int i = 0; i < n; i++) {
        struct err e = {""};
        int r = run(folder, entries[i]->d_name, update, &e);
        (void)printf("%s %d - %s\n", r < 0 ? "not ok" : "ok", i + 1, entries[i]->d_name);
        if (r < 0) {
            failed++;
            for (char *line = strtok(e.text, "\n"); line; line = strtok(NULL, "\n"))
                (void)printf("# %s\n", line);
        }
        free(entries[i]);
    }
    free(entries);
    return failed > 0;
}
