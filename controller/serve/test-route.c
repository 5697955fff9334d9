/* What is answered to whom, without HTTP around it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/route.h"
#include "serve/sample.h"

/* A controller that notes what it was told. */
struct fake {
    bool empty;
    const char *told;
    uid_t who;
    int result;
};

static struct snapshot *fake_snapshot(void *userdata)
{
    struct fake *f = userdata;
    return f->empty ? NULL : sample_snapshot(NULL, NULL);
}

static int tell(struct fake *f, const char *what, uid_t who, struct err *e)
{
    f->told = what;
    f->who = who;
    return f->result < 0 ? err_set(e, -f->result, "the ledger cannot be written") : 0;
}

#define COMMAND(name)                                                                              \
    static int fake_##name(void *userdata, uid_t who, struct err *e)                               \
    {                                                                                              \
        return tell(userdata, #name, who, e);                                                      \
    }
COMMAND(pause)
COMMAND(resume)
COMMAND(look)
COMMAND(flock_apply)
COMMAND(flock_remove)

static const struct api_port port = {
    .snapshot = fake_snapshot,
    .pause = fake_pause,
    .resume = fake_resume,
    .look = fake_look,
    .flock_apply = fake_flock_apply,
    .flock_remove = fake_flock_remove,
};

static unsigned ask(struct fake *f, const char *method, const char *path, uid_t who)
{
    struct answer a = route_answer(
        &port, f,
        &(struct question){.method = method, .path = path, .who = who, .now = SAMPLE_NOW,
                           .traffic = &(struct traffic){.n_rows = 0}});
    assert_true(a.type || json_int_or(a.body, "version", 0) == 1);
    assert_int_equal(a.type != NULL, a.text.length > 0);
    if (a.status != 200)
        assert_non_null(json_string_or(a.body, "error", NULL));
    assert_int_equal(a.status == 405, a.allow != NULL);
    unsigned status = a.status;
    answer_done(&a);
    return status;
}

static void test_anyone_may_look(void **state)
{
    static const char *const paths[] = {"/v1/status", "/v1/vms", "/v1/plan", "/v1/groups",
                                        "/v1/hosts", "/v1/demand", "/v1/world",
                                        "/v1/explain/vm/1a2b3c4d", "/v1/explain/host/hv01",
                                        "/v1/explain/group/juno", "/healthz", "/readyz"};
    struct fake f = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        assert_int_equal(ask(&f, "GET", paths[i], 12345), 200);
    assert_int_equal(ask(&f, "HEAD", "/v1/status", 12345), 200);
}

static void test_only_admins_may_change(void **state)
{
    static const char *const commands[][2] = {
        {"/v1/pause", "pause"}, {"/v1/resume", "resume"}, {"/v1/look", "look"},
        {"/v1/flock/apply", "flock_apply"}, {"/v1/flock/remove", "flock_remove"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        struct fake f = {0};
        assert_int_equal(ask(&f, "POST", commands[i][0], 12345), 403);
        assert_int_equal(ask(&f, "POST", commands[i][0], (uid_t)-1), 403);
        assert_int_equal(ask(&f, "GET", commands[i][0], 0), 405);
        assert_null(f.told);
        assert_int_equal(ask(&f, "POST", commands[i][0], 0), 200);
        assert_string_equal(f.told, commands[i][1]);
        assert_int_equal(f.who, 0);
        f.told = NULL;
        assert_int_equal(ask(&f, "POST", commands[i][0], geteuid()), 200);
        assert_non_null(f.told);
    }
}

static void test_what_cannot_be_answered(void **state)
{
    struct fake f = {0};
    (void)state;
    assert_int_equal(ask(&f, "GET", "/", 0), 404);
    assert_int_equal(ask(&f, "GET", "/v1/statuses", 0), 404);
    assert_int_equal(ask(&f, "GET", "/v1/explain/vm/", 0), 404);
    assert_int_equal(ask(&f, "GET", "/v1/explain/vm/zebra", 0), 404);
    assert_int_equal(ask(&f, "GET", "/v1/explain/host/", 0), 404);
    assert_int_equal(ask(&f, "GET", "/v1/explain/host/zebra", 0), 404);
    assert_int_equal(ask(&f, "GET", "/v1/explain/group/zebra", 0), 404);
    assert_int_equal(ask(&f, "GET", "/v1/explain/zebra/juno", 0), 404);
    assert_int_equal(ask(&f, "GET", "/v1/explain/vm/1a2b", 0), 409);
    assert_int_equal(ask(&f, "DELETE", "/v1/status", 0), 405);
    assert_int_equal(ask(&f, "POST", "/v1/status", 0), 405);
    f.result = -EIO;
    assert_int_equal(ask(&f, "POST", "/v1/pause", 0), 500);
    f.result = -EBUSY;
    assert_int_equal(ask(&f, "POST", "/v1/pause", 0), 503);
}

static void test_before_the_first_step(void **state)
{
    struct fake f = {.empty = true};
    (void)state;
    assert_int_equal(ask(&f, "GET", "/v1/status", 0), 503);
    assert_int_equal(ask(&f, "GET", "/v1/explain/vm/x", 0), 503);
    assert_int_equal(ask(&f, "GET", "/readyz", 0), 503);
    assert_int_equal(ask(&f, "GET", "/healthz", 0), 200);
    assert_int_equal(ask(&f, "GET", "/nothing", 0), 404);
    assert_int_equal(ask(&f, "POST", "/v1/pause", 0), 200);
}

static void test_not_ready_when_steps_have_stopped(void **state)
{
    struct fake f = {0};
    (void)state;
    struct answer a = route_answer(&port, &f,
                                   &(struct question){.method = "GET",
                                                      .path = "/readyz",
                                                      .now = SAMPLE_NOW + USEC_PER_HOUR});
    assert_int_equal(a.status, 503);
    assert_string_equal(json_string_or(a.body, "error", ""),
                        "not ready: step: the last one was 1h1s ago");
    answer_done(&a);
}

static void test_the_table_is_in_order_and_each_route_is_answered(void **state)
{
    (void)state;
    const char *last = "/";
    for (size_t i = 0; route_name(i); i++) {
        struct fake f = {0};
        const char *name = route_name(i), *path = strchr(name, ' ') + 1;
        AUTOFREE char *method = mem_printf("%.*s", (int)(path - 1 - name), name);
        assert_true(strcmp(last, path) < 0);
        last = path;
        if (strstr(path, "/vm/{"))
            path = "/v1/explain/vm/1a2b3c4d";
        else if (strstr(path, "/host/{"))
            path = "/v1/explain/host/hv01";
        else if (strstr(path, "/group/{"))
            path = "/v1/explain/group/juno";
        assert_int_equal(ask(&f, method, path, 0), 200);
    }
}

static void test_what_the_client_cannot_read_is_not_sent(void **state)
{
    static const struct {
        const char *path, *accept;
        unsigned status;
    } asked[] = {
        {"/v1/vms", "text/html, application/json;q=0.9", 200},
        {"/v1/vms", "text/html", 406},
        {"/v1/vms", "*/*, application/json;q=0", 406},
        {"/metrics", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
         200},
        {"/metrics", "application/json", 406},
        {"/metrics", "", 200},
    };
    struct fake f = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
        const struct question q = {.method = "GET", .path = asked[i].path, .now = SAMPLE_NOW,
                                   .accept = asked[i].accept,
                                   .traffic = &(struct traffic){.n_rows = 0}};
        struct answer a = route_answer(&port, &f, &q);
        assert_int_equal(a.status, asked[i].status);
        assert_int_equal(route_is_shared(&q), asked[i].status == 200);
        answer_done(&a);
    }
}

static void test_parameters_that_are_not_known_are_refused(void **state)
{
    struct fake f = {0};
    (void)state;
    struct answer a = route_answer(
        &port, &f,
        &(struct question){.method = "GET", .path = "/v1/vms", .now = SAMPLE_NOW,
                           .parameters = &(struct parameter){"grop", "juno"}, .n_parameters = 1});
    assert_int_equal(a.status, 400);
    assert_string_equal(json_string_or(a.body, "error", ""),
                        "\"grop\" is no parameter of GET /v1/vms");
    answer_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anyone_may_look),
        cmocka_unit_test(test_only_admins_may_change),
        cmocka_unit_test(test_what_cannot_be_answered),
        cmocka_unit_test(test_before_the_first_step),
        cmocka_unit_test(test_the_table_is_in_order_and_each_route_is_answered),
        cmocka_unit_test(test_what_the_client_cannot_read_is_not_sent),
        cmocka_unit_test(test_parameters_that_are_not_known_are_refused),
        cmocka_unit_test(test_not_ready_when_steps_have_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
