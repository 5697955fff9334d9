#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/when.h"

/* 2026-01-01T00:00 UTC */
#define YEAR_2026 (1767225600 * USEC_PER_SEC)

/* Central Europe without a database of zones: set forward on 29 March, back on 25 October 2026. */
static int in_europe(void **state)
{
    (void)state;
    (void)setenv("TZ", "CET-1CEST,M3.5.0/2,M10.5.0/3", 1);
    tzset();
    return 0;
}

static void times_are_local_unless_they_say_otherwise(void **state)
{
    static const struct {
        const char *text;
        usec after; /* the beginning of 2026, UTC */
        const char *again;
    } rows[] = {
        {"2026-01-01", -USEC_PER_HOUR, "2026-01-01T00:00"},
        {"2026-01-01T08:30", 7 * USEC_PER_HOUR + 30 * USEC_PER_MINUTE, "2026-01-01T08:30"},
        {"2026-01-01T08:30:05", 7 * USEC_PER_HOUR + 30 * USEC_PER_MINUTE + 5 * USEC_PER_SEC,
         "2026-01-01T08:30:05"},
        {"2026-07-01T08:00", 181 * USEC_PER_DAY + 6 * USEC_PER_HOUR, "2026-07-01T08:00"},
        {"2026-01-01T08:30Z", 8 * USEC_PER_HOUR + 30 * USEC_PER_MINUTE, "2026-01-01T09:30"},
        {"2026-01-01T08:30+08:00", 30 * USEC_PER_MINUTE, "2026-01-01T01:30"},
        {"2026-01-01T08:30-05:30", 14 * USEC_PER_HOUR, "2026-01-01T15:00"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char buffer[WHEN_TEXT_MAX];
        struct err e = {0};
        usec t = -1;
        assert_int_equal(when_parse(rows[i].text, &t, &e), 0);
        assert_int_equal(t - YEAR_2026, rows[i].after);
        assert_string_equal(when_format(t, buffer), rows[i].again);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const bad[] = {
        "",           "tomorrow",         "2026-12",          "2026-02-30",          "2026-13-01",
        "2026-12-1",  "2026-12-01 20:00", "2026-12-01T24:30", "2026-12-01T20:60",    "1969-12-31",
        "2026-12-01T", "2026-12-01T20:00CET", "2026-12-01T20:00+1", "2026-12-01T20:00+25:00",
        "20:00",      "now",              "+2h",              "2026-12-01T20:00:61", "12026-01-01"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err e = {0};
        usec t = -7;
        assert_int_equal(when_parse(bad[i], &t, &e), -EINVAL);
        assert_non_null(strstr(e.text, "is not a time, such as 2026-12-01T20:00"));
        assert_int_equal(t, -7);
    }
}

static void a_time_that_the_clocks_skip_is_refused(void **state)
{
    struct err e = {0};
    usec t = -7;
    (void)state;
    assert_int_equal(when_parse("2026-03-29T02:30", &t, &e), -EINVAL);
    assert_string_equal(e.text, "\"2026-03-29T02:30\" does not come here: the clocks are set forward "
                                "then, from offset +01:00 to +02:00");
    assert_int_equal(when_parse("2026-03-29T01:59", &t, &e), 0);
    usec before = t;
    assert_int_equal(when_parse("2026-03-29T03:00", &t, &e), 0);
    assert_int_equal(t - before, USEC_PER_MINUTE);
}

static void a_time_that_comes_twice_needs_its_offset(void **state)
{
    char buffer[WHEN_TEXT_MAX];
    struct err e = {0};
    usec first = 0, second = 0;
    (void)state;
    assert_int_equal(when_parse("2026-10-25T02:30", &first, &e), -EINVAL);
    assert_string_equal(e.text, "\"2026-10-25T02:30\" comes twice here, as the clocks are set back; "
                                "add +02:00 for the first, +01:00 for the second");
    assert_int_equal(when_parse("2026-10-25T02:30+02:00", &first, &e), 0);
    assert_int_equal(when_parse("2026-10-25T02:30+01:00", &second, &e), 0);
    assert_int_equal(second - first, USEC_PER_HOUR);
    assert_string_equal(when_format(first, buffer), "2026-10-25T02:30+02:00");
    assert_string_equal(when_format(second, buffer), "2026-10-25T02:30+01:00");
}

/* A second of every quarter of an hour of the year is written so that it is read as itself. */
static void what_is_written_is_read_again(void **state)
{
    (void)state;
    for (usec t = YEAR_2026; t < YEAR_2026 + 365 * USEC_PER_DAY; t += 15 * USEC_PER_MINUTE) {
        char buffer[WHEN_TEXT_MAX];
        struct err e = {0};
        usec again = 0;
        assert_int_equal(when_parse(when_format(t, buffer), &again, &e), 0);
        assert_int_equal(again, t);
    }
}

static void now_and_later_are_relative(void **state)
{
    struct err e = {0};
    usec t = -7;
    (void)state;
    assert_int_equal(when_parse_after("now", YEAR_2026, &t, &e), 0);
    assert_int_equal(t, YEAR_2026);
    assert_int_equal(when_parse_after("+1h30m", YEAR_2026, &t, &e), 0);
    assert_int_equal(t, YEAR_2026 + 90 * USEC_PER_MINUTE);
    assert_int_equal(when_parse_after("2026-01-01T01:00", 0, &t, &e), 0);
    assert_int_equal(t, YEAR_2026);
    assert_int_equal(when_parse_after("+2", YEAR_2026, &t, &e), -EINVAL);
    assert_string_equal(e.text, "\"+2\" is not a time from now, such as +2h or +1h30m");
}

static void people_are_told_the_year_when_it_is_another(void **state)
{
    char buffer[WHEN_TEXT_MAX];
    usec t = YEAR_2026 + 334 * USEC_PER_DAY + 19 * USEC_PER_HOUR;
    (void)state;
    assert_string_equal(when_say(t, YEAR_2026, buffer), "1 Dec 20:00");
    assert_string_equal(when_say(t, YEAR_2026 - USEC_PER_DAY, buffer), "1 Dec 2026 20:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_local_unless_they_say_otherwise),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(a_time_that_the_clocks_skip_is_refused),
        cmocka_unit_test(a_time_that_comes_twice_needs_its_offset),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(now_and_later_are_relative),
        cmocka_unit_test(people_are_told_the_year_when_it_is_another),
    };
    return cmocka_run_group_tests_name("base/when", tests, in_europe, NULL);
}
