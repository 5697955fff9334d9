#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdint.h>

#include "base/mem.h"
#include "serve/accept.h"

static void test_what_is_taken(void **state)
{
    static const struct {
        const char *header;
        bool takes;
    } cases[] = {
        {NULL, true},
        {"", true},
        {"*/*", true},
        {"application/json", true},
        {"Application/JSON;charset=utf-8", true},
        {"text/html , application/*;q=0.1", true},
        {"text/html,application/xml;q=0.9,*/*;q=0.8", true},
        {"text/html", false},
        {"application/jsonp", false},
        {"application/json;q=0", false},
        {"application/json; q=0.0, text/*", false},
        {"*/*, application/json;q=0", false}, /* the most specific one decides */
        {"application/*;q=0, application/json", true},
        {"*/*;q=0", false},
        {",,;q=1,", false},
        {"a;q", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(accept_takes(cases[i].header, "application/json"), cases[i].takes);
    assert_true(accept_takes("text/plain; version=0.0.4, application/openmetrics-text",
                             "application/openmetrics-text; version=1.0.0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_is_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
