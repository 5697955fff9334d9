/* Recordings as files: what is written, when, how many are kept, and a disk that refuses. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "record/recorder.h"
#include "record/recording.h"

static const usec start_of_time = 1795377600 * USEC_PER_SEC; /* 2026-11-22 20:00:00 UTC */

static const struct policy_template templates[] = {{.name = "small", .cpus = 2}};
static const struct policy_group groups[] = {{.name = "juno"}};
static const struct policy policy = {
    .file = "eyrie.yaml",
    .templates = templates,
    .n_templates = 1,
    .groups = groups,
    .n_groups = 1,
};
static const struct plan_action actions[] = {
    {.kind = ACTION_CREATE, .reason = {REASON_DEMAND, 9}, .uuid = "", .name = "",
     .host = "hv01", .volume = "", .machine = "", .request = "", .exclusive = true},
    {.kind = ACTION_DELETE_VOLUME, .reason = {REASON_LEFTOVER}, .uuid = "u1",
     .name = "vpool-1", .host = "hv01", .volume = "vpool-1.qcow2", .machine = ""},
};

struct stage {
    char folder[64];
    struct loop *loop;
    struct loop_timer *timer;
    char *said;
};

static void told(void *userdata, const char *kind, const char *subject, const char *text)
{
    struct stage *s = userdata;
    assert_string_equal(kind, "record-failed");
    assert_non_null(strstr(subject, s->folder));
    assert_null(s->said); /* once */
    s->said = mem_strdup(text);
}

static void quit(void *userdata)
{
    loop_quit(((struct stage *)userdata)->loop, 0);
}

static void stage_setup(struct stage *s)
{
    *s = (struct stage){.folder = "/tmp/eyrie-recorder-XXXXXX"};
    assert_non_null(mkdtemp(s->folder));
    assert_int_equal(loop_new(&s->loop, NULL), 0);
    s->timer = loop_timer_new(s->loop, quit, s);
}

static void remove_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        AUTOFREE char *path = mem_printf("%s/%s", folder, entries[i]->d_name);
        (void)unlink(path);
        free(entries[i]);
    }
    free(entries);
    (void)rmdir(folder);
}

static void stage_end(struct stage *s)
{
    AUTOFREE char *worlds = mem_printf("%s/worlds", s->folder);
    remove_folder(worlds);
    remove_folder(s->folder);
    (void)loop_timer_free(s->timer);
    (void)loop_free(s->loop);
    free(s->said);
}

/* Let the loop turn until what was begun is over: no child is left, and its end was seen. */
static void turn(struct stage *s)
{
    siginfo_t info;
    do {
        loop_timer_set(s->timer, 50 * 1000);
        assert_int_equal(loop_run(s->loop), 0);
    } while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0);
}

/* Record a step @seconds after the start of time, with so many of the sample's actions. */
static void take(struct stage *s, struct recorder *r, int seconds, size_t n_actions)
{
    struct world w = {.now = start_of_time + seconds * USEC_PER_SEC, .pool.fact.error = "",
                      .order = WORLD_NOBODY};
    struct plan plan = {
        .policy = &policy, .now = w.now, .actions = actions, .n_actions = n_actions};
    recorder_take(r, &w, &plan);
    turn(s);
}

