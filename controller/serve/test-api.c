/* The API over a real socket: a client in a thread of its own, the loop in this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/api.h"
#include "serve/sample.h"
#include "serve/view.h"

enum { ASKED_MAX = 8 };

struct asked {
    const char *method;
    const char *path;
    const char *header; /* one that is sent along, or NULL */
    const char *sent;   /* a body, or NULL */
    long status; /* 0: no answer */
    struct text head;
    struct text body;
};

struct stage {
    char folder[64];
    char *path;
    struct loop *loop;
    struct api *api;
    int done; /* eventfd */
    struct loop_io *done_io;
    struct loop_timer *deadline;
    struct asked asked[ASKED_MAX];
    void (*client)(struct stage *stage);
    struct snapshot *current; /* as the controller has it */
    int paused;
    int freed;
};

static struct snapshot *port_snapshot(void *userdata)
{
    return snapshot_ref(((struct stage *)userdata)->current);
}

static int port_order(void *userdata, const struct order *o, struct err *e)
{
    (void)e;
    ((struct stage *)userdata)->paused += o->verb == ORDER_PAUSE;
    return 0;
}

static int port_allow(void *userdata, const struct asker *asker, struct err *e)
{
    (void)userdata;
    assert_true(asker->n_groups > 0); /* the kernel tells */
    assert_int_equal(asker->groups[0], getegid());
    return sample_allows(asker) ? 0 : err_set(e, EPERM, "access.admins names who may");
}

static int port_fails(void *userdata, uid_t who, struct err *e)
{
    (void)userdata;
    (void)who;
    return err_set(e, EIO, "the ledger cannot be written");
}

static struct json_object *port_reload(void *userdata, const char *user, bool *ret_refused)
{
    (void)userdata;
    (void)user;
    *ret_refused = true;
    return view_error("eyrie.yaml:1:1: the file is empty");
}

static const struct api_port port = {
    .snapshot = port_snapshot,
    .allow = port_allow,
    .look = port_fails,
    .events = sample_events,
    .ask_job = sample_ask_job,
    .forget_job = sample_forget_job,
    .order = port_order,
    .reload = port_reload,
};

static size_t take_body(char *bytes, size_t size, size_t count, void *userdata)
{
    text_add_bytes(userdata, bytes, size * count);
    return size * count;
}

/* Runs in the client's thread. */
static void ask_all(struct stage *stage)
{
    CURL *curl = curl_easy_init();
    for (size_t i = 0; i < ASKED_MAX && stage->asked[i].path; i++) {
        struct asked *a = &stage->asked[i];
        AUTOFREE char *url = mem_printf("http://eyried%s", a->path);
        (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, stage->path);
        (void)curl_easy_setopt(curl, CURLOPT_URL, url);
        (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &a->body);
        (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, &a->head);
        if (a->sent)
            (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, a->sent);
        else
            (void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        if (strcmp(a->method, "HEAD") == 0)
            (void)curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, a->method);
        struct curl_slist *headers = a->header ? curl_slist_append(NULL, a->header) : NULL;
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        if (curl_easy_perform(curl) == CURLE_OK)
            (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &a->status);
        curl_slist_free_all(headers);
    }
    curl_easy_cleanup(curl);
}

static void *client_thread(void *userdata)
{
    struct stage *stage = userdata;
    stage->client(stage);
    (void)eventfd_write(stage->done, 1);
    return NULL;
}

static void on_done(void *userdata, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    loop_quit(((struct stage *)userdata)->loop, 0);
}

static void on_deadline(void *userdata)
{
    loop_quit(((struct stage *)userdata)->loop, 1);
}

static void note_freed(void *userdata)
{
    ((struct stage *)userdata)->freed++;
}

