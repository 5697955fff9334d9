#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plan/heap.h"

enum { MANY = 1000 };

static uint32_t values[MANY];

static bool is_less(const void *context, size_t a, size_t b)
{
    const uint32_t *of = context;
    return of[a] != of[b] ? of[a] < of[b] : a < b;
}

static void fill_values(uint32_t seed)
{
    for (size_t i = 0; i < MANY; i++)
        values[i] = seed = (seed * 1103515245u + 12345u) & 0xffff;
}

/* Empties the heap; returns how many came, each not before the one that came before it. */
static size_t drain(struct heap *h)
{
    size_t n = 0, last = SIZE_MAX;
    for (size_t i; (i = heap_first(h)) != SIZE_MAX; last = i, n++) {
        assert_true(last == SIZE_MAX || is_less(values, last, i));
        heap_drop_first(h);
    }
    heap_drop_first(h); /* of none */
    return n;
}

static void the_first_comes_first(void **state)
{
    struct arena *a = arena_new();
    bool odd[MANY];
    (void)state;
    fill_values(1);
    for (size_t i = 0; i < MANY; i++)
        odd[i] = i % 2;
    assert_int_equal(drain(heap_new(a, MANY, NULL, is_less, values)), MANY);
    assert_int_equal(drain(heap_new(a, MANY, odd, is_less, values)), MANY / 2);
    assert_int_equal(drain(heap_new(a, 0, NULL, is_less, values)), 0);
    arena_free(a);
}

static void what_changed_moves(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    fill_values(2);
    struct heap *h = heap_new(a, MANY, NULL, is_less, values);
    for (size_t i = 0; i < MANY; i += 3) {
        values[i] = i % 2 ? values[i] / 2 : values[i] * 2;
        heap_moved(h, i);
    }
    size_t first = heap_first(h);
    heap_drop_first(h);
    values[first] = 0;
    heap_moved(h, first); /* it is not there any more */
    assert_true(heap_first(h) != first);
    assert_int_equal(drain(h), MANY - 1);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_comes_first),
        cmocka_unit_test(what_changed_moves),
    };
    return cmocka_run_group_tests_name("plan/heap", tests, NULL, NULL);
}
