/* A ledger whose file fails, and who may have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <errno.h>
#include <sqlite3.h>

#include "base/mem.h"
#include "record/ledger.h"

struct fixture {
    char folder[32];
    char *path;
};

static int make_folder(void **state)
{
    struct fixture *f = mem_new(1, sizeof(*f));
    (void)strcpy(f->folder, "/tmp/eyrie-test-ledger-XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    f->path = mem_printf("%s/ledger", f->folder);
    *state = f;
    return 0;
}

static int remove_folder(void **state)
{
    struct fixture *f = *state;
    AUTOFREE char *command = mem_printf("rm -rf %s", f->folder);
    free(f->path);
    free(f);
    return system(command);
}

static void add(struct ledger *l, const char *uuid)
{
    struct err e;
    assert_int_equal(ledger_vm_add(l,
                                   &(struct world_record){.uuid = uuid, .name = "n", .host = "hv1",
                                                          .template = "small", .generation = "g",
                                                          .group = "juno", .create_decided = 1000,
                                                          .why = "demand"},
                                   &e),
                     0);
}

static size_t count(const struct ledger *l)
{
    size_t n;
    (void)ledger_records(l, &n);
    return n;
}

static void pause_pool(struct ledger *l)
{
    struct err e;
    assert_int_equal(ledger_order_set(l, &(struct ledger_order){LEDGER_PAUSE, "", .who = {1, "carol", ""}}, &e), 0);
}

/* Overwrite the beginning of a file. */
static void spoil(const char *path)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    for (size_t i = 0; i < 4096; i++)
        (void)fputc('x', file);
    assert_int_equal(fclose(file), 0);
}

