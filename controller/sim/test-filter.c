/* What rules say of a call, and what is said of rules that are wrong. */
#include "sim/filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static struct filter *parse(const char *rules, uint64_t seed)
{
    struct filter *f = NULL;
    struct err e = {""};
    if (filter_parse(rules, seed, &f, &e) < 0)
        fail_msg("%s", e.text);
    return f;
}

/* The next @n calls, one letter each. */
static const char *letters(struct filter *f, enum filter_call call, int n)
{
    static char line[201];
    for (int i = 0; i < n; i++)
        line[i] = ".dfhl2L"[filter_decide(f, call).effect];
    line[n] = '\0';
    return line;
}

static void refused(const char *rules, const char *sentence)
{
    struct filter *f = NULL;
    struct err e = {""};
    assert_int_equal(filter_parse(rules, 1, &f, &e), -EINVAL);
    assert_null(f);
    if (!strstr(e.text, sentence))
        fail_msg("\"%s\" is not in: %s", sentence, e.text);
}

static void no_rules_strike_nothing(void **state)
{
    (void)state;
    CLEANUP(filter_free_p) struct filter *f = parse("\n# host.create: fail\n ; \n", 1);
    assert_string_equal(letters(f, FILTER_HOST_CREATE, 5), ".....");
}

static void a_rule_without_a_condition_strikes_each_of_its_calls(void **state)
{
    (void)state;
    CLEANUP(filter_free_p) struct filter *f = parse("condor_drain: fail", 1);
    assert_string_equal(letters(f, FILTER_CONDOR_DRAIN, 3), "fff");
    assert_string_equal(letters(f, FILTER_CONDOR_Q, 3), "...");
}

static void conditions_count_the_calls_that_the_rule_has_seen(void **state)
{
    (void)state;
    CLEANUP(filter_free_p) struct filter *every = parse("host.create: lie, every 3rd", 1);
    assert_string_equal(letters(every, FILTER_HOST_CREATE, 7), "..l..l.");
    CLEANUP(filter_free_p) struct filter *nth = parse("host.create: hang, 2nd", 1);
    assert_string_equal(letters(nth, FILTER_HOST_CREATE, 7), ".h.....");
    CLEANUP(filter_free_p) struct filter *times = parse("host.create: fail, every 2nd, 2 times", 1);
    assert_string_equal(letters(times, FILTER_HOST_CREATE, 8), ".f.f....");
}

static void the_first_rule_that_strikes_is_the_one_and_the_others_count_on(void **state)
{
    (void)state;
    CLEANUP(filter_free_p)
    struct filter *f = parse("host.create: fail, every 2nd; host.create: lie, every 3rd", 1);
    assert_string_equal(letters(f, FILTER_HOST_CREATE, 9), ".flf.f.fl");
}

static void a_time_is_drawn_between_its_ends(void **state)
{
    (void)state;
    CLEANUP(filter_free_p) struct filter *f = parse("host.create: late 1s-3s", 7);
    usec least = USEC_NEVER, most = 0;
    for (int i = 0; i < 1000; i++) {
        usec time = filter_decide(f, FILTER_HOST_CREATE).time;
        least = time < least ? time : least;
        most = time > most ? time : most;
    }
    assert_in_range(least, USEC_PER_SEC, USEC_PER_SEC + USEC_PER_SEC / 10);
    assert_in_range(most, 3 * USEC_PER_SEC - USEC_PER_SEC / 10, 3 * USEC_PER_SEC);
    CLEANUP(filter_free_p) struct filter *fixed = parse("condor_q: delay 250ms", 7);
    assert_int_equal(filter_decide(fixed, FILTER_CONDOR_Q).time, 250000);
}

static void the_same_seed_gives_the_same_whatever_is_called_between(void **state)
{
    (void)state;
    const char *rules = "condor_q: lie, 30%; host.list: fail, 50%";
    char first[201];
    CLEANUP(filter_free_p) struct filter *one = parse(rules, 42);
    CLEANUP(filter_free_p) struct filter *two = parse(rules, 42);
    CLEANUP(filter_free_p) struct filter *other = parse(rules, 43);
    (void)snprintf(first, sizeof(first), "%s", letters(one, FILTER_CONDOR_Q, 200));
    int struck = 0;
    for (int i = 0; i < 200; i++) {
        (void)filter_decide(two, FILTER_HOST_LIST);
        bool lies = filter_decide(two, FILTER_CONDOR_Q).effect == FILTER_LIE;
        assert_int_equal(lies, first[i] == 'l');
        struck += lies;
    }
    assert_in_range(struck, 40, 80);
    assert_string_not_equal(letters(other, FILTER_CONDOR_Q, 200), first);
}

