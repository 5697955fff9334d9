/* Traces in the Standard Workload Format, whole and broken; descriptions; the same seed, the same run;
 * and runs of jobs that cannot end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/mem.h"
#include "config/config.h"
#include "sim/sim.h"
#include "sim/swf.h"
#include "sim/synthetic.h"

static struct config *config;

static const char trace[] = "; Version: 2.2\n"
                            "; a comment\n"
                            "\n"
                            "1 0 -1 60 1 -1 -1 1 120 -1 1 5 0 -1 1 1 -1 -1\n"
                            "2 5 -1 -1 1 -1 -1 1 120 -1 1 5 0 -1 1 1 -1 -1\n"
                            "3 9 -1 30 2 -1 -1 2 120 1048576 1 6 1 -1 1 1 -1 -1\n";

/* Read @bytes as a file; @packed: through gzip, cut short by @cut bytes. */
static int read_bytes(const char *bytes, size_t n, int packed, long cut, struct workload **ret,
                      struct swf_figures *figures, struct err *e)
{
    char path[] = "/tmp/eyrie-swf-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    gzFile file = gzdopen(fd, packed ? "w" : "wT");
    assert_true(n == 0 || gzwrite(file, bytes, (unsigned)n) == (int)n);
    assert_int_equal(gzclose(file), Z_OK);
    if (cut > 0) {
        FILE *f = fopen(path, "re");
        assert_non_null(f);
        assert_int_equal(fseek(f, 0, SEEK_END), 0);
        assert_int_equal(truncate(path, ftell(f) - cut), 0);
        (void)fclose(f);
    }
    int r = swf_read(path, config_policy(config), ret, figures, e);
    (void)unlink(path);
    return r;
}

static void expect_trace(int packed)
{
    CLEANUP(workload_free_p) struct workload *w = NULL;
    struct swf_figures figures;
    struct err e = {""};
    assert_int_equal(read_bytes(trace, strlen(trace), packed, 0, &w, &figures, &e), 0);
    assert_int_equal(figures.jobs, 2);
    assert_int_equal(figures.skipped, 1);
    assert_int_equal(w->n_jobs, 2);
    assert_int_equal(w->jobs[0].runtime, USEC_PER_MINUTE);
    assert_int_equal(w->jobs[1].submit, 9 * USEC_PER_SEC);
    const struct kind *k = &w->kinds[w->jobs[1].kind];
    assert_int_equal(k->cpus, 2);
    assert_int_equal(k->memory, 2 * GIB);
    assert_string_equal(k->group, "lhaaso");
}

static void test_plain(void **state)
{
    (void)state;
    expect_trace(0);
}

static void test_gzip(void **state)
{
    (void)state;
    expect_trace(1);
}

static void expect_error(const char *bytes, size_t n, int packed, long cut, const char *says)
{
    struct workload *w = NULL;
    struct swf_figures figures;
    struct err e = {""};
    assert_true(read_bytes(bytes, n, packed, cut, &w, &figures, &e) < 0);
    assert_null(w);
    if (!strstr(e.text, says))
        fail_msg("\"%s\" does not say \"%s\"", e.text, says);
}

static void test_truncated(void **state)
{
    (void)state;
    expect_error(trace, strlen(trace), 1, 12, "it ends in the middle");
    expect_error(trace, strlen(trace) - 10, 0, 0, ":6: 14 numbers; a job has 18");
}

static void test_garbage(void **state)
{
    static const char words[] = "1 0 -1 many\n";
    static const char bytes[] = "\x7f\x45\x4c\x46\x01\x02\xff\xfe";
    static const char huge[] = "1 1e300 -1 60 1 -1 -1 1 120 -1 1 5 0 -1 1 1 -1 -1\n";
    (void)state;
    expect_error(words, strlen(words), 0, 0, ":1: field 4 is no number");
    expect_error(bytes, sizeof(bytes) - 1, 0, 0, ":1: ");
    expect_error(huge, strlen(huge), 0, 0, ":1: field 2 is no number");
    expect_error("", 0, 0, 0, "no job that ran");
    AUTOFREE char *line = mem_new(10000, 1);
    memset(line, '1', 9999);
    expect_error(line, 9999, 0, 0, ":1: the line is too long");
}

