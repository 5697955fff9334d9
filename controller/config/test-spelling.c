#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "config/spelling.h"

static void distances_are_known(void **state)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } rows[] = {
        {"", "", 0},         {"", "cpus", 4},     {"cpus", "cpus", 0},      {"cpu", "cpus", 1},
        {"CPUs", "cpus", 0}, {"cpsu", "cpus", 1}, {"kitten", "sitting", 3}, {"limtis", "limits", 1},
        {"ca", "abc", 3},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(spelling_distance(rows[i].a, rows[i].b), rows[i].distance);
        assert_int_equal(spelling_distance(rows[i].b, rows[i].a), rows[i].distance);
    }
}

static void advice_is_near_or_none(void **state)
{
    const char *near = NULL;
    char longer[200];
    (void)state;
    spelling_nearer("memroy", "disk", &near);
    assert_null(near);
    spelling_nearer("memroy", "memory", &near);
    assert_string_equal(near, "memory");
    spelling_nearer("memroy", "memo", &near);
    assert_string_equal(near, "memory");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    near = NULL;
    spelling_nearer(longer, longer, &near);
    assert_null(near);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_known),
        cmocka_unit_test(advice_is_near_or_none),
    };
    return cmocka_run_group_tests_name("config/spelling", tests, NULL, NULL);
}
