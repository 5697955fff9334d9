/* The loop: what fires when, and that sources may be freed from anywhere. */
#include "loop/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_poke *poke;
    struct loop_io *io;
    struct loop_signal *signal;
    int pokes;
    int steps;
    usec started;
};

static int setup(void **state)
{
    static struct fixture f;
    struct err e;
    f = (struct fixture){0};
    *state = &f;
    return loop_new(&f.loop, &e);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->timer = loop_timer_free(f->timer);
    f->poke = loop_poke_free(f->poke);
    f->io = loop_io_free(f->io);
    f->signal = loop_signal_free(f->signal);
    f->loop = loop_free(f->loop);
    return 0;
}

static void timer_quits(void *userdata)
{
    struct fixture *f = userdata;
    assert_false(loop_timer_armed(f->timer));
    f->timer = loop_timer_free(f->timer); /* in its own callback */
    loop_quit(f->loop, 7);
}

static void test_timer(void **state)
{
    struct fixture *f = *state;
    f->timer = loop_timer_new(f->loop, timer_quits, f);
    assert_false(loop_timer_armed(f->timer));
    usec started = loop_ticks(f->loop);
    loop_timer_set(f->timer, 0);
    loop_timer_set(f->timer, USEC_NEVER);
    assert_false(loop_timer_armed(f->timer));
    loop_timer_set(f->timer, USEC_NEVER - 1);
    loop_timer_set(f->timer, 50000);
    assert_true(loop_timer_armed(f->timer));
    assert_int_equal(loop_run(f->loop), 7);
    assert_true(loop_ticks(f->loop) - started >= 50000);
    assert_true(loop_now(f->loop) > 1000000 * USEC_PER_SEC);
}

static void poke_counts(void *userdata)
{
    struct fixture *f = userdata;
    f->pokes++;
    if (f->pokes == 1) {
        loop_poke(f->poke); /* again, after this one */
        loop_poke(f->poke);
    } else {
        f->poke = loop_poke_free(f->poke);
        loop_quit(f->loop, 0);
    }
}

static void test_poke_is_coalesced(void **state)
{
    struct fixture *f = *state;
    f->poke = loop_poke_new(f->loop, poke_counts, f);
    loop_poke(f->poke);
    loop_poke(f->poke);
    assert_int_equal(f->pokes, 0);
    assert_int_equal(loop_run(f->loop), 0);
    assert_int_equal(f->pokes, 2);
}

static void io_steps(void *userdata, int fd, uint32_t events)
{
    struct fixture *f = userdata;
    char c;
    f->steps++;
    if (f->steps == 1) {
        assert_true(events & EPOLLIN);
        assert_int_equal(read(fd, &c, 1), 1);
        loop_io_set(f->io, 0);
        loop_io_set(f->io, EPOLLIN);
    } else {
        assert_true(events & EPOLLHUP);
        f->io = loop_io_free(f->io);
        loop_quit(f->loop, 0);
    }
}

static void test_io(void **state)
{
    struct fixture *f = *state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(loop_io_new(f->loop, fds[0], EPOLLIN, io_steps, f, &f->io), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    (void)close(fds[1]);
    assert_int_equal(loop_run(f->loop), 0);
    assert_int_equal(f->steps, 2);
    (void)close(fds[0]);
}

static void signal_quits(void *userdata, int signal)
{
    struct fixture *f = userdata;
    f->signal = loop_signal_free(f->signal);
    loop_quit(f->loop, signal);
}

static void test_signal(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(loop_signal_new(f->loop, SIGHUP, signal_quits, f, &f->signal), 0);
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(loop_run(f->loop), SIGHUP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_poke_is_coalesced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_io, setup, teardown),
        cmocka_unit_test_setup_teardown(test_signal, setup, teardown),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
