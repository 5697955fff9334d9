/* What a service manager hears; this test is one. */
#include "loop/notify.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"

struct fixture {
    struct loop *loop;
    int manager; /* socket */
    char folder[64];
    char path[96];
    bool alive;
    int asked; /* whether it is alive */
    int enough;
};

static int setup(void **state)
{
    static struct fixture f;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct err e;
    f = (struct fixture){.folder = "/tmp/eyrie-notify-XXXXXX"};
    *state = &f;
    if (!mkdtemp(f.folder) || loop_new(&f.loop, &e) < 0)
        return -1;
    (void)snprintf(f.path, sizeof(f.path), "%s/socket", f.folder);
    (void)strcpy(address.sun_path, f.path);
    f.manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (f.manager < 0 || bind(f.manager, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -1;
    return setenv("NOTIFY_SOCKET", f.path, 1);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->loop = loop_free(f->loop);
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)close(f->manager);
    (void)unlink(f->path);
    return rmdir(f->folder);
}

/* The next message; "" when there is none. */
static const char *heard(const struct fixture *f)
{
    static char text[256];
    ssize_t n = recv(f->manager, text, sizeof(text) - 1, 0);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

static void test_what_is_told(void **state)
{
    struct fixture *f = *state;
    char end;
    int64_t at;
    notify_ready();
    assert_string_equal(heard(f), "READY=1");
    notify_status("%d VMs", 3);
    assert_string_equal(heard(f), "STATUS=3 VMs");
    usec before = loop_ticks(f->loop);
    notify_reloading();
    assert_int_equal(
        sscanf(heard(f), "RELOADING=1\nMONOTONIC_USEC=%" SCNd64 "%c", &at, &end), 1);
    assert_true(at >= before); /* on the clock that systemd compares it with */
    notify_stopping();
    assert_string_equal(heard(f), "STOPPING=1");
    assert_string_equal(heard(f), "");
}

static bool alive(void *userdata)
{
    struct fixture *f = userdata;
    if (++f->asked == f->enough)
        loop_quit(f->loop, 0);
    return f->alive;
}

static void run_watchdog(struct fixture *f, int enough)
{
    f->asked = 0;
    f->enough = enough;
    struct watchdog *w = watchdog_new(f->loop, alive, f);
    assert_non_null(w);
    assert_int_equal(loop_run(f->loop), 0);
    assert_null(watchdog_free(w));
}

static void test_a_loop_that_turns_feeds_the_watchdog(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(setenv("WATCHDOG_USEC", "30000", 1), 0);
    f->alive = true;
    run_watchdog(f, 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(heard(f), "WATCHDOG=1");
    assert_string_equal(heard(f), "");
}

/* It turns, but what it is for has stopped. */
static void test_a_loop_that_turns_in_vain_does_not(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(setenv("WATCHDOG_USEC", "30000", 1), 0);
    f->alive = false;
    run_watchdog(f, 3);
    assert_string_equal(heard(f), "");
}

static void test_no_watchdog_is_wanted(void **state)
{
    struct fixture *f = *state;
    assert_null(watchdog_new(f->loop, alive, f));
    assert_int_equal(setenv("WATCHDOG_USEC", "30000", 1), 0);
    assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0); /* it is somebody else's */
    assert_null(watchdog_new(f->loop, alive, f));
    assert_int_equal(unsetenv("WATCHDOG_PID"), 0);
}

static void test_no_service_manager(void **state)
{
    struct fixture *f = *state;
    (void)unsetenv("NOTIFY_SOCKET");
    notify_ready();
    notify_status("%d VMs", 3);
    assert_string_equal(heard(f), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_told),
        TEST(test_a_loop_that_turns_feeds_the_watchdog),
        TEST(test_a_loop_that_turns_in_vain_does_not),
        TEST(test_no_watchdog_is_wanted),
        TEST(test_no_service_manager),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
