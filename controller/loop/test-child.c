/* Commands: their ends, their limits, and that nothing of them is left. */
#include "loop/child.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

struct run {
    struct loop *loop;
    struct child *child;
    struct text output;
    int calls;
    enum child_end end;
    int code;
    char error[ERR_TEXT_MAX];
    size_t bytes;
    usec took;
};

static void run_done(void *userdata, const struct child_result *r)
{
    struct run *run = userdata;
    run->calls++;
    run->end = r->end;
    run->code = r->code;
    run->bytes = r->bytes;
    run->took = r->took;
    (void)snprintf(run->error, sizeof(run->error), "%s", r->error ? r->error : "");
    if (r->output_length > 0)
        text_add_bytes(&run->output, r->output, r->output_length);
    run->child = child_free(run->child);
    loop_quit(run->loop, 0);
}

static void run_command(struct run *run, const struct child_args *how)
{
    struct err e;
    *run = (struct run){0};
    assert_int_equal(loop_new(&run->loop, &e), 0);
    struct child_args args = *how;
    args.done = run_done;
    args.userdata = run;
    run->child = child_run(run->loop, &args);
    assert_int_equal(run->calls, 0);
    assert_int_equal(loop_run(run->loop), 0);
    assert_int_equal(run->calls, 1);
    run->loop = loop_free(run->loop);
    if (run->end != CHILD_EXITED) /* killed, and the loop did not live to reap it */
        (void)waitpid(-1, NULL, 0);
}

#define SHELL(script) ((const char *const[]){"/bin/sh", "-c", (script), NULL})

static void run_shell(struct run *run, const char *script)
{
    run_command(run, &(struct child_args){.argv = SHELL(script), .deadline = 20 * USEC_PER_SEC});
}

static void nothing_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_ends(void **state)
{
    (void)state;
    struct run run;
    run_shell(&run, "echo yes; echo said >&2");
    assert_int_equal(run.end, CHILD_EXITED);
    assert_string_equal(run.error, "");
    assert_string_equal(text_get(&run.output), "yes\n");
    text_done(&run.output);

    run_shell(&run, "printf '\\none \\n  two\\033[0m\\n \\nMore.' >&2; exit 3");
    assert_int_equal(run.end, CHILD_EXITED);
    assert_int_equal(run.code, 3);
    assert_string_equal(run.error, "sh ended with status 3: one; two [0m");

    run_shell(&run, "kill -9 $$");
    assert_int_equal(run.end, CHILD_KILLED);
    assert_int_equal(run.code, SIGKILL);
    assert_string_equal(run.error, "sh was killed by signal 9");
    nothing_left();
}

static void test_not_started(void **state)
{
    (void)state;
    struct run run;
    run_command(&run, &(struct child_args){.argv = (const char *const[]){"condor_none", NULL},
                                           .tools = "/nonexistent"});
    assert_int_equal(run.end, CHILD_NOT_STARTED);
    assert_int_equal(run.code, ENOENT);
    assert_string_equal(run.error, "condor_none cannot be started: No such file or directory");
}

static void test_tools_folder_and_environment(void **state)
{
    (void)state;
    struct run run;
    (void)setenv("EYRIE_TEST", "old", 1);
    run_command(&run, &(struct child_args){
                          .argv = (const char *const[]){"sh", "-c", "echo $EYRIE_TEST $HOME", NULL},
                          .tools = "/bin",
                          .environment = (const char *const[]){"EYRIE_TEST=new", "HOME=/h", NULL}});
    assert_string_equal(text_get(&run.output), "new /h\n");
    text_done(&run.output);
}

static void test_input(void **state)
{
    (void)state;
    struct run run;
    size_t length = 1000000;
    AUTOFREE char *input = mem_new(length, 1);
    memset(input, 'x', length);
    run_command(&run, &(struct child_args){.argv = (const char *const[]){"cat", NULL},
                                           .input = input, .input_length = length});
    assert_int_equal(run.output.length, length);
    text_done(&run.output);
    /* one that does not want its input */
    run_command(&run, &(struct child_args){.argv = (const char *const[]){"true", NULL},
                                           .input = input, .input_length = length});
    assert_int_equal(run.code, 0);
    /* none: at its end at once */
    run_shell(&run, "cat");
    assert_int_equal(run.code, 0);
}

