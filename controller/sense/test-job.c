/* One job, asked for by itself. The tools are stand-ins (tests/functional/fake/tools). */
#include "sense/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "sense/fake.h"

struct fixture {
    struct loop *loop;
    struct job_query *query;
    struct text said; /* what became of it, as a line */
};

static int setup(void **state)
{
    static struct fixture f;
    struct err e;
    f = (struct fixture){0};
    fake_open();
    assert_int_equal(loop_new(&f.loop, &e), 0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->query = job_query_free(f->query);
    f->loop = loop_free(f->loop);
    text_done(&f->said);
    fake_close();
    return 0;
}

static void done(void *userdata, const struct world_job *job, const char *error)
{
    struct fixture *f = userdata;
    if (error)
        text_printf(&f->said, "error: %s", error);
    else if (!job->found)
        text_add(&f->said, "not found");
    else
        text_printf(&f->said,
                    "status %d of %s/%s, %d cpus, %d MiB%s%s, in \"%s\", held \"%s\", at %d",
                    (int)job->status, job->shape.owner, job->shape.group, (int)job->shape.cpus,
                    (int)(job->shape.memory / MIB), job->flagged ? ", flagged" : "",
                    job->flocks ? ", flocks" : "", job->remote_host, job->hold_reason,
                    (int)(job->submitted / USEC_PER_SEC));
    f->query = job_query_free(f->query);
    loop_quit(f->loop, 0);
}

static void start(struct fixture *f)
{
    const struct policy_schedd schedds[] = {{.name = "s1", .collector = "cm"}};
    const struct policy policy = {
        .pool = {.name = "vpool", .flag = "V", .tools = TEST_FAKE "/tools"},
        .schedds = schedds,
        .n_schedds = 1,
    };
    text_clear(&f->said);
    f->query = job_query_new(f->loop, &policy, 0, 12, 3, done, f);
}

static void expect(struct fixture *f, const char *output, const char *wanted)
{
    fake_put("condor_q.s1.out", output);
    start(f);
    assert_int_equal(loop_run(f->loop), 0);
    assert_string_equal(text_get(&f->said), wanted);
}

static void a_job_is_told_as_the_schedd_tells_it(void **state)
{
    struct fixture *f = *state;
    expect(
        f,
        "[{\"JobStatus\":2,\"Owner\":\"alice\",\"AcctGroup\":\"juno\",\"V\":true,\"FlockTo\":"
        "\"vcm, default\",\"RequestCpus\":2,\"RequestMemory\":512,\"RemoteHost\":"
        "\"slot1_1@vm.vpool\",\"QDate\":1700000000}]",
        "status 2 of alice/juno, 2 cpus, 512 MiB, flagged, flocks, in \"slot1_1@vm.vpool\", held "
        "\"\", at 1700000000");
    expect(f,
           "[{\"JobStatus\":5,\"Owner\":\"bob\",\"HoldReason\":\"no\\u0001room\",\"V\":\"true\"}]",
           "status 5 of bob/, 1 cpus, 128 MiB, in \"\", held \"no?room\", at 0");
}

static void no_output_and_an_empty_list_are_no_job(void **state)
{
    expect(*state, "", "not found");
    expect(*state, "[\n]\n", "not found");
}

static void what_is_no_answer_is_an_error(void **state)
{
    struct fixture *f = *state;
    expect(f, "[{},{}]", "error: the output of condor_q is not usable: 2 ads instead of one");
    expect(f, "{}", "error: the output of condor_q is not usable: not a list of jobs");
    fake_put("condor_q.s1.out", "[{");
    start(f);
    assert_int_equal(loop_run(f->loop), 0);
    assert_non_null(strstr(text_get(&f->said), "error: the output of condor_q is not usable: "));
}

static void a_query_that_is_given_up_says_nothing(void **state)
{
    struct fixture *f = *state;
    fake_put("condor_q.s1.out", "[]");
    start(f);
    f->query = job_query_free(f->query);
    assert_string_equal(text_get(&f->said), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_job_is_told_as_the_schedd_tells_it, setup, teardown),
        cmocka_unit_test_setup_teardown(no_output_and_an_empty_list_are_no_job, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_answer_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_query_that_is_given_up_says_nothing, setup, teardown),
    };
    return cmocka_run_group_tests_name("sense/job", tests, NULL, NULL);
}
