/* What a group is told of a request, and when. */
#include "act/notice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define HOUR USEC_PER_HOUR
/* 1 Dec 2026, 20:00 UTC */
static const usec from = 1796155200 * USEC_PER_SEC;

static struct ledger_request request(enum ledger_request_state state)
{
    return (struct ledger_request){
        .booking = {.id = "r-17", .group = "juno", .template = "big", .vms = 13, .exclusive = true,
                    .user = "alice", .from = from, .until = from + 36 * HOUR},
        .state = state, .cpus = 200, .reason = "calibration", .decided = WORLD_NOBODY};
}

/* The events that are due, as words; they count as told then. */
static const char *due(struct ledger_request *r, const struct plan_request *row, usec now)
{
    static struct text words;
    usec next = USEC_NEVER;
    int64_t events = notice_due(r, row, now, &r->told, &next);
    text_clear(&words);
    for (int i = 0; i < NOTICE_EVENTS; i++)
        if (events & (INT64_C(1) << i))
            text_printf(&words, "%s%s", words.length ? " " : "",
                        notice_event_name((enum notice_event)i));
    return text_get(&words);
}

static struct plan_request row(int64_t vms, int64_t up, int64_t starting)
{
    return (struct plan_request){.phase = REQUEST_OPEN, .vms = vms, .up = up, .starting = starting};
}

static void a_request_is_told_of_from_grant_to_end(void **state)
{
    struct ledger_request r = request(LEDGER_REQUEST_GRANTED);
    struct plan_request none = row(0, 0, 0), booting = row(13, 4, 0), all = row(13, 13, 0);
    none.phase = REQUEST_AHEAD;
    (void)state;
    assert_string_equal(due(&r, &none, from - 9 * HOUR), "granted");
    assert_string_equal(due(&r, &none, from - 9 * HOUR), "");
    assert_string_equal(due(&r, &booting, from - USEC_PER_MINUTE), "");
    assert_string_equal(due(&r, &all, from - 1), "ready");
    assert_string_equal(due(&r, &all, from + HOUR), "");
    assert_string_equal(due(&r, &all, from + 35 * HOUR), "ending");
    assert_string_equal(due(&r, &all, from + 36 * HOUR - 1), "");
    r.state = LEDGER_REQUEST_ENDED;
    assert_string_equal(due(&r, NULL, from + 36 * HOUR), "ended");
    assert_string_equal(due(&r, NULL, from + 40 * HOUR), "");
}

static void one_that_is_not_whole_at_its_time_is_short(void **state)
{
    struct ledger_request r = request(LEDGER_REQUEST_GRANTED);
    struct plan_request booting = row(13, 4, 0), all = row(13, 13, 0), replaced = row(12, 12, 1),
                        missing = row(12, 12, 0), lost = row(13, 12, 0);
    (void)state;
    assert_string_equal(due(&r, &booting, from - 1), "granted");
    assert_string_equal(due(&r, &booting, from), "short");
    assert_string_equal(due(&r, &all, from + 1), "ready");
    assert_string_equal(due(&r, &replaced, from + 2), "");
    assert_string_equal(due(&r, &lost, from + 2), "");
    assert_string_equal(due(&r, &missing, from + 3), "short");
    assert_string_equal(due(&r, &replaced, from + 4), "");
    assert_string_equal(due(&r, &missing, from + 5), "");
    assert_string_equal(due(&r, &all, from + 6), "ready");
}

static void what_is_not_known_is_not_told(void **state)
{
    struct ledger_request r = request(LEDGER_REQUEST_GRANTED);
    (void)state;
    assert_string_equal(due(&r, NULL, from + 1), "granted");
    assert_string_equal(due(&r, NULL, from + HOUR), "");
}

static void an_extended_request_ends_anew(void **state)
{
    struct ledger_request r = request(LEDGER_REQUEST_GRANTED);
    struct plan_request all = row(13, 13, 0);
    (void)state;
    assert_string_equal(due(&r, &all, from + 35 * HOUR), "granted ready ending");
    r.booking.until += 10 * HOUR;
    assert_string_equal(due(&r, &all, from + 35 * HOUR + 1), "");
    assert_string_equal(due(&r, &all, from + 45 * HOUR), "ending");
}