static void stage_setup(struct stage *stage, void (*client)(struct stage *stage))
{
    struct err e = {0};
    *stage = (struct stage){.folder = "/tmp/eyrie-api-XXXXXX", .client = client};
    assert_non_null(mkdtemp(stage->folder));
    stage->path = mem_printf("%s/run/eyried.sock", stage->folder);
    assert_int_equal(loop_new(&stage->loop, &e), 0);
    stage->current = sample_snapshot(note_freed, stage);
    if (api_new(stage->loop, stage->path, &port, stage, &stage->api, &e) < 0)
        fail_msg("%s", e.text);
    stage->done = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(loop_io_new(stage->loop, stage->done, EPOLLIN, on_done, stage,
                                 &stage->done_io), 0);
    stage->deadline = loop_timer_new(stage->loop, on_deadline, stage);
    loop_timer_set(stage->deadline, 60 * USEC_PER_SEC);
}

static void stage_run(struct stage *stage)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, client_thread, stage), 0);
    assert_int_equal(loop_run(stage->loop), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void stage_end(struct stage *stage)
{
    stage->api = api_free(stage->api);
    assert_int_equal(access(stage->path, F_OK), -1);
    stage->current = snapshot_unref(stage->current);
    assert_int_equal(stage->freed, 1);
    stage->done_io = loop_io_free(stage->done_io);
    stage->deadline = loop_timer_free(stage->deadline);
    stage->loop = loop_free(stage->loop);
    (void)close(stage->done);
    for (size_t i = 0; i < ASKED_MAX; i++) {
        text_done(&stage->asked[i].body);
        text_done(&stage->asked[i].head);
    }
    *strrchr(stage->path, '/') = '\0';
    (void)rmdir(stage->path);
    (void)rmdir(stage->folder);
    free(stage->path);
}

static struct json_object *body(struct stage *stage, size_t i)
{
    struct err e = {0};
    struct json_object *o = NULL;
    if (json_parse(text_get(&stage->asked[i].body), stage->asked[i].body.length, &o, &e) < 0)
        fail_msg("%s: %s: %s", stage->asked[i].path, e.text, text_get(&stage->asked[i].body));
    return o;
}

static void test_answers(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, ask_all);
    stage.asked[0] = (struct asked){.method = "GET", .path = "/v1/status"};
    stage.asked[1] = (struct asked){.method = "GET", .path = "/v1/status"};
    stage.asked[2] = (struct asked){.method = "GET", .path = "/v1/explain/vm/1a2b%33c4d"};
    stage.asked[3] = (struct asked){.method = "GET", .path = "/nothing"};
    stage.asked[4] = (struct asked){.method = "POST", .path = "/v1/pause"};
    stage.asked[5] = (struct asked){.method = "GET", .path = "/v1/pause"};
    stage.asked[6] = (struct asked){.method = "POST", .path = "/v1/look"};
    stage.asked[7] = (struct asked){.method = "GET", .path = "/v1/explain/vm/%ff%1b%0a%22"};
    stage_run(&stage);
    const long expected[] = {200, 200, 200, 404, 200, 405, 500, 404};
    for (size_t i = 0; i < ASKED_MAX; i++) {
        AUTOJSON struct json_object *o = body(&stage, i);
        assert_int_equal(stage.asked[i].status, expected[i]);
        assert_int_equal(json_int_or(o, "version", 0), 1);
    }
    assert_int_equal(stage.paused, 1);
    AUTOJSON struct json_object *error = body(&stage, 6);
    assert_string_equal(json_string_or(error, "error", ""), "the ledger cannot be written");
    AUTOJSON struct json_object *odd = body(&stage, 7); /* bytes that are no text do no harm */
    assert_non_null(strstr(json_string_or(odd, "error", ""), "there is no VM \"?\033\n\"\""));
    stage_end(&stage);
}

static void test_before_the_first_step(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, ask_all);
    struct snapshot *kept = stage.current;
    stage.current = NULL;
    stage.asked[0] = (struct asked){.method = "GET", .path = "/v1/status"};
    stage.asked[1] = (struct asked){.method = "GET", .path = "/readyz"};
    stage_run(&stage);
    assert_int_equal(stage.asked[0].status, 503);
    assert_int_equal(stage.asked[1].status, 503);
    stage.current = kept;
    stage_end(&stage);
}

