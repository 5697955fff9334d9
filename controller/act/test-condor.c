/* Tokens, drains and invalidations: what the tools are asked, and what their answers mean. The
 * tools are stand-ins (tests/functional/fake/tools). */
#include "act/drain.h"
#include "act/invalidate.h"
#include "act/extend.h"
#include "act/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "sense/fake.h"

struct fixture {
    struct loop *loop;
    struct policy policy;
    struct token *token;
    struct drain *drain;
    struct invalidator *invalidator;
    int answers;
    struct extend *extend;
    struct text got;
};

static void expect_file(const char *name, const char *wanted)
{
    char content[2048] = "";
    FILE *file = fake_read(name);
    (void)!fread(content, 1, sizeof(content) - 1, file);
    (void)fclose(file);
    assert_string_equal(content, wanted);
}

static int setup(void **state)
{
    static struct fixture f;
    struct err e;
    f = (struct fixture){0};
    fake_open();
    f.policy = (struct policy){
        .pool = {.central_manager = "vcm:9618", .trust_domain = "v.lab", .signing_key = "EYRIE",
                 .tools = TEST_FAKE "/tools"},
        .timing.token_life.value = USEC_PER_DAY,
    };
    assert_int_equal(loop_new(&f.loop, &e), 0);
    f.invalidator = invalidator_new(f.loop);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->token = token_free(f->token);
    f->drain = drain_free(f->drain);
    f->invalidator = invalidator_free(f->invalidator);
    f->extend = extend_free(f->extend);
    f->loop = loop_free(f->loop);
    text_done(&f->got);
    fake_close();
    return 0;
}

static void got_token(void *userdata, const char *token, const char *error)
{
    struct fixture *f = userdata;
    text_clear(&f->got);
    text_printf(&f->got, "%s|%s", token ? token : "-", error ? error : "-");
    f->token = token_free(f->token); /* allowed here; what was given stays valid */
    if (token)
        assert_true(text_starts_with(text_get(&f->got), token));
    loop_quit(f->loop, 0);
}

static void expect_token(struct fixture *f, const char *wanted)
{
    f->token = token_create(f->loop, &f->policy, "1234-56", got_token, f);
    assert_int_equal(loop_run(f->loop), 0);
    assert_string_equal(text_get(&f->got), wanted);
}

static void test_token(void **state)
{
    struct fixture *f = *state;
    fake_put("condor_token_create.out", "eyJh.bG-c_i.OiJ\n");
    expect_token(f, "eyJh.bG-c_i.OiJ|-");
    expect_file("log", "condor_token_create -identity vm-1234-56@v.lab -authz ADVERTISE_STARTD "
                          "-authz ADVERTISE_MASTER -lifetime 86400 -key EYRIE\n");
    fake_put("condor_token_create.out", "eyJ\nCONFIG\n");
    expect_token(f, "-|condor_token_create printed something that is no token");
    fake_put("condor_token_create.out", "");
    expect_token(f, "-|condor_token_create printed something that is no token");
    fake_put("condor_token_create.out", "eyJh\n");
    fake_put("condor_token_create.err", "Failed to generate a token.\nno key\n");
    fake_put("condor_token_create.exit", "2");
    expect_token(f,
                 "-|condor_token_create ended with status 2: Failed to generate a token.; no key");
}

static void got(void *userdata, const char *error)
{
    struct fixture *f = userdata;
    text_clear(&f->got);
    text_add(&f->got, error ? error : "ok");
    f->drain = drain_free(f->drain);
    f->extend = extend_free(f->extend);
    loop_quit(f->loop, 0);
}

static void expect_drain(struct fixture *f, const char *wanted)
{
    f->drain = drain_start(f->loop, &f->policy, "slot1@vm1", "idle for 10m", got, f);
    assert_int_equal(loop_run(f->loop), 0);
    assert_string_equal(text_get(&f->got), wanted);
}

static void test_drain(void **state)
{
    struct fixture *f = *state;
    fake_put("condor_drain.out", "Sent request to drain\n");
    expect_drain(f, "ok");
    expect_file("log", "condor_drain -pool vcm:9618 -graceful -reason Eyrie: idle for 10m "
                          "slot1@vm1\n");
    fake_put("condor_drain.exit", "1");
    fake_put("condor_drain.err", "Received failure from slot1@vm1 in response to DRAIN_JOBS request: "
                               "error code 10001: Draining already in progress.\n");
    expect_drain(f, "ok");
    fake_put("condor_drain.err", "ERROR: Can't find address for startd slot1@vm1\n");
    expect_drain(f, "condor_drain ended with status 1: ERROR: Can't find address for startd "
                    "slot1@vm1");
}

static void got_invalidated(void *userdata, const char *error)
{
    struct fixture *f = userdata;
    text_printf(&f->got, "%s;", error ? error : "ok");
    if (--f->answers == 0)
        loop_quit(f->loop, 0);
}

static void expect_invalidated(struct fixture *f, const char *wanted)
{
    text_clear(&f->got);
    assert_int_equal(loop_run(f->loop), 0);
    assert_string_equal(text_get(&f->got), wanted);
    assert_false(invalidator_busy(f->invalidator));
}

static void invalidate(struct fixture *f, const char *uuid)
{
    f->answers++;
    invalidator_add(f->invalidator, &f->policy, uuid, got_invalidated, f);
}

