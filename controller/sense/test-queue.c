/* The queue's parser, on what the schedd really answers (recorded with 23.9.6 in
 * tests/data/condor). */
#include "sense/queue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "sense/recorded.h"

static int parse(struct arena *a, const char *bytes, size_t length, size_t piece,
                 struct world_shape **ret, size_t *ret_n, struct err *e)
{
    struct queue_parser *q = queue_parser_new(a, 1000 * USEC_PER_SEC);
    int r = 0;
    for (size_t at = 0; r == 0 && at < length; at += piece)
        r = queue_parser_feed(q, bytes + at, length - at < piece ? length - at : piece, e);
    if (r == 0)
        r = queue_parser_end(q, ret, ret_n, e);
    assert_null(queue_parser_free(q));
    return r;
}

/* The shapes as lines, or "error: …". */
static char *shapes(const char *bytes, size_t length, size_t piece)
{
    struct arena *a = arena_new();
    struct text out = {0};
    struct err e = {""};
    struct world_shape *s = NULL;
    size_t n = 0;
    int r = parse(a, bytes, length, piece, &s, &n, &e);
    if (r < 0)
        text_printf(&out, "error: %s", e.text);
    for (size_t i = 0; i < n; i++, s++)
        text_printf(&out, "%s/%s %lldc %lldM %lldK%s %lld+%lld+%lld\n", s->owner, s->group,
                    (long long)s->cpus, (long long)(s->memory / MIB), (long long)(s->disk / KIB),
                    s->assumed ? "?" : "", (long long)s->idle, (long long)s->running,
                    (long long)s->held);
    (void)arena_free(a);
    char *result = mem_strdup(text_get(&out));
    text_done(&out);
    return result;
}

static void expect(const char *json, const char *wanted)
{
    AUTOFREE char *got = shapes(json, strlen(json), 7);
    assert_string_equal(got, wanted);
}

static void test_argv(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct policy_schedd schedd = {.name = "s.example", .collector = "cm.example"};
    struct policy p = {.pool.flag = "VirtualPool", .schedds = &schedd, .n_schedds = 1};
    struct text line = {0};
    for (const char *const *word = queue_argv(a, &p, 0); *word; word++)
        text_printf(&line, "%s|", *word);
    assert_string_equal(text_get(&line),
                        "condor_q|-name|s.example|-pool|cm.example|-allusers|-group-by|-attributes|"
                        "JobStatus,Owner,AcctGroup,RequestCpus,RequestMemory,RequestDisk,RequestGPUs,"
                        "AllowedExecuteDuration,EyrieRequest,EyrieFlockFrom,"
                        "VirtualPool|-constraint|VirtualPool =?= true|-json|");
    text_done(&line);
    (void)arena_free(a);
}

