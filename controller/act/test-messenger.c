/* Telling groups: what is told, again when it failed, and to whom. The programs are stand-ins. */
#include "act/messenger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "sense/fake.h"

static char path[] = "/tmp/eyrie-test-messenger-XXXXXX";

struct fixture {
    struct loop *loop;
    struct loop_timer *limit;
    struct ledger *ledger;
    struct messenger *messenger;
    struct policy policy;
    struct policy_group groups[3];
    struct text events;
    int wanted;        /* events, then stop */
    const char *mend;  /* this file is taken away at the first event */
};

static void on_event(void *userdata, const char *kind, const char *subject, const char *text)
{
    struct fixture *f = userdata;
    text_printf(&f->events, "%s %s: %s\n", kind, subject, text);
    if (f->mend)
        fake_drop(f->mend);
    f->mend = NULL;
    if (--f->wanted == 0)
        loop_quit(f->loop, 0);
}

static const struct policy *policy_of(void *userdata)
{
    struct fixture *f = userdata;
    return &f->policy;
}

static void on_limit(void *userdata)
{
    struct fixture *f = userdata;
    loop_quit(f->loop, 1);
}

static int setup(void **state)
{
    static struct fixture f;
    static char file[sizeof(path)];
    struct err e;
    f = (struct fixture){
        .groups = {{.name = "juno", .notify = {"https://hooks.example/canary-url", "/etc/secret", ""}},
                   {.name = "lhaaso", .notify = {"", "", TEST_FAKE "/tools/hook"}},
                   {.name = "cepc", .notify = {"", "", ""}}},
        .policy = {.paths.notify_program = TEST_FAKE "/tools/eyrie-notify", .n_groups = 3},
    };
    f.policy.groups = f.groups;
    fake_open();
    memcpy(file, path, sizeof(path));
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(loop_new(&f.loop, &e), 0);
    assert_int_equal(ledger_open(file, &f.ledger, &e), 0);
    (void)unlink(file); /* it stays as long as it is open */
    f.limit = loop_timer_new(f.loop, on_limit, &f);
    f.messenger = messenger_new(f.loop, f.ledger,
                                &(struct messenger_args){.pause = 20 * 1000, .policy = policy_of,
                                                         .event = on_event, .userdata = &f});
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->messenger = messenger_free(f->messenger);
    f->ledger = ledger_close(f->ledger);
    f->limit = loop_timer_free(f->limit);
    f->loop = loop_free(f->loop);
    text_done(&f->events);
    fake_close();
    assert_null(messenger_free(NULL));
    return 0;
}

static void owe(struct fixture *f, const char *group, const char *about, int64_t ways, usec at)
{
    static const char body[] = "{\"id\":\"r-1-ready-5\",\"event\":\"ready\",\"request\":\"r-1\","
                               "\"group\":\"juno\",\"user\":\"alice\",\"reason\":\"a test\","
                               "\"sentence\":\"r-1 is ready\"}";
    struct ledger_notice notice = {.group = group, .about = about, .body = body, .at = at, .owed = ways};
    struct err e;
    assert_int_equal(ledger_notices_add(f->ledger, 1, 0, &notice, 1, &e), 0);
}

/* Let so many events come. */
static void expect_events(struct fixture *f, int n, const char *wanted)
{
    f->wanted = n;
    loop_timer_set(f->limit, 20 * USEC_PER_SEC);
    messenger_wake(f->messenger);
    assert_int_equal(loop_run(f->loop), 0);
    assert_string_equal(text_get(&f->events), wanted);
    text_clear(&f->events);
}

static void count(void *userdata, const struct ledger_notice *notice)
{
    int64_t *owed = userdata;
    *owed += notice->owed;
}

static int64_t owed(struct fixture *f)
{
    struct err e;
    int64_t n = 0;
    assert_int_equal(ledger_notices(f->ledger, count, &n, &e), 0);
    return n;
}

static const char *content(const char *name)
{
    static char bytes[4096];
    FILE *file = fake_read(name);
    size_t n = fread(bytes, 1, sizeof(bytes) - 1, file);
    bytes[n] = '\0';
    (void)fclose(file);
    return bytes;
}