static void test_a_path_that_is_too_long(void **state)
{
    struct stage stage;
    char path[3000];
    (void)state;
    stage_setup(&stage, ask_all);
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    stage.asked[0] = (struct asked){.method = "GET", .path = path};
    stage.asked[1] = (struct asked){.method = "GET", .path = "/healthz"};
    stage_run(&stage);
    assert_int_equal(stage.asked[0].status, 414);
    assert_int_equal(stage.asked[1].status, 200);
    stage_end(&stage);
}

static void test_limits_of_a_request(void **state)
{
    static char long_header[20 * 1024], long_body[70 * 1024];
    static const struct {
        const char *method, *path, *header, *sent;
        long status;
        const char *says;
    } asked[] = {
        {"GET", "/v1/status", long_header, NULL, 431, "longer than 16384 bytes"},
        {"POST", "/v1/pause", NULL, long_body, 413, "longer than 65536 bytes"},
        {"POST", "/v1/pause", "Transfer-Encoding: chunked", long_body, 413, "longer than 65536"},
        {"POST", "/v1/pause", NULL, "reason=x", 400, "must be a JSON object"},
        {"POST", "/v1/pause", NULL, "[1]", 400, "must be a JSON object"},
        {"GET", "/v1/status", "Accept: text/html", NULL, 406, "answers with application/json"},
        {"GET", "/v1/statu", NULL, NULL, 404, "did you mean /v1/status?"},
        {"PATCH", "/v1/pause", NULL, NULL, 405, "it is POST /v1/pause"},
    };
    struct stage stage;
    (void)state;
    memset(long_header, 'x', sizeof(long_header) - 1);
    memcpy(long_header, "X-Long: ", 8);
    memset(long_body, 'x', sizeof(long_body) - 1);
    stage_setup(&stage, ask_all);
    for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
        stage.asked[i] = (struct asked){.method = asked[i].method, .path = asked[i].path,
                                        .header = asked[i].header, .sent = asked[i].sent};
    stage_run(&stage);
    for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
        AUTOJSON struct json_object *o = body(&stage, i);
        assert_int_equal(stage.asked[i].status, asked[i].status);
        assert_non_null(strstr(json_string_or(o, "error", ""), asked[i].says));
    }
    assert_non_null(strstr(text_get(&stage.asked[7].head), "Allow: POST\r\n"));
    assert_int_equal(stage.paused, 0);
    stage_end(&stage);
}

/* Asks for the same again, with what the first answer was called. */
static void ask_twice(struct stage *stage)
{
    static char again[128];
    ask_all(stage);
    const char *tag = strstr(text_get(&stage->asked[0].head), "ETag: ");
    (void)snprintf(again, sizeof(again), "If-None-Match: %.*s",
                   tag ? (int)strcspn(tag + 6, "\r\n") : 0, tag ? tag + 6 : "");
    for (size_t i = 0; i < ASKED_MAX && stage->asked[i].path; i++) {
        text_clear(&stage->asked[i].head);
        text_clear(&stage->asked[i].body);
        stage->asked[i].header = again;
    }
    ask_all(stage);
}

static void test_nothing_happened_since(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, ask_twice);
    stage.asked[0] = (struct asked){.method = "GET", .path = "/v1/status"};
    stage.asked[1] = (struct asked){.method = "HEAD", .path = "/v1/vms"};
    stage.asked[2] = (struct asked){.method = "GET", .path = "/metrics"};
    stage_run(&stage);
    assert_int_equal(stage.asked[0].status, 304);
    assert_int_equal(stage.asked[0].body.length, 0);
    assert_non_null(strstr(text_get(&stage.asked[0].head), "-8640\"\r\n"));
    assert_int_equal(stage.asked[1].status, 304); /* what is true of one view is true of all */
    assert_int_equal(stage.asked[2].status, 200); /* of what is counted at any time it is not */
    stage_end(&stage);
}

