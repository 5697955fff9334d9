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
    int wanted; /* answers, then stop */
    int got;
    bool look_wanted; /* stop when a look ends */
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

static void stop(struct fixture *f)
{
    if (f->free_then)
        f->host = host_free(f->host);
    loop_quit(f->loop, 0);
}

static void on_looked(void *userdata)
{
    struct fixture *f = userdata;
    if (f->look_wanted)
        stop(f);
}

static void on_log(void *userdata, const char *host, const char *line)
{
    struct fixture *f = userdata;
    assert_string_equal(host, "hv1");
    text_printf(&f->log, "%s\n", line);
}

static void on_console(void *userdata, const char *uuid, const char *name, const char *text)
{
    struct fixture *f = userdata;
    text_printf(&f->log, "console of %s (%s): %s\n", uuid, name, text);
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
                      &(struct host_callbacks){.looked = on_looked, .log = on_log,
                                              .console = on_console, .userdata = &f});
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
    if (++f->got == f->wanted)
        stop(f);
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

/* Run until a look ends, in at most 20 s. */
static void look_wait(struct fixture *f)
{
    f->look_wanted = true;
    loop_timer_set(f->limit, 20 * USEC_PER_SEC);
    assert_int_equal(loop_run(f->loop), 0);
    f->look_wanted = false;
}

/* Look, and wait for what was asked after that. */
static void look(struct fixture *f)
{
    usec asked = loop_now(f->loop);
    host_look(f->host);
    do
        look_wait(f);
    while (facts(f).fact.asked < asked && facts(f).fact.failed < asked);
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
    look(f);
    assert_non_null(strstr(text_get(&f->log), "connected\n"));
    assert_non_null(strstr(text_get(&f->log), "hello from the worker\n"));
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
    look(f);
    usec asked = facts(f).fact.asked;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_put("host.list", bad[i]);
        look(f);
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
    host_look(f->host);
    while (facts(f).fact.failed)
        look_wait(f);
    struct world_host w = facts(f);
    assert_int_equal(w.fact.failed, 0);
    assert_int_equal(w.n_domains, 0);
    assert_int_equal(w.n_volumes, 2);
    assert_string_equal(w.volumes[0].name, "a");
    assert_int_equal(w.storage_available, 0);
}

#define NO_DOMAINS \
    "\"ok\":true,\"node\":{\"memory\":1,\"cpus\":1},\"domains\":[],\"volumes\":[]"

/* S2, S8: the place of a VM is given away when it is missing in two lists, or libvirt said its end. */
static void test_a_list_that_lacks_a_domain_is_asked_for_again(void **state)
{
    struct fixture *f = *state;
    look(f);
    usec asked = facts(f).fact.asked;
    fake_put("host.list", NO_DOMAINS);
    host_look(f->host);
    look_wait(f);
    assert_int_equal(facts(f).n_domains, 2);
    assert_int_equal(facts(f).fact.asked, asked);
    assert_int_equal(facts(f).fact.failed, 0);
    look_wait(f); /* by itself */
    assert_int_equal(facts(f).n_domains, 0);
    assert_true(facts(f).fact.asked > asked);
}

#define OURS(uuid)                                                                                 \
    "{\"uuid\":\"" uuid "\",\"name\":\"v-s-1\",\"state\":\"running\",\"memory\":6,\"cpus\":2,"      \
    "\"ours\":true,\"template\":\"s\",\"generation\":\"g1\",\"group\":\"\",\"request\":\"\","          \
    "\"born\":77,\"exclusive\":false}"
#define LIST_OF(domains) \
    "\"ok\":true,\"node\":{\"memory\":1,\"cpus\":1},\"domains\":[" domains "],\"volumes\":[]"

static void test_two_lists_that_lack_different_domains_prove_neither(void **state)
{
    struct fixture *f = *state;
    fake_put("host.list", LIST_OF(OURS("u1") "," OURS("u2")));
    look(f);
    assert_int_equal(facts(f).n_domains, 2);
    fake_put("host.list", LIST_OF(OURS("u2")));
    fake_put("host.list.next", LIST_OF(OURS("u1")));
    host_look(f->host);
    look_wait(f);
    look_wait(f);
    assert_int_equal(facts(f).n_domains, 2);
    look_wait(f); /* the third, which lacks the same as the second */
    assert_int_equal(facts(f).n_domains, 1);
    assert_string_equal(facts(f).domains[0].uuid, "u1");
}

