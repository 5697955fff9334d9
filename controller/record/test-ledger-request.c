/* Requests in the ledger: what was answered is on disk, and history stays. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "record/ledger.h"

static char path[] = "/tmp/eyrie-test-request-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        AUTOFREE char *name = mem_printf("%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
    return 0;
}

static struct ledger *reopen(struct ledger *l)
{
    struct err e;
    (void)ledger_close(l);
    assert_int_equal(ledger_open(path, &l, &e), 0);
    return l;
}

static const struct world_seat seats[] = {{"hv-1.example.org", 3}, {"hv2", 10}};

static struct ledger_request sample(void)
{
    return (struct ledger_request){
        .booking = {.id = "", .group = "juno", .template = "big", .vms = 13, .exclusive = true,
                    .whole_host = true, .user = "alice", .seats = seats, .n_seats = 2,
                    .from = 1000, .until = 2000},
        .state = LEDGER_REQUEST_GRANTED, .cpus = 200, .reason = "calibration", .uid = 1001,
        .asked = 500, .decided = WORLD_NOBODY};
}

static void count(void *userdata, const struct ledger_request *r)
{
    (void)r;
    ++*(size_t *)userdata;
}

static const struct ledger_request *find(struct ledger *l, const char *id)
{
    size_t n;
    const struct ledger_request *all = ledger_requests(l, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].booking.id, id) == 0)
            return &all[i];
    return NULL;
}

static void all_of_it_survives(void **state)
{
    struct ledger *l = reopen(NULL);
    struct ledger_request asked = sample();
    int64_t number = 0;
    struct err e;
    (void)state;
    assert_int_equal(ledger_request_add(l, &asked, &number, &e), 0);
    assert_int_equal(number, 1);
    l = reopen(l);
    const struct ledger_request *r = find(l, "r-1");
    assert_non_null(r);
    assert_int_equal(r->number, 1);
    assert_int_equal(r->state, LEDGER_REQUEST_GRANTED);
    assert_string_equal(r->booking.group, "juno");
    assert_string_equal(r->booking.template, "big");
    assert_string_equal(r->booking.user, "alice");
    assert_int_equal(r->booking.vms, 13);
    assert_int_equal(r->cpus, 200);
    assert_true(r->booking.exclusive && r->booking.whole_host);
    assert_int_equal(r->booking.n_seats, 2);
    assert_string_equal(r->booking.seats[0].host, "hv-1.example.org");
    assert_int_equal(r->booking.seats[1].vms, 10);
    assert_int_equal(r->booking.from, 1000);
    assert_int_equal(r->booking.until, 2000);
    assert_int_equal(r->uid, 1001);
    assert_int_equal(r->asked, 500);
    assert_string_equal(r->reason, "calibration");

    struct ledger_request changed = *r;
    changed.state = LEDGER_REQUEST_CANCELLED;
    changed.booking.ended = 1500;
    changed.booking.n_seats = 0;
    changed.decided = (struct world_order){1500, "bob", "done early"};
    changed.seen = (struct ledger_request_seen){.used = 1100, .delivered = 7};
    changed.told = 5;
    assert_int_equal(ledger_request_set(l, &changed, &e), 0);
    l = reopen(l);
    r = find(l, "r-1");
    assert_int_equal(r->state, LEDGER_REQUEST_CANCELLED);
    assert_int_equal(r->booking.ended, 1500);
    assert_int_equal(r->booking.n_seats, 0);
    assert_string_equal(r->decided.by, "bob");
    assert_string_equal(r->decided.reason, "done early");
    assert_int_equal(r->seen.used, 1100);
    assert_int_equal(r->seen.delivered, 7);
    assert_int_equal(r->told, 5);
    (void)ledger_close(l);
}

/* The process that answered is gone at once, without closing anything. */
static void what_was_added_is_on_disk_before_the_answer(void **state)
{
    int to_parent[2], status = 0;
    char answer = 0;
    (void)state;
    assert_int_equal(pipe(to_parent), 0);
    pid_t child = fork();
    if (child == 0) {
        struct ledger *l = NULL;
        struct ledger_request asked = sample();
        if (ledger_open(path, &l, NULL) == 0 && ledger_request_add(l, &asked, NULL, NULL) == 0)
            (void)!write(to_parent[1], "y", 1);
        (void)raise(SIGKILL);
    }
    (void)close(to_parent[1]);
    assert_int_equal(read(to_parent[0], &answer, 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    (void)close(to_parent[0]);
    struct ledger *l = reopen(NULL);
    assert_non_null(find(l, "r-2"));
    (void)ledger_close(l);
}

static void what_was_seen_goes_to_disk_at_times_and_with_a_change(void **state)
{
    struct ledger *l = reopen(NULL);
    struct err e;
    (void)state;
    struct ledger_request_seen seen = {.used = 1200, .delivered = 42, .up = 1100};
    ledger_request_see(l, 2, &seen);
    ledger_request_see(l, 99, &seen); /* there is none */
    assert_true(find(l, "r-2")->unsaved);
    assert_int_equal(ledger_requests_keep_seen(l, &e), 0);
    assert_false(find(l, "r-2")->unsaved);
    assert_int_equal(find(l, "r-2")->seen.up, 1100);
    l = reopen(l);
    assert_int_equal(find(l, "r-2")->seen.delivered, 42);
    assert_int_equal(find(l, "r-2")->seen.used, 1200);
    assert_int_equal(find(l, "r-2")->seen.up, 0); /* that is waited for anew */

    seen.delivered = 43;
    ledger_request_see(l, 2, &seen);
    struct ledger_request r = *find(l, "r-2");
    r.state = LEDGER_REQUEST_ENDED;
    assert_int_equal(ledger_request_set(l, &r, &e), 0);
    l = reopen(l);
    assert_int_equal(find(l, "r-2")->seen.delivered, 43);
    (void)ledger_close(l);
}

static void history_stays_when_it_is_forgotten(void **state)
{
    struct ledger *l = reopen(NULL);
    struct ledger_request open = sample();
    size_t n = 0;
    struct err e;
    (void)state;
    open.state = LEDGER_REQUEST_WAITING;
    assert_int_equal(ledger_request_add(l, &open, NULL, &e), 0);
    ledger_requests_forget(l, 1800); /* r-1 ended at 1500, r-2 at 2000 */
    assert_null(find(l, "r-1"));
    assert_non_null(find(l, "r-2"));
    ledger_requests_forget(l, 3000);
    assert_null(find(l, "r-2"));
    assert_non_null(find(l, "r-3"));
    assert_int_equal(ledger_requests_read(l, 0, 10, count, &n, &e), 0);
    assert_int_equal(n, 3);
    n = 0;
    assert_int_equal(ledger_requests_read(l, 0, 2, count, &n, &e), 0);
    assert_int_equal(n, 2);
    n = 0;
    assert_int_equal(ledger_requests_read(l, 1, 10, count, &n, &e), 0);
    assert_int_equal(n, 1);
    (void)ledger_close(l);
}

struct heard {
    int64_t numbers[4], owed[4];
    size_t n;
};

static void hear(void *userdata, const struct ledger_notice *notice)
{
    struct heard *h = userdata;
    assert_string_equal(notice->group, "juno");
    assert_string_equal(notice->body, "{}");
    h->numbers[h->n] = notice->number;
    h->owed[h->n++] = notice->owed;
}

static struct heard notices(struct ledger *l)
{
    struct heard h = {.n = 0};
    struct err e;
    assert_int_equal(ledger_notices(l, hear, &h, &e), 0);
    return h;
}

static int64_t told(struct ledger *l, int64_t number)
{
    size_t n;
    const struct ledger_request *all = ledger_requests(l, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].number == number)
            return all[i].told;
    return -1;
}

/* What is to be told is on disk with the mark that it is, and no longer than until it was told. */
static void notices_last_until_they_are_settled(void **state)
{
    static const struct ledger_notice two[] = {
        {.group = "juno", .about = "r-1 granted", .body = "{}", .at = 5, .owed = 3},
        {.group = "juno", .about = "r-1 ready", .body = "{}", .at = 6, .owed = 1}};
    struct ledger_request r = sample();
    struct ledger *l = reopen(NULL);
    int64_t number;
    struct err e;
    (void)state;
    assert_int_equal(ledger_request_add(l, &r, &number, &e), 0);
    assert_int_equal(ledger_notices_add(l, number, 5, two, 2, &e), 0);
    assert_int_equal(told(l, number), 5);
    l = reopen(l);
    assert_int_equal(told(l, number), 5);
    struct heard h = notices(l);
    assert_int_equal(h.n, 2);
    assert_int_equal(h.owed[0], 3);
    assert_true(h.numbers[1] > h.numbers[0]);
    assert_int_equal(ledger_notice_settle(l, h.numbers[0], 1, &e), 0);
    assert_int_equal(ledger_notice_settle(l, h.numbers[1], 1, &e), 0);
    l = reopen(l);
    h = notices(l);
    assert_int_equal(h.n, 1);
    assert_int_equal(h.owed[0], 2);
    assert_int_equal(ledger_notice_settle(l, h.numbers[0], 3, &e), 0);
    assert_int_equal(notices(l).n, 0);
    /* no number comes twice */
    int64_t last = h.numbers[0];
    assert_int_equal(ledger_notices_add(l, number, 7, two, 1, &e), 0);
    assert_true(notices(l).numbers[0] > last + 1);
    (void)ledger_close(l);
}

static void a_name_has_its_number_in_it(void **state)
{
    (void)state;
    assert_int_equal(ledger_request_number("r-17"), 17);
    assert_int_equal(ledger_request_number("r-"), 0);
    assert_int_equal(ledger_request_number("r-1x"), 0);
    assert_int_equal(ledger_request_number("17"), 0);
    assert_int_equal(ledger_request_number(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_its_number_in_it),
        cmocka_unit_test(all_of_it_survives),
        cmocka_unit_test(what_was_added_is_on_disk_before_the_answer),
        cmocka_unit_test(what_was_seen_goes_to_disk_at_times_and_with_a_change),
        cmocka_unit_test(history_stays_when_it_is_forgotten),
        cmocka_unit_test(notices_last_until_they_are_settled),
    };
    return cmocka_run_group_tests_name("record/ledger-request", tests, make_file, remove_file);
}