static void test_the_ads_of_many_vms_go_in_one_call(void **state)
{
    struct fixture *f = *state;
    invalidate(f, "1234-56");
    invalidate(f, "1234-57");
    expect_invalidated(f, "ok;ok;");
    expect_file("log", "condor_advertise -pool vcm:9618 -multiple INVALIDATE_STARTD_ADS -\n"
                          "condor_advertise -pool vcm:9618 -multiple INVALIDATE_MASTER_ADS -\n");
    expect_file("condor_advertise.in",
                "MyType = \"Query\"\nTargetType = \"DaemonMaster\"\n"
                "Requirements = EyrieUUID =?= \"1234-56\"\n\n"
                "MyType = \"Query\"\nTargetType = \"DaemonMaster\"\n"
                "Requirements = EyrieUUID =?= \"1234-57\"\n\n");
    fake_put("condor_advertise.exit", "1");
    fake_put("condor_advertise.err", "failed to send classad\n");
    invalidate(f, "1234-56");
    invalidate(f, "1234-57");
    expect_invalidated(f, "condor_advertise ended with status 1: failed to send classad;"
                          "condor_advertise ended with status 1: failed to send classad;");
}

/* What comes while a call is under way waits for the next one, which begins when that has ended. */
static void got_first(void *userdata, const char *error)
{
    struct fixture *f = userdata;
    assert_true(invalidator_busy(f->invalidator));
    got_invalidated(f, error);
}

static void add_second(void *userdata)
{
    invalidate(userdata, "second");
}

static void test_ads_that_come_later_go_in_the_next_call(void **state)
{
    struct fixture *f = *state;
    struct loop_poke *later = loop_poke_new(f->loop, add_second, f);
    f->answers++;
    invalidator_add(f->invalidator, &f->policy, "first", got_first, f);
    loop_poke(later); /* after that of the invalidator, which starts the tool */
    expect_invalidated(f, "ok;ok;");
    expect_file("log", "condor_advertise -pool vcm:9618 -multiple INVALIDATE_STARTD_ADS -\n"
                       "condor_advertise -pool vcm:9618 -multiple INVALIDATE_MASTER_ADS -\n"
                       "condor_advertise -pool vcm:9618 -multiple INVALIDATE_STARTD_ADS -\n"
                       "condor_advertise -pool vcm:9618 -multiple INVALIDATE_MASTER_ADS -\n");
    (void)loop_poke_free(later);
}

static void got_and_free(void *userdata, const char *error)
{
    struct fixture *f = userdata;
    f->invalidator = invalidator_free(f->invalidator);
    loop_quit(f->loop, error != NULL);
}

static void test_who_hears_that_ads_are_gone_may_free_all(void **state)
{
    struct fixture *f = *state;
    invalidator_add(f->invalidator, &f->policy, "u", got_and_free, f);
    invalidator_add(f->invalidator, &f->policy, "v", got_invalidated, f);
    assert_int_equal(loop_run(f->loop), 0);
    assert_int_equal(f->got.length, 0);
}

static void expect_extend(struct fixture *f, const char *wanted)
{
    f->extend = extend_start(f->loop, &f->policy, "slot1@vm1", "r-17", 1700000000 * USEC_PER_SEC + 1,
                           got, f);
    assert_int_equal(loop_run(f->loop), 0);
    assert_string_equal(text_get(&f->got), wanted);
}

static void test_extend(void **state)
{
    struct fixture *f = *state;
    expect_extend(f, "ok");
    expect_file("log", "condor_advertise -pool vcm:9618 UPDATE_MASTER_AD -\n"
                       "condor_reconfig -pool vcm:9618 -daemon startd vm1\n");
    expect_file("condor_advertise.in",
                "MyType = \"DaemonMaster\"\nName = \"r-17@eyrie\"\nMachine = \"eyrie\"\n"
                "MyAddress = \"<127.0.0.1:0>\"\nEyrieRequest = \"r-17\"\n"
                "EyrieUntil = 1700000000\nClassAdLifetime = 300\n");
    fake_put("condor_reconfig.exit", "1");
    fake_put("condor_reconfig.err", "no such startd\n");
    expect_extend(f, "condor_reconfig ended with status 1: no such startd");
    fake_put("condor_advertise.exit", "1");
    expect_extend(f, "condor_advertise ended with status 1");
}

static void test_given_up(void **state)
{
    struct fixture *f = *state;
    fake_put("condor_token_create.hang", "");
    fake_put("condor_drain.hang", "");
    fake_put("condor_advertise.hang", "");
    f->token = token_create(f->loop, &f->policy, "u", got_token, f);
    f->drain = drain_start(f->loop, &f->policy, "m", "w", got, f);
    invalidator_add(f->invalidator, &f->policy, "u", got, f);
    f->extend = extend_start(f->loop, &f->policy, "m", "r-1", 0, got, f);
    assert_null(extend_free(NULL));
    assert_null(token_free(NULL));
    assert_null(drain_free(NULL));
    assert_null(invalidator_free(NULL));
} /* teardown frees them; nobody is called */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_token, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_ads_of_many_vms_go_in_one_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ads_that_come_later_go_in_the_next_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_hears_that_ads_are_gone_may_free_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extend, setup, teardown),
        cmocka_unit_test_setup_teardown(test_given_up, setup, teardown),
    };
    return cmocka_run_group_tests_name("condor", tests, NULL, NULL);
}
