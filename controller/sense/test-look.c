/* A look: in what order it asks, and what becomes of facts when an answer fails. The tools are
 * stand-ins (tests/functional/fake/tools). */
#include "sense/look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "sense/fake.h"

static const char queue_1[] = "[{\"JobStatus\":1,\"JobCount\":3,\"Owner\":\"alice\"}]";
static const char queue_2[] = "[{\"JobStatus\":2,\"JobCount\":5,\"Owner\":\"bob\"}]";

struct fixture {
    struct loop *loop;
    struct look *look;
    struct policy_schedd schedds[2];
    struct policy policy;
    int done;
};

static int setup(void **state)
{
    static struct fixture f;
    struct err e;
    f = (struct fixture){0};
    fake_open();
    f.schedds[0] = (struct policy_schedd){.name = "s1", .collector = "cm"};
    f.schedds[1] = (struct policy_schedd){.name = "s2", .collector = "cm"};
    f.policy = (struct policy){
        .pool = {.name = "vpool", .flag = "V", .central_manager = "vcm",
                 .tools = TEST_FAKE "/tools"},
        .schedds = f.schedds,
        .n_schedds = 2,
    };
    assert_int_equal(loop_new(&f.loop, &e), 0);
    f.look = look_new(f.loop);
    fake_put("condor_status.out",
        "[{\"EyrieUUID\":\"u\",\"Name\":\"slot1@v\",\"State\":\"Unclaimed\",\"Cpus\":2}]");
    fake_put("condor_q.s1.out", queue_1);
    fake_put("condor_q.s2.out", queue_2);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->look = look_free(f->look);
    f->loop = loop_free(f->loop);
    fake_close();
    return 0;
}

static void look_ended(void *userdata)
{
    struct fixture *f = userdata;
    f->done++;
    loop_quit(f->loop, 0);
}

static void look_once(struct fixture *f)
{
    assert_true(look_start(f->look, &f->policy, look_ended, f));
    assert_false(look_start(f->look, &f->policy, look_ended, f));
    assert_true(look_under_way(f->look));
    int before = f->done;
    assert_int_equal(loop_run(f->loop), 0);
    assert_int_equal(f->done, before + 1);
    assert_false(look_under_way(f->look));
}

static struct world world(struct fixture *f)
{
    struct world w = {0};
    look_fill(f->look, &w);
    return w;
}

static void test_before_the_first(void **state)
{
    struct fixture *f = *state;
    struct world w = world(f);
    assert_int_equal(w.n_queues, 0);
    assert_int_equal(w.pool.fact.asked, 0);
    assert_string_equal(w.pool.fact.error, "");
}

static void test_pool_first(void **state)
{
    struct fixture *f = *state;
    struct look_figures figures;
    look_once(f);
    struct world w = world(f);
    assert_int_equal(w.pool.n_startds, 1);
    assert_int_equal(w.n_queues, 2);
    assert_string_equal(w.queues[0].schedd, "s1");
    assert_int_equal(w.queues[0].shapes[0].idle, 3);
    assert_int_equal(w.queues[1].shapes[0].running, 5);
    assert_true(w.pool.fact.asked > 0 && w.pool.fact.asked <= w.queues[0].fact.asked);
    assert_int_equal(w.queues[1].fact.failed, 0);
    look_get_figures(f->look, &figures);
    assert_int_equal(figures.looks, 1);
    assert_int_equal(figures.children, 0);
    assert_int_equal(figures.queue_bytes, (int64_t)(strlen(queue_1) + strlen(queue_2)));
    FILE *log = fake_read("log");
    char line[512];
    assert_non_null(fgets(line, sizeof(line), log));
    assert_true(text_starts_with(line, "condor_status -pool vcm "));
    assert_non_null(fgets(line, sizeof(line), log));
    assert_true(text_starts_with(line, "condor_q -name s"));
    (void)fclose(log);
}

