#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    for (size_t size = 1; size < 200000; size = size * 3 + 1) {
        unsigned char *p = arena_take(a, 1, size);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    assert_null(arena_free(a));
    assert_null(arena_free(NULL));
}

static void an_array_grows_and_keeps_its_content(void **state)
{
    struct arena *a = arena_new();
    size_t *numbers = NULL, capacity = 0;
    (void)state;
    for (size_t i = 0; i < 5000; i++) {
        numbers = arena_grow(a, numbers, i, &capacity, sizeof(*numbers));
        numbers[i] = i;
    }
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(numbers[i], i);
    assert_true(arena_used(a) < 2 * capacity * sizeof(*numbers)); /* the smaller copies are gone */
    arena_free(a);
}

static void large_arrays_are_given_back(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    unsigned char *small = arena_take(a, 100, 1), *kept = arena_take(a, 100000, 1);
    unsigned char *large = arena_take(a, 50000, 1), *last = arena_take(a, 4096, 1);
    memset(kept, 1, 100000);
    memset(last, 2, 4096);
    size_t most = arena_used(a);
    arena_drop(a, large);
    assert_int_equal(arena_used(a), most - 50000);
    arena_drop(a, NULL);
    arena_drop(a, small);
    assert_int_equal(arena_used(a), most - 50000); /* what is small stays */
    for (size_t i = 0; i < 4096; i++)
        assert_true(kept[i] == 1 && kept[99999 - i] == 1 && last[i] == 2);
    assert_int_equal(arena_peak(a), most);
    arena_free(a);
}

static void text_grows_and_drops(void **state)
{
    struct text t = {0};
    (void)state;
    assert_string_equal(text_get(&t), "");
    for (int i = 0; i < 100; i++)
        text_printf(&t, "%d,", i);
    text_drop(&t, 4);
    assert_true(text_starts_with(text_get(&t), "2,3,"));
    text_clear(&t);
    assert_string_equal(text_get(&t), "");
    text_done(&t);
}

static void errors_are_prefixed_and_cut(void **state)
{
    struct err e;
    char longer[2 * ERR_TEXT_MAX];
    (void)state;
    assert_int_equal(err_set(&e, 5, "no %s", "file"), -5);
    assert_int_equal(err_prefix(&e, -5, "eyrie.yaml:%d", 3), -5);
    assert_string_equal(e.text, "eyrie.yaml:3: no file");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    err_set(&e, 5, "%s", longer);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    err_prefix(&e, -5, "%s", "place");
    assert_true(strlen(e.text) < ERR_TEXT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(an_array_grows_and_keeps_its_content),
        cmocka_unit_test(large_arrays_are_given_back),
        cmocka_unit_test(text_grows_and_drops),
        cmocka_unit_test(errors_are_prefixed_and_cut),
    };
    return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
