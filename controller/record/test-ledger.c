#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
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

static const struct world_record *find_record(const struct ledger *l, const char *uuid)
{
    size_t n;
    const struct world_record *records = ledger_records(l, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(records[i].uuid, uuid) == 0)
            return &records[i];
    return NULL;
}

static void count_agent(void *userdata, const struct ledger_agent *agent)
{
    int64_t *revisions = userdata;
    assert_string_equal(agent->token, "digest");
    *revisions += agent->revision;
}

static void a_controller_has_one_id_and_knows_its_agents(void **state)
{
    struct ledger *l = reopen(NULL);
    AUTOFREE char *id = NULL, *again = NULL;
    struct ledger_agent agent = {
        .name = "schedd", .invite = "", .token = "digest", .revision = 2, .mark = "m"};
    int64_t revisions = 0;
    struct err e;
    (void)state;
    assert_int_equal(ledger_controller(l, &id, &e), 0);
    assert_int_equal(strlen(id), 32);
    assert_int_equal(ledger_agent_set(l, &agent, &e), 0);
    agent.revision = 3;
    assert_int_equal(ledger_agent_set(l, &agent, &e), 0); /* in the place of the first */
    l = reopen(l);
    assert_int_equal(ledger_controller(l, &again, &e), 0);
    assert_string_equal(id, again);
    assert_int_equal(ledger_agents(l, count_agent, &revisions, &e), 0);
    assert_int_equal(revisions, 3);
    assert_int_equal(ledger_agent_drop(l, "schedd", &e), 0);
    assert_int_equal(ledger_agents(l, count_agent, &revisions, &e), 0);
    assert_int_equal(revisions, 3);
    (void)ledger_close(l);
}

