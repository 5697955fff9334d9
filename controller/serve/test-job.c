/* `explain job`: who is asked, and what is said of the job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/route.h"
#include "serve/sample.h"

/* A schedd that tells when the test wants it to, and where the answer ended up. */
struct stage {
    struct job_query *query;
    struct waiting *waiting;
    unsigned status;
    struct text said;
};

static struct snapshot *port_snapshot(void *userdata)
{
    (void)userdata;
    return sample_snapshot(NULL, NULL);
}

static struct job_query *port_ask_job(void *userdata, const char *schedd, int64_t cluster,
                                      int64_t proc, job_told told, void *told_userdata,
                                      struct err *e)
{
    struct stage *stage = userdata;
    stage->query = sample_ask_job(NULL, schedd, cluster, proc, told, told_userdata, e);
    return stage->query;
}

static const struct api_port port = {
    .snapshot = port_snapshot,
    .ask_job = port_ask_job,
    .forget_job = sample_forget_job,
};

static usec later_now(void *userdata)
{
    (void)userdata;
    return SAMPLE_NOW;
}

static void take(struct stage *stage, struct answer *answer)
{
    struct json_object *why = json_array_or_null(answer->body, "why");
    stage->status = answer->status;
    text_clear(&stage->said);
    text_add(&stage->said,
             json_string_or(answer->body, answer->status == 200 ? "text" : "error", ""));
    for (size_t i = 0; why && i < json_object_array_length(why); i++)
        text_printf(&stage->said, "\n%s",
                    json_object_get_string(json_object_array_get_idx(why, i)));
    answer_done(answer);
}

static void later_ready(void *userdata, struct answer *answer)
{
    struct stage *stage = userdata;
    take(stage, answer);
    stage->waiting = waiting_free(stage->waiting);
}

/* Ask for @id; the status, 0 when it takes a while. */
static unsigned begin(struct stage *stage, const char *id, const char *schedd)
{
    AUTOFREE char *path = mem_printf("/v1/explain/job/%s", id);
    const struct parameter parameter = {"schedd", schedd};
    struct answer a = route_answer(&port, stage,
                                   &(struct question){.method = "GET",
                                                      .path = path,
                                                      .parameters = &parameter,
                                                      .n_parameters = schedd ? 1 : 0,
                                                      .now = SAMPLE_NOW,
                                                      .later = {later_now, later_ready, stage}});
    stage->waiting = a.waiting;
    if (a.waiting) {
        assert_int_equal(a.status, 0);
        return 0;
    }
    take(stage, &a);
    return stage->status;
}

static void expect(struct stage *stage, const char *wanted)
{
    assert_int_equal(begin(stage, "12.3", NULL), 0);
    sample_tell(stage->query);
    assert_int_equal(stage->status, 200);
    assert_null(stage->waiting);
    assert_string_equal(text_get(&stage->said), wanted);
}

static void the_fate_of_an_idle_job_is_that_of_its_shape(void **state)
{
    struct stage stage = {0};
    const struct world_job before = sample_job;
    (void)state;
    expect(&stage,
           "waits, as some like it do: juno uses 8 cpus and its max is 8 "
           "(conf.d/juno.yaml:31)\n9 idle jobs of alice (juno) want 1 cpu, 1GiB: 1 fit into "
           "VMs that are up, 2 wait for VMs being started, 6 are over group juno's max of "
           "8 cpus (conf.d/juno.yaml:31)");
    sample_job.shape.owner = "eve";
    sample_job.shape.group = "";
    sample_job.shape.cpus = 2;
    expect(&stage, "waits: 50 jobs of eve name no accounting group\n50 idle jobs of eve (no group) "
                   "want 2 cpus, 1GiB: 50 name no accounting group");
    sample_job.shape.cpus = 3;
    expect(&stage,
           "is idle, and eyried's last look at the queue did not see it yet: ask again in a "
           "moment");
    sample_job = before;
    text_done(&stage.said);
}

static void what_is_not_idle_is_told(void **state)
{
    struct stage stage = {0};
    const struct world_job before = sample_job;
    (void)state;
    sample_job.flagged = false;
    expect(&stage, "does not ask for the virtual pool: its attribute VirtualPool is not true");
    sample_job.flagged = true;
    sample_job.flocks = false;
    expect(&stage,
           "cannot reach the virtual pool: it was submitted while the flocking configuration "
           "was not there; submit it again");
    sample_job.status = WORLD_JOB_HELD;
    sample_job.hold_reason = "out of disk";
    expect(&stage, "is held: out of disk\na held job asks for no VM; condor_release lets it go on");
    sample_job.status = WORLD_JOB_RUNNING;
    sample_job.remote_host = "slot1_2@vpool-small-1a2b3c4d.lab";
    expect(&stage, "runs in the VM vpool-small-1a2b3c4d on host hv01");
    sample_job.remote_host = "slot1@worker.lab";
    expect(&stage, "runs on slot1@worker.lab, which is no VM of this pool");
    sample_job.status = WORLD_JOB_REMOVING;
    expect(&stage, "is being removed");
    sample_job.status = 99;
    expect(&stage, "has the JobStatus 99, which eyried does not know");
    sample_job = before;
    text_done(&stage.said);
}

static void what_the_schedd_does_not_tell_is_refused(void **state)
{
    struct stage stage = {0};
    (void)state;
    assert_int_equal(begin(&stage, "404.0", NULL), 0);
    sample_tell(stage.query);
    assert_int_equal(stage.status, 404);
    assert_non_null(strstr(text_get(&stage.said), "condor_history -name schedd.lab 404.0"));
    assert_int_equal(begin(&stage, "500.0", NULL), 0);
    sample_tell(stage.query);
    assert_int_equal(stage.status, 502);
    assert_string_equal(text_get(&stage.said), "schedd.lab does not tell: connection refused");
    assert_int_equal(begin(&stage, "12.9", NULL), 503);
    text_done(&stage.said);
}

static void jobs_are_named_as_condor_does(void **state)
{
    static const struct {
        const char *id;
        const char *schedd;
        unsigned status;
    } cases[] = {
        {"12.3", NULL, 0},
        {"12.3", "schedd.lab", 0},
        {"schedd.lab#12.3", NULL, 0},
        {"schedd.lab#12.3#1700000000", NULL, 0},
        {"schedd.lab#12.3", "schedd.lab", 0},
        {"schedd.lab#12.3", "other.lab", 400},
        {"schedd.lib#12.3", NULL, 404},
        {"12.3", "schedd.lib", 404},
        {"12", NULL, 400},
        {"12.", NULL, 400},
        {".3", NULL, 400},
        {"12.3x", NULL, 400},
        {"-1.3", NULL, 400},
        {"12.-3", NULL, 400},
        {"99999999999.0", NULL, 400},
        {"schedd.lab#", NULL, 400},
        {"#12.3", NULL, 404},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct stage stage = {0};
        unsigned status = begin(&stage, cases[i].id, cases[i].schedd);
        if (status != cases[i].status)
            fail_msg("%s of %s: %u", cases[i].id, cases[i].schedd ? cases[i].schedd : "-", status);
        stage.waiting = waiting_free(stage.waiting); /* given up */
        text_done(&stage.said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fate_of_an_idle_job_is_that_of_its_shape),
        cmocka_unit_test(what_is_not_idle_is_told),
        cmocka_unit_test(what_the_schedd_does_not_tell_is_refused),
        cmocka_unit_test(jobs_are_named_as_condor_does),
    };
    return cmocka_run_group_tests_name("serve/job", tests, NULL, NULL);
}