/* The names in the folder, each after a blank. */
static const char *names(const char *folder)
{
    static char text[4096];
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort);
    text[0] = '\0';
    for (int i = 0; i < n; i++) {
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0) {
            (void)strcat(text, " ");
            (void)strcat(text, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    return text;
}

static void what_was_decided_can_be_read_again(void **state)
{
    struct stage s;
    const struct world *w = NULL;
    AUTOJSON struct json_object *rows = NULL;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct err e = {""};
    (void)state;
    stage_setup(&s);
    AUTOFREE char *folder = mem_printf("%s/worlds", s.folder); /* made when it is missing */
    struct recorder *r = recorder_new(s.loop, folder, 10, told, &s);
    take(&s, r, 5, 2);
    assert_string_equal(names(folder), " 20261122T200005.000000Z.json.gz");
    AUTOFREE char *path = mem_printf("%s/20261122T200005.000000Z.json.gz", folder);
    assert_int_equal(recording_read(a, path, &w, &rows, &e), 0);
    assert_int_equal(w->now, start_of_time + 5 * USEC_PER_SEC);
    assert_int_equal(json_object_array_length(rows), 2);
    struct json_object *create = json_object_array_get_idx(rows, 0);
    assert_string_equal(json_string_or(create, "action", ""), "create");
    assert_string_equal(json_string_or(create, "what", ""),
                        "create small on hv01 for juno (exclusive)");
    assert_string_equal(json_string_or(create, "why", ""), "9 idle jobs want it");
    assert_string_equal(json_string_or(json_object_array_get_idx(rows, 1), "what", ""),
                        "delete-volume vpool-1.qcow2 on hv01");
    assert_null(s.said);
    (void)recorder_free(r);
    stage_end(&s);
}

static void a_quiet_pool_is_recorded_once_a_minute(void **state)
{
    struct stage s;
    (void)state;
    stage_setup(&s);
    struct recorder *r = recorder_new(s.loop, s.folder, 10, told, &s);
    take(&s, r, 0, 0);
    take(&s, r, 10, 0);
    take(&s, r, 59, 0);
    take(&s, r, 60, 0);
    take(&s, r, 61, 1);
    assert_string_equal(names(s.folder), " 20261122T200000.000000Z.json.gz"
                                         " 20261122T200100.000000Z.json.gz"
                                         " 20261122T200101.000000Z.json.gz");
    (void)recorder_free(r);
    stage_end(&s);
}

static void the_oldest_go_first_and_nothing_else_is_touched(void **state)
{
    struct stage s;
    (void)state;
    stage_setup(&s);
    AUTOFREE char *notes = mem_printf("%s/notes.json", s.folder);
    AUTOFREE char *left = mem_printf("%s/.20261122T190000.000000Z.json.gz.new", s.folder);
    (void)close(open(notes, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    (void)close(open(left, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); /* by a child that was killed */
    const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, left, old, 0), 0);
    struct recorder *r = recorder_new(s.loop, s.folder, 2, told, &s);
    for (int i = 0; i < 4; i++)
        take(&s, r, i, 1);
    assert_string_equal(names(s.folder), " 20261122T200002.000000Z.json.gz"
                                         " 20261122T200003.000000Z.json.gz notes.json");
    (void)recorder_free(r);
    stage_end(&s);
}

static void steps_that_come_fast_are_recorded_side_by_side(void **state)
{
    struct stage s;
    struct world w = {.now = start_of_time};
    struct plan plan = {.policy = &policy, .now = w.now, .actions = actions, .n_actions = 1};
    (void)state;
    stage_setup(&s);
    struct recorder *r = recorder_new(s.loop, s.folder, 100, told, &s);
    for (int i = 0; i < 20; i++, w.now++)
        recorder_take(r, &w, &plan); /* more than there are children */
    turn(&s);
    size_t length = strlen(names(s.folder)), each = strlen(" 20261122T200000.000000Z.json.gz");
    assert_true(length > each && length < 20 * each);
    take(&s, r, 1, 0); /* quiet, but something was missed */
    assert_non_null(strstr(names(s.folder), "20261122T200001.000000Z"));
    take(&s, r, 2, 0);
    assert_null(strstr(names(s.folder), "20261122T200002"));
    recorder_take(r, &w, &plan);
    (void)recorder_free(r); /* with a child at work */
    turn(&s);
    assert_null(s.said);
    stage_end(&s);
}

static void a_disk_that_refuses_switches_it_off_and_is_told(void **state)
{
    struct stage s;
    struct rlimit before, none;
    (void)state;
    stage_setup(&s);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){10, before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    struct recorder *r = recorder_new(s.loop, s.folder, 10, told, &s);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    take(&s, r, 0, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(s.said);
    assert_non_null(strstr(s.said, "20261122T200000.000000Z.json.gz: File too large; "
                                   "worlds are not recorded any more"));
    take(&s, r, 1, 1);
    assert_string_equal(names(s.folder), "");
    (void)recorder_free(r);
    stage_end(&s);
}

static void a_folder_that_is_none_is_told(void **state)
{
    struct stage s;
    (void)state;
    stage_setup(&s);
    AUTOFREE char *file = mem_printf("%s/worlds", s.folder);
    (void)close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    struct recorder *r = recorder_new(s.loop, file, 10, told, &s);
    take(&s, r, 0, 1);
    assert_non_null(s.said);
    assert_non_null(strstr(s.said, "Not a directory"));
    (void)recorder_free(r);
    (void)unlink(file);
    stage_end(&s);
}

static void no_folder_is_no_recorder(void **state)
{
    struct world w = {.now = start_of_time};
    struct plan plan = {.policy = &policy, .now = w.now};
    (void)state;
    assert_null(recorder_new(NULL, "", 10, told, NULL));
    recorder_take(NULL, &w, &plan);
    assert_null(recorder_free(NULL));
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static void what_is_no_world_is_refused_with_its_name(void **state)
{
    static const struct {
        const char *bytes;
        size_t length; /* 0: as a string */
        const char *says;
    } cases[] = {
        {"", 0, "world.json: "},
        {"[]", 0, "a world is a JSON object"},
        {"{\"version\": 1, \"now\": 1, \"pools\": 3}", 0, "pools: no such fact"},
        {"{\"world\": {\"version\": 1, \"now\": \"soon\"}}", 0, "world.json: world: now"},
        {"\x1f\x8b\x08\0\0\0\0\0\0\x03garbage", 17, "damaged gzip"},
    };
    struct stage s;
    (void)state;
    stage_setup(&s);
    AUTOFREE char *path = mem_printf("%s/world.json", s.folder);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const struct world *w = NULL;
    struct err e = {""};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        write_file(path, cases[i].bytes,
                   cases[i].length ? cases[i].length : strlen(cases[i].bytes));
        assert_true(recording_read(a, path, &w, NULL, &e) < 0);
        if (!strstr(e.text, cases[i].says))
            fail_msg("no \"%s\" in: %s", cases[i].says, e.text);
    }
    assert_null(w);
    write_file(path, "{\"version\": 1, \"now\": 7}", 24);
    AUTOJSON struct json_object *rows = NULL;
    assert_int_equal(recording_read(a, path, &w, &rows, &e), 0); /* a bare world */
    assert_null(rows);
    assert_int_equal(w->now, 7);
    (void)unlink(path);
    assert_int_equal(recording_read(a, path, &w, NULL, &e), -ENOENT);
    stage_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_decided_can_be_read_again),
        cmocka_unit_test(a_quiet_pool_is_recorded_once_a_minute),
        cmocka_unit_test(the_oldest_go_first_and_nothing_else_is_touched),
        cmocka_unit_test(steps_that_come_fast_are_recorded_side_by_side),
        cmocka_unit_test(a_disk_that_refuses_switches_it_off_and_is_told),
        cmocka_unit_test(a_folder_that_is_none_is_told),
        cmocka_unit_test(no_folder_is_no_recorder),
        cmocka_unit_test(what_is_no_world_is_refused_with_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
