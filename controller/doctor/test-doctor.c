#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "doctor/clock.h"
#include "doctor/finding.h"
#include "doctor/knob.h"
#include "doctor/negotiators.h"
#include "doctor/version.h"

static void a_negotiator_is_admitted_by_identity_domain_or_host(void **state)
{
    static const struct {
        const char *value;
        bool admits;
    } rows[] = {
        {"condor@* condor_pool@*", true}, {"*", true},
        {"condor@vpool.lab", true},       {"condor@vpool.lab/10.0.0.1", true},
        {"cm.lab, VCM.lab", true},        {"condor@main.lab, cm.lab", false},
        {"vcm.lab.example", false},       {"", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (negotiators_admit(rows[i].value, "vpool.lab", "vcm.lab:9618") != rows[i].admits)
            fail_msg("%s", rows[i].value);
}

static void versions_are_read_from_what_tools_say(void **state)
{
    unsigned major = 7, minor = 7, patch = 7;
    (void)state;
    assert_false(version_read("condor_version: not found", &major, &minor, &patch));
    assert_false(version_read("$CondorVersion: new $", &major, &minor, &patch));
    assert_int_equal(major, 7);
    assert_true(version_read("x\n$CondorVersion: 23.9.6 2026-07-12 $\n", &major, &minor, &patch));
    assert_int_equal(major, 23);
    assert_int_equal(minor, 9);
    assert_int_equal(patch, 6);
}

static void clocks_may_differ_by_a_minute(void **state)
{
    (void)state;
    assert_false(clock_differs(1000, 1060));
    assert_false(clock_differs(1060, 1000));
    assert_true(clock_differs(1000, 1061));
    assert_true(clock_differs(4600, 1000));
}

static void the_unit_says_who_eyried_is(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    AUTOFREE char *path = mem_strdup("/tmp/test-doctor-XXXXXX");
    static const char content[] =
        "# a comment\n_CONDOR_TRUST_DOMAIN=vpool.lab\nB='x y'\n\nno name\n";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    (void)close(fd);
    AUTOFREE char *shown = mem_printf(
        "LoadState=loaded\nUser=eyrie\nEnvironment=A=1 \"C=d e\" =7 x\nEnvironmentFiles=%s "
        "(ignore_errors=yes)\nUserX=no\n",
        path);
    struct identity i = identity_read(a, shown);
    (void)unlink(path);
    assert_string_equal(i.user, "eyrie");
    assert_int_equal(i.n, 4);
    assert_string_equal(i.environment[0], "A=1");
    assert_string_equal(i.environment[1], "C=d e");
    assert_string_equal(i.environment[2], "_CONDOR_TRUST_DOMAIN=vpool.lab");
    assert_string_equal(i.environment[3], "B=x y");
    assert_string_equal(identity_property(a, shown, "LoadState"), "loaded");
    assert_string_equal(identity_property(a, shown, "Load"), "");

    i = identity_read(a, "User=root\nEnvironmentFiles=/nowhere (ignore_errors=yes)\n");
    assert_string_equal(i.user, "");
    assert_int_equal(i.n, 0);
    i = identity_read(a, "");
    assert_string_equal(i.user, "");
}

static void the_unit_and_its_drop_ins_say_what_is_handed_over(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct identity i = {0};
    (void)state;
    identity_read_secrets(
        &i, a,
        "# /lib/systemd/system/eyried.service\n[Service]\nLoadCredential=old:/old\n"
        "# LoadCredential=no:/no\nLoadCredential=on:handed-on\n"
        "# /etc/systemd/system/eyried.service.d/override.conf\n[Service]\n"
        "LoadCredential=\nLoadCredential=EYRIE:/etc/eyrie/passwords.d/EYRIE\n"
        "LoadCredential=token:/etc/eyrie/tokens.d");
    assert_int_equal(i.n_secrets, 2);
    assert_string_equal(i.secrets[0].name, "EYRIE");
    assert_string_equal(i.secrets[0].path, "/etc/eyrie/passwords.d/EYRIE");
    assert_string_equal(i.secrets[1].name, "token");
    assert_string_equal(i.secrets[1].path, "/etc/eyrie/tokens.d");
}

static void every_check_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < CHECK_COUNT; i++) {
        assert_true(doctor_checks[i].name && *doctor_checks[i].text);
        for (int k = 0; k < i; k++)
            if (doctor_checks[i].part == doctor_checks[k].part)
                assert_string_not_equal(doctor_checks[i].name, doctor_checks[k].name);
    }
}

static void the_view_counts_verdicts(void **state)
{
    static const struct finding findings[] = {
        {.part = PART_POOL, .check = "a", .subject = "", .verdict = FINDING_OK, .what = "well"},
        {.part = PART_HOSTS,
         .check = "b",
         .subject = "hv1",
         .verdict = FINDING_WRONG,
         .what = "ill",
         .why = "because",
         .mend = "do"},
    };
    AUTOJSON struct json_object *view = finding_view(findings, ARRAY_SIZE(findings));
    (void)state;
    assert_int_equal(json_int_or(view, "version", 0), 1);
    assert_int_equal(json_int_or(view, "wrong", 0), 1);
    assert_int_equal(json_int_or(view, "ok", 0), 1);
    assert_int_equal(json_int_or(view, "skipped", 7), 0);
    struct json_object *row = json_object_array_get_idx(json_array_or_null(view, "checks"), 1);
    assert_string_equal(json_string_or(row, "part", ""), "hosts");
    assert_string_equal(json_string_or(row, "subject", ""), "hv1");
    assert_string_equal(json_string_or(row, "mend", ""), "do");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_negotiator_is_admitted_by_identity_domain_or_host),
        cmocka_unit_test(versions_are_read_from_what_tools_say),
        cmocka_unit_test(clocks_may_differ_by_a_minute),
        cmocka_unit_test(the_unit_says_who_eyried_is),
        cmocka_unit_test(the_unit_and_its_drop_ins_say_what_is_handed_over),
        cmocka_unit_test(every_check_has_a_name_and_a_text),
        cmocka_unit_test(the_view_counts_verdicts),
    };
    return cmocka_run_group_tests_name("doctor/doctor", tests, NULL, NULL);
}