/* S8: what failed keeps its last good facts, and says so; the others go on. */
static void failing(struct fixture *f, const char *error)
{
    look_once(f);
    usec asked = world(f).queues[0].fact.asked;
    if (error) {
        fake_put("condor_q.s1.exit", "1");
        fake_put("condor_q.s1.err", "-- Failed to fetch ads from: s1\n");
        fake_put("condor_q.s1.out", "");
    } else {
        fake_put("condor_q.s1.out", "[{\"JobStatus\":1,\"JobCount\":0,\"Owner\":\"alice\"}");
        error = "the output of condor_q is not usable: the output ended in the middle of the list";
    }
    fake_put("condor_q.s2.out", "");
    look_once(f);
    struct world w = world(f);
    assert_int_equal(w.queues[0].n_shapes, 1);
    assert_int_equal(w.queues[0].shapes[0].idle, 3);
    assert_int_equal(w.queues[0].fact.asked, asked);
    assert_true(w.queues[0].fact.failed >= asked);
    assert_string_equal(w.queues[0].fact.error, error);
    assert_int_equal(w.queues[1].n_shapes, 0); /* really empty */
    assert_int_equal(w.queues[1].fact.failed, 0);
    fake_drop("condor_q.s1.exit");
    fake_put("condor_q.s1.out", "");
    look_once(f);
    w = world(f);
    assert_int_equal(w.queues[0].n_shapes, 0);
    assert_int_equal(w.queues[0].fact.failed, 0);
    assert_string_equal(w.queues[0].fact.error, "");
    assert_true(w.queues[0].fact.asked > asked);
}

static void test_a_tool_fails(void **state)
{
    failing(*state, "condor_q ended with status 1: -- Failed to fetch ads from: s1");
}

static void test_an_answer_is_cut(void **state)
{
    failing(*state, NULL);
}

static void test_policy_changes(void **state)
{
    struct fixture *f = *state;
    look_once(f);
    /* s2 leaves, and s1 is asked for another flag: nothing is known of that */
    f->policy.n_schedds = 1;
    f->policy.pool.flag = "W";
    assert_true(look_start(f->look, &f->policy, look_ended, f));
    assert_int_equal(world(f).queues[1].shapes[0].running, 5); /* until it ends */
    fake_put("condor_q.s1.exit", "1");
    assert_int_equal(loop_run(f->loop), 0);
    struct world w = world(f);
    assert_int_equal(w.n_queues, 1);
    assert_int_equal(w.queues[0].n_shapes, 0);
    assert_int_equal(w.queues[0].fact.asked, 0);
    assert_true(w.queues[0].fact.failed > 0);
}

/* Another policy has taken its place, and the one that the look was begun with is gone. */
static void test_the_policy_goes_under_way(void **state)
{
    struct fixture *f = *state;
    char names[2][8] = {"s1", "s2"}, collector[] = "cm", central_manager[] = "vcm";
    for (size_t i = 0; i < 2; i++) {
        f->schedds[i].name = names[i];
        f->schedds[i].collector = collector;
    }
    f->policy.pool.central_manager = central_manager;
    assert_true(look_start(f->look, &f->policy, look_ended, f));
    memset(names, 'x', sizeof(names));
    memset(collector, 'x', sizeof(collector));
    memset(central_manager, 'x', sizeof(central_manager));
    memset(&f->policy, 'x', sizeof(f->policy));
    assert_int_equal(loop_run(f->loop), 0);
    struct world w = world(f);
    assert_int_equal(w.n_queues, 2);
    assert_string_equal(w.queues[1].schedd, "s2");
    assert_int_equal(w.queues[1].shapes[0].running, 5);
    assert_int_equal(w.pool.n_startds, 1);
}

static void test_freed_under_way(void **state)
{
    struct fixture *f = *state;
    fake_put("condor_status.hang", "");
    assert_true(look_start(f->look, &f->policy, look_ended, f));
    f->look = look_free(f->look);
    assert_null(look_free(NULL));
    assert_int_equal(f->done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_before_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pool_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_tool_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_answer_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_policy_goes_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_freed_under_way, setup, teardown),
    };
    return cmocka_run_group_tests_name("look", tests, NULL, NULL);
}
