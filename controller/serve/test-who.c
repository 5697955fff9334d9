/* Names of users, as the system tells them to a child. */
#include "serve/who.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

struct told {
    struct loop *loop;
    struct waiting *waiting;
    char *name, *error;
};

static void on_told(void *userdata, const char *name, const char *error)
{
    struct told *t = userdata;
    t->name = name ? mem_strdup(name) : NULL;
    t->error = error ? mem_strdup(error) : NULL;
    t->waiting = waiting_free(t->waiting);
    loop_quit(t->loop, 0);
}

/* What is told of @uid; the caller's to free. */
static struct told ask(uid_t uid)
{
    struct told t = {0};
    struct err e;
    assert_int_equal(loop_new(&t.loop, &e), 0);
    t.waiting = who_ask(t.loop, uid, on_told, &t);
    assert_int_equal(loop_run(t.loop), 0);
    t.loop = loop_free(t.loop);
    return t;
}

static void a_user_is_told_by_name(void **state)
{
    struct told t = ask(0);
    (void)state;
    assert_string_equal(t.name, "root");
    assert_null(t.error);
    free(t.name);
}

static void a_user_without_a_name_is_a_number(void **state)
{
    struct told t = ask(4000000);
    (void)state;
    assert_string_equal(t.name, "uid 4000000");
    assert_null(t.error);
    free(t.name);
}

static void who_cannot_be_told_is_an_error(void **state)
{
    AUTOFREE char *path = mem_strdup(getenv("PATH"));
    (void)state;
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    struct told t = ask(0);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_null(t.name);
    assert_non_null(strstr(t.error, "who uid 0 is cannot be told"));
    free(t.error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_is_told_by_name),
        cmocka_unit_test(a_user_without_a_name_is_a_number),
        cmocka_unit_test(who_cannot_be_told_is_an_error),
    };
    return cmocka_run_group_tests_name("serve/who", tests, NULL, NULL);
}
