#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "record/ledger.h"

static char folder[] = "/tmp/eyrie-test-ledger-XXXXXX";
static char path[sizeof(folder) + 16];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/ledger", folder);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        char name[sizeof(path) + 8];
        (void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
    return rmdir(folder);
}

static struct world_record sample(const char *uuid)
{
    return (struct world_record){.uuid = uuid, .name = "vpool-small-1", .host = "hv1",
                                 .template = "small", .generation = "g1", .group = "juno",
                                 .exclusive = true, .create_decided = 1000, .why = "demand"};
}

static struct ledger *reopen(struct ledger *l)
{
    struct err e;
    (void)ledger_close(l);
    assert_int_equal(ledger_open(path, &l, &e), 0);
    return l;
}

static void an_intent_survives_and_is_closed(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    size_t n;
    (void)state;
    l = reopen(l);
    struct world_record record = sample("u-1");
    assert_int_equal(ledger_vm_add(l, &record, &e), 0);
    l = reopen(l); /* nothing was closed in between but the file: as after kill -9 */
    const struct world_record *records = ledger_records(l, &n);
    assert_int_equal(n, 1);
    assert_string_equal(records[0].uuid, "u-1");
    assert_true(records[0].exclusive);
    assert_int_equal(records[0].create_answer, WORLD_ANSWER_NONE);

    assert_int_equal(ledger_vm_answer(l, "u-1", WORLD_ANSWER_OK, 2000, &e), 0);
    assert_int_equal(ledger_vm_mark(l, "u-1", LEDGER_JOINED, 3000, "joined", &e), 0);
    assert_int_equal(ledger_vm_mark(l, "u-1", LEDGER_DRAIN_ACCEPTED, 4000, "idle", &e), 0);
    ledger_vm_idle(l, "u-1", 3500);
    assert_int_equal(ledger_records(l, &n)[0].idle_since, 3500);
    l = reopen(l);
    records = ledger_records(l, &n);
    assert_int_equal(records[0].create_answer, WORLD_ANSWER_OK);
    assert_int_equal(records[0].create_answered, 2000);
    assert_int_equal(records[0].joined, 3000);
    assert_int_equal(records[0].drain_accepted, 4000);
    assert_int_equal(records[0].idle_since, 0);
    assert_string_equal(records[0].why, "idle");

    assert_int_equal(ledger_vm_close(l, "u-1", 5000, &e), 0);
    l = reopen(l);
    (void)ledger_records(l, &n);
    assert_int_equal(n, 0);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct world_start *starts = ledger_starts(l, a, 999, &n); /* closed ones count for the ramp */
    assert_int_equal(n, 1);
    assert_int_equal(starts[0].at, 1000);
    assert_string_equal(starts[0].host, "hv1");
    (void)ledger_close(l);
}

static void switches_and_events_survive(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    (void)state;
    l = reopen(l);
    assert_null(ledger_switch_get(l, "paused"));
    assert_int_equal(ledger_switch_set(l, "paused", "yes", &e), 0);
    assert_int_equal(ledger_switch_set(l, "paused", "root", &e), 0);
    l = reopen(l);
    char *value = ledger_switch_get(l, "paused");
    assert_string_equal(value, "root");
    free(value);
    assert_int_equal(ledger_switch_set(l, "paused", NULL, &e), 0);
    assert_null(ledger_switch_get(l, "paused"));
    (void)ledger_close(l);
}

static void a_write_that_fails_shows_until_one_goes_through(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    struct rlimit before, none;
    (void)state;
    l = reopen(l);
    assert_int_equal(ledger_try(l, &e), 0);
    assert_string_equal(ledger_error(l), "");
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0); /* as a disk that is full */
    assert_true(ledger_event_add(l, &(struct ledger_event){1, "a", "b", "c"}, &e) < 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(strncmp(ledger_error(l), "ledger: ", 8) == 0);
    assert_string_equal(ledger_error(l), e.text);
    assert_int_equal(ledger_try(l, &e), 0);
    assert_string_equal(ledger_error(l), "");
    (void)ledger_close(l);
}

static void what_is_no_ledger_is_refused(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    (void)state;
    assert_true(ledger_open("/proc/no/such/folder", &l, &e) < 0);
    assert_null(l);
    assert_true(strstr(e.text, "/proc/no/such/folder") != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_intent_survives_and_is_closed),
        cmocka_unit_test(switches_and_events_survive),
        cmocka_unit_test(a_write_that_fails_shows_until_one_goes_through),
        cmocka_unit_test(what_is_no_ledger_is_refused),
    };
    return cmocka_run_group_tests_name("record/ledger", tests, make_folder, remove_folder);
}
