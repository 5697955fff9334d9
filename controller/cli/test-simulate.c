/* eyrie simulate: its report, as a table and as JSON, and what keeps it from being made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/said.h"
#include "sim/fault.h"

#define PLAIN POLICIES "/plain.yaml"
#define RUN "simulate -c " PLAIN " --synthetic jobs=20"

static struct json_object *parse(const struct said *said)
{
    struct json_object *view = NULL;
    assert_int_equal(json_parse(said->out, strlen(said->out), &view, NULL), 0);
    return view;
}

static void a_report_says_what_became_of_the_jobs(void **state)
{
    (void)state;
    SAID table = eyrie(RUN);
    assert_int_equal(table.code, CLI_OK);
    assert_string_equal(table.err, "");
    assert_says(table.out, "20 of 20 done");
    assert_says(table.out, "0 violations");
    assert_says(table.out, "GROUP");
    assert_says(table.out, "lhaaso");

    SAID json = eyrie(RUN " -o json");
    AUTOJSON struct json_object *view = parse(&json);
    assert_int_equal(json.code, CLI_OK);
    assert_int_equal(json_int_or(view, "version", 0), 1);
    assert_int_equal(json_int_or(view, "jobs_done", 0), 20);
    assert_int_equal(json_int_or(view, "violations", -1), 0);
    assert_int_equal(json_object_array_length(json_array_or_null(view, "groups")), 2);
    assert_true(json_double_or(view, "vm_hours", 0) >= json_double_or(view, "vm_hours_bound", 0));
    assert_true(json_double_or(view, "vm_hours_bound", 0) > 0);
    double use = json_double_or(view, "utilisation", 0);
    assert_true(use > 0 && use <= 1);
}

static void seed_days_and_faults_are_obeyed(void **state)
{
    (void)state;
    SAID once = eyrie(RUN " -o json --seed 7 --faults all");
    SAID again = eyrie(RUN " -o json --seed 7 --faults all");
    SAID other = eyrie(RUN " -o json --seed 8 --faults all");
    assert_string_equal(once.out, again.out);
    assert_string_not_equal(once.out, other.out);
    AUTOJSON struct json_object *view = parse(&once);
    assert_int_equal(json_int_or(view, "seed", 0), 7);
    assert_int_equal(json_int_or(view, "faults", 0), FAULT_COUNT);

    SAID few = eyrie("simulate -c " PLAIN " --synthetic rate=1/h -o json --days 1");
    AUTOJSON struct json_object *short_view = parse(&few);
    assert_int_equal(json_int_or(short_view, "simulated", 0) / USEC_PER_DAY, 1);
    assert_true(json_int_or(short_view, "jobs_done", 1000) < 100);
}

static void what_cannot_be_simulated_is_said(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says;
    } cases[] = {
        {"simulate -c " PLAIN, CLI_USAGE, "usage: eyrie simulate"},
        {"simulate -c " PLAIN " --synthetic jobs=1 --trace x", CLI_USAGE, "usage: eyrie simulate"},
        {"simulate now --synthetic jobs=1", CLI_USAGE, "usage: eyrie simulate"},
        {RUN " --seed -1", CLI_USAGE, "--seed=-1 is not a whole number from 0 to 1000000000"},
        {RUN " --days 3651", CLI_USAGE, "--days=3651 is not a whole number from 0 to 3650"},
        {RUN " --faults disk-ful", CLI_USAGE, "did you mean disk-full?"},
        {"simulate -c " PLAIN " --synthetic jobs=0", CLI_USAGE, "jobs=0 is not a number"},
        {"simulate -c " PLAIN " --trace /nonexistent/t.swf", CLI_FAILURE,
         "/nonexistent/t.swf: No such file"},
        {"simulate -c /nonexistent/e.yaml --synthetic jobs=1", CLI_CONFIGURATION,
         "/nonexistent/e.yaml"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SAID said = eyrie(cases[i].line);
        if (said.code != cases[i].code)
            fail_msg("eyrie %s: %d: %s", cases[i].line, said.code, said.err);
        assert_string_equal(said.out, "");
        assert_says(said.err, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_says_what_became_of_the_jobs),
        cmocka_unit_test(seed_days_and_faults_are_obeyed),
        cmocka_unit_test(what_cannot_be_simulated_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
