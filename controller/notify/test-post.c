#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "notify/post.h"

/* A server for one request. */
struct server {
    int listener;
    const char *answer;
    char heard[8192];
    pthread_t thread;
};

static void *serve(void *userdata)
{
    struct server *s = userdata;
    size_t n = 0;
    int fd = accept(s->listener, NULL, NULL);
    while (fd >= 0 && n < sizeof(s->heard) - 1) {
        ssize_t got = read(fd, s->heard + n, sizeof(s->heard) - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        const char *body = strstr(s->heard, "\r\n\r\n");
        if (body && strchr(body, '}'))
            break;
    }
    if (fd >= 0 && write(fd, s->answer, strlen(s->answer)) < 0)
        (void)fprintf(stderr, "the client has gone\n");
    (void)close(fd);
    return NULL;
}

/* Post to a server that answers @answer; what it heard is in @s. */
static int post(struct server *s, const char *answer, const char *secret_file, struct err *e)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(at);
    *s = (struct server){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                         .answer = answer};
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &length), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    AUTOFREE char *url = mem_printf("http://127.0.0.1:%d/hook?key=canary-url", ntohs(at.sin_port));
    int r = post_send(&(struct post_letter){.url = url, .secret_file = secret_file,
                                            .body = "{\"event\": \"ready\"}"},
                      e);
    (void)shutdown(s->listener, SHUT_RDWR); /* where nothing was sent, the server waits for it */
    (void)pthread_join(s->thread, NULL);
    (void)close(s->listener);
    return r;
}

/* A file that holds @text. */
static char *file_with(const char *text)
{
    char *path = mem_strdup("/tmp/eyrie-secret-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    return path;
}

static void the_body_goes_with_the_secret_in_a_header(void **state)
{
    struct server s;
    struct err e;
    (void)state;
    AUTOFREE char *secret = file_with("canary-secret\n");
    assert_int_equal(post(&s, "HTTP/1.1 204 No Content\r\n\r\n", secret, &e), 0);
    assert_non_null(strstr(s.heard, "POST /hook?key=canary-url HTTP/1.1\r\n"));
    assert_non_null(strstr(s.heard, "\r\nAuthorization: Bearer canary-secret\r\n"));
    assert_non_null(strstr(s.heard, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(s.heard, "\r\n\r\n{\"event\": \"ready\"}"));
    (void)unlink(secret);

    assert_int_equal(post(&s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "", &e), 0);
    assert_null(strstr(s.heard, "Authorization"));
}

static void what_the_server_refuses_was_not_delivered(void **state)
{
    struct server s;
    struct err e;
    (void)state;
    assert_int_equal(post(&s, "HTTP/1.1 500 Sorry\r\nContent-Length: 0\r\n\r\n", "", &e), -EREMOTEIO);
    assert_string_equal(e.text, "the server answered with status 500");
    assert_true(post(&s, "no HTTP at all", "", &e) < 0);
    assert_null(strstr(e.text, "canary"));
}

static void no_redirect_is_followed(void **state)
{
    struct server s;
    struct err e;
    (void)state;
    AUTOFREE char *secret = file_with("canary-secret");
    assert_int_equal(post(&s, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                              "Content-Length: 0\r\n\r\n", secret, &e),
                     -EREMOTEIO);
    assert_non_null(strstr(e.text, "302"));
    (void)unlink(secret);
}

static void a_bad_secret_sends_nothing(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"", "is empty"},
        {"\n", "is empty"},
        {"two words", "without blanks"},
        {"canary\r\nX-Other: 1", "without blanks"},
    };
    struct server s;
    struct err e;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTOFREE char *secret = file_with(cases[i].text);
        assert_int_equal(post(&s, "", secret, &e), -EINVAL);
        assert_non_null(strstr(e.text, cases[i].said));
        assert_non_null(strstr(e.text, secret));
        assert_null(strstr(e.text, "canary"));
        assert_string_equal(s.heard, "");
        (void)unlink(secret);
    }
    char much[2000];
    memset(much, 'x', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    AUTOFREE char *secret = file_with(much);
    assert_int_equal(post(&s, "", secret, &e), -EINVAL);
    assert_non_null(strstr(e.text, "too long"));
    (void)unlink(secret);
    assert_int_equal(post(&s, "", "/nowhere/secret", &e), -ENOENT);
}

static void only_http_is_spoken(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(post_send(&(struct post_letter){.url = "file:///etc/passwd", .secret_file = "",
                                                     .body = "{}"}, &e), -EINVAL);
    assert_true(post_send(&(struct post_letter){.url = "http://127.0.0.1:1/", .secret_file = "",
                                                .body = "{}"}, &e) < 0);
}

static void what_is_no_letter_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "x", "[]", "{}", "{\"url\": 1}", "{\"url\": \"http://x\", \"secret_file\": \"\"}",
    };
    static const char good[] = "{\"url\": \"http://x\", \"secret_file\": \"/s\", \"body\": \"{}\"}";
    struct post_letter letter = {0};
    struct err e;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(post_letter_parse(bad[i], strlen(bad[i]), &letter, &e), -EBADMSG);
    assert_int_equal(post_letter_parse(good, strlen(good), &letter, &e), 0);
    assert_string_equal(letter.url, "http://x");
    assert_string_equal(letter.secret_file, "/s");
    assert_string_equal(letter.body, "{}");
    post_letter_done(&letter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_goes_with_the_secret_in_a_header),
        cmocka_unit_test(what_the_server_refuses_was_not_delivered),
        cmocka_unit_test(no_redirect_is_followed),
        cmocka_unit_test(a_bad_secret_sends_nothing),
        cmocka_unit_test(only_http_is_spoken),
        cmocka_unit_test(what_is_no_letter_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
