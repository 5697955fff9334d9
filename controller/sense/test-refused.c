/* Jobs that a VM refused: when a schedd is asked for them, and what it says. The tools are stand-ins
 * (tests/functional/fake/tools). */
#include "sense/refused.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "sense/fake.h"

static const char two[] =
    "[{\"ClusterId\":12,\"ProcId\":3,\"Owner\":\"alice\",\"AcctGroup\":\"juno\",\"HoldReason\":\"no\\u0001\"},"
    "{\"ClusterId\":12,\"ProcId\":4,\"Owner\":\"alice\",\"HoldReason\":\"never\"}]";

static const struct policy_schedd schedds[] = {{.name = "s1", .collector = "cm"}};
static const struct policy policy = {
    .pool = {.name = "vpool", .flag = "V", .tools = TEST_FAKE "/tools"},
    .schedds = schedds,
    .n_schedds = 1,
};

struct fixture {
    struct loop *loop;
    struct refused *refused;
    struct text said;
};

static void found(void *userdata, const struct refused_job *job)
{
    struct fixture *f = userdata;
    text_printf(&f->said, "%s %d.%d of %s/%s: %s\n", job->schedd, (int)job->cluster, (int)job->proc,
                job->owner, job->group, job->reason);
}

static void answered(void *userdata)
{
    struct fixture *f = userdata;
    loop_quit(f->loop, 0);
}

static int setup(void **state)
{
    static struct fixture f;
    struct err e;
    f = (struct fixture){0};
    fake_open();
    assert_int_equal(loop_new(&f.loop, &e), 0);
    f.refused = refused_new(f.loop, &(struct refused_callbacks){found, answered, &f});
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->refused = refused_free(f->refused);
    f->loop = loop_free(f->loop);
    text_done(&f->said);
    fake_close();
    return 0;
}

static size_t questions(void)
{
    FILE *log = fake_read("log");
    size_t n = 0;
    for (int c; (c = fgetc(log)) != EOF;)
        n += c == '\n';
    (void)fclose(log);
    return n;
}

static void look(struct fixture *f, int64_t held)
{
    const struct world_shape shapes[] = {{.held = held}};
    const struct world_queue queue = {.schedd = "s1", .shapes = shapes, .n_shapes = 1};
    refused_look(f->refused, &policy, &queue, 1);
}

static void test_a_schedd_is_asked_when_its_held_jobs_are_others(void **state)
{
    struct fixture *f = *state;
    fake_put("condor_q.s1.out", two);
    look(f, 0); /* nothing is on hold: nobody is asked */
    look(f, 3);
    assert_int_equal(loop_run(f->loop), 0);
    assert_string_equal(text_get(&f->said), "s1 12.3 of alice/juno: no?\ns1 12.4 of alice/: never\n");
    assert_int_equal(refused_count(f->refused), 2);
    look(f, 3);
    assert_int_equal(questions(), 1);
    fake_put("condor_q.s1.out", "");
    look(f, 1);
    assert_int_equal(loop_run(f->loop), 0);
    assert_int_equal(questions(), 2);
    assert_int_equal(refused_count(f->refused), 0);
}

static void test_a_question_without_an_answer_is_asked_again(void **state)
{
    struct fixture *f = *state;
    fake_put("condor_q.s1.out", "[{");
    look(f, 1);
    assert_int_equal(loop_run(f->loop), 0);
    fake_put("condor_q.s1.out", two);
    assert_int_equal(refused_count(f->refused), 0);
    assert_string_equal(text_get(&f->said), "");
    look(f, 1);
    assert_int_equal(loop_run(f->loop), 0);
    assert_int_equal(refused_count(f->refused), 2);
}

static void test_the_schedd_looks_for_our_sentence_of_a_hook(void **state)
{
    struct fixture *f = *state;
    char line[1000] = "";
    fake_put("condor_q.s1.out", "");
    look(f, 1);
    assert_int_equal(loop_run(f->loop), 0);
    FILE *log = fake_read("log");
    assert_non_null(fgets(line, sizeof(line), log));
    (void)fclose(log);
    assert_non_null(strstr(line, "-allusers"));
    assert_non_null(strstr(line, "V =?= true && JobStatus == 5 && HoldReasonCode =?= 19 && "
                                 "regexp(\"the virtual pool vpool refuses this job: \", HoldReason)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_schedd_is_asked_when_its_held_jobs_are_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_question_without_an_answer_is_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_schedd_looks_for_our_sentence_of_a_hook, setup, teardown),
    };
    return cmocka_run_group_tests_name("sense/refused", tests, NULL, NULL);
}
