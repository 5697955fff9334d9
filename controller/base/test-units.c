#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/units.h"

static void durations_are_parsed_and_formatted(void **state)
{
    static const struct {
        const char *text;
        usec value;
        const char *again;
    } rows[] = {
        {"0", 0, "0s"},
        {"10s", 10 * USEC_PER_SEC, "10s"},
        {"90s", 90 * USEC_PER_SEC, "1m30s"},
        {"1h30m", 90 * USEC_PER_MINUTE, "1h30m"},
        {"14d", 14 * USEC_PER_DAY, "14d"},
        {"450ms", 450000, "450ms"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char buffer[UNITS_TEXT_MAX];
        usec d = -1;
        assert_int_equal(units_parse_duration(rows[i].text, &d), 0);
        assert_int_equal(d, rows[i].value);
        assert_string_equal(units_format_duration(d, buffer), rows[i].again);
    }
}

static void bad_durations_are_refused(void **state)
{
    static const char *const bad[] = {"", "10", "s", "-1s", "10x", "1m1h", "5s5s", "1.5h", " 1s", "1s "};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        usec d = -7;
        assert_int_equal(units_parse_duration(bad[i], &d), -EINVAL);
        assert_int_equal(d, -7);
    }
    usec d = 0;
    assert_int_equal(units_parse_duration("99999999d", &d), -ERANGE);
    assert_int_equal(units_parse_duration("99999999999999999999s", &d), -ERANGE);
}

static void sizes_are_parsed_and_formatted(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
        const char *again;
    } rows[] = {
        {"0", 0, "0B"},          {"4GiB", 4 * GIB, "4GiB"},   {"1.5GiB", 3 * GIB / 2, "1.5GiB"},
        {"6TiB", 6 * TIB, "6TiB"}, {"768MiB", 768 * MIB, "768MiB"}, {"2GB", 2000000000, "1.9GiB"},
        {"100B", 100, "100B"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char buffer[UNITS_TEXT_MAX];
        int64_t bytes = -1;
        assert_int_equal(units_parse_bytes(rows[i].text, &bytes), 0);
        assert_int_equal(bytes, rows[i].value);
        assert_string_equal(units_format_bytes(bytes, buffer), rows[i].again);
    }
}

static void bad_sizes_are_refused(void **state)
{
    static const char *const bad[] = {"", "4", "4G", "4gib", "GiB", "-4GiB", "4 GiB", "1.GiB", "0x4GiB"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int64_t bytes = -7;
        assert_int_equal(units_parse_bytes(bad[i], &bytes), -EINVAL);
        assert_int_equal(bytes, -7);
    }
    int64_t bytes;
    assert_int_equal(units_parse_bytes("99999999TiB", &bytes), -ERANGE);
}

static void counts_are_whole_numbers(void **state)
{
    int64_t n = 0;
    (void)state;
    assert_int_equal(units_parse_count("400", &n), 0);
    assert_int_equal(n, 400);
    assert_int_equal(units_parse_count("8oo", &n), -EINVAL);
    assert_int_equal(units_parse_count("10k", &n), -EINVAL);
    assert_int_equal(units_parse_count("0.5", &n), -EINVAL);
    assert_int_equal(units_parse_count("", &n), -EINVAL);
    assert_int_equal(units_parse_count("1000000001", &n), -ERANGE);
    assert_int_equal(n, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_parsed_and_formatted),
        cmocka_unit_test(bad_durations_are_refused),
        cmocka_unit_test(sizes_are_parsed_and_formatted),
        cmocka_unit_test(bad_sizes_are_refused),
        cmocka_unit_test(counts_are_whole_numbers),
    };
    return cmocka_run_group_tests_name("base/units", tests, NULL, NULL);
}
