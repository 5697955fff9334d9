/* Knobs, plain fragments, and what a daemon believes of one. */
#include "act/belief.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* As condor_config_val -name … -schedd -verbose said it (23.9.6). */
static const char verbose[] = " # the remote HTCondor version does not support -raw or -verbose\n"
                              "FLOCK_BY_DEFAULT = true\n"
                              " # at: <Default>\n"
                              " # raw: FLOCK_BY_DEFAULT = true\n"
                              " # default: true\n"
                              "\n"
                              "LOCAL_CONFIG_DIR = /etc/condor/config.d,/run/lab\n"
                              " # at: /etc/condor/config.d/20-lab-schedd.conf, line 7\n"
                              " # raw: LOCAL_CONFIG_DIR = /etc/condor/config.d,/run/lab\n"
                              "\n"
                              "EMPTY = \n"
                              " # at: /etc/x, line 1, use SECURITY:recommended_v9_0+12\n"
                              "COLLECTOR_REQUIREMENTS = MyType =!= \"Machine\"\n";

static void what_a_daemon_says_of_its_knobs_is_read(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    (void)state;
    struct knobs k = knobs_parse(a, verbose, "Not defined: FLOCK_TO\nNot defined: X\n");
    assert_int_equal(k.n, 6);
    assert_string_equal(knobs_find(&k, "flock_by_default")->value, "true");
    assert_string_equal(knobs_find(&k, "FLOCK_BY_DEFAULT")->at, "<Default>");
    assert_string_equal(knobs_find(&k, "LOCAL_CONFIG_DIR")->value, "/etc/condor/config.d,/run/lab");
    assert_string_equal(knobs_find(&k, "LOCAL_CONFIG_DIR")->at,
                        "/etc/condor/config.d/20-lab-schedd.conf, line 7");
    assert_string_equal(knobs_find(&k, "EMPTY")->value, "");
    assert_string_equal(knobs_find(&k, "COLLECTOR_REQUIREMENTS")->value, "MyType =!= \"Machine\"");
    assert_string_equal(knobs_find(&k, "COLLECTOR_REQUIREMENTS")->at, "");
    assert_null(knobs_find(&k, "FLOCK_TO")->value);
    assert_null(knobs_find(&k, "NOBODY"));
    assert_int_equal(knobs_parse(a, "", "").n, 0);
    assert_int_equal(knobs_parse(a, "Can't find address for this schedd\n", "").n, 0);
}

static void a_rule_knows_words_lists_and_numbers(void **state)
{
    static const struct {
        enum knob_test test;
        const char *wanted;
        const char *value;
        bool kept;
    } rows[] = {
        {KNOB_IS, "false", "False", true},
        {KNOB_IS, "false", "0", true},
        {KNOB_IS, "false", "true", false},
        {KNOB_IS, "vpool.lab", "main.lab", false},
        {KNOB_HAS, "vcm:9618", "a, VCM:9618", true},
        {KNOB_HAS, "vcm:9618", "a vcm:9618\tb", true},
        {KNOB_HAS, "vcm:9618", "vcm:96180", false},
        {KNOB_HAS, "vcm:9618", "", false},
        {KNOB_CONTAINS, "EyrieUUID", "x == strcat(eyrieuuid)", true},
        {KNOB_CONTAINS, "EyrieUUID", "true", false},
        {KNOB_AT_LEAST, "1", "0", false},
        {KNOB_AT_LEAST, "1", "1", true},
        {KNOB_AT_LEAST, "86400", "365 * 24 * 3600", true},
        {KNOB_AT_MOST, "300", "301", false},
        {KNOB_AT_MOST, "300", "300", true},
        {KNOB_AT_MOST, "300", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct knob_rule rule = {.name = "X", .test = rows[i].test};
        if (knob_keeps(&rule, rows[i].wanted, rows[i].value) != rows[i].kept)
            fail_msg("row %zu: %s with %s", i, rows[i].wanted, rows[i].value);
    }
    assert_true(knob_keeps(&(struct knob_rule){.unset_is_well = true}, "1", NULL));
}

static void what_a_fragment_says_plainly_is_read(void **state)
{
    static const struct knob_rule wanted[] = {
        {.name = "FLOCK_TO", .test = KNOB_HAS, .wanted = "vcm:9618"},
        {.name = "NAMES", .test = KNOB_HAS, .wanted = "one"},
        {.name = "NAMES", .test = KNOB_HAS, .wanted = "two"},
        {.name = "LEVEL", .test = KNOB_IS, .wanted = "1"},
        {.name = "EMPTY", .test = KNOB_IS, .wanted = ""},
        {.name = "RULE_x", .test = KNOB_IS, .wanted = "A =!= true || B =?= \"x\""},
        {.name = "MAX", .test = KNOB_IS, .wanted = "4"},
        {.name = "LAST", .test = KNOB_IS, .wanted = "z"},
    };
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    (void)state;
    struct plain p = plain_read(a, "# A = 1\n"
                                   "if ! defined REVISION\n"
                                   "\tFLOCK_TO = vcm:9618, $(FLOCK_TO)\n"
                                   "\tNAMES = $(NAMES) one two\n"
                                   "endif\n"
                                   "LEVEL = 1 \n"
                                   "EMPTY =\n"
                                   "OTHER = $(LEVEL)\n"
                                   "ADMITS = ($(ADMITS:true)) && x\n"
                                   "JOB_TRANSFORM_x @=end\n"
                                   "\tREQUIREMENTS Flag\n"
                                   "\tA = 1\n"
                                   "@end\n"
                                   "RULE_x = A =!= true || B =?= \"x\"\n"
                                   "if true\n"
                                   "\tMAX = 4\n"
                                   "endif\n"
                                   "if false\n"
                                   "\tLONG = 4\n"
                                   "endif\n"
                                   "LAST = z");
    assert_int_equal(p.n, ARRAY_SIZE(wanted));
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        assert_string_equal(p.rules[i].name, wanted[i].name);
        assert_int_equal(p.rules[i].test, wanted[i].test);
        assert_string_equal(p.rules[i].wanted, wanted[i].wanted);
    }
    assert_int_equal(plain_read(a, "").n, 0);
}

