/* What may be asked for, by whom, and what becomes of it; on the sample pool and its requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "serve/booking.h"
#include "serve/sample.h"

/* The times of the sample are said in UTC. */
static int in_utc(void **state)
{
    (void)state;
    (void)setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

static const struct asker root = {.uid = 0}, stranger = {.uid = 12345};

/* Ask; the sentences that are said, or the refusal. @ret: the code, 1 for a refusal of the calendar. */
static char *book(enum booking_verb verb, const char *id, const char *json, const char *user,
                  const struct asker *asker, int *ret)
{
    AUTOJSON struct json_object *body = NULL, *view = NULL;
    struct booking b = {.verb = verb, .id = id, .user = user};
    CLEANUP(text_done) struct text said = {0};
    struct err e = {0};
    bool refused = false;
    assert_int_equal(json_parse(json, strlen(json), &body, &e), 0);
    *ret = booking_read(body, &b, &e);
    if (*ret == 0)
        *ret = sample_book(NULL, &b, asker, &view, &refused, &e);
    if (*ret < 0)
        return mem_strdup(e.text);
    if (refused) {
        *ret = 1;
        return mem_strdup(json_string_or(view, "error", ""));
    }
    struct json_object *lines = json_array_or_null(view, "lines");
    for (size_t i = 0; i < json_object_array_length(lines); i++)
        text_printf(&said, "%s%s", i ? "\n" : "",
                    json_object_get_string(json_object_array_get_idx(lines, i)));
    return mem_strdup(text_get(&said));
}

static const struct {
    enum booking_verb verb;
    const char *id, *json, *user;
    const struct asker *asker;
    int code;
    const char *said;
} rows[] = {
    {BOOKING_ADD, "", "{\"group\": \"juno\", \"cpus\": 3, \"from\": \"2026-01-03T20:00\", \"for\": \"36h\"}",
     "alice", &stranger, 0,
     "juno: 3 cpus as 2 × small (2 cpus), exclusive, 3 Jan 20:00 – 5 Jan 08:00 … granted as r-18\n"
     "VMs start from 3 Jan 20:00 so that they are ready at 20:00. Submit with:  +VirtualPool = True   "
     "+EyrieRequest = \"r-18\""},
    {BOOKING_ADD, "",
     "{\"group\": \"juno\", \"vms\": 1, \"for\": \"2h\", \"shared\": true, \"whole_host\": true, "
     "\"preview\": true}",
     "bob", &stranger, 0,
     "juno: 2 cpus as 1 × small (2 cpus), shared on whole hosts, 2 Jan 03:04 – 2 Jan 05:04 … would be "
     "granted\nVMs start now. Submit with:  +VirtualPool = True"},
    {BOOKING_ADD, "", "{\"group\": \"juno\", \"vms\": 2, \"from\": \"2026-02-01\", \"until\": \"2999-12-31\"}",
     "alice", &stranger, 0, "1 Feb 00:00 – 31 Dec 2999 00:00 … granted as r-18"},
    {BOOKING_ADD, "", "{\"group\": \"juno\", \"vms\": 9, \"for\": \"2h\"}", "alice", &stranger, 1,
     "juno: 18 cpus as 9 × small (2 cpus), exclusive, 2 Jan 03:04 – 2 Jan 05:04 … refused: "},
    {BOOKING_ADD, "", "{\"group\": \"juno\", \"vms\": 1, \"from\": \"2026-01-01\", \"until\": \"+1h\"}",
     "alice", &stranger, 0, "exclusive, 2 Jan 03:04 – 2 Jan 04:04 … granted"}, /* not from the past */
    {BOOKING_ADD, "", "{\"group\": \"juno\", \"vms\": 1, \"for\": \"1h\"}", "carol", &stranger, -EPERM,
     "carol may not book for group juno: groups.juno.submitters (conf.d/juno.yaml:29) names who may"},
    {BOOKING_ADD, "", "{\"group\": \"juno\", \"vms\": 1, \"for\": \"1h\"}", "carol", &root, 0,
     "granted as r-18"},
    {BOOKING_ADD, "", "{\"group\": \"lhaaso\", \"vms\": 1, \"for\": \"1h\"}", "dan", &stranger, 0,
     "lhaaso: 2 cpus as 1 × small (2 cpus), exclusive, 2 Jan 03:04 – 2 Jan 04:04 … waits for an admin "
     "as r-18\neyrie request show r-18 tells what becomes of it."},
    {BOOKING_ADD, "", "{\"group\": \"junos\", \"vms\": 1, \"for\": \"1h\"}", "alice", &root, -ENOENT,
     "there is no group \"junos\"; did you mean juno?"},
    {BOOKING_ADD, "", "{\"group\": \"juno\", \"vms\": 1, \"for\": \"1h\", \"template\": \"smal\"}",
     "alice", &root, -ENOENT, "there is no template \"smal\"; did you mean small?; group juno has small"},
    {BOOKING_ADD, "", "{\"group\": \"juno\", \"for\": \"1h\"}", "alice", &root, -EINVAL, "how much?"},
    {BOOKING_ADD, "", "{\"group\": \"juno\", \"vms\": 1}", "alice", &root, -EINVAL, "how long?"},
    {BOOKING_ADD, "", "{\"group\": \"juno\", \"vms\": 1, \"for\": \"0\"}", "alice", &root, -EINVAL,
     "\"0\" is not a duration"},
    {BOOKING_EXTEND, "r-17", "{\"for\": \"+2h\"}", "alice", &stranger, 0,
     "2 Jan 04:04 – 2 Jan 11:04 … r-17 extended"},
    {BOOKING_EXTEND, "r-16", "{\"until\": \"2026-01-05\"}", "alice", &stranger, 0, "r-16 extended"},
    {BOOKING_EXTEND, "r-17", "{\"for\": \"2h\"}", "alice", &stranger, -EINVAL,
     "\"2h\" is not how much longer: write +6h or +1h30m"},
    {BOOKING_EXTEND, "r-17", "{\"until\": \"2026-01-02T08:00\"}", "alice", &stranger, -EINVAL,
     "r-17 ends no later by that"},
    {BOOKING_EXTEND, "r-17", "{\"for\": \"+2h\"}", "carol", &stranger, -EPERM, "carol may not book"},
    {BOOKING_EXTEND, "r-17", "{\"cpus\": 8}", "alice", &stranger, -EINVAL,
     "\"cpus\" is nothing that is asked for here"},
    {BOOKING_EXTEND, "r-9", "{\"for\": \"+2h\"}", "alice", &root, -EINVAL,
     "r-9 is ended, there is nothing to change any more"},
    {BOOKING_CANCEL, "r-17", "{\"reason\": \"done\"}", "bob", &stranger, 0, "… r-17 cancelled"},
    {BOOKING_CANCEL, "r-17", "{}", "carol", &stranger, -EPERM, "carol may not book"},
    {BOOKING_CANCEL, "r-99", "{}", "bob", &root, -ENOENT, "there is no request \"r-99\""},
    {BOOKING_APPROVE, "r-16", "{}", "alice", &stranger, -EPERM,
     "alice may not approve requests; access.admins in /etc/eyrie/eyrie.yaml names who may"},
    {BOOKING_APPROVE, "r-16", "{}", "carol", &root, 0, "… granted as r-16\nVMs start from 4 Jan 03:04"},
    {BOOKING_APPROVE, "r-17", "{}", "carol", &root, -EINVAL, "r-17 is granted already"},
    {BOOKING_DENY, "r-16", "{\"reason\": \"no\"}", "carol", &root, 0, "… r-16 denied"},
    {BOOKING_DENY, "r-17", "{}", "carol", &root, -EINVAL,
     "r-17 is granted already; eyrie request cancel ends it"},
    {BOOKING_DENY, "r-16", "{}", "alice", &stranger, -EPERM, "alice may not deny requests"},
};

static void who_asks_for_what_is_answered_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int code = 0;
        AUTOFREE char *said =
            book(rows[i].verb, rows[i].id, rows[i].json, rows[i].user, rows[i].asker, &code);
        if (code != rows[i].code || !strstr(said, rows[i].said))
            fail_msg("%s: %d: %s", rows[i].json, code, said);
    }
}

static void what_is_sent_along_is_checked(void **state)
{
    static const char *const bad[][2] = {
        {"{\"grup\": \"juno\"}", "\"grup\" is nothing that is asked for here"},
        {"{\"group\": 7}", "\"group\" must be a text"},
        {"{\"cpus\": \"7\"}", "\"cpus\" must be a whole number from 1 on"},
        {"{\"cpus\": 0}", "\"cpus\" must be a whole number from 1 on"},
        {"{\"cpus\": 1e30}", "\"cpus\" must be a whole number from 1 on"},
        {"{\"shared\": \"yes\"}", "\"shared\" must be true or false"},
        {"{\"reason\": \"a\\nb\"}", "\"reason\" has a control character in it (byte 2)"},
        {"{\"reason\": \"a\\u0000b\"}", "\"reason\" has a control character in it (byte 2)"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int code = 0;
        AUTOFREE char *said = book(BOOKING_ADD, "", bad[i][0], "alice", &root, &code);
        assert_int_equal(code, -EINVAL);
        assert_string_equal(said, bad[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_for_what_is_answered_so),
        cmocka_unit_test(what_is_sent_along_is_checked),
    };
    return cmocka_run_group_tests_name("serve/booking", tests, in_utc, NULL);
}
