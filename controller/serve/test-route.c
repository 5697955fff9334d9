/* What is answered to whom, without HTTP around it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/route.h"
#include "serve/sample.h"
#include "serve/view.h"

/* A controller that notes what it was told. */
struct fake {
    bool empty;
    const char *told;
    char order[256];
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

static int fake_allow(void *userdata, const struct asker *asker, struct err *e)
{
    (void)userdata;
    return sample_allows(asker) ? 0 : err_set(e, EPERM, "access.admins names who may");
}

static int fake_look(void *userdata, uid_t who, struct err *e)
{
    return tell(userdata, "looked", who, e);
}

static int fake_order(void *userdata, const struct order *o, struct err *e)
{
    struct fake *f = userdata;
    (void)snprintf(f->order, sizeof(f->order), "%s %s%s %s by %s", order_event(o->verb), o->subject,
                   o->now ? " now" : "", o->reason, o->user);
    return tell(f, order_event(o->verb), o->who, e);
}

static struct json_object *fake_reload(void *userdata, const char *user, bool *ret_refused)
{
    struct err e;
    assert_true(*user);
    *ret_refused = tell(userdata, "reloaded", 0, &e) < 0;
    return sample_reload(*ret_refused);
}

static const struct api_port port = {
    .snapshot = fake_snapshot,
    .allow = fake_allow,
    .look = fake_look,
    .events = sample_events,
    .ask_job = sample_ask_job,
    .forget_job = sample_forget_job,
    .order = fake_order,
    .reload = fake_reload,
    .agents = sample_agents,
    .agent_add = sample_agent_add,
    .agent_remove = sample_agent_remove,
    .requests = sample_requests,
    .book = sample_book,
};

/* What must be sent along with some questions. */
static const struct {
    const char *path, *body;
} sent[] = {
    {"/v1/requests/add", "{\"group\": \"juno\", \"vms\": 1, \"for\": \"1h\"}"},
    {"/v1/requests/extend/r-17", "{\"for\": \"+1h\"}"},
};

/* An answer that takes a while is only begun here; test-job.c has the rest. */
static unsigned ask(struct fake *f, const char *method, const char *path, uid_t who)
{
    AUTOJSON struct json_object *body = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(sent); i++)
        if (strcmp(path, sent[i].path) == 0)
            (void)json_parse(sent[i].body, strlen(sent[i].body), &body, NULL);
    struct answer a = route_answer(
        &port, f,
        &(struct question){.method = method, .path = path, .who = {.uid = who, .user = "root"}, .now = SAMPLE_NOW,
                           .body = body, .traffic = &(struct traffic){.n_rows = 0}});
    if (a.waiting) {
        assert_int_equal(a.status, 0);
        assert_null(waiting_free(a.waiting));
        return 200;
    }
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
                                        "/v1/explain/group/juno", "/healthz", "/readyz",
                                        "/v1/requests", "/v1/requests/r-9"};
    struct fake f = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        assert_int_equal(ask(&f, "GET", paths[i], 12345), 200);
    assert_int_equal(ask(&f, "HEAD", "/v1/status", 12345), 200);
}

