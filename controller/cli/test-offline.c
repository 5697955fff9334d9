/* What eyrie does without eyried: plans and replays of worlds in files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/said.h"
#include "config/config.h"
#include "plan/plan.h"
#include "record/recording.h"

#define GROWS SCENARIOS "/a-group-grows-to-its-max-and-no-further/world.json"
#define NOTHING SCENARIOS "/nothing-to-do-in-an-empty-world/world.json"
#define POLICY SCENARIOS "/eyrie.yaml"

static char folder[] = "/tmp/eyrie-offline-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* The scenarios' policy with @from replaced by @to, as @name in the test's folder. */
static void write_policy(const char *name, const char *from, const char *to)
{
    char text[16384] = "";
    FILE *f = fopen(POLICY, "re");
    assert_non_null(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    (void)fclose(f);
    char *at = strstr(text, from);
    assert_non_null(at);
    f = fopen(in_folder(name), "we");
    assert_non_null(f);
    (void)fprintf(f, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    (void)fclose(f);
}

/* Record the world @path with what the scenarios' policy decides in it. */
static void record(const char *path, const char *name)
{
    CLEANUP(config_free_p) struct config *config = NULL;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    AUTOFREE char *messages = NULL;
    const struct world *w = NULL;
    struct err e = {0};
    assert_int_equal(config_load(POLICY, &config, &messages), 0);
    if (recording_read(a, path, &w, NULL, &e) < 0)
        fail_msg("%s", e.text);
    int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(recording_write(fd, w, plan_make(a, config_policy(config), w), &e), 0);
    (void)close(fd);
}

static void a_plan_needs_no_daemon(void **state)
{
    (void)state;
    SAID changes = eyrie("plan --world " GROWS " -c " POLICY);
    assert_int_equal(changes.code, CLI_CHANGES);
    assert_says(changes.out, "+ create ");
    assert_string_equal(changes.err, "");
    SAID nothing = eyrie("plan --world=" NOTHING " -c " POLICY);
    assert_int_equal(nothing.code, CLI_OK);
    assert_says(nothing.out, "nothing to do");
    SAID json = eyrie("plan -o json --world " GROWS " -c " POLICY);
    AUTOJSON struct json_object *view = NULL;
    assert_int_equal(json.code, CLI_CHANGES);
    assert_int_equal(json_parse(json.out, strlen(json.out), &view, NULL), 0);
    assert_int_equal(json_int_or(view, "version", 0), 1);
    assert_true(json_int_or(view, "changes", 0) > 0);
    assert_non_null(json_array_or_null(view, "actions"));
}

static void what_keeps_a_plan_from_being_made_is_said(void **state)
{
    (void)state;
    write_policy("bad.yaml", "groups:", "gruops:");
    AUTOFREE char *bad_policy = mem_printf("plan --world " GROWS " -c %s", in_folder("bad.yaml"));
    SAID bad = eyrie(bad_policy);
    assert_int_equal(bad.code, CLI_CONFIGURATION);
    assert_string_equal(bad.out, "");
    assert_says(bad.err, "did you mean groups?");
    SAID gone = eyrie("plan --world /nonexistent/world.json -c " POLICY);
    assert_int_equal(gone.code, CLI_FAILURE);
    assert_says(gone.err, "/nonexistent/world.json: No such file");
    SAID no_world = eyrie("plan --world " POLICY " -c " POLICY);
    assert_int_equal(no_world.code, CLI_FAILURE);
    SAID no_daemon = eyrie("plan -s /nonexistent/eyried.sock -c " POLICY);
    assert_int_equal(no_daemon.code, CLI_UNREACHABLE);
    assert_says(no_daemon.err, "is it running?");
}

static void a_policy_is_checked(void **state)
{
    (void)state;
    SAID good = eyrie("check " POLICY);
    assert_int_equal(good.code, CLI_OK);
    assert_string_equal(good.err, "");
    assert_says(good.out, "  flag: VirtualPool                                     # default\n");
    SAID option = eyrie("check -c " POLICY);
    assert_int_equal(option.code, CLI_OK);
    assert_string_equal(option.out, good.out);

    /* What it prints, it takes: the same values, from one file more. */
    FILE *f = fopen(in_folder("printed.yaml"), "we");
    assert_non_null(f);
    assert_true(fputs(good.out, f) >= 0);
    assert_int_equal(fclose(f), 0);
    AUTOFREE char *printed = mem_printf("check -o json %s", in_folder("printed.yaml"));
    SAID one = eyrie("check -o json " POLICY), two = eyrie(printed);
    AUTOJSON struct json_object *first = NULL, *second = NULL;
    assert_int_equal(one.code, CLI_OK);
    assert_int_equal(json_parse(one.out, strlen(one.out), &first, NULL), 0);
    assert_int_equal(json_parse(two.out, strlen(two.out), &second, NULL), 0);
    assert_true(json_bool_or(first, "good", false));
    struct json_object *values = json_array_or_null(first, "values");
    struct json_object *again = json_array_or_null(second, "values");
    size_t n = json_object_array_length(values);
    assert_true(n > 50);
    assert_int_equal(json_object_array_length(again), n);
    for (size_t i = 0; i < n; i++) {
        struct json_object *a = json_object_array_get_idx(values, i);
        struct json_object *b = json_object_array_get_idx(again, i);
        assert_string_equal(json_string_or(a, "key", "?"), json_string_or(b, "key", "!"));
        assert_string_equal(json_string_or(a, "text", "?"), json_string_or(b, "text", "!"));
        assert_true(json_object_equal(json_object_object_get(a, "value"),
                                      json_object_object_get(b, "value")));
    }
}

static void what_is_wrong_with_a_policy_is_said(void **state)
{
    (void)state;
    write_policy("bad.yaml", "groups:", "gruops:");
    AUTOFREE char *check = mem_printf("check %s", in_folder("bad.yaml"));
    AUTOFREE char *check_json = mem_printf("check -o json %s", in_folder("bad.yaml"));
    SAID bad = eyrie(check);
    assert_int_equal(bad.code, CLI_CONFIGURATION);
    assert_string_equal(bad.out, "");
    assert_says(bad.err, ": gruops: unknown key; did you mean groups?\n    gruops:\n    ^\n");
    SAID json = eyrie(check_json);
    AUTOJSON struct json_object *view = NULL;
    assert_int_equal(json.code, CLI_CONFIGURATION);
    assert_int_equal(json_parse(json.out, strlen(json.out), &view, NULL), 0);
    assert_false(json_bool_or(view, "good", true));
    assert_null(json_array_or_null(view, "values"));
    struct json_object *errors = json_array_or_null(view, "errors");
    assert_int_equal(json_object_array_length(errors), 1);
    assert_string_equal(json_string_or(json_object_array_get_idx(errors, 0), "text", ""),
                        "gruops: unknown key; did you mean groups?");
    SAID gone = eyrie("check /nonexistent.yaml");
    assert_int_equal(gone.code, CLI_CONFIGURATION);
    assert_string_equal(gone.err, "/nonexistent.yaml: No such file or directory\n");
    SAID two = eyrie("check one.yaml two.yaml");
    assert_int_equal(two.code, CLI_USAGE);
    assert_says(two.err, "usage: eyrie check [FILE]");
}

static void a_replay_shows_what_would_differ(void **state)
{
    (void)state;
    record(NOTHING, "20261122T195900.000000Z.json.gz");
    record(GROWS, "20261122T200000.000000Z.json.gz");
    AUTOFREE char *same = mem_printf("replay %s -c " POLICY, folder);
    SAID equal = eyrie(same);
    assert_int_equal(equal.code, CLI_OK);
    assert_says(equal.out, "replay: 2 worlds, 0 differ");

    write_policy("shut.yaml", "vms: 10", "vms: 1");
    AUTOFREE char *other = mem_printf("replay %s -c %s", folder, in_folder("shut.yaml"));
    SAID differs = eyrie(other);
    if (differs.code != CLI_CHANGES)
        fail_msg("%d: %s%s", differs.code, differs.out, differs.err);
    assert_says(differs.out, "(20261122T200000.000000Z.json.gz)");
    assert_says(differs.out, "  - create ");
    assert_says(differs.out, "replay: 2 worlds, 1 differ");
    assert_says(differs.out, "create              4 then      1 now");
    AUTOFREE char *as_json = mem_printf("%s -o json", other);
    SAID json = eyrie(as_json);
    AUTOJSON struct json_object *view = NULL;
    assert_int_equal(json_parse(json.out, strlen(json.out), &view, NULL), 0);
    assert_int_equal(json_int_or(view, "differ", 0), 1);
}

static void what_cannot_be_replayed_is_named(void **state)
{
    (void)state;
    SAID none = eyrie("replay /nonexistent -c " POLICY);
    assert_int_equal(none.code, CLI_FAILURE);
    assert_says(none.err, "/nonexistent: No such file");
    SAID empty = eyrie("replay " SCENARIOS " -c " POLICY);
    assert_int_equal(empty.code, CLI_FAILURE);
    assert_says(empty.err, "no recorded worlds");
    SAID bare = eyrie("replay " SCENARIOS "/nothing-to-do-in-an-empty-world -c " POLICY);
    assert_int_equal(bare.code, CLI_FAILURE);
    assert_says(bare.err, "what was decided is not in it");
}

static void fragments_are_shown_as_the_policy_wants_them(void **state)
{
    (void)state;
    SAID main_cm = eyrie("flock show main-cm.conf -c " SCENARIOS "/../live/lab/eyrie.yaml");
    assert_int_equal(main_cm.code, CLI_OK);
    assert_says(main_cm.out, "(VirtualPool =!= true || EyriePlacement =?= \"overflow\")");
    assert_says(main_cm.out, "EYRIE_MAIN_REVISION_vpool = ");
    SAID schedd = eyrie("flock show schedd.lab -c " SCENARIOS "/../live/lab/eyrie.yaml");
    assert_int_equal(schedd.code, CLI_OK);
    assert_says(schedd.out, "FLOCK_TO = vcm.lab:9618");
    SAID none = eyrie("flock show other.lab -c " SCENARIOS "/../live/lab/eyrie.yaml");
    assert_int_equal(none.code, CLI_USAGE);
    assert_says(none.err, "the policy names no schedd \"other.lab\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_needs_no_daemon),
        cmocka_unit_test(what_keeps_a_plan_from_being_made_is_said),
        cmocka_unit_test(a_policy_is_checked),
        cmocka_unit_test(what_is_wrong_with_a_policy_is_said),
        cmocka_unit_test(a_replay_shows_what_would_differ),
        cmocka_unit_test(what_cannot_be_replayed_is_named),
        cmocka_unit_test(fragments_are_shown_as_the_policy_wants_them),
    };
    static const char *const made[] = {"bad.yaml",
                                       "printed.yaml",
                                       "shut.yaml",
                                       "domain.xml",
                                       "20261122T195900.000000Z.json.gz",
                                       "20261122T200000.000000Z.json.gz"};
    if (!mkdtemp(folder) || symlink(SCENARIOS "/domain.xml", in_folder("domain.xml")) < 0)
        return 1;
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    for (size_t i = 0; i < ARRAY_SIZE(made); i++)
        (void)unlink(in_folder(made[i]));
    (void)rmdir(folder);
    return r;
}