static const char fragment[] = "FLOCK_TO = $(FLOCK_TO), vcm\n"
                               "EYRIE_REVISION_vpool = abc\n"
                               "FLOCK_BY_DEFAULT = false\n";

static struct belief believe(struct arena *a, const char *output, const char *messages)
{
    const struct child_result r = {.end = CHILD_EXITED, .code = 1, .error = "status 1",
                                   .output = output, .messages = messages};
    const struct plain plain = plain_read(a, fragment);
    struct belief belief;
    struct err e;
    assert_int_equal(belief_read(a, &plain, "EYRIE_REVISION_vpool", "/d/60.conf", &r, &belief, &e), 0);
    return belief;
}

static void a_daemon_that_goes_by_the_fragment_differs_in_nothing(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    (void)state;
    struct belief belief = believe(a, "FLOCK_TO = other, vcm\n # at: /d/60.conf, line 1\n"
                                      "EYRIE_REVISION_vpool = abc\n # at: /d/60.conf, line 2\n"
                                      "FLOCK_BY_DEFAULT = false\n # at: /d/60.conf, line 3\n", "");
    assert_string_equal(belief.revision, "abc");
    assert_int_equal(belief.n, 0);
}

static void what_overrides_the_fragment_is_named(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    (void)state;
    struct belief belief = believe(a, "FLOCK_TO = vcm\n # at: /d/60.conf, line 1\n"
                                      "EYRIE_REVISION_vpool = abc\n # at: /d/60.conf, line 2\n"
                                      "FLOCK_BY_DEFAULT = true\n # at: /d/99.conf, line 7\n", "");
    assert_int_equal(belief.n, 1);
    assert_string_equal(belief.rows[0].text, "FLOCK_BY_DEFAULT is \"true\" by /d/99.conf, line 7, and "
                                             "not by the fragment: it should be \"false\"");
}

static void of_a_fragment_that_was_not_read_one_difference_is_told(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    (void)state;
    struct belief belief = believe(a, "FLOCK_BY_DEFAULT = true\n # at: <Default>\n",
                                   "Not defined: FLOCK_TO\nNot defined: EYRIE_REVISION_vpool\n");
    assert_string_equal(belief.revision, "");
    assert_int_equal(belief.n, 1);
    assert_string_equal(belief.rows[0].name, "EYRIE_REVISION_vpool");
}

static void a_daemon_that_tells_nothing_is_an_error(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const struct plain plain = plain_read(a, fragment);
    const struct child_result r = {.end = CHILD_EXITED, .code = 1, .error = "no such schedd",
                                   .output = "", .messages = ""};
    struct belief belief;
    struct err e;
    (void)state;
    assert_int_equal(belief_read(a, &plain, "EYRIE_REVISION_vpool", "/d/60.conf", &r, &belief, &e), -EIO);
    assert_string_equal(e.text, "the daemon does not tell what it goes by: no such schedd");
}

static void a_knob_is_asked_for_once(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const struct plain plain = plain_read(a, "A = $(A) b c\nD = 1\n");
    const char *const *argv = belief_argv(a, "-schedd", &plain);
    const char *const wanted[] = {"condor_config_val", "-schedd", "-verbose", "A", "D"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        assert_string_equal(argv[i], wanted[i]);
    assert_null(argv[ARRAY_SIZE(wanted)]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_daemon_says_of_its_knobs_is_read),
        cmocka_unit_test(a_rule_knows_words_lists_and_numbers),
        cmocka_unit_test(what_a_fragment_says_plainly_is_read),
        cmocka_unit_test(a_daemon_that_goes_by_the_fragment_differs_in_nothing),
        cmocka_unit_test(what_overrides_the_fragment_is_named),
        cmocka_unit_test(of_a_fragment_that_was_not_read_one_difference_is_told),
        cmocka_unit_test(a_daemon_that_tells_nothing_is_an_error),
        cmocka_unit_test(a_knob_is_asked_for_once),
    };
    return cmocka_run_group_tests_name("act/belief", tests, NULL, NULL);
}