static void test_recorded(void **state)
{
    (void)state;
    static const struct {
        const char *file, *wanted;
    } cases[] = {
        {"queue.json", "alice/juno 1c 200M 1024K? 1+1+1\n"
                       "bob/lhaaso 2c 128M 1024K? 2+0+0\n"},
        {"queue-defaults.json", "alice/juno 1c 200M 1024K? 3+0+1\n"
                                "bob/lhaaso 2c 128M 1024K? 2+0+0\n"
                                "eve/ 1c 128M 1024K? 2+0+0\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        recorded_gives(cases[i].file, shapes, cases[i].wanted);
}

/* S8: cut anywhere, it is an error; only the whole and nothing at all (which is how the tool prints
 * an empty result) are not. */
static void test_truncated(void **state)
{
    (void)state;
    recorded_cut("queue.json", shapes);
}

static void test_garbled(void **state)
{
    (void)state;
    recorded_spoiled("queue.json", shapes);
}

#define AD(members)                                                                                \
    "[{\"JobStatus\":1,\"JobCount\":3,\"Owner\":\"u\",\"AcctGroup\":\"g\"," members "}]"

static void jobs_that_may_not_flock_yet_are_shapes_of_their_own(void **state)
{
    (void)state;
    struct world_shape *s = NULL;
    size_t n = 0;
    struct err e;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    /* It is 1000 s after the epoch. What may flock by now is one shape, whenever it was submitted. */
    static const char json[] =
        "[{\"JobStatus\":1,\"JobCount\":3,\"Owner\":\"u\",\"EyrieFlockFrom\":1060},"
        "{\"JobStatus\":1,\"JobCount\":1,\"Owner\":\"u\",\"EyrieFlockFrom\":940},"
        "{\"JobStatus\":1,\"JobCount\":1,\"Owner\":\"u\",\"EyrieFlockFrom\":1000},"
        "{\"JobStatus\":1,\"JobCount\":1,\"Owner\":\"u\",\"EyrieFlockFrom\":\"soon\"},"
        "{\"JobStatus\":1,\"JobCount\":1,\"Owner\":\"u\"}]";
    assert_int_equal(parse(a, json, strlen(json), 5, &s, &n, &e), 0);
    assert_int_equal(n, 2);
    assert_int_equal(s[0].flock_from, 0);
    assert_int_equal(s[0].idle, 4);
    assert_int_equal(s[1].flock_from, 1060 * USEC_PER_SEC);
    assert_int_equal(s[1].idle, 3);
}

static void jobs_of_requests_are_shapes_of_their_own(void **state)
{
    (void)state;
    struct world_shape *s = NULL;
    size_t n = 0;
    struct err e;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    static const char json[] =
        "[{\"JobStatus\":1,\"JobCount\":3,\"Owner\":\"u\",\"EyrieRequest\":\"r-17\"},"
        "{\"JobStatus\":2,\"JobCount\":2,\"Owner\":\"u\",\"EyrieRequest\":\"r-17\"},"
        "{\"JobStatus\":1,\"JobCount\":1,\"Owner\":\"u\",\"EyrieRequest\":17},"
        "{\"JobStatus\":1,\"JobCount\":1,\"Owner\":\"u\",\"EyrieRequest\":\"\"},"
        "{\"JobStatus\":1,\"JobCount\":1,\"Owner\":\"u\"}]";
    assert_int_equal(parse(a, json, strlen(json), 5, &s, &n, &e), 0);
    assert_int_equal(n, 3);
    assert_string_equal(s[0].request, "");
    assert_int_equal(s[0].idle, 2);
    assert_string_equal(s[1].request, "?"); /* which nobody has booked */
    assert_string_equal(s[2].request, "r-17");
    assert_int_equal(s[2].idle, 3);
    assert_int_equal(s[2].running, 2);
}

static void test_requests(void **state)
{
    (void)state;
    expect(AD("\"RequestCpus\":4,\"RequestMemory\":2000,\"RequestDisk\":5"),
           "u/g 4c 2000M 5K 3+0+0\n");
    expect(AD("\"RequestCpus\":0,\"RequestMemory\":-5,\"RequestDisk\":0"), "u/g 1c 1M 1K 3+0+0\n");
    expect(AD("\"RequestCpus\":-9223372036854775808,\"RequestMemory\":1.5,\"RequestDisk\":2.0"),
           "u/g 1c 2M 2K 3+0+0\n");
    expect(AD("\"RequestCpus\":1e300,\"RequestMemory\":9223372036854775807,"
              "\"RequestDisk\":99999999999999999999999"),
           "u/g 1000000c 1099511627776M 1125899906842624K 3+0+0\n");
    expect(
        AD("\"RequestCpus\":\"\\/Expr(1+1)\\/\",\"RequestMemory\":\"4 GB\",\"RequestDisk\":null"),
        "u/g 1c 128M 1024K? 3+0+0\n");
    expect(AD("\"RequestCpus\":2"), "u/g 2c 128M 1024K? 3+0+0\n");
}

static void test_states(void **state)
{
    (void)state;
    AUTOFREE char *json = mem_strdup("");
    for (int status = 1; status <= 7; status++) {
        char *more = mem_printf("%s%s{\"JobStatus\":%d,\"JobCount\":%d,\"Owner\":\"u\","
                                "\"RequestCpus\":1,\"RequestMemory\":1,\"RequestDisk\":1}",
                                json, status == 1 ? "" : ",", status, 1 << status);
        free(json);
        json = more;
    }
    AUTOFREE char *list = mem_printf("[%s]", json);
    expect(list, "u/ 1c 1M 1K 2+204+32\n"); /* completed ones are no demand */
}

static void test_not_trusted(void **state)
{
    (void)state;
    expect("", "");
    expect("\n", "");
    expect("[\n]\n", "");
    expect("[{\"JobCount\":3}]", "error: \"JobStatus\" is missing or not a whole number");
    expect("[{\"JobStatus\":1}]", "error: \"JobCount\" is missing or not a whole number");
    expect("[{\"JobStatus\":9,\"JobCount\":1}]", "error: \"JobStatus\" is 9");
    expect("[{\"JobStatus\":1,\"JobCount\":-1}]", "error: \"JobCount\" is -1");
    expect("[{\"JobStatus\":1,\"JobCount\":99999999999}]", "error: \"JobCount\" is 99999999999");
    expect("-- Failed to fetch ads",
           "error: not the JSON that was expected: '-' between two objects");
    expect("[1]", "error: not the JSON that was expected: '1' between two objects");
}

static void test_names(void **state)
{
    (void)state;
    expect("[{\"JobStatus\":1,\"JobCount\":1,\"Owner\":\"a\\u001b[31m\\nb\",\"AcctGroup\":7,"
           "\"RequestCpus\":1,\"RequestMemory\":1,\"RequestDisk\":1}]",
           "a?[31m?b/ 1c 1M 1K 1+0+0\n");
    char name[LIMIT_NAME_BYTES + 2];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    AUTOFREE char *json = mem_printf("[{\"JobStatus\":1,\"JobCount\":1,\"Owner\":\"%s\","
                                     "\"RequestCpus\":1,\"RequestMemory\":1,\"RequestDisk\":1}]",
                                     name);
    AUTOFREE char *wanted = mem_printf("%.*s.../ 1c 1M 1K 1+0+0\n", LIMIT_NAME_BYTES, name);
    expect(json, wanted);
}

/* Many rows of one shape are one shape; too many shapes are an error. */
static void test_many(void **state)
{
    (void)state;
    for (int kinds = 1; kinds <= 2; kinds++) {
        struct arena *a = arena_new();
        struct err e = {""};
        struct queue_parser *q = queue_parser_new(a, 1000 * USEC_PER_SEC);
        int r = 0;
        for (int i = 0; i < LIMIT_SHAPES + 10 && r == 0; i++) {
            char ad[200];
            int n = snprintf(ad, sizeof(ad), "{\"JobStatus\":%d,\"JobCount\":1,\"RequestCpus\":1,"
                             "\"RequestMemory\":%d,\"RequestDisk\":\"\\/Expr(x)\\/\"}\n",
                             1 + i % 2, kinds == 1 ? 1 : 1 + i);
            r = queue_parser_feed(q, ad, (size_t)n, &e);
        }
        struct world_shape *s = NULL;
        size_t n = 0;
        if (kinds == 1) {
            assert_int_equal(r, 0);
            assert_int_equal(queue_parser_end(q, &s, &n, &e), 0);
            assert_int_equal(n, 1);
            assert_int_equal(s->idle + s->running, LIMIT_SHAPES + 10);
        } else {
            assert_int_equal(r, -E2BIG);
        }
        (void)queue_parser_free(q);
        (void)arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_argv),        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_truncated),   cmocka_unit_test(test_garbled),
        cmocka_unit_test(jobs_that_may_not_flock_yet_are_shapes_of_their_own),
        cmocka_unit_test(jobs_of_requests_are_shapes_of_their_own),
        cmocka_unit_test(test_requests),    cmocka_unit_test(test_states),
        cmocka_unit_test(test_not_trusted), cmocka_unit_test(test_names),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
