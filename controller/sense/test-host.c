/* The controller's end of eyrie-host, against a stand-in (tests/functional/fake/eyrie-host). */
#include "sense/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "sense/fake.h"

struct fixture {
    struct loop *loop;
    struct host *host;
    struct loop_timer *limit;
    struct policy policy;
    struct policy_host policy_host;
    struct text log;
    struct text answers;
    int changed;
    int wanted; /* answers, then stop */
    int got;
    bool free_then;
};

#define LIST                                                                                       \
    "\"ok\":true,\"node\":{\"memory\":1000,\"cpus\":8},\"storage\":{\"capacity\":9,\"available\":" \
    "5},"                                                                                          \
    "\"domains\":[{\"uuid\":\"u2\",\"name\":\"x\",\"state\":\"running\",\"memory\":7,\"cpus\":1,"  \
    "\"ours\":false,\"why\":\"no metadata\"},"                                                     \
    "{\"uuid\":\"u1\",\"name\":\"v-s-1\",\"state\":\"paused\",\"memory\":6,\"cpus\":2,\"ours\":"   \
    "true,"                                                                                        \
    "\"template\":\"s\",\"generation\":\"g1\",\"group\":\"juno\",\"request\":\"r-1\",\"born\":77," \
    "\"exclusive\":true}],"

static void on_changed(void *userdata)
{
    struct fixture *f = userdata;
    f->changed++;
}

static void on_log(void *userdata, const char *host, const char *line)
{
    struct fixture *f = userdata;
    assert_string_equal(host, "hv1");
    text_printf(&f->log, "%s\n", line);
}

static void on_limit(void *userdata)
{
    struct fixture *f = userdata;
    loop_quit(f->loop, 1);
}

static int setup(void **state)
{
    static struct fixture f;
    struct err e;
    f = (struct fixture){0};
    fake_open();
    f.policy = (struct policy){
        .pool.name = "vpool",
        .paths.host_program = TEST_FAKE "/eyrie-host",
    };
    f.policy_host = (struct policy_host){
        .name = "hv1", .uri = "test:///default", .storage_pool = "eyrie",
    };
    fake_put("host.list", LIST "\"volumes\":[{\"name\":\"b\",\"uuid\":\"u1\",\"kind\":\"seed\"},"
                              "{\"name\":\"a\",\"uuid\":\"u1\",\"kind\":\"disk\"}]");
    assert_int_equal(loop_new(&f.loop, &e), 0);
    f.limit = loop_timer_new(f.loop, on_limit, &f);
    f.host = host_new(f.loop, &f.policy, &f.policy_host,
                      &(struct host_callbacks){on_changed, on_log, &f});
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->host = host_free(f->host);
    f->limit = loop_timer_free(f->limit);
    f->loop = loop_free(f->loop);
    text_done(&f->log);
    text_done(&f->answers);
    fake_close();
    return 0;
}

static void on_answer(void *userdata, const struct host_answer *a)
{
    struct fixture *f = userdata;
    text_printf(&f->answers, "%s%s %d %s\n",
                a->answer == WORLD_ANSWER_OK ? "ok" : a->answer == WORLD_ANSWER_NONE ? "unknown"
                                                                                   : "failed",
                a->gone ? " gone" : "", a->code, a->error);
    if (++f->got < f->wanted)
        return;
    if (f->free_then)
        f->host = host_free(f->host);
    loop_quit(f->loop, 0);
}

/* Run until @n more answers have come, in at most 20 s. */
static void answers_wait(struct fixture *f, int n)
{
    f->wanted = f->got + n;
    loop_timer_set(f->limit, 20 * USEC_PER_SEC);
    assert_int_equal(loop_run(f->loop), 0);
}

static struct world_host facts(struct fixture *f)
{
    struct world_host w = {0};
    host_fill(f->host, &w);
    return w;
}

static const struct host_create_args create_args = {
    .name = "v-s-1", .uuid = "u1", .domain_xml = "<domain>\n\"x\"</domain>", .image = "i",
    .cpus = 2, .memory = 4 * GIB, .disk = GIB, .template = "s", .generation = "g1", .group = "juno",
    .born = 77, .seed = "EYRIE-SEED 1\nTOKEN ey\"\\\x01.J\n",
};