static void counts_are_all_that_is_remembered(void **state)
{
    (void)state;
    const char *rules = "condor_q: fail, every 2nd, 2 times; condor_*: delay 1s, 20%";
    CLEANUP(filter_free_p) struct filter *whole = parse(rules, 5);
    char all[201], pieces[41] = "";
    (void)snprintf(all, sizeof(all), "%s", letters(whole, FILTER_CONDOR_Q, 40));
    struct filter_count kept[2] = {{0}};
    for (int i = 0; i < 40; i++) { /* as by a process each */
        CLEANUP(filter_free_p) struct filter *f = parse(rules, 5);
        size_t n;
        struct filter_count *counts = filter_counts(f, &n);
        assert_int_equal(n, 2);
        memcpy(counts, kept, sizeof(kept));
        pieces[i] = letters(f, FILTER_CONDOR_Q, 1)[0];
        memcpy(kept, counts, sizeof(kept));
    }
    assert_string_equal(pieces, all);
    assert_int_equal(kept[0].seen, 40);
    assert_int_equal(kept[0].struck, 2);
}

static void all_calls_of_a_port_are_those_that_can_have_the_effect(void **state)
{
    (void)state;
    CLEANUP(filter_free_p) struct filter *f = parse("host.*: late 0", 1);
    assert_string_equal(letters(f, FILTER_HOST_LIST, 1), ".");
    assert_string_equal(letters(f, FILTER_HOST_CREATE, 1), "L");
    assert_string_equal(letters(f, FILTER_HOST_RENEW, 1), "L");
    assert_string_equal(letters(f, FILTER_CONDOR_DRAIN, 1), ".");
}

static void each_call_is_found_by_its_name_and_says_what_its_lie_is(void **state)
{
    (void)state;
    for (enum filter_call c = 0; c < FILTER_CALLS; c++) {
        assert_int_equal(filter_call_find(filter_call_name(c)), c);
        assert_int_equal(filter_lie(c) != NULL, filter_applies(c, FILTER_LIE) != 0);
    }
    assert_int_equal(filter_call_find("condor_submit"), FILTER_CALLS);
}

static void a_rule_that_is_wrong_is_refused_with_its_line(void **state)
{
    (void)state;
    refused("host.create", "line 1: \"host.create\" is no rule");
    refused("\nhost.crate: fail",
            "line 2: there is no call \"host.crate\"; did you mean host.create");
    refused("condor_q: fial", "there is no effect \"fial\"; did you mean fail");
    refused("condor_q:", "no effect");
    refused("condor_q: late 3s", "condor_q cannot succeed late");
    refused("ledger.write: lie", "ledger.write cannot lie");
    refused("host.create: late", "late wants a time");
    refused("host.create: fail 3s", "fail takes no time");
    refused("host.create: delay 3", "\"3\" is no time");
    refused("host.create: delay 3s-1s", "3s is more than 1s");
    refused("host.create: fail, often", "\"often\" is no condition");
    refused("host.create: fail, every 0th", "is no condition");
    refused("host.create: fail, 101%", "is no condition");
    refused("host.create: fail; condor_q: lie, every third", "\"every third\" is no condition");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rules_strike_nothing),
        cmocka_unit_test(a_rule_without_a_condition_strikes_each_of_its_calls),
        cmocka_unit_test(conditions_count_the_calls_that_the_rule_has_seen),
        cmocka_unit_test(the_first_rule_that_strikes_is_the_one_and_the_others_count_on),
        cmocka_unit_test(a_time_is_drawn_between_its_ends),
        cmocka_unit_test(the_same_seed_gives_the_same_whatever_is_called_between),
        cmocka_unit_test(counts_are_all_that_is_remembered),
        cmocka_unit_test(all_calls_of_a_port_are_those_that_can_have_the_effect),
        cmocka_unit_test(each_call_is_found_by_its_name_and_says_what_its_lie_is),
        cmocka_unit_test(a_rule_that_is_wrong_is_refused_with_its_line),
    };
    return cmocka_run_group_tests_name("sim/filter", tests, NULL, NULL);
}