static void a_webhook_gets_the_body_and_argv_no_secret(void **state)
{
    struct fixture *f = *state;
    owe(f, "juno", "r-1 ready", MESSENGER_POST, loop_now(f->loop));
    expect_events(f, 1, "notified r-1 ready: webhook of juno\n");
    assert_string_equal(content("log"), "eyrie-notify \n");
    assert_non_null(strstr(content("eyrie-notify.in"), "\"url\": \"https:\\/\\/hooks.example\\/canary-url\""));
    assert_non_null(strstr(content("eyrie-notify.in"), "\"secret_file\": \"\\/etc\\/secret\""));
    assert_non_null(strstr(content("eyrie-notify.in"), "\"body\": \"{\\\"id\\\":\\\"r-1-ready-5\\\""));
    assert_int_equal(owed(f), 0);
}

static void a_command_gets_the_body_and_variables(void **state)
{
    struct fixture *f = *state;
    owe(f, "lhaaso", "r-1 ready", MESSENGER_RUN, loop_now(f->loop));
    expect_events(f, 1, "notified r-1 ready: command of lhaaso\n");
    assert_string_equal(content("hook.env"),
                        "EYRIE_EVENT=ready\nEYRIE_GROUP=juno\nEYRIE_ID=r-1-ready-5\n"
                        "EYRIE_REASON=a test\nEYRIE_REQUEST=r-1\nEYRIE_SENTENCE=r-1 is ready\n"
                        "EYRIE_USER=alice\n");
    assert_non_null(strstr(content("hook.in"), "{\"id\":\"r-1-ready-5\","));
    assert_int_equal(owed(f), 0);
}

static void what_failed_is_told_again_before_what_came_later(void **state)
{
    struct fixture *f = *state;
    fake_put("eyrie-notify.exit", "1");
    fake_put("eyrie-notify.err", "the server answered with status 500\n");
    f->mend = "eyrie-notify.exit";
    owe(f, "juno", "r-1 granted", MESSENGER_POST, loop_now(f->loop));
    owe(f, "juno", "r-1 ready", MESSENGER_POST, loop_now(f->loop));
    expect_events(f, 3,
                  "notify-failed r-1 granted: webhook of juno: eyrie-notify ended with status 1: "
                  "the server answered with status 500\n"
                  "notified r-1 granted: webhook of juno\nnotified r-1 ready: webhook of juno\n");
    assert_int_equal(owed(f), 0);
}

static void a_group_that_cannot_be_reached_delays_no_other(void **state)
{
    struct fixture *f = *state;
    fake_put("eyrie-notify.hang", "");
    owe(f, "juno", "r-1 granted", MESSENGER_POST, loop_now(f->loop));
    owe(f, "lhaaso", "r-2 granted", MESSENGER_RUN, loop_now(f->loop));
    owe(f, "lhaaso", "r-2 ready", MESSENGER_RUN, loop_now(f->loop));
    expect_events(f, 2, "notified r-2 granted: command of lhaaso\n"
                        "notified r-2 ready: command of lhaaso\n");
    assert_int_equal(owed(f), MESSENGER_POST); /* and stays so when eyried ends now */
}

static void after_a_day_it_is_given_up(void **state)
{
    struct fixture *f = *state;
    fake_put("eyrie-notify.exit", "1");
    owe(f, "juno", "r-1 ready", MESSENGER_POST, loop_now(f->loop) - 25 * USEC_PER_HOUR);
    expect_events(f, 1, "notify-failed r-1 ready: webhook of juno: eyrie-notify ended with status 1; "
                        "it is not tried again\n");
    assert_int_equal(owed(f), 0);
}

static void who_wants_to_hear_nothing_any_more_does_not(void **state)
{
    struct fixture *f = *state;
    owe(f, "cepc", "r-3 ready", MESSENGER_POST | MESSENGER_RUN, loop_now(f->loop));
    owe(f, "gone", "r-4 ready", MESSENGER_RUN, loop_now(f->loop));
    assert_int_equal(messenger_ways(&f->groups[0]), MESSENGER_POST);
    assert_int_equal(messenger_ways(&f->groups[1]), MESSENGER_RUN);
    assert_int_equal(messenger_ways(&f->groups[2]), 0);
    messenger_wake(f->messenger);
    assert_int_equal(owed(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_webhook_gets_the_body_and_argv_no_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(a_command_gets_the_body_and_variables, setup, teardown),
        cmocka_unit_test_setup_teardown(what_failed_is_told_again_before_what_came_later, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_group_that_cannot_be_reached_delays_no_other, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(after_a_day_it_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(who_wants_to_hear_nothing_any_more_does_not, setup, teardown),
    };
    return cmocka_run_group_tests_name("act/messenger", tests, NULL, NULL);
}