static void test_deadline_kills_the_group(void **state)
{
    (void)state;
    struct run run;
    run_command(&run, &(struct child_args){.argv = SHELL("echo going >&2; sleep 600 & sleep 600"),
                                           .deadline = 300000});
    assert_int_equal(run.end, CHILD_DEADLINE);
    assert_string_equal(run.error,
                        "sh had not ended after 300ms and was killed: going");
    assert_true(run.took >= 300000 && run.took < 10 * USEC_PER_SEC);
}

static void test_leftovers_do_not_hold_us_up(void **state)
{
    (void)state;
    struct run run;
    run_shell(&run, "sleep 600 & echo done");
    assert_int_equal(run.end, CHILD_EXITED);
    assert_string_equal(text_get(&run.output), "done\n");
    assert_true(run.took < 10 * USEC_PER_SEC);
    text_done(&run.output);
}

static void test_limits(void **state)
{
    (void)state;
    struct run run;
    run_command(&run, &(struct child_args){.argv = SHELL("while :; do echo xxxxxxxxxxxxxxxx; done"),
                                           .limit = 100000});
    assert_int_equal(run.end, CHILD_TOO_MUCH);
    assert_true(run.output.length <= 100000);
    text_done(&run.output);
    /* endless stderr fills neither memory nor its pipe */
    run_shell(&run, "i=0; while [ $i -lt 3000 ]; do echo yyyyyyyyyyyyyyyyyyyyyyyyyy$i >&2; "
                    "i=$((i+1)); done; exit 1");
    assert_int_equal(run.end, CHILD_EXITED);
    assert_int_equal(run.code, 1);
    assert_true(strlen(run.error) < 500);
}

static int refuse(void *userdata, const char *bytes, size_t length, struct err *e)
{
    (void)userdata;
    (void)bytes;
    (void)length;
    return err_set(e, EBADMSG, "not JSON");
}

static void test_refused(void **state)
{
    (void)state;
    struct run run;
    run_command(&run, &(struct child_args){.argv = SHELL("echo hello; sleep 600"),
                                           .output = refuse});
    assert_int_equal(run.end, CHILD_REFUSED);
    assert_string_equal(run.error, "the output of sh is not usable: not JSON");
}

static void test_secret(void **state)
{
    (void)state;
    struct run run;
    run_command(&run, &(struct child_args){.argv = (const char *const[]){"cat", NULL},
                                           .input = "tok", .input_length = 3,
                                           .limit = 100, .secret = true});
    assert_string_equal(text_get(&run.output), "tok");
    text_done(&run.output);
    run_command(&run, &(struct child_args){.argv = SHELL("echo 12345678901"),
                                           .limit = 10, .secret = true});
    assert_int_equal(run.end, CHILD_TOO_MUCH);
}

static void never(void *userdata, const struct child_result *r)
{
    (void)userdata;
    (void)r;
    fail();
}

static void look_for_zombies(void *userdata)
{
    struct run *run = userdata;
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD)
        loop_quit(run->loop, 0);
    else if (++run->calls > 1000)
        loop_quit(run->loop, 1);
    else
        loop_timer_set(*(struct loop_timer **)run->output.data, 10000);
}

static void test_given_up(void **state)
{
    (void)state;
    struct run run = {0};
    struct err e;
    assert_int_equal(loop_new(&run.loop, &e), 0);
    struct child *c = child_run(run.loop, &(struct child_args){.argv = SHELL("sleep 600"),
                                                               .done = never});
    assert_null(child_free(c));
    assert_null(child_free(NULL));
    struct loop_timer *timer = loop_timer_new(run.loop, look_for_zombies, &run);
    text_add_bytes(&run.output, (char *)&timer, sizeof(timer));
    loop_timer_set(timer, 0);
    assert_int_equal(loop_run(run.loop), 0); /* reaped, though nobody watches it any more */
    (void)loop_timer_free(timer);
    (void)loop_free(run.loop);
    text_done(&run.output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_not_started),
        cmocka_unit_test(test_tools_folder_and_environment),
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_deadline_kills_the_group),
        cmocka_unit_test(test_leftovers_do_not_hold_us_up),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_secret),
        cmocka_unit_test(test_given_up),
    };
    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