static void an_intent_survives_and_is_closed(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    size_t n;
    (void)state;
    l = reopen(l);
    struct world_record record = sample("u-1");
    record.create_asked = true;
    record.request = "r-17";
    assert_int_equal(ledger_vm_add(l, &record, &e), 0);
    assert_true(ledger_records(l, &n)[0].create_asked);
    l = reopen(l); /* nothing was closed in between but the file: as after kill -9 */
    const struct world_record *records = ledger_records(l, &n);
    assert_int_equal(n, 1);
    assert_string_equal(records[0].uuid, "u-1");
    assert_true(records[0].exclusive);
    assert_int_equal(records[0].create_answer, WORLD_ANSWER_NONE);
    assert_false(records[0].create_asked); /* whoever asked is no more */
    assert_string_equal(records[0].request, "r-17");

    assert_int_equal(ledger_vm_answer(l, "u-1", WORLD_ANSWER_OK, 2000, &e), 0);
    assert_int_equal(ledger_vm_mark(l, "u-1", LEDGER_JOINED, 3000, "joined", &e), 0);
    assert_int_equal(ledger_vm_mark(l, "u-1", LEDGER_DRAIN_ACCEPTED, 4000, "idle", &e), 0);
    ledger_vm_idle(l, "u-1", 3500, 3400);
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

static int order(struct ledger *l, enum ledger_order_kind kind, const char *subject, bool now)
{
    struct err e;
    return ledger_order_set(l,
                            &(struct ledger_order){.kind = kind,
                                                   .subject = subject,
                                                   .now = now,
                                                   .uid = 1000,
                                                   .who = {7000, "carol", "new disks"}},
                            &e);
}

static void an_order_survives_until_it_is_taken_back(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    (void)state;
    l = reopen(l);
    assert_null(ledger_order_find(l, LEDGER_CORDON, "hv1"));
    assert_int_equal(order(l, LEDGER_CORDON, "hv1", false), 0);
    assert_int_equal(order(l, LEDGER_CORDON, "hv2", false), 0);
    assert_int_equal(order(l, LEDGER_CORDON, "hv1", true), 0); /* replaces */
    l = reopen(l);
    const struct ledger_order *o = ledger_order_find(l, LEDGER_CORDON, "hv1");
    assert_non_null(o);
    assert_true(o->now);
    assert_int_equal(o->uid, 1000);
    assert_int_equal(o->who.at, 7000);
    assert_string_equal(o->who.by, "carol");
    assert_string_equal(o->who.reason, "new disks");
    assert_null(ledger_order_find(l, LEDGER_DRAIN_HOST, "hv1"));
    assert_int_equal(ledger_order_clear(l, LEDGER_CORDON, "hv1", &e), 0);
    assert_int_equal(ledger_order_clear(l, LEDGER_CORDON, "hv1", &e), 0); /* none is no error */
    l = reopen(l);
    assert_null(ledger_order_find(l, LEDGER_CORDON, "hv1"));
    assert_non_null(ledger_order_find(l, LEDGER_CORDON, "hv2"));
    (void)ledger_close(l);
}

static void a_write_that_fails_shows_until_one_goes_through(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    struct rlimit before, none;
    (void)state;
    l = reopen(l);
    assert_string_equal(ledger_error(l), "");
    struct world_record record = sample("u-behind");
    assert_int_equal(ledger_vm_add(l, &record, &e), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0); /* as a disk that is full */
    assert_true(ledger_vm_mark(l, "u-behind", LEDGER_JOINED, 5000, "joined", &e) < 0);
    assert_true(strncmp(ledger_error(l), "ledger: ", 8) == 0);
    assert_string_equal(ledger_error(l), e.text);
    record.uuid = "u-refused";
    assert_true(ledger_vm_add(l, &record, &e) < 0); /* no intent, no create */
    record.uuid = "u-found";
    record.create_answer = WORLD_ANSWER_OK;
    assert_true(ledger_vm_add(l, &record, &e) < 0); /* known all the same */
    assert_true(ledger_mend(l, &e) < 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_string_not_equal(ledger_error(l), "");
    assert_int_equal(ledger_mend(l, &e), 0);
    assert_string_equal(ledger_error(l), "");
    l = reopen(l); /* what the disk refused is there now */
    assert_int_equal(find_record(l, "u-behind")->joined, 5000);
    assert_non_null(find_record(l, "u-found"));
    assert_null(find_record(l, "u-refused"));
    assert_int_equal(ledger_vm_close(l, "u-behind", 6000, &e), 0);
    assert_int_equal(ledger_vm_close(l, "u-found", 6000, &e), 0);
    (void)ledger_close(l);
}

static void a_drain_is_in_the_record_of_its_vm_and_goes_with_it(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    size_t n;
    (void)state;
    l = reopen(l);
    struct world_record record = sample("u-2");
    assert_int_equal(ledger_vm_add(l, &record, &e), 0);
    assert_false(ledger_records(l, &n)[0].drain);
    assert_string_equal(ledger_records(l, &n)[0].order.by, "");
    assert_int_equal(order(l, LEDGER_DRAIN_VM, "u-2", true), 0);
    l = reopen(l);
    const struct world_record *r = ledger_records(l, &n);
    assert_true(r->drain && r->drain_now);
    assert_string_equal(r->order.reason, "new disks");
    assert_int_equal(ledger_order_clear(l, LEDGER_DRAIN_VM, "u-2", &e), 0);
    assert_false(ledger_records(l, &n)[0].drain);
    assert_int_equal(order(l, LEDGER_DRAIN_VM, "u-2", false), 0);
    assert_int_equal(ledger_vm_close(l, "u-2", 8000, &e), 0);
    assert_null(ledger_order_find(l, LEDGER_DRAIN_VM, "u-2"));
    (void)ledger_close(l);
}

/* The kinds and subjects of the events wanted, as one text. */
static void note(void *userdata, const struct ledger_event *event)
{
    text_printf(userdata, "%s %s; ", event->kind, event->subject);
}

static const char *events(struct ledger *l, struct text *t, struct ledger_events_wanted wanted)
{
    struct err e;
    text_clear(t);
    assert_int_equal(ledger_events(l, &wanted, note, t, &e), 0);
    return text_get(t);
}

static void events_are_found_by_what_they_are_about(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    CLEANUP(text_done) struct text t = {0};
    (void)state;
    l = reopen(l);
    struct world_record record = sample("abcd-3");
    record.name = "vpool-small-abcd";
    assert_int_equal(ledger_vm_add(l, &record, &e), 0);
    static const struct ledger_event sample_events[] = {
        {0, 1000, "started", "vpool", ""},
        {0, 2000, "create", "vpool-small-abcd", ""},
        {0, 3000, "cordoned", "hv1", "by carol"},
        {0, 4000, "joined", "vpool-small-abcd", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(sample_events); i++)
        assert_int_equal(ledger_event_add(l, &sample_events[i], &e), 0);
    l = reopen(l);
    struct ledger_events_wanted all = {.max = 10};
    assert_string_equal(events(l, &t, all), "started vpool; create vpool-small-abcd; "
                                            "cordoned hv1; joined vpool-small-abcd; ");
    struct ledger_events_wanted last = {.max = 2, .last = true};
    assert_string_equal(events(l, &t, last), "cordoned hv1; joined vpool-small-abcd; ");
    struct ledger_events_wanted after = {.max = 2, .after = 1};
    assert_string_equal(events(l, &t, after), "create vpool-small-abcd; cordoned hv1; ");
    struct ledger_events_wanted since = {.max = 10, .since = 3000};
    assert_string_equal(events(l, &t, since), "cordoned hv1; joined vpool-small-abcd; ");
    struct ledger_events_wanted vm = {.max = 10, .vm = "abc"};
    assert_string_equal(events(l, &t, vm), "create vpool-small-abcd; joined vpool-small-abcd; ");
    struct ledger_events_wanted host = {.max = 10, .host = "hv1", .since = 2500};
    assert_string_equal(events(l, &t, host), "cordoned hv1; joined vpool-small-abcd; ");
    struct ledger_events_wanted none = {.max = 10, .vm = "hv1' OR 1"};
    assert_string_equal(events(l, &t, none), "");
    (void)ledger_close(l);
}

static int run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    int r = sqlite3_open(path, &db);
    if (r == SQLITE_OK)
        r = sqlite3_exec(db, sql, NULL, NULL, NULL);
    (void)sqlite3_close(db);
    return r;
}

static int count_sql(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int n = -1;
    if (sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        n = sqlite3_column_int(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return n;
}

static void old_events_go_with_the_vms_of_their_time(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    CLEANUP(text_done) struct text sql = {0};
    CLEANUP(text_done) struct text t = {0};
    (void)state;
    l = reopen(l);
    struct world_record record = sample("u-4");
    assert_int_equal(ledger_vm_add(l, &record, &e), 0);
    assert_int_equal(ledger_vm_close(l, "u-4", 10, &e), 0);
    (void)ledger_close(l);
    /* The next event is one at which the history is cut. */
    text_printf(&sql,
                "DELETE FROM event; INSERT INTO event VALUES (5, 20, 'old', 'a', ''), (1001, 30,"
                " 'kept', 'a', ''), (%d, 40, 'last', 'a', '')",
                LIMIT_EVENTS + 999);
    assert_int_equal(run_sql(text_get(&sql)), SQLITE_OK);
    assert_int_equal(count_sql("SELECT count(*) FROM vm WHERE uuid = 'u-4'"), 1);
    assert_int_equal(ledger_open(path, &l, &e), 0);
    assert_int_equal(ledger_event_add(l, &(struct ledger_event){0, 50, "new", "a", ""}, &e), 0);
    struct ledger_events_wanted all = {.max = 10};
    assert_string_equal(events(l, &t, all), "kept a; last a; new a; ");
    (void)ledger_close(l);
    assert_int_equal(count_sql("SELECT count(*) FROM vm WHERE uuid = 'u-4'"), 0);
}

static void switches_of_version_1_become_orders(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    (void)state;
    assert_int_equal(run_sql("CREATE TABLE switch (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
                             "INSERT INTO switch VALUES ('paused', 'uid 17'), ('tried', 5);"
                             "PRAGMA user_version = 1"),
                     SQLITE_OK);
    assert_int_equal(ledger_open(path, &l, &e), 0);
    const struct ledger_order *o = ledger_order_find(l, LEDGER_PAUSE, "");
    assert_non_null(o);
    assert_int_equal(o->uid, 17);
    assert_string_equal(o->who.by, "uid 17");
    assert_null(ledger_order_find(l, LEDGER_LEAVE, ""));
    assert_int_equal(ledger_order_clear(l, LEDGER_PAUSE, "", &e), 0);
    l = reopen(l); /* and not once more */
    assert_null(ledger_order_find(l, LEDGER_PAUSE, ""));
    (void)ledger_close(l);
}

/* Nor is it known whether they had a job: those that joined are held to have had one. */
static void vms_of_version_2_are_of_no_request_and_had_a_job(void **state)
{
    struct ledger *l = reopen(NULL);
    struct err e;
    size_t n, before;
    (void)state;
    struct world_record record = sample("u-7");
    assert_int_equal(ledger_vm_add(l, &record, &e), 0);
    assert_int_equal(ledger_vm_mark(l, "u-7", LEDGER_JOINED, 2000, "joined", &e), 0);
    (void)ledger_records(l, &before);
    (void)ledger_close(l);
    assert_int_equal(run_sql("ALTER TABLE vm DROP COLUMN request; ALTER TABLE vm DROP COLUMN first_job;"
                             "ALTER TABLE vm DROP COLUMN given_up; PRAGMA user_version = 2"),
                     SQLITE_OK);
    l = reopen(NULL);
    const struct world_record *records = ledger_records(l, &n);
    assert_int_equal(n, before);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(records[i].request, "");
    assert_int_equal(find_record(l, "u-7")->first_job, 2000);
    assert_int_equal(ledger_vm_mark(l, "u-7", LEDGER_FIRST_JOB, 2500, "", &e), 0);
    assert_int_equal(ledger_vm_mark(l, "u-7", LEDGER_GIVEN_UP, 3000, "no job", &e), 0);
    l = reopen(l);
    assert_int_equal(find_record(l, "u-7")->first_job, 2500);
    assert_int_equal(find_record(l, "u-7")->given_up, 3000);
    assert_int_equal(ledger_vm_close(l, "u-7", 1, &e), 0);
    (void)ledger_close(l);
}

static void a_ledger_of_a_later_version_is_refused(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    (void)state;
    assert_int_equal(run_sql("PRAGMA user_version = 6"), SQLITE_OK);
    assert_true(ledger_open(path, &l, &e) < 0);
    assert_true(strstr(e.text, "version 6") != NULL);
    assert_int_equal(run_sql("PRAGMA user_version = 5"), SQLITE_OK);
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

static void add_site(void *userdata, const struct ledger_site *site)
{
    text_printf(userdata, "%s at %s (%s)\n", site->name, site->place, site->detail);
}

static void assert_sites(struct ledger *l, enum ledger_site_kind kind, const char *expected)
{
    CLEANUP(text_done) struct text all = {0};
    struct err e;
    assert_int_equal(ledger_sites(l, kind, add_site, &all, &e), 0);
    assert_string_equal(text_get(&all), expected);
}

/* What the policy named once is known until it is said that nothing of ours is there. */
static void hosts_and_fragments_are_remembered(void **state)
{
    static const struct ledger_site first[] = {{"hv1", "qemu:///1", "eyrie"},
                                               {"hv2", "qemu:///2", "eyrie"}};
    static const struct ledger_site moved[] = {{"hv1", "qemu:///one", "fast"}};
    static const struct ledger_site paths[] = {{"schedd", "/a", ""}, {"schedd", "/b", "/tools"}};
    struct ledger *l = NULL;
    struct err e;
    (void)state;
    l = reopen(l);
    assert_int_equal(ledger_sites_keep(l, LEDGER_HOST, first, 2, &e), 0);
    assert_int_equal(ledger_sites_keep(l, LEDGER_HOST, moved, 1, &e), 0);
    assert_int_equal(ledger_sites_keep(l, LEDGER_SCHEDD, paths, 2, &e), 0);
    l = reopen(l);
    assert_sites(l, LEDGER_HOST, "hv1 at qemu:///one (fast)\nhv2 at qemu:///2 (eyrie)\n");
    assert_sites(l, LEDGER_SCHEDD, "schedd at /a ()\nschedd at /b (/tools)\n");
    assert_int_equal(ledger_site_drop(l, LEDGER_SCHEDD, "schedd", "/a", &e), 0);
    assert_int_equal(ledger_site_drop(l, LEDGER_HOST, "hv2", "qemu:///2", &e), 0);
    l = reopen(l);
    assert_sites(l, LEDGER_HOST, "hv1 at qemu:///one (fast)\n");
    assert_sites(l, LEDGER_SCHEDD, "schedd at /b (/tools)\n");
    (void)ledger_close(l);
}

static void a_renamed_host_keeps_its_records(void **state)
{
    struct ledger *l = NULL;
    struct err e;
    size_t n;
    (void)state;
    l = reopen(l);
    struct world_record record = sample("u-renamed");
    assert_int_equal(ledger_vm_add(l, &record, &e), 0);
    assert_int_equal(ledger_host_rename(l, "hv1", "hv7", &e), 0);
    for (int i = 0; i < 2; i++, l = reopen(l)) {
        const struct world_record *records = ledger_records(l, &n);
        while (n > 0 && strcmp(records[n - 1].uuid, "u-renamed") != 0)
            n--;
        assert_int_not_equal(n, 0);
        assert_string_equal(records[n - 1].host, "hv7");
    }
    assert_int_equal(ledger_vm_close(l, "u-renamed", 9, &e), 0);
    (void)ledger_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_controller_has_one_id_and_knows_its_agents),
        cmocka_unit_test(an_intent_survives_and_is_closed),
        cmocka_unit_test(an_order_survives_until_it_is_taken_back),
        cmocka_unit_test(a_drain_is_in_the_record_of_its_vm_and_goes_with_it),
        cmocka_unit_test(events_are_found_by_what_they_are_about),
        cmocka_unit_test(old_events_go_with_the_vms_of_their_time),
        cmocka_unit_test(switches_of_version_1_become_orders),
        cmocka_unit_test(vms_of_version_2_are_of_no_request_and_had_a_job),
        cmocka_unit_test(a_ledger_of_a_later_version_is_refused),
        cmocka_unit_test(hosts_and_fragments_are_remembered),
        cmocka_unit_test(a_renamed_host_keeps_its_records),
        cmocka_unit_test(a_write_that_fails_shows_until_one_goes_through),
        cmocka_unit_test(what_is_no_ledger_is_refused),
    };
    return cmocka_run_group_tests_name("record/ledger", tests, make_folder, remove_folder);
}