static void test_only_admins_may_change(void **state)
{
    static const char *const commands[][2] = {
        {"/v1/pause", "paused"},
        {"/v1/reload", "reloaded"},
        {"/v1/look", "looked"},
        {"/v1/flock/remove", "flock-unwanted"},
        {"/v1/cordon/hv01", "cordoned"},
        {"/v1/drain/hv01", "drain-asked"},
        {"/v1/drain/1a2b3", "drain-asked"},
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

/* Send @json along; the answer's status, and its text. */
static unsigned order(struct fake *f, const char *path, const char *json, struct text *said)
{
    AUTOJSON struct json_object *body = NULL;
    assert_int_equal(json_parse(json, strlen(json), &body, NULL), 0);
    struct answer a = route_answer(
        &port, f, &(struct question){.method = "POST", .path = path, .body = body, .who.user = "root",
                                     .now = SAMPLE_NOW});
    unsigned status = a.status;
    text_clear(said);
    text_add(said, json_string_or(a.body, status == 200 ? "text" : "error", ""));
    answer_done(&a);
    return status;
}

static void test_orders(void **state)
{
    struct fake f = {0};
    CLEANUP(text_done) struct text said = {0};
    (void)state;
    assert_int_equal(order(&f, "/v1/drain/1a2b3", "{\"preview\": true, \"now\": true}", &said),
                     200);
    assert_non_null(strstr(text_get(&said), "its job is lost"));
    assert_null(f.told);
    assert_int_equal(
        order(&f, "/v1/drain/1a2b3", "{\"now\": true, \"reason\": \"it hangs\"}", &said), 200);
    assert_string_equal(f.order, "drain-asked 1a2b3c4d-0000-4000-8000-000000000001 now it hangs by root");
    f.told = NULL;
    /* what is so already is no error, and is not done again */
    assert_int_equal(order(&f, "/v1/resume", "{}", &said), 200);
    assert_string_equal(text_get(&said), "the pool is not paused");
    assert_int_equal(order(&f, "/v1/uncordon/hv01", "{}", &said), 200);
    assert_int_equal(order(&f, "/v1/undrain/1a2b3", "{}", &said), 200);
    assert_int_equal(order(&f, "/v1/flock/apply", "{}", &said), 200);
    assert_null(f.told);
    assert_int_equal(order(&f, "/v1/cordon/hv10", "{}", &said), 404);
    assert_int_equal(order(&f, "/v1/drain/vpool-intruder", "{}", &said), 409);
    assert_int_equal(order(&f, "/v1/pause", "{\"now\": true}", &said), 400);
    assert_int_equal(order(&f, "/v1/pause", "{\"reasons\": \"x\"}", &said), 400);
    assert_non_null(strstr(text_get(&said), "\"reasons\""));
    assert_int_equal(order(&f, "/v1/pause", "{\"reason\": 7}", &said), 400);
    assert_int_equal(order(&f, "/v1/pause", "{\"reason\": \"a\\nb\"}", &said), 400);
    assert_non_null(strstr(text_get(&said), "control character in it (byte 2)"));
    AUTOFREE char *long_reason = mem_printf("{\"reason\": \"%0250d\"}", 0);
    assert_int_equal(order(&f, "/v1/pause", long_reason, &said), 400);
    assert_null(f.told);
}

static void test_events(void **state)
{
    static const struct {
        struct parameter parameter;
        unsigned status;
        size_t rows;
        int64_t last;
    } cases[] = {
        {{"n", "2"}, 200, 2, 2},          {{"after", "2"}, 200, 1, 3},
        {{"after", "3"}, 200, 0, 3},      {{"host", "hv02"}, 200, 1, 3},
        {{"host", "hv01"}, 200, 0, 0},    {{"vm", "1a2b3"}, 200, 0, 0},
        {{"vm", "zebra"}, 404, 0, 0},     {{"host", "zebra"}, 404, 0, 0},
        {{"n", "many"}, 400, 0, 0},       {{"n", "100000"}, 400, 0, 0},
        {{"since", "soon"}, 400, 0, 0},   {{"before", "1"}, 400, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fake f = {0};
        struct answer a = route_answer(&port, &f,
                                       &(struct question){.method = "GET",
                                                          .path = "/v1/events",
                                                          .parameters = &cases[i].parameter,
                                                          .n_parameters = 1,
                                                          .who = {.uid = 12345, .user = ""},
                                                          .now = SAMPLE_NOW});
        assert_int_equal(a.status, cases[i].status);
        struct json_object *rows = json_array_or_null(a.body, "events");
        assert_int_equal(rows ? json_object_array_length(rows) : 0, cases[i].rows);
        if (a.status == 200)
            assert_int_equal(json_int_or(a.body, "last", -1), cases[i].last);
        answer_done(&a);
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
    assert_int_equal(ask(&f, "POST", "/v1/reload", 0), 422);
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
        const char *brace = strchr(path, '{');
        AUTOFREE char *asked =
            brace ? mem_printf("%.*s%s", (int)(brace - path), path,
                               strstr(path, "/vm/") || strstr(path, "undrain") ? "1a2b3c4d"
                               : strstr(path, "/group/") ? "juno"
                               : strstr(path, "/job/")   ? "12.3"
                               : strstr(path, "/agents/") ? "schedd.lab"
                               : strstr(path, "/extend/") ? "r-17"
                               : strstr(path, "/requests/") ? "r-16"
                                                         : "hv01")
                  : mem_strdup(path);
        assert_int_equal(ask(&f, method, asked, 0), 200);
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
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_what_cannot_be_answered),
        cmocka_unit_test(test_before_the_first_step),
        cmocka_unit_test(test_the_table_is_in_order_and_each_route_is_answered),
        cmocka_unit_test(test_what_the_client_cannot_read_is_not_sent),
        cmocka_unit_test(test_parameters_that_are_not_known_are_refused),
        cmocka_unit_test(test_not_ready_when_steps_have_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