static void test_list(void **state)
{
    struct fixture *f = *state;
    struct world_host w = facts(f);
    assert_string_equal(w.name, "hv1");
    assert_int_equal(w.fact.asked, 0);
    assert_int_equal(w.n_domains, 0);
    host_list(f->host, on_answer, f);
    assert_int_equal(f->got, 0);
    answers_wait(f, 1);
    assert_string_equal(text_get(&f->answers), "ok 0 \n");
    assert_non_null(strstr(text_get(&f->log), "connected\n"));
    assert_non_null(strstr(text_get(&f->log), "hello from the worker\n"));
    assert_true(f->changed > 0);
    w = facts(f);
    assert_true(w.fact.asked > 0 && w.fact.failed == 0);
    assert_int_equal(w.cpus, 8);
    assert_int_equal(w.memory, 1000);
    assert_int_equal(w.storage_available, 5);
    assert_int_equal(w.n_domains, 2);
    assert_string_equal(w.domains[0].uuid, "u1");
    assert_true(w.domains[0].ours && w.domains[0].exclusive);
    assert_string_equal(w.domains[0].state, "paused");
    assert_string_equal(w.domains[0].group, "juno");
    assert_string_equal(w.domains[0].request, "r-1");
    assert_int_equal(w.domains[0].born, 77);
    assert_false(w.domains[1].ours);
    assert_string_equal(w.domains[1].why_foreign, "no metadata");
    assert_int_equal(w.domains[1].memory, 7);
    assert_int_equal(w.n_volumes, 2);
    assert_string_equal(w.volumes[0].name, "a");
    assert_true(w.volumes[1].seed);
}

/* S8: a list that is not whole changes nothing but the time of failure. */
static void test_bad_lists(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "\"ok\":false,\"code\":38,\"error\":\"no connection\"",
        LIST "\"volumes\":[],\"complete\":false",
        "\"ok\":true",
        "\"ok\":true,\"node\":{\"memory\":1,\"cpus\":1},\"volumes\":[]",
        ("\"ok\":true,\"node\":{\"memory\":1,\"cpus\":1},\"domains\":[{\"uuid\":\"u\"}],"
         "\"volumes\":[]"),
        "\"ok\":true,\"node\":{\"memory\":1,\"cpus\":1},\"domains\":[]",
        "\"ok\":true,\"node\":{\"memory\":1,\"cpus\":1},\"domains\":[7],\"volumes\":[]",
        "\"ok\":true,\"node\":{\"memory\":1,\"cpus\":1},\"domains\":[],\"volumes\":[{}]",
    };
    host_list(f->host, on_answer, f);
    answers_wait(f, 1);
    usec asked = facts(f).fact.asked;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_put("host.list", bad[i]);
        text_clear(&f->answers);
        host_list(f->host, on_answer, f);
        answers_wait(f, 1);
        assert_true(text_starts_with(text_get(&f->answers), "failed "));
        struct world_host w = facts(f);
        assert_int_equal(w.fact.asked, asked);
        assert_true(w.fact.failed >= asked);
        assert_true(*w.fact.error);
        assert_int_equal(w.n_domains, 2);
        assert_int_equal(w.n_volumes, 2);
    }
    /* a storage pool in trouble: the domains are facts, the volumes stay as they were */
    fake_put("host.list", "\"ok\":true,\"node\":{\"memory\":1,\"cpus\":1},\"domains\":[],"
                        "\"storage\":{\"error\":\"gone\"},\"volumes\":null");
    host_list(f->host, on_answer, f);
    answers_wait(f, 1);
    struct world_host w = facts(f);
    assert_int_equal(w.fact.failed, 0);
    assert_int_equal(w.n_domains, 0);
    assert_int_equal(w.n_volumes, 2);
    assert_string_equal(w.volumes[0].name, "a");
    assert_int_equal(w.storage_available, 0);
}

static void test_requests(void **state)
{
    struct fixture *f = *state;
    fake_put("host.destroy", "\"ok\":true,\"gone\":true");
    fake_put("host.shutdown", "\"ok\":false,\"code\":55,\"error\":\"busy\",\"unknown\":false");
    fake_put("host.delete_volume", "\"ok\":false,\"code\":38,\"error\":\"lost\",\"unknown\":true");
    host_create(f->host, &create_args, on_answer, f);
    host_destroy(f->host, "u1", on_answer, f);
    host_shutdown(f->host, "u1", on_answer, f);
    host_delete_volume(f->host, "a", on_answer, f);
    host_list(f->host, NULL, NULL);
    host_list(f->host, on_answer, f); /* more than may be written at once */
    struct host_figures figures;
    host_get_figures(f->host, &figures);
    assert_int_equal(figures.in_flight, 4);
    assert_int_equal(figures.queued, 2);
    answers_wait(f, 5);
    assert_string_equal(text_get(&f->answers),
                        "ok 0 \nok gone 0 \nfailed 55 busy\nunknown 38 lost\n"
                        "ok 0 \n");
    host_get_figures(f->host, &figures);
    assert_int_equal(figures.in_flight, 0);
    assert_int_equal(figures.starts, 1);
    FILE *log = fake_read("host.log");
    char line[1024];
    assert_non_null(fgets(line, sizeof(line), log));
    assert_string_equal(line, "start --pool vpool --storage-pool eyrie test:///default\n");
    assert_non_null(fgets(line, sizeof(line), log));
    assert_string_equal(
        line, "{\"id\":1,\"op\":\"create\",\"name\":\"v-s-1\",\"uuid\":\"u1\",\"domain_xml\":"
              "\"<domain>\\n\\\"x\\\"<\\/domain>\",\"image\":\"i\",\"cpus\":2,"
              "\"memory\":4294967296,\"disk\":1073741824,\"metadata\":{\"template\":\"s\","
              "\"generation\":\"g1\",\"group\":\"juno\",\"request\":\"\",\"exclusive\":false,"
              "\"born\":77},\"seed\":\"EYRIE-SEED 1\\u000aTOKEN ey\\\"\\\\\\u0001.J\\u000a\"}\n");
    assert_non_null(fgets(line, sizeof(line), log));
    assert_string_equal(line, "{\"id\":2,\"op\":\"destroy\",\"uuid\":\"u1\"}\n");
    (void)fclose(log);
}