/* In a way that one who has it open sees at once, and not when it reads the page anew. */
static void damage_schema(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA writable_schema = ON;"
                                  "UPDATE sqlite_schema SET sql = 'x' WHERE name = 'event';"
                                  "PRAGMA schema_version = 999",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_damaged_file_is_moved_aside_and_a_new_one_made(void **state)
{
    struct fixture *f = *state;
    struct ledger *l = NULL;
    struct err e;
    assert_int_equal(ledger_open(f->path, &l, &e), 0);
    assert_string_equal(ledger_aside(l), "");
    add(l, "u-1");
    (void)ledger_close(l);
    spoil(f->path);
    assert_int_equal(ledger_open(f->path, &l, &e), 0);
    assert_int_equal(count(l), 0);
    assert_string_equal(ledger_error(l), "");
    assert_int_equal(access(ledger_aside(l), R_OK), 0);
    assert_non_null(strstr(ledger_aside(l), "/ledger.damaged-20"));
    add(l, "u-2");
    (void)ledger_close(l);
    assert_int_equal(ledger_open(f->path, &l, &e), 0);
    assert_int_equal(count(l), 1);
    (void)ledger_close(l);
}

static void a_file_damaged_while_it_is_open_is_written_anew(void **state)
{
    struct fixture *f = *state;
    struct ledger *l = NULL;
    struct err e;
    assert_int_equal(ledger_open(f->path, &l, &e), 0);
    add(l, "u-1");
    pause_pool(l);
    damage_schema(f->path);
    assert_true(ledger_event_add(l, &(struct ledger_event){0, 1, "a", "b", "c"}, &e) < 0);
    assert_non_null(strstr(ledger_error(l), "malformed"));
    assert_int_equal(ledger_mend(l, &e), 0);
    assert_int_equal(access(ledger_aside(l), R_OK), 0);
    assert_int_equal(count(l), 1);
    (void)ledger_close(l);
    assert_int_equal(ledger_open(f->path, &l, &e), 0);
    assert_int_equal(count(l), 1);
    assert_non_null(ledger_order_find(l, LEDGER_PAUSE, ""));
    (void)ledger_close(l);
}

/* As when eyried was killed: the log is not in the file yet, and is not read by a plain reader. */
static void copy_as_it_is(const struct fixture *f, const char *to)
{
    AUTOFREE char *command = mem_printf("cp %s %s && cp %s-wal %s-wal", f->path, to, f->path, to);
    assert_int_equal(system(command), 0);
}

static void what_cannot_be_written_is_read_and_mended_later(void **state)
{
    struct fixture *f = *state;
    struct ledger *l = NULL, *left = NULL;
    struct err e;
    AUTOFREE char *copy = mem_printf("%s-2", f->path), *shm = mem_printf("%s-2-shm", f->path);
    assert_int_equal(ledger_open(f->path, &l, &e), 0);
    add(l, "u-1");
    pause_pool(l);
    copy_as_it_is(f, copy);
    (void)ledger_close(l);
    assert_int_equal(mkdir(shm, 0700), 0); /* where SQLite wants a file: also root fails */
    assert_int_equal(ledger_open(copy, &left, &e), 0);
    assert_int_equal(count(left), 1);
    assert_non_null(ledger_order_find(left, LEDGER_PAUSE, ""));
    assert_non_null(strstr(ledger_error(left), copy));
    assert_true(ledger_vm_mark(left, "u-1", LEDGER_JOINED, 7000, "joined", &e) < 0);
    assert_true(ledger_vm_add(left, &(struct world_record){.uuid = "u-2"}, &e) < 0);
    assert_int_equal(count(left), 1);
    assert_true(ledger_mend(left, &e) < 0);
    assert_int_equal(rmdir(shm), 0);
    assert_int_equal(ledger_mend(left, &e), 0);
    assert_string_equal(ledger_error(left), "");
    add(left, "u-2");
    (void)ledger_close(left);
    assert_int_equal(ledger_open(copy, &left, &e), 0);
    assert_int_equal(count(left), 2);
    assert_int_equal(ledger_records(left, &(size_t){0})->joined, 7000);
    (void)ledger_close(left);
}

static void a_lease_is_anothers_until_it_is_over(void **state)
{
    struct fixture *f = *state;
    struct ledger *l = NULL;
    struct err e;
    struct ledger_lease one = {.holder = "1", .host = "hv-a", .boot = "k1", .pid = 17, .until = 60 * USEC_PER_SEC};
    struct ledger_lease two = {.holder = "2", .host = "hv-b", .boot = "k2", .pid = 18, .until = 90 * USEC_PER_SEC};
    assert_int_equal(ledger_open(f->path, &l, &e), 0);
    assert_int_equal(ledger_lease_take(l, &one, 0, &e), 0);
    assert_int_equal(ledger_lease_take(l, &one, 1, &e), 0); /* renewed */
    assert_int_equal(ledger_lease_take(l, &two, 17 * USEC_PER_SEC, &e), -EEXIST);
    assert_non_null(strstr(e.text, "(process 17 on hv-a)"));
    assert_non_null(strstr(e.text, "for 43s more"));
    assert_int_equal(ledger_lease_take(l, &two, 60 * USEC_PER_SEC, &e), 0);
    assert_int_equal(ledger_lease_take(l, &one, 61 * USEC_PER_SEC, &e), -EEXIST); /* it was away */
    assert_non_null(strstr(e.text, "(process 18 on hv-b)"));
    one.boot = "k2"; /* whose lock we could not have if that one were still there */
    assert_int_equal(ledger_lease_take(l, &one, 62 * USEC_PER_SEC, &e), 0);
    assert_string_equal(ledger_error(l), "");
    (void)ledger_close(l);
}

static void a_lease_that_cannot_be_written_stays_with_its_machine(void **state)
{
    struct fixture *f = *state;
    struct ledger *l = NULL;
    struct err e;
    AUTOFREE char *copy = mem_printf("%s-2", f->path), *shm = mem_printf("%s-2-shm", f->path);
    struct ledger_lease one = {.holder = "1", .host = "hv-a", .boot = "k1", .pid = 17, .until = 60};
    struct ledger_lease two = {.holder = "2", .host = "hv-b", .boot = "k2", .pid = 18, .until = 900};
    assert_int_equal(ledger_open(f->path, &l, &e), 0);
    assert_int_equal(ledger_lease_take(l, &one, 0, &e), 0);
    copy_as_it_is(f, copy);
    (void)ledger_close(l);
    assert_int_equal(mkdir(shm, 0700), 0);
    assert_int_equal(ledger_open(copy, &l, &e), 0);
    assert_int_equal(ledger_lease_take(l, &two, 100, &e), -EEXIST);
    assert_non_null(strstr(e.text, "cannot be taken over: ledger "));
    two.boot = "k1";
    assert_int_equal(ledger_lease_take(l, &two, 100, &e), 0);
    (void)ledger_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_damaged_file_is_moved_aside_and_a_new_one_made, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_file_damaged_while_it_is_open_is_written_anew, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_read_and_mended_later, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_lease_is_anothers_until_it_is_over, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_lease_that_cannot_be_written_stays_with_its_machine, make_folder, remove_folder),
    };
    return cmocka_run_group_tests_name("record/ledger-file", tests, NULL, NULL);
}