static void test_metrics_say_what_they_are(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, ask_all);
    stage.asked[0] = (struct asked){.method = "GET", .path = "/v1/nowhere"};
    stage.asked[1] = (struct asked){.method = "GET", .path = "/v1/explain/vm/1a2b3c4d"};
    stage.asked[2] = (struct asked){.method = "GET", .path = "/metrics"};
    stage_run(&stage);
    const char *head = text_get(&stage.asked[2].head), *text = text_get(&stage.asked[2].body);
    assert_non_null(strstr(head, "Content-Type: application/openmetrics-text; version=1.0.0; "
                                 "charset=utf-8\r\n"));
    assert_non_null(strstr(text, "eyrie_api_requests_total{method=\"\",route=\"\",code=\"404\"} 1\n"));
    assert_non_null(strstr(text, "eyrie_api_requests_total{method=\"GET\",route=\"/v1/explain/vm/"
                                 "{name}\",code=\"200\"} 1\n"));
    assert_non_null(strstr(text, "eyrie_api_connections 1\n"));
    stage_end(&stage);
}

enum { IDLERS = 300 }; /* more than there may be connections */

static int idle[IDLERS];

/* Connections that never complete a request: silence, half a request, a body that does not come. */
static void open_idlers(struct stage *stage)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static const char *const noise[] = {
        "", "GET /v1/status HT", "GET /v1/status HTTP/1.1\r\n",
        "POST /v1/look HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nxxx",
    };
    memcpy(address.sun_path, stage->path, strlen(stage->path) + 1);
    for (size_t i = 0; i < IDLERS; i++) {
        const char *says = noise[i % ARRAY_SIZE(noise)];
        idle[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(idle[i], (struct sockaddr *)&address, sizeof(address)) == 0)
            (void)send(idle[i], says, strlen(says), MSG_NOSIGNAL);
    }
}

static void close_idlers(void)
{
    for (size_t i = 0; i < IDLERS; i++)
        (void)close(idle[i]);
}

/* Asks while they are all open. */
static void idle_and_ask(struct stage *stage)
{
    open_idlers(stage);
    ask_all(stage);
    close_idlers();
}

static void test_idle_clients_do_not_keep_others_out(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, idle_and_ask);
    api_set_patience(stage.api, USEC_PER_HOUR); /* they are not ended for being slow */
    stage.asked[0] = (struct asked){.method = "GET", .path = "/v1/status"};
    stage.asked[1] = (struct asked){.method = "GET", .path = "/metrics"};
    stage_run(&stage);
    assert_int_equal(stage.asked[0].status, 200);
    assert_int_equal(stage.asked[1].status, 200);
    const char *text = text_get(&stage.asked[1].body);
    assert_non_null(strstr(text, "eyrie_api_connections 256\n"));
    assert_non_null(strstr(text, "cut_connections_total{reason=\"slow\"} 0\n"));
    assert_non_null(strstr(text, "cut_connections_total{reason=\"crowded\"} 45\n"));
    stage_end(&stage);
}

/* Waits until each of them has been closed by the server. */
static void idle_until_cut(struct stage *stage)
{
    open_idlers(stage);
    for (size_t i = 0; i < IDLERS; i++) {
        char byte;
        while (recv(idle[i], &byte, 1, 0) > 0)
            continue;
    }
    ask_all(stage);
    close_idlers();
}

static void test_slow_clients_are_cut(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, idle_until_cut);
    api_set_patience(stage.api, USEC_PER_SEC / 2);
    stage.asked[0] = (struct asked){.method = "GET", .path = "/metrics"};
    stage_run(&stage);
    assert_int_equal(stage.asked[0].status, 200);
    assert_non_null(strstr(text_get(&stage.asked[0].body), "eyrie_api_connections 1\n"));
    stage_end(&stage);
}