/* What was written is unknown, what was not has failed, and a new worker comes. */
static void test_worker_dies(void **state)
{
    struct fixture *f = *state;
    fake_put("host.destroy", "die");
    fake_put("host.create", "hang");
    for (int i = 0; i < 3; i++)
        host_create(f->host, &create_args, on_answer, f);
    host_destroy(f->host, "u1", on_answer, f);
    host_shutdown(f->host, "u1", on_answer, f);
    answers_wait(f, 5);
    size_t unknown = 0, failed = 0;
    for (const char *p = text_get(&f->answers); *p; p = strchr(p, '\n') + 1) {
        unknown += text_starts_with(p, "unknown 0 ") != 0;
        failed += text_starts_with(p, "failed 0 shutdown of host hv1: eyrie-host ") != 0;
    }
    assert_int_equal(unknown, 4);
    assert_int_equal(failed, 1);
    assert_null(strstr(text_get(&f->answers), "EYRIE-SEED"));
    assert_null(strstr(text_get(&f->log), "EYRIE-SEED"));
    struct world_host w = facts(f);
    assert_true(w.fact.failed > 0 && *w.fact.error);
    /* while it is down nothing is asked, and that is no unknown */
    text_clear(&f->answers);
    host_destroy(f->host, "u1", on_answer, f);
    assert_string_equal(text_get(&f->answers), "");
    answers_wait(f, 1);
    assert_true(text_starts_with(text_get(&f->answers),
                                 "failed 0 destroy of host hv1: not asked, because the worker is "
                                 "down (eyrie-host "));
    /* asking again and again gets through in the end */
    for (int i = 0; i < 200 && facts(f).fact.asked == 0; i++) {
        host_list(f->host, on_answer, f);
        answers_wait(f, 1);
        loop_timer_set(f->limit, 50000);
        assert_int_equal(loop_run(f->loop), 1);
    }
    w = facts(f);
    assert_true(w.fact.asked > 0 && w.fact.failed == 0);
    struct host_figures figures;
    host_get_figures(f->host, &figures);
    assert_int_equal(figures.starts, 2);
}

/* A worker that hangs in a call is killed at the deadline of that call. */
static void test_worker_hangs(void **state)
{
    struct fixture *f = *state;
    fake_put("host.shutdown", "hang");
    host_shutdown(f->host, "u1", on_answer, f);
    answers_wait(f, 1);
    assert_string_equal(text_get(&f->answers),
                        "unknown 0 shutdown of host hv1: eyrie-host was killed: no answer to "
                        "shutdown within 10s\n");
}

static void test_garbage(void **state)
{
    struct fixture *f = *state;
    fake_put("host.list", "garbage");
    host_list(f->host, on_answer, f);
    answers_wait(f, 1);
    assert_string_equal(text_get(&f->answers), "unknown 0 list of host hv1: eyrie-host was killed: "
                                               "what it says is not JSON\n");
}

static void test_freed_in_a_callback(void **state)
{
    struct fixture *f = *state;
    f->free_then = true;
    host_list(f->host, on_answer, f);
    host_list(f->host, on_answer, f);
    answers_wait(f, 1);
    assert_null(f->host);
    assert_int_equal(f->got, 1);
}

static void test_no_program(void **state)
{
    struct fixture *f = *state;
    f->host = host_free(f->host);
    f->policy.paths.host_program = "/nonexistent/eyrie-host";
    f->host = host_new(f->loop, &f->policy, &f->policy_host,
                       &(struct host_callbacks){on_changed, NULL, f});
    host_list(f->host, on_answer, f);
    answers_wait(f, 1);
    assert_string_equal(text_get(&f->answers), "failed 0 list of host hv1: eyrie-host cannot be "
                                               "started: No such file or directory\n");
    assert_string_equal(facts(f).fact.error,
                        "eyrie-host cannot be started: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_worker_dies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_worker_hangs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_freed_in_a_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_program, setup, teardown),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
