#include "host/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/utf8.h"

static void expect(const char *written, size_t length, const char *wanted)
{
    struct tail t = {.written = 0};
    struct text out CLEANUP(text_done) = {0};
    tail_add(&t, written, length);
    tail_render(&t, &out);
    assert_string_equal(text_get(&out), wanted);
}
#define EXPECT(written, wanted) expect(written, sizeof(written) - 1, wanted)

static void lines_are_joined_and_harmless(void **state)
{
    (void)state;
    EXPECT("", "");
    EXPECT("\r\n \r\n", "");
    EXPECT("one\r\ntwo  \n\nthree", "one | two | three");
    EXPECT("\033[1;31mred\033[0m\033c \007bell\033", "red bell");
    EXPECT("\033[12", "");
    EXPECT("a\xff\xc3(\xc3\xa9\xe2\x80\xa8z\0y", "a?" "?(\xc3\xa9zy");
}

static void a_token_is_never_in_it(void **state)
{
    (void)state;
    EXPECT("TOKEN eyJhbGciOiJIUzI1NiIsImtpZCI6.eyJh_b-c.x!\neyJ is short",
           "TOKEN [token]! | eyJ is short");
}

static void only_the_last_whole_lines_are_kept(void **state)
{
    (void)state;
    struct tail t = {.written = 0};
    struct text out CLEANUP(text_done) = {0};
    for (int i = 0; i < 1000; i++)
        tail_add(&t, "eyJhbGciOiJIUzI1NiIsImtpZCI6\n", 29);
    tail_add(&t, "Kernel panic\n", 13);
    tail_render(&t, &out);
    assert_true(out.length < TAIL_BYTES);
    assert_null(strstr(text_get(&out), "eyJ"));
    assert_true(text_starts_with(text_get(&out), "[token] | "));
    assert_string_equal(text_get(&out) + out.length - 15, " | Kernel panic");
    assert_true(utf8_is_plain(text_get(&out)));
}

static void one_line_that_is_too_long_is_left_out(void **state)
{
    (void)state;
    struct tail t = {.written = 0};
    struct text out CLEANUP(text_done) = {0};
    for (int i = 0; i < 5000; i++)
        tail_add(&t, "x", 1);
    tail_render(&t, &out);
    assert_string_equal(text_get(&out), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_joined_and_harmless),
        cmocka_unit_test(a_token_is_never_in_it),
        cmocka_unit_test(only_the_last_whole_lines_are_kept),
        cmocka_unit_test(one_line_that_is_too_long_is_left_out),
    };
    return cmocka_run_group_tests_name("host/tail", tests, NULL, NULL);
}