static void test_an_answer_that_takes_a_while(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, ask_all);
    sample_loop = stage.loop;
    stage.asked[0] = (struct asked){.method = "GET", .path = "/v1/explain/job/12.3"};
    stage.asked[1] = (struct asked){.method = "GET", .path = "/v1/explain/job/404.0"};
    stage.asked[2] = (struct asked){.method = "GET", .path = "/v1/explain/job/1.9"};
    stage.asked[3] = (struct asked){.method = "GET", .path = "/metrics"};
    stage_run(&stage);
    assert_int_equal(stage.asked[0].status, 200);
    assert_non_null(strstr(text_get(&stage.asked[0].body), "\"state\":\"idle\""));
    assert_int_equal(stage.asked[1].status, 404);
    assert_int_equal(stage.asked[2].status, 503);
    assert_non_null(strstr(text_get(&stage.asked[3].body), "/v1/explain/job/{name}"));
    sample_loop = NULL;
    stage_end(&stage);
}

/* Asks for what takes a while and does not wait for it; then for what does not. */
static void ask_and_leave(struct stage *stage)
{
    static const char request[] = "GET /v1/explain/job/12.3 HTTP/1.1\r\nHost: eyried\r\n\r\n";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, stage->path, strlen(stage->path) + 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        (void)send(fd, request, strlen(request), MSG_NOSIGNAL);
    ask_all(stage);
    (void)close(fd);
}

/* The schedd of this one never tells: the API ends with the answer still owed. */
static void test_the_api_ends_while_somebody_waits(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, ask_and_leave);
    stage.asked[0] = (struct asked){.method = "GET", .path = "/healthz"};
    stage_run(&stage);
    assert_int_equal(stage.asked[0].status, 200);
    stage_end(&stage);
}

/* Drips a byte at a time: something moves all the while, but no request is completed. */
static void drip(struct stage *stage)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, stage->path, strlen(stage->path) + 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        (void)send(fd, "GET /", 5, MSG_NOSIGNAL);
        while (send(fd, "x", 1, MSG_NOSIGNAL) == 1)
            (void)usleep(1000);
    }
    (void)close(fd);
    ask_all(stage);
}

static void test_a_client_that_drips_is_cut(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, drip);
    api_set_patience(stage.api, USEC_PER_SEC / 2);
    stage.asked[0] = (struct asked){.method = "GET", .path = "/metrics"};
    stage_run(&stage);
    const char *text = text_get(&stage.asked[0].body);
    if (!strstr(text, "cut_connections_total{reason=\"slow\"} 1\n"))
        fail_msg("status %ld: %s", stage.asked[0].status, text);
    stage_end(&stage);
}

static void test_a_socket_that_cannot_be_made(void **state)
{
    struct loop *loop = NULL;
    struct api *api = NULL;
    struct err e = {0};
    (void)state;
    assert_int_equal(loop_new(&loop, &e), 0);
    assert_true(api_new(loop, "/proc/none/x.sock", &port, NULL, &api, &e) < 0);
    assert_non_null(strstr(e.text, "/proc/none"));
    assert_int_equal(
        api_new(loop,
                "/tmp/a-name-that-is-far-too-long-for-a-unix-socket-because-the-kernel-takes-"
                "only-one-hundred-and-eight-bytes.sock",
                &port, NULL, &api, &e),
        -ENAMETOOLONG);
    assert_null(api);
    loop = loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_before_the_first_step),
        cmocka_unit_test(test_a_path_that_is_too_long),
        cmocka_unit_test(test_limits_of_a_request),
        cmocka_unit_test(test_nothing_happened_since),
        cmocka_unit_test(test_metrics_say_what_they_are),
        cmocka_unit_test(test_idle_clients_do_not_keep_others_out),
        cmocka_unit_test(test_slow_clients_are_cut),
        cmocka_unit_test(test_an_answer_that_takes_a_while),
        cmocka_unit_test(test_the_api_ends_while_somebody_waits),
        cmocka_unit_test(test_a_client_that_drips_is_cut),
        cmocka_unit_test(test_a_socket_that_cannot_be_made),
    };
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return r;
}
