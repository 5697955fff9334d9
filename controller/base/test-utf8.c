/* What is not UTF-8 becomes "?", and nothing else changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/utf8.h"

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

static void test_plain(void **state)
{
    static const struct {
        const char *text;
        bool plain;
    } cases[] = {
        {"", true},
        {"caf\xc3\xa9", true},
        {"a\nb", false},
        {"\x7f", false},
        {"\xc2\x9b"
         "2J",
         false},
        {"\xe2\x80\xa8", false},
        {"\xef\xbb\xbf", false},
        {"\xe9t\xe9", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(utf8_is_plain(cases[i].text), cases[i].plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mend), cmocka_unit_test(test_plain)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
