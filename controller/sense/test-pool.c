/* The pool's parser, on what the collector really answers (recorded with 23.9.6). */
#include "sense/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "sense/recorded.h"

/* The startds as lines, or "error: …". */
static char *startds(const char *bytes, size_t length, size_t piece)
{
    struct arena *a = arena_new();
    struct text out = {0};
    struct err e = {""};
    const struct world_startd *d = NULL;
    size_t n = 0;
    struct pool_parser *q = pool_parser_new(a);
    int r = 0;
    for (size_t at = 0; r == 0 && at < length; at += piece)
        r = pool_parser_feed(q, bytes + at, length - at < piece ? length - at : piece, &e);
    if (r == 0)
        r = pool_parser_end(q, &d, &n, &e);
    if (r < 0)
        text_printf(&out, "error: %s", e.text);
    for (size_t i = 0; i < n; i++, d++) {
        text_printf(&out, "%.8s %s %s %lldc %lldM free %lldc %lldM claimed %lld%s%s%s%s%s",
                    d->uuid, d->name, d->machine, (long long)d->cpus, (long long)(d->memory / MIB),
                    (long long)d->free_cpus, (long long)(d->free_memory / MIB),
                    (long long)d->claimed, d->draining ? " draining" : "",
                    d->drained ? " drained" : "", d->usable ? "" : " unusable",
                    *d->job ? " job " : "", d->job);
        if (d->until)
            text_printf(&out, " until %lld", (long long)(d->until / USEC_PER_SEC));
        text_add(&out, "\n");
    }
    (void)pool_parser_free(q);
    (void)arena_free(a);
    char *result = mem_strdup(text_get(&out));
    text_done(&out);
    return result;
}

static void expect(const char *json, const char *wanted)
{
    AUTOFREE char *got = startds(json, strlen(json), 11);
    assert_string_equal(got, wanted);
}

static void test_argv(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct policy p = {.pool = {.name = "v\"p\\", .central_manager = "vcm.example:9618"}};
    const char *const *argv = pool_argv(a, &p);
    assert_string_equal(argv[0], "condor_status");
    assert_string_equal(argv[2], "vcm.example:9618");
    assert_string_equal(argv[4], "EyriePool =?= \"v\\\"p\\\\\"");
    assert_true(text_starts_with(argv[6], "EyriePool,EyrieUUID,"));
    assert_non_null(strstr(argv[6], ",EyrieUntil,"));
    (void)arena_free(a);
}

#define RECORDED "1a2b3c4d vpool-1a2b slot1@vpool-1a2b.lab 2c 1024M "

