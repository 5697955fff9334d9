/* What is not UTF-8 becomes "?", and nothing else changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "serve/utf8.h"

static void test_mend(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"plain \n text", "plain \n text"},
        {"\xc3\xa9 \xe2\x80\xa6 \xf0\x9f\xa6\x85", "\xc3\xa9 \xe2\x80\xa6 \xf0\x9f\xa6\x85"},
        {"latin-1 \xe9t\xe9", "latin-1 ?t?"},
        {"cut \xe2\x80", "cut ??"},
        {"cut \xe2\x80z", "cut ??z"},
        {"overlong \xc0\xaf \xe0\x80\xaf", "overlong ?? ???"},
        {"surrogate \xed\xa0\x80", "surrogate ???"},
        {"above \xf4\x90\x80\x80 \xff", "above ???? ?"},
        {"\x80", "?"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        strcpy(text, cases[i].in);
        utf8_mend(text, strlen(text));
        assert_string_equal(text, cases[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mend)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