static void test_description(void **state)
{
    static const struct {
        const char *spec, *says;
    } wrong[] = {
        {"jobs=0", "jobs=0 is not a number"},
        {"rate=5", "rate=5 is not a number of jobs in a time"},
        {"cpus=1:0", "cpus=1:0 is not cpus"},
        {"groups=nobody", "groups=nobody is not groups"},
        {"runtime=uniform:5m-1m", "is not exp:10m"},
        {"colour=red", "there is no \"colour\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct workload *w = NULL;
        struct err e = {""};
        assert_true(synthetic_make(wrong[i].spec, config_policy(config), 1, &w, &e) < 0);
        if (!strstr(e.text, wrong[i].says))
            fail_msg("\"%s\" does not say \"%s\"", e.text, wrong[i].says);
    }
}

/* One job, submitted at once. */
static void simulate_one(const struct policy *p, usec runtime, struct sim_result *ret)
{
    CLEANUP(workload_free_p) struct workload *w = workload_new();
    workload_add(w, 0, runtime,
                 &(struct kind){.owner = "u1", .group = p->groups[0].name, .cpus = 1, .memory = GIB});
    workload_sort(w);
    sim_run(&(struct sim_setup){.policy = p, .workload = w, .seed = 1}, ret);
}

/* Else a policy that ends VMs by force would run such a job for ever. */
static void test_job_longer_than_any_vm(void **state)
{
    struct policy p = *config_policy(config);
    struct sim_result r;
    (void)state;
    p.timing.on_drain_timeout = POLICY_DRAIN_KILL;
    simulate_one(&p, p.timing.max_age.value + p.timing.drain_within.value, &r);
    assert_int_equal(r.violations, 0);
    assert_int_equal(r.jobs_done, 0);
    assert_int_equal(r.jobs_held, 1);
    assert_int_equal(r.jobs_lost, r.vms_started);
    sim_result_done(&r);
}

static void test_job_that_never_runs(void **state)
{
    struct policy p = *config_policy(config);
    struct sim_result r;
    (void)state;
    p.limits.vms.value = 0;
    simulate_one(&p, USEC_PER_MINUTE, &r);
    assert_int_equal(r.violations, 1);
    if (!strstr(r.violation[0], "L1: 1 jobs are in the queue, and none ended for "))
        fail_msg("%s", r.violation[0]);
    assert_true(r.violation_step > 0 && r.simulated < USEC_PER_DAY);
    sim_result_done(&r);
}

static void simulate(uint64_t seed, struct sim_result *ret)
{
    CLEANUP(workload_free_p) struct workload *w = NULL;
    struct err e = {""};
    assert_int_equal(synthetic_make("jobs=60 rate=6/min runtime=exp:3m cpus=1:50,2:50",
                                    config_policy(config), seed, &w, &e), 0);
    sim_run(&(struct sim_setup){.policy = config_policy(config), .workload = w, .seed = seed,
                                .faults = FAULTS_ALL}, ret);
}

static void test_same_seed(void **state)
{
    struct sim_result a, b, c;
    (void)state;
    simulate(5, &a);
    simulate(5, &b);
    simulate(6, &c);
    assert_memory_equal(a.groups, b.groups, a.n_groups * sizeof(*a.groups));
    assert_int_equal(a.steps, b.steps);
    assert_true(a.vm_hours == b.vm_hours && a.cpu_hours == b.cpu_hours);
    assert_true(a.vm_hours != c.vm_hours);
    assert_int_equal(a.faults, FAULT_COUNT);
    sim_result_done(&a);
    sim_result_done(&b);
    sim_result_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),     cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_description), cmocka_unit_test(test_same_seed),
        cmocka_unit_test(test_job_longer_than_any_vm), cmocka_unit_test(test_job_that_never_runs),
    };
    AUTOFREE char *messages = NULL;
    if (config_load(POLICY, &config, &messages) < 0) {
        (void)fprintf(stderr, "%s", messages);
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    config = config_free(config);
    return failed;
}
