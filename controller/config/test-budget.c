#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "config/budget.h"

static void budgets_are_parsed(void **state)
{
    static const struct {
        const char *text;
        struct policy_budget value;
    } rows[] = {
        {"2", {.days = POLICY_EVERY_DAY, .until = 1440, .number = 2}},
        {"5%", {.days = POLICY_EVERY_DAY, .until = 1440, .number = 5, .percent = true}},
        {"weekdays 08:00-18:00: 5%",
         {.days = POLICY_WEEKDAYS, .from = 480, .until = 1080, .number = 5, .percent = true}},
        {"weekend: 100%", {.days = POLICY_WEEKEND, .until = 1440, .number = 100, .percent = true}},
        {"mon,sun 22:00-06:00 0", {.days = 1 | 64, .from = 1320, .until = 360, .number = 0}},
        {"00:00-24:00: 1", {.days = POLICY_EVERY_DAY, .until = 1440, .number = 1}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct policy_budget b = {.at = {7}};
        struct err e = {""};
        assert_int_equal(budget_parse(rows[i].text, &b, &e), 0);
        assert_int_equal(b.days, rows[i].value.days);
        assert_int_equal(b.from, rows[i].value.from);
        assert_int_equal(b.until, rows[i].value.until);
        assert_int_equal(b.number, rows[i].value.number);
        assert_int_equal(b.percent, rows[i].value.percent);
        assert_int_equal(b.at.line, 7);
    }
}

static void other_words_are_refused(void **state)
{
    static const char *const bad[] = {"", "%", "five", "101%", "weekday 5%", "8:00-18:00: 5%",
                                      "08:00-25:00: 5%", "08:00-08:00: 5%", "5% please", "-1",
                                      "weekdays 08:00: 5%"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct policy_budget b = {.at = {7}};
        struct err e;
        assert_int_equal(budget_parse(bad[i], &b, &e), -EINVAL);
        assert_int_equal(b.number, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budgets_are_parsed),
        cmocka_unit_test(other_words_are_refused),
    };
    return cmocka_run_group_tests_name("config/budget", tests, NULL, NULL);
}
