#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "act/agents-private.h"
#include "base/secret.h"

struct fixture {
    char folder[64];
    char *path;
    struct loop *loop;
    struct ledger *ledger;
    struct agents *agents;
    int changed, reported;
    char events[1024];
};

static void on_changed(void *userdata)
{
    ((struct fixture *)userdata)->changed++;
}

static void on_reported(void *userdata)
{
    ((struct fixture *)userdata)->reported++;
}

static void on_event(void *userdata, const char *kind, const char *subject, const char *text)
{
    struct fixture *f = userdata;
    size_t length = strlen(f->events);
    assert_string_equal(subject, "schedd");
    (void)snprintf(f->events + length, sizeof(f->events) - length, "%s %s;", kind, text);
}

static void begin(struct fixture *f)
{
    const struct agents_callbacks callbacks = {on_changed, on_reported, on_event, f};
    struct err e;
    assert_int_equal(ledger_open(f->path, &f->ledger, &e), 0);
    assert_int_equal(agents_new(f->loop, f->ledger, &callbacks, &f->agents, &e), 0);
}

static void end(struct fixture *f)
{
    f->agents = agents_free(f->agents);
    f->ledger = ledger_close(f->ledger);
}

static int setup(void **state)
{
    struct fixture *f = mem_new(1, sizeof(*f));
    struct err e;
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/eyrie-agents-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->path = mem_printf("%s/ledger", f->folder);
    assert_int_equal(loop_new(&f->loop, &e), 0);
    begin(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    end(f);
    (void)loop_free(f->loop);
    (void)unlink(f->path);
    assert_int_equal(rmdir(f->folder), 0);
    free(f->path);
    free(f);
    return 0;
}

static const struct flock_target target = {
    .name = "schedd", .daemon = "-schedd", .file = "", .path = "agent", .tools = ""};

/* An agent that has joined; its token is the caller's (secret_free). */
static char *join(struct fixture *f)
{
    CLEANUP(secret_free_p) char *secret = NULL;
    AUTOJSON struct json_object *joined = NULL;
    struct err e;
    assert_int_equal(agents_invite(f->agents, "schedd", &secret, &e), 0);
    assert_int_equal(agents_join(f->agents, secret, &joined, &e), 0);
    assert_string_equal(json_string_or(joined, "name", ""), "schedd");
    return mem_strdup(json_string_or(joined, "token", ""));
}

static void offer(struct fixture *f, const char *mark)
{
    const struct flock_remote *remote = agents_remote(f->agents);
    struct err e;
    assert_int_equal(remote->offer(remote->userdata, &target, "KNOB", mark, mark, &e), 0);
}

static struct world_flock fill(struct fixture *f, const char *wanted)
{
    const struct flock_remote *remote = agents_remote(f->agents);
    struct world_flock w = {.wanted = wanted};
    remote->fill(remote->userdata, &target, &w);
    assert_true(w.remote);
    return w;
}

static void report(struct fixture *f, const char *token, const char *text)
{
    AUTOJSON struct json_object *o = NULL;
    struct agent *agent = agents_find(f->agents, token);
    assert_non_null(agent);
    assert_int_equal(json_parse(text, strlen(text), &o, NULL), 0);
    agents_report(f->agents, agent, o);
}

static int64_t revision_for(struct fixture *f, const char *token, int64_t have, int64_t refused)
{
    const struct agent *agent = agents_find(f->agents, token);
    AUTOJSON struct json_object *news = agents_news(f->agents, agent, token, have, refused);
    struct parcel p = {.revision = 0};
    struct err e;
    if (news)
        assert_int_equal(parcel_read(news, token, &p, &e), 0);
    return p.revision;
}

static void test_a_token_to_join_with_is_good_once(void **state)
{
    struct fixture *f = *state;
    CLEANUP(secret_free_p) char *secret = NULL, *newer = NULL;
    AUTOJSON struct json_object *joined = NULL;
    struct err e;
    assert_int_equal(agents_invite(f->agents, "schedd", &secret, &e), 0);
    assert_int_equal(agents_invite(f->agents, "schedd", &newer, &e), 0);
    assert_int_equal(agents_join(f->agents, secret, &joined, &e), -EACCES);
    assert_int_equal(agents_join(f->agents, "", &joined, &e), -EACCES);
    assert_int_equal(agents_join(f->agents, newer, &joined, &e), 0);
    assert_int_equal(agents_join(f->agents, newer, &joined, &e), -EACCES);
    assert_null(agents_find(f->agents, newer));
    assert_null(agents_find(f->agents, ""));
    assert_non_null(agents_find(f->agents, json_string_or(joined, "token", "")));
}

static void test_a_token_to_join_with_grows_old(void **state)
{
    struct fixture *f = *state;
    CLEANUP(secret_free_p) char *secret = NULL;
    struct json_object *joined = NULL;
    struct err e;
    assert_int_equal(agents_invite(f->agents, "schedd", &secret, &e), 0);
    f->agents->list[0]->invited_until = loop_now(f->loop) - 1;
    assert_int_equal(agents_join(f->agents, secret, &joined, &e), -EACCES);
    assert_non_null(strstr(e.text, "of schedd is too old"));
}

static void test_an_agent_that_joins_anew_has_another_token(void **state)
{
    struct fixture *f = *state;
    CLEANUP(secret_free_p) char *one = join(f), *two = join(f);
    assert_null(agents_find(f->agents, one));
    assert_non_null(agents_find(f->agents, two));
}

static void test_a_revision_grows_with_the_text_and_over_restarts(void **state)
{
    struct fixture *f = *state;
    CLEANUP(secret_free_p) char *token = join(f);
    assert_int_equal(revision_for(f, token, 0, 0), 0); /* nothing was offered */
    assert_string_equal(fill(f, "a").offered, "?");
    offer(f, "a");
    assert_string_equal(fill(f, "a").offered, "a");
    assert_int_equal(revision_for(f, token, 0, 0), 1);
    offer(f, "a");
    assert_int_equal(revision_for(f, token, 0, 0), 1);
    offer(f, "");
    assert_int_equal(revision_for(f, token, 1, 0), 2);
    assert_int_equal(revision_for(f, token, 2, 0), 0); /* it has that */
    assert_int_equal(revision_for(f, token, 1, 2), 0); /* it does not want that */
    end(f);
    begin(f);
    assert_string_equal(fill(f, "").offered, "?");
    assert_int_equal(revision_for(f, token, 1, 0), 0);
    offer(f, "");
    assert_int_equal(revision_for(f, token, 1, 0), 2);
    offer(f, "a");
    assert_int_equal(revision_for(f, token, 2, 0), 3);
}

static void test_what_is_not_known_is_not_said(void **state)
{
    struct fixture *f = *state;
    struct world_flock w = fill(f, "a");
    assert_non_null(strstr(w.error, "no agent has joined"));
    assert_true(w.failed > 0);
    assert_int_equal(fill(f, "").failed, 0); /* nothing is missing where nothing is wanted */
    CLEANUP(secret_free_p) char *token = join(f);
    assert_string_equal(fill(f, "a").present, "?");
    offer(f, "a");
    report(f, token, "{\"wait\": 20, \"have\": 1, \"present\": \"a\", \"believed\": \"a\"}");
    w = fill(f, "a");
    assert_string_equal(w.present, "a");
    assert_string_equal(w.believed, "a");
    assert_int_equal(w.failed, 0);
    assert_non_null(strstr(f->events, "agent-applied revision 1;"));
    f->agents->list[0]->due = loop_now(f->loop); /* the time is over */
    agents_watch(f->agents);
    w = fill(f, "a");
    assert_string_equal(w.present, "?");
    assert_string_equal(w.believed, "?");
    assert_non_null(strstr(w.error, "its agent is silent"));
    assert_non_null(strstr(f->events, "agent-silent"));
    report(f, token, "{\"have\": 1, \"present\": \"a\", \"believed\": \"a\"}");
    assert_string_equal(fill(f, "a").present, "a");
    assert_non_null(strstr(f->events, "agent-back"));
}

static void test_one_that_runs_from_cron_is_never_missed(void **state)
{
    struct fixture *f = *state;
    CLEANUP(secret_free_p) char *token = join(f);
    report(f, token, "{\"once\": true, \"present\": \"a\", \"believed\": \"a\"}");
    assert_int_equal(f->agents->list[0]->due, 0);
    agents_watch(f->agents);
    assert_string_equal(fill(f, "a").present, "a");
}

/* A report may be anything. */
static void test_a_report_is_not_trusted(void **state)
{
    struct fixture *f = *state;
    CLEANUP(secret_free_p) char *token = join(f);
    AUTOFREE char *spaces = mem_printf("%5000s", "");
    AUTOFREE char *lengthy = mem_printf("{\"error\": \"%s\"}", spaces);
    report(f, token, "{}");
    report(f, token, "{\"wait\": -7, \"have\": \"x\", \"present\": 3, \"error\": []}");
    report(f, token, "{\"wait\": 9223372036854775807}");
    assert_true(f->agents->list[0]->due < loop_now(f->loop) + 2 * USEC_PER_HOUR);
    report(f, token, "{\"error\": \"a\\nb\\u001b[31m\\u007f\"}");
    assert_string_equal(fill(f, "a").error, "a b [31m ");
    report(f, token, lengthy);
    assert_int_equal(strlen(fill(f, "a").error), 1000);
}

static void test_an_agent_that_was_removed_is_none(void **state)
{
    struct fixture *f = *state;
    CLEANUP(secret_free_p) char *token = join(f);
    struct err e;
    offer(f, "a");
    assert_int_equal(agents_remove(f->agents, "schedd", &e), 0);
    assert_null(agents_find(f->agents, token));
    offer(f, "a"); /* it may come back */
    assert_int_equal(agents_remove(f->agents, "schedd", &e), -ENOENT);
    assert_string_equal(fill(f, "").present, ""); /* and nobody keeps anything */
    end(f);
    begin(f);
    assert_null(agents_find(f->agents, token));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_token_to_join_with_is_good_once),
        TEST(test_a_token_to_join_with_grows_old),
        TEST(test_an_agent_that_joins_anew_has_another_token),
        TEST(test_a_revision_grows_with_the_text_and_over_restarts),
        TEST(test_what_is_not_known_is_not_said),
        TEST(test_one_that_runs_from_cron_is_never_missed),
        TEST(test_a_report_is_not_trusted),
        TEST(test_an_agent_that_was_removed_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
