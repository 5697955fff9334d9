#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"

static int count_object(void *userdata, struct json_object *object, struct err *e)
{
    int64_t n;
    int r = json_get_int(object, "n", &n, e);
    if (r < 0)
        return r;
    *(int64_t *)userdata += n;
    return 0;
}

/* Feed @text in pieces of @piece bytes; the sum of all "n" lands in *@ret_sum. */
static int run(const char *text, size_t piece, int64_t *ret_sum)
{
    struct err e;
    struct json_stream *s = json_stream_new(count_object, ret_sum);
    int r = 0;
    *ret_sum = 0;
    for (size_t at = 0, length = strlen(text); r >= 0 && at < length; at += piece)
        r = json_stream_feed(s, text + at, length - at < piece ? length - at : piece, &e);
    if (r >= 0)
        r = json_stream_end(s, &e);
    json_stream_free(s);
    return r;
}

static void a_stream_is_the_same_in_any_pieces(void **state)
{
    const char *text = "[\n{\"n\": 1, \"s\": \"a]b}\"},\n{\"n\": 20, \"o\": {\"x\": [1, 2]}}\n]\n";
    (void)state;
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        int64_t sum;
        assert_int_equal(run(text, piece, &sum), 0);
        assert_int_equal(sum, 21);
    }
}

static void no_output_is_an_empty_list_but_half_a_list_is_not(void **state)
{
    int64_t sum;
    (void)state;
    assert_int_equal(run("", 1, &sum), 0);
    assert_int_equal(run("\n", 1, &sum), 0);
    assert_int_equal(run("[]", 1, &sum), 0);
    assert_int_equal(run("[\n{\"n\": 1}", 100, &sum), -EBADMSG);
    assert_int_equal(run("[", 1, &sum), -EBADMSG);
    assert_int_equal(run("[{\"n\": 1", 3, &sum), -EBADMSG);
    assert_int_equal(run("[{\"n\": 1}]x", 3, &sum), -EBADMSG);
    assert_int_equal(run("Error: no schedd", 3, &sum), -EBADMSG);
    assert_int_equal(run("[{\"n\": \"one\"}]", 3, &sum), -EBADMSG);
}

static void an_object_without_end_is_refused_early(void **state)
{
    int64_t sum;
    char *text = mem_new(LIMIT_OBJECT_BYTES + 100, 1);
    (void)state;
    memset(text, 'x', LIMIT_OBJECT_BYTES + 99);
    memcpy(text, "[{\"n\": \"", 8);
    assert_int_equal(run(text, 4096, &sum), -EMSGSIZE);
    free(text);
}

static void values_are_whole(void **state)
{
    struct json_object *o = NULL;
    struct err e;
    (void)state;
    assert_int_equal(json_parse("{\"a\": 1} ", 9, &o, &e), 0);
    assert_int_equal(json_int_or(o, "a", 7), 1);
    assert_int_equal(json_int_or(o, "b", 7), 7);
    assert_string_equal(json_string_or(o, "a", "fallback"), "fallback");
    json_object_put(o);
    o = NULL;
    assert_int_equal(json_parse("{\"a\": 1} x", 10, &o, &e), -EBADMSG);
    assert_int_equal(json_parse("{\"a\": ", 6, &o, &e), -EBADMSG);
    assert_int_equal(json_parse("", 0, &o, &e), -EBADMSG);
    assert_null(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_the_same_in_any_pieces),
        cmocka_unit_test(no_output_is_an_empty_list_but_half_a_list_is_not),
        cmocka_unit_test(an_object_without_end_is_refused_early),
        cmocka_unit_test(values_are_whole),
    };
    return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
