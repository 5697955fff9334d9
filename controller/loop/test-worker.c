/* A worker: lines both ways, and every way to lose it. */
#include "loop/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"

struct fixture {
    struct loop *loop;
    struct worker *worker;
    struct text lines;
    struct text log;
    char gone[ERR_TEXT_MAX];
    size_t longest;
    const char *on_line; /* "free", "kill" or NULL */
};

static void on_line(void *userdata, char *line, size_t length)
{
    struct fixture *f = userdata;
    assert_int_equal(strlen(line), length);
    if (length > f->longest)
        f->longest = length;
    text_printf(&f->lines, "%.20s|", line);
    if (text_equal(f->on_line, "kill"))
        worker_kill(f->worker, "it was time");
    if (text_equal(f->on_line, "free")) {
        f->worker = worker_free(f->worker);
        loop_quit(f->loop, 0);
    }
}

static void on_log(void *userdata, const char *line)
{
    struct fixture *f = userdata;
    text_printf(&f->log, "%s|", line);
}

static void on_gone(void *userdata, const char *error)
{
    struct fixture *f = userdata;
    (void)snprintf(f->gone, sizeof(f->gone), "%s", error);
    f->worker = worker_free(f->worker);
    loop_quit(f->loop, 0);
}

static void fixture_open(struct fixture *f, const char *script)
{
    struct err e;
    assert_int_equal(loop_new(&f->loop, &e), 0);
    f->worker = worker_open(f->loop, &(struct worker_args){
        .argv = (const char *const[]){"/bin/sh", "-c", script, NULL},
        .line = on_line, .log = on_log, .gone = on_gone, .userdata = f,
    });
}

static void fixture_run(struct fixture *f)
{
    assert_int_equal(loop_run(f->loop), 0);
    assert_null(f->worker);
    f->loop = loop_free(f->loop);
}

static void fixture_done(struct fixture *f)
{
    text_done(&f->lines);
    text_done(&f->log);
    *f = (struct fixture){0};
}

static void test_lines_both_ways(void **state)
{
    (void)state;
    struct fixture f = {0};
    fixture_open(&f, "read a; echo got $a; echo one; printf two; echo log >&2; printf '\\ncut'; "
                     "exit 4");
    assert_true(worker_write(f.worker, "hel", 3));
    assert_true(worker_write(f.worker, "lo\n", 3));
    fixture_run(&f);
    assert_string_equal(text_get(&f.lines), "got hello|one|two|");
    assert_string_equal(text_get(&f.log), "log|");
    /* the socket's end and the process's end race: either sentence is true */
    assert_true(text_equal(f.gone, "sh ended with status 4") ||
                text_equal(f.gone, "sh closed its connection"));
    fixture_done(&f);
}

static void test_long_lines(void **state)
{
    (void)state;
    struct fixture f = {0};
    AUTOFREE char *line = mem_new(300001, 1);
    memset(line, 'x', 300000);
    line[300000] = '\n';
    fixture_open(&f, "head -c 600002");
    assert_true(worker_write(f.worker, line, 300001));
    assert_true(worker_write(f.worker, line, 300001));
    fixture_run(&f);
    assert_int_equal(f.longest, 300000);
    fixture_done(&f);
}

static void test_a_line_without_end(void **state)
{
    (void)state;
    struct fixture f = {0};
    fixture_open(&f, "exec tr '\\0' x </dev/zero");
    fixture_run(&f);
    assert_string_equal(f.gone, "sh was killed: its line is too long");
    fixture_done(&f);
}

static void test_killed(void **state)
{
    (void)state;
    struct fixture f = {.on_line = "kill"};
    fixture_open(&f, "echo one; echo two; sleep 600");
    fixture_run(&f);
    assert_string_equal(f.gone, "sh was killed: it was time");
    assert_string_equal(text_get(&f.lines), "one|");
    fixture_done(&f);
}

static void test_freed_in_its_callback(void **state)
{
    (void)state;
    struct fixture f = {.on_line = "free"};
    fixture_open(&f, "echo one; echo two; sleep 600");
    fixture_run(&f);
    assert_string_equal(f.gone, "");
    assert_string_equal(text_get(&f.lines), "one|");
    fixture_done(&f);
}

static void test_no_program(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct err e;
    assert_int_equal(loop_new(&f.loop, &e), 0);
    f.worker = worker_open(f.loop, &(struct worker_args){
        .argv = (const char *const[]){"/nonexistent/eyrie-host", NULL},
        .line = on_line, .gone = on_gone, .userdata = &f,
    });
    assert_false(worker_write(f.worker, "x\n", 2));
    assert_string_equal(f.gone, "");
    fixture_run(&f);
    assert_string_equal(f.gone, "eyrie-host cannot be started: No such file or directory");
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_both_ways),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_a_line_without_end),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_freed_in_its_callback),
        cmocka_unit_test(test_no_program),
    };
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
