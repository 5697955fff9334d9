#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plan/names.h"

enum { MANY = 10000 };

static void each_text_keeps_its_first_number(void **state)
{
    struct arena *a = arena_new();
    struct names *names = names_new(a, 2);
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(names_add(names, arena_printf(a, "%zu", i), i), i);
    for (size_t i = 0; i < MANY; i++) {
        const char *again = arena_printf(a, "%zu", i);
        assert_int_equal(names_add(names, again, MANY + i), i);
        assert_int_equal(names_find(names, again), i);
    }
    arena_free(a);
}

static void what_was_not_added_is_not_found(void **state)
{
    struct arena *a = arena_new();
    struct names *names = names_new(a, 0);
    (void)state;
    assert_true(names_find(names, "") == SIZE_MAX);
    (void)names_add(names, "12345678", 3);
    assert_true(names_find(names, "") == SIZE_MAX);
    assert_true(names_find(names, "1234567") == SIZE_MAX);
    assert_true(names_find(names, "123456789") == SIZE_MAX);
    (void)names_add(names, "", 4);
    assert_int_equal(names_find(names, ""), 4);
    arena_free(a);
}

static void numbers_are_replaced(void **state)
{
    struct arena *a = arena_new();
    struct names *names = names_new(a, 3);
    (void)state;
    (void)names_add(names, "a", 0);
    (void)names_add(names, "b", 1);
    (void)names_add(names, "c", 2);
    names_renumber(names, (const uint32_t[]){7, 9, 8});
    assert_int_equal(names_find(names, "a"), 7);
    assert_int_equal(names_find(names, "b"), 9);
    assert_int_equal(names_find(names, "c"), 8);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_keeps_its_first_number),
        cmocka_unit_test(what_was_not_added_is_not_found),
        cmocka_unit_test(numbers_are_replaced),
    };
    return cmocka_run_group_tests_name("plan/names", tests, NULL, NULL);
}