static void test_a_domain_that_is_said_to_have_ended_is_not_missed(void **state)
{
    struct fixture *f = *state;
    look(f);
    fake_put("host.list", NO_DOMAINS);
    fake_put("host.shutdown",
             "\"ok\":true}\n{\"event\":\"domain\",\"uuid\":\"u1\",\"what\":\"stopped\"");
    host_shutdown(f->host, "u1", on_answer, f);
    answers_wait(f, 1);
    look_wait(f);
    assert_int_equal(facts(f).n_domains, 0);
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
    for (int i = 0; i < 9; i++)
        host_look(f->host); /* is one look, and one more; it waits for none of the others */
    struct host_figures figures;
    host_get_figures(f->host, &figures);
    assert_int_equal(figures.in_flight, 4);
    assert_int_equal(figures.queued, 1);
    answers_wait(f, 4);
    look_wait(f);
    assert_string_equal(text_get(&f->answers),
                        "ok 0 \nok gone 0 \nfailed 55 busy\nunknown 38 lost\n");
    host_get_figures(f->host, &figures);
    assert_int_equal(figures.in_flight, 0);
    assert_int_equal(figures.queued, 0);
    assert_int_equal(figures.starts, 1);
    FILE *log = fake_read("host.log");
    char line[1024];
    assert_non_null(fgets(line, sizeof(line), log));
    assert_string_equal(line, "start --pool vpool --storage-pool eyrie test:///default\n");
    assert_non_null(fgets(line, sizeof(line), log));
    assert_string_equal(
        line, "{\"id\":1,\"op\":\"create\",\"name\":\"v-s-1\",\"uuid\":\"u1\",\"domain_xml\":"
              "\"<domain>\\n\\\"x\\\"<\\/domain>\",\"image\":\"i\",\"cpus\":2,"
              "\"memory\":4294967296,\"disk\":1073741824,\"watch\":0,\"metadata\":{\"template\":\"s\","
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
    for (int i = 0; i < 2; i++)
        host_create(f->host, &create_args, on_answer, f);
    host_destroy(f->host, "u1", on_answer, f);
    host_shutdown(f->host, "u1", on_answer, f);
    answers_wait(f, 4);
    size_t unknown = 0, failed = 0;
    for (const char *p = text_get(&f->answers); *p; p = strchr(p, '\n') + 1) {
        unknown += text_starts_with(p, "unknown 0 ") != 0;
        failed += text_starts_with(p, "failed 0 shutdown of host hv1: eyrie-host ") != 0;
    }
    assert_int_equal(unknown, 3);
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
    while (facts(f).fact.failed) /* the new worker looks by itself */
        look_wait(f);
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

/* That it does not answer a list is told long before it is killed; other calls go on meanwhile. */
static void test_list_is_late(void **state)
{
    struct fixture *f = *state;
    look(f);
    usec from = loop_ticks(f->loop);
    fake_put("host.list", "hang");
    host_look(f->host);
    host_destroy(f->host, "u1", on_answer, f);
    answers_wait(f, 1);
    assert_string_equal(text_get(&f->answers), "ok 0 \n");
    look_wait(f);
    struct world_host w = facts(f);
    assert_true(w.fact.failed > 0 && w.fact.asked > 0);
    assert_string_equal(w.fact.error, "no answer to list for 4s");
    assert_int_equal(w.n_domains, 2);
    assert_true(loop_ticks(f->loop) - from >= 4 * USEC_PER_SEC);
    struct host_figures figures;
    host_get_figures(f->host, &figures);
    assert_int_equal(figures.starts, 1);
}

/* The connection is lost: that is a fact as of now, and no question is needed. */
static void test_disconnected(void **state)
{
    struct fixture *f = *state;
    look(f);
    fake_put("host.destroy", "\"ok\":true}\n{\"event\":\"disconnected\",\"error\":\"no answer to keepalive\"");
    host_destroy(f->host, "u1", NULL, NULL);
    while (!facts(f).fact.failed)
        look_wait(f);
    assert_string_equal(facts(f).fact.error, "no answer to keepalive");
    assert_true(facts(f).fact.failed > 0);
    look(f);
    assert_int_equal(facts(f).fact.failed, 0);
}

static void test_garbage(void **state)
{
    struct fixture *f = *state;
    fake_put("host.list", "garbage");
    host_look(f->host);
    look_wait(f);
    assert_string_equal(facts(f).fact.error, "eyrie-host was killed: what it says is not JSON");
}

static void test_console(void **state)
{
    struct fixture *f = *state;
    fake_put("host.destroy", "\"ok\":true,\"gone\":false}\n"
                             "{\"event\":\"console\",\"uuid\":\"u1\",\"name\":\"v\",\"text\":\"Kernel panic | end\"}\n"
                             "{\"event\":\"console\",\"uuid\":\"u1\",\"text\":\"a\\u001bc\"}\n"
                             "{\"event\":\"console\",\"uuid\":7");
    host_destroy(f->host, "u1", NULL, NULL);
    host_shutdown(f->host, "u1", on_answer, f);
    answers_wait(f, 1);
    assert_non_null(strstr(text_get(&f->log), "console of u1 (v): Kernel panic | end\n"));
    assert_null(strstr(text_get(&f->log), "console of u1 (): a"));
}

static void test_freed_in_a_callback(void **state)
{
    struct fixture *f = *state;
    f->free_then = true;
    host_look(f->host);
    host_destroy(f->host, "u1", on_answer, f);
    look_wait(f);
    assert_null(f->host);
    assert_int_equal(f->got, 0);
}

static void test_no_program(void **state)
{
    struct fixture *f = *state;
    f->host = host_free(f->host);
    f->policy.paths.host_program = "/nonexistent/eyrie-host";
    f->host = host_new(f->loop, &f->policy, &f->policy_host,
                       &(struct host_callbacks){.looked = on_looked, .userdata = f});
    host_look(f->host);
    look_wait(f);
    assert_string_equal(facts(f).fact.error,
                        "eyrie-host cannot be started: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_lists_that_lack_different_domains_prove_neither,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_list_that_lacks_a_domain_is_asked_for_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_domain_that_is_said_to_have_ended_is_not_missed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_worker_dies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_worker_hangs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_is_late, setup, teardown),
        cmocka_unit_test_setup_teardown(test_disconnected, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_console, setup, teardown),
        cmocka_unit_test_setup_teardown(test_freed_in_a_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_program, setup, teardown),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