static void test_recorded(void **state)
{
    (void)state;
    static const struct {
        const char *file, *wanted;
    } cases[] = {
        {"pool-idle.json", RECORDED "free 2c 1024M claimed 0\n"},
        {"pool-busy.json", RECORDED "free 0c 640M claimed 1 job 2.0\n"},
        {"pool-draining.json", RECORDED "free 1c 768M claimed 1 draining job 6.0\n"},
        {"pool-drained.json", RECORDED "free 2c 1024M claimed 0 draining drained\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        recorded_gives(cases[i].file, startds, cases[i].wanted);
}

static void test_truncated(void **state)
{
    (void)state;
    recorded_cut("pool-busy.json", startds);
}

static void test_garbled(void **state)
{
    (void)state;
    recorded_spoiled("pool-busy.json", startds);
}

#define SLOT(name, type, state, activity, more)                                                    \
    "{\"EyrieUUID\":\"u\",\"EyrieName\":\"v\",\"Name\":\"" name "\",\"SlotType\":\"" type          \
    "\",\"State\":\"" state "\",\"Activity\":\"" activity "\"," more "}"
#define WHOLE(state, activity, left, children)                                                     \
    SLOT("slot1@v", "Partitionable", state, activity,                                              \
         "\"Cpus\":" left ",\"Memory\":100,\"TotalSlotCpus\":4,\"TotalSlotMemory\":400,"           \
         "\"NumDynamicSlots\":" children)
#define PART(n, state)                                                                             \
    SLOT("slot1_" n "@v", "Dynamic", state, "Busy",                                                \
         "\"Cpus\":1,\"Memory\":100,\"JobId\":\"1." n "\"")

/* S1: unknown means busy. */
static void test_busy_or_not(void **state)
{
    (void)state;
    /* the whole says it has parts of which there is no ad yet */
    expect("[" WHOLE("Unclaimed", "Idle", "2", "2") "]",
           "u v slot1@v 4c 400M free 2c 100M claimed 2\n");
    expect("[" WHOLE("Unclaimed", "Idle", "2", "2") "," PART("1", "Claimed") "]",
           "u v slot1@v 4c 400M free 2c 100M claimed 2 job 1.1\n");
    /* drained, it says, but there is a claimed part: not drained and empty */
    expect("[" WHOLE("Drained", "Idle", "4", "0") "," PART("1", "Claimed") "]",
           "u v slot1@v 4c 400M free 4c 100M claimed 1 draining job 1.1\n");
    expect("[" WHOLE("Drained", "Idle", "3", "1") "]",
           "u v slot1@v 4c 400M free 3c 100M claimed 1 draining\n");
    expect("[" WHOLE("Drained", "Retiring", "4", "0") "]",
           "u v slot1@v 4c 400M free 4c 100M claimed 0 draining\n");
    expect("[" WHOLE("Drained", "Idle", "4", "0") "]",
           "u v slot1@v 4c 400M free 4c 100M claimed 0 draining drained\n");
    /* words of a version to come */
    expect("[" WHOLE("Snoozing", "Idle", "4", "0") "]",
           "u v slot1@v 4c 400M free 0c 0M claimed 1\n");
    expect("[" PART("2", "Matched") "," PART("1", "Preempting") "]",
           "u v slot1_1@v 2c 200M free 0c 0M claimed 2 job 1.1\n");
}

static void test_unusable(void **state)
{
    (void)state;
    expect("[" WHOLE("Owner", "Idle", "4", "0") "]",
           "u v slot1@v 4c 400M free 0c 0M claimed 0 unusable\n");
    expect("[" SLOT("slot1@v", "Static", "Unclaimed", "Idle",
                    "\"Cpus\":1,\"Memory\":10,\"Offline\":true") "]",
           "u v slot1@v 1c 10M free 1c 10M claimed 0 unusable\n");
}

static void test_end_of_its_request(void **state)
{
    (void)state;
    expect("[" SLOT("slot1@v", "Partitionable", "Unclaimed", "Idle",
                    "\"Cpus\":1,\"Memory\":10,\"EyrieUntil\":1700000000") "]",
           "u v slot1@v 1c 10M free 1c 10M claimed 0 until 1700000000\n");
    expect("[" SLOT("slot1@v", "Partitionable", "Unclaimed", "Idle",
                    "\"Cpus\":1,\"Memory\":10,\"EyrieUntil\":\"soon\"") "]",
           "u v slot1@v 1c 10M free 1c 10M claimed 0\n");
}

static void test_several(void **state)
{
    (void)state;
    /* static slots; others' ads between them; order does not matter */
    expect("[{\"EyrieUUID\":\"w\",\"Name\":\"slot2@w\",\"State\":\"Claimed\",\"Cpus\":1,"
           "\"Memory\":5,\"LastHeardFrom\":9}," WHOLE("Unclaimed", "Idle", "4", "0") ","
           "{\"Name\":\"slot1@other\",\"State\":\"Unclaimed\"},"
           "{\"EyrieUUID\":\"w\",\"Name\":\"slot1@w\",\"State\":\"Unclaimed\",\"Cpus\":2,"
           "\"Memory\":6}]",
           "u v slot1@v 4c 400M free 4c 100M claimed 0\n"
           "w  slot1@w 3c 11M free 2c 6M claimed 1\n");
}

static void test_not_trusted(void **state)
{
    (void)state;
    expect("", "");
    expect("[{\"EyrieUUID\":\"u\",\"Name\":\"startd\"}]",
           "error: \"State\" is missing or not a string");
    expect("Error: communication error",
           "error: not the JSON that was expected: 'E' between two objects");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_argv),         cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_truncated),    cmocka_unit_test(test_garbled),
        cmocka_unit_test(test_busy_or_not),  cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_end_of_its_request),
        cmocka_unit_test(test_several),      cmocka_unit_test(test_not_trusted),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
