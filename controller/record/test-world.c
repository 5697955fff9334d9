#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "record/world.h"

static const char sample[] =
    "{\"version\": 1, \"now\": \"2026-11-22T20:00:00Z\", \"paused\": false,"
    " \"queues\": [{\"schedd\": \"s1\", \"fact\": {\"asked\": \"-2s\"}, \"shapes\":"
    "   [{\"owner\": \"alice\", \"group\": \"juno\", \"cpus\": 2, \"memory\": \"1.5GiB\", \"idle\": 7}]}],"
    " \"pool\": {\"startds\": [{\"uuid\": \"u1\", \"cpus\": 4, \"free_cpus\": 4}]},"
    " \"hosts\": [{\"name\": \"hv1\", \"cpus\": 8, \"images\": [\"a\", \"b\"], \"domains\": [{\"uuid\": \"u1\", \"name\": \"vpool-1\"}]}],"
    " \"records\": [{\"uuid\": \"u1\", \"create_answer\": \"failed\", \"create_decided\": \"-1m\"}],"
    " \"starts\": [{\"at\": \"-59s\"}, {\"at\": \"-1s\", \"host\": \"hv1\"}],"
    " \"templates\": [{\"name\": \"small\", \"joined\": 3}], \"utc_offset\": \"1h\"}";

static int read_text(struct arena *a, const char *text, const struct world **ret, struct err *e)
{
    AUTOJSON struct json_object *json = NULL;
    assert_int_equal(json_parse(text, strlen(text), &json, e), 0);
    return world_from_json(a, json, ret, e);
}

static void a_hand_written_world_is_read(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const struct world *w = NULL;
    struct err e = {""};
    (void)state;
    int r = read_text(a, sample, &w, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(r, 0);
    assert_int_equal(w->now, 1795377600 * USEC_PER_SEC);
    assert_int_equal(w->queues[0].fact.asked, w->now - 2 * USEC_PER_SEC);
    assert_int_equal(w->queues[0].shapes[0].memory, 3 * GIB / 2);
    assert_string_equal(w->queues[0].fact.error, "");
    assert_int_equal(w->pool.fact.asked, w->now);
    assert_true(w->pool.startds[0].usable);
    assert_true(w->hosts[0].domains[0].ours);
    assert_string_equal(w->hosts[0].domains[0].state, "running");
    assert_int_equal(w->records[0].create_answer, WORLD_ANSWER_FAILED);
    assert_int_equal(w->starts[1].at, w->now - USEC_PER_SEC);
}

static void writing_reading_and_copying_keep_everything(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const struct world *w = NULL, *again = NULL;
    struct err e;
    (void)state;
    assert_int_equal(read_text(a, sample, &w, &e), 0);
    AUTOJSON struct json_object *once = world_to_json(w);
    assert_int_equal(world_from_json(a, once, &again, &e), 0);
    AUTOJSON struct json_object *twice = world_to_json(again);
    AUTOJSON struct json_object *copied = world_to_json(world_copy(a, w));
    assert_string_equal(json_object_to_json_string(once), json_object_to_json_string(twice));
    assert_string_equal(json_object_to_json_string(once), json_object_to_json_string(copied));
}

static void bad_worlds_name_the_place(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"[]", "a world is a JSON object"},
        {"{\"now\": 1}", "version: this eyrie reads worlds of version 1"},
        {"{\"version\": 1}", "now: missing, or not a time (µs or 2026-11-22T20:00:00Z)"},
        {"{\"version\": 1, \"now\": 1, \"host\": []}", "host: no such fact"},
        {"{\"version\": 1, \"now\": 1, \"hosts\": [{\"cpus\": \"8\"}]}",
         "hosts[0].cpus: \"8\" is not a whole number"},
        {"{\"version\": 1, \"now\": 1, \"hosts\": [{\"memory\": \"8\"}]}",
         "hosts[0].memory: \"8\" is not a size such as \"4GiB\""},
        {"{\"version\": 1, \"now\": 1, \"pool\": {\"startds\": [{\"heard\": \"soon\"}]}}",
         "pool.startds[0].heard: \"soon\" is not a time: µs, \"-5m\" before now, or \"+5m\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(arena_free_p) struct arena *a = arena_new();
        const struct world *w = NULL;
        struct err e;
        assert_int_equal(read_text(a, rows[i].text, &w, &e), -EBADMSG);
        assert_string_equal(e.text, rows[i].message);
        assert_null(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hand_written_world_is_read),
        cmocka_unit_test(writing_reading_and_copying_keep_everything),
        cmocka_unit_test(bad_worlds_name_the_place),
    };
    return cmocka_run_group_tests_name("record/world", tests, NULL, NULL);
}
