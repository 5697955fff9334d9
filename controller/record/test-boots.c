#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "record/boots.h"
#include "record/ledger.h"

static void the_longest_counts_at_once_and_is_forgotten_slowly(void **state)
{
    struct boots *b = boots_new();
    (void)state;
    assert_int_equal(boots_of(b, "small", "hv1"), 0);
    boots_learn(b, "small", "hv1", 40);
    boots_learn(b, "small", "hv1", 120);
    assert_int_equal(boots_of(b, "small", "hv1"), 120);
    boots_learn(b, "small", "hv1", 40);
    assert_int_equal(boots_of(b, "small", "hv1"), 110);
    for (int i = 0; i < 100; i++)
        boots_learn(b, "small", "hv1", 40);
    assert_in_range(boots_of(b, "small", "hv1"), 40, 50);
    assert_null(boots_free(b));
}

static void each_template_has_its_own_on_each_host(void **state)
{
    struct boots *b = boots_new();
    (void)state;
    boots_learn(b, "small", "hv1", 10);
    boots_learn(b, "small", "hv2", 20);
    boots_learn(b, "big", "hv1", 30);
    assert_int_equal(boots_of(b, "small", "hv1"), 10);
    assert_int_equal(boots_of(b, "small", "hv2"), 20);
    assert_int_equal(boots_of(b, "big", "hv1"), 30);
    assert_int_equal(boots_of(b, "big", "hv2"), 0);
    (void)boots_free(b);
}

static void add(struct ledger *l, const char *uuid, usec decided, usec joined)
{
    struct err e;
    assert_int_equal(ledger_vm_add(l,
                                   &(struct world_record){.uuid = uuid, .name = uuid, .host = "hv1",
                                                          .template = "small", .generation = "",
                                                          .group = "", .create_decided = decided,
                                                          .why = ""},
                                   &e),
                     0);
    if (joined)
        assert_int_equal(ledger_vm_mark(l, uuid, LEDGER_JOINED, joined, "joined", &e), 0);
}

/* Also of VMs that are gone; not of those that never joined, or were found when the ledger was lost. */
static void they_are_recalled_from_the_ledger(void **state)
{
    char path[] = "/tmp/eyrie-boots-XXXXXX";
    int fd = mkstemp(path);
    struct ledger *l = NULL;
    struct boots *b = boots_new();
    struct err e;
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ledger_open(path, &l, &e), 0);
    add(l, "u1", 1000, 1050);
    add(l, "u2", 2000, 2034);
    add(l, "u3", 3000, 0);
    add(l, "u4", 4000, 4000);
    add(l, "u5", 0, 1);
    assert_int_equal(ledger_vm_close(l, "u1", 5000, &e), 0);
    assert_null(ledger_close(l));

    assert_int_equal(ledger_open(path, &l, &e), 0);
    assert_int_equal(boots_recall(b, l, &e), 0);
    assert_int_equal(boots_of(b, "small", "hv1"), 50 - (50 - 34) / 8);
    (void)ledger_close(l);
    (void)boots_free(b);
    (void)close(fd);
    const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        AUTOFREE char *file = mem_printf("%s%s", path, ends[i]);
        (void)unlink(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_counts_at_once_and_is_forgotten_slowly),
        cmocka_unit_test(each_template_has_its_own_on_each_host),
        cmocka_unit_test(they_are_recalled_from_the_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