static void each_other_end_has_its_own_word(void **state)
{
    static const struct {
        enum ledger_request_state state;
        const char *words;
    } cases[] = {
        {LEDGER_REQUEST_WAITING, ""},
        {LEDGER_REQUEST_DENIED, "denied"},
        {LEDGER_REQUEST_CANCELLED, "ended"},
        {LEDGER_REQUEST_HANDED_BACK, "handed-back"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ledger_request r = request(cases[i].state);
        assert_string_equal(due(&r, NULL, from), cases[i].words);
        assert_string_equal(due(&r, NULL, from), "");
    }
}

static void it_is_said_when_to_look_again(void **state)
{
    struct ledger_request r = request(LEDGER_REQUEST_GRANTED);
    usec next = USEC_NEVER;
    int64_t told;
    (void)state;
    (void)notice_due(&r, NULL, from - HOUR, &told, &next);
    assert_int_equal(next, from);
    next = USEC_NEVER;
    (void)notice_due(&r, NULL, from, &told, &next);
    assert_int_equal(next, from + 35 * HOUR);
    next = 5; /* sooner than that, for another */
    (void)notice_due(&r, NULL, from, &told, &next);
    assert_int_equal(next, 5);
}

/* A member of the body, and that all the others are there. */
static void expect_sentence(const struct ledger_request *r, const struct plan_request *of,
                            enum notice_event event, const char *wanted)
{
    static const char *const texts[] = {"id", "event", "request", "group", "user", "template",
                                        "reason"};
    static const char *const numbers[] = {"version", "at", "vms", "cpus", "from", "until"};
    AUTOFREE char *body = notice_body(r, of, event, from + USEC_PER_SEC, NULL);
    AUTOJSON struct json_object *o = NULL;
    struct err e;
    assert_null(strchr(body, '\n'));
    assert_int_equal(json_parse(body, strlen(body), &o, &e), 0);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_non_null(json_string_or(o, texts[i], NULL));
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        assert_true(json_int_or(o, numbers[i], -1) > 0);
    assert_string_equal(json_string_or(o, "event", ""), notice_event_name(event));
    assert_string_equal(json_string_or(o, "sentence", ""), wanted);
}

static void it_is_said_in_a_sentence(void **state)
{
    struct ledger_request r = request(LEDGER_REQUEST_GRANTED);
    struct plan_request some = row(12, 12, 0);
    (void)state;
    expect_sentence(&r, NULL, NOTICE_GRANTED,
                    "r-17 is granted: 13 VMs of big for juno, 1 Dec 20:00 – 3 Dec 08:00");
    expect_sentence(&r, &some, NOTICE_SHORT, "r-17 is short: 12 of its 13 VMs up");
    some.reason = (struct reason){REASON_LIMIT_VMS, 12, 12};
    expect_sentence(&r, &some, NOTICE_SHORT,
                    "r-17 is short: 12 of its 13 VMs up; 12 VMs are in use and the limit is 12");
    expect_sentence(&r, &some, NOTICE_READY, "r-17 is ready: 12 of its 13 VMs up, until 3 Dec 08:00");
    expect_sentence(&r, NULL, NOTICE_ENDING,
                    "r-17 ends 3 Dec 08:00; jobs that may run longer are not started");
    expect_sentence(&r, NULL, NOTICE_ENDED, "r-17 is over since 3 Dec 08:00");
    r.state = LEDGER_REQUEST_CANCELLED;
    r.decided = (struct world_order){from, "bob", ""};
    expect_sentence(&r, NULL, NOTICE_ENDED, "r-17 is cancelled by bob");
    r.decided = (struct world_order){from, "carol", "no room that night"};
    expect_sentence(&r, NULL, NOTICE_DENIED, "r-17 is denied by carol: no room that night");
    r.decided = (struct world_order){from, "", "nobody used it"};
    expect_sentence(&r, NULL, NOTICE_HANDED_BACK, "r-17 is handed back: nobody used it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_told_of_from_grant_to_end),
        cmocka_unit_test(one_that_is_not_whole_at_its_time_is_short),
        cmocka_unit_test(what_is_not_known_is_not_told),
        cmocka_unit_test(an_extended_request_ends_anew),
        cmocka_unit_test(each_other_end_has_its_own_word),
        cmocka_unit_test(it_is_said_when_to_look_again),
        cmocka_unit_test(it_is_said_in_a_sentence),
    };
    (void)setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests_name("act/notice", tests, NULL, NULL);
}
