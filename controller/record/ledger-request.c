/*
 * What groups booked: a row for each request, for ever, with a copy in memory of those that the
 * planner may still have to do with.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "record/ledger-private.h"

enum { LOADED_MAX = 1000 }; /* of those that have ended, when the ledger is opened */

static const char *const states[] = {
    [LEDGER_REQUEST_WAITING] = "waiting",         [LEDGER_REQUEST_GRANTED] = "granted",
    [LEDGER_REQUEST_DENIED] = "denied",           [LEDGER_REQUEST_CANCELLED] = "cancelled",
    [LEDGER_REQUEST_HANDED_BACK] = "handed-back", [LEDGER_REQUEST_ENDED] = "ended",
};

#define COLUMNS                                                                                    \
    "state, template, vms, cpus, exclusive, whole_host, seats, from_time, until_time, ended,"      \
    " decided, decided_by, decided_why, used, delivered, told"
enum { N_COLUMNS = 16 };

const char *ledger_request_state_name(enum ledger_request_state state)
{
    return states[state];
}

int64_t ledger_request_number(const char *id)
{
    int64_t number = 0;
    return text_starts_with(id, "r-") && units_parse_count(id + 2, &number) == 0 ? number : 0;
}

bool ledger_request_is_open(const struct ledger_request *r)
{
    return r->state == LEDGER_REQUEST_WAITING || r->state == LEDGER_REQUEST_GRANTED;
}

/* ---- the copies ------------------------------------------------------------------------------ */

static void request_done(struct ledger_request *r)
{
    for (size_t i = 0; i < r->booking.n_seats; i++)
        free((char *)r->booking.seats[i].host);
    free((struct world_seat *)r->booking.seats);
    free((char *)r->booking.id);
    free((char *)r->booking.group);
    free((char *)r->booking.template);
    free((char *)r->booking.user);
    free((char *)r->reason);
    free((char *)r->decided.by);
    free((char *)r->decided.reason);
}

static struct ledger_request request_copy(const struct ledger_request *from)
{
    struct ledger_request r = *from;
    struct world_seat *seats = mem_new(from->booking.n_seats, sizeof(*seats));
    for (size_t i = 0; i < from->booking.n_seats; i++)
        seats[i] = (struct world_seat){mem_strdup(from->booking.seats[i].host),
                                       from->booking.seats[i].vms};
    r.booking.seats = seats;
    r.booking.id = mem_printf("r-%" PRId64, from->number);
    r.booking.group = mem_strdup(from->booking.group);
    r.booking.template = mem_strdup(from->booking.template);
    r.booking.user = mem_strdup(from->booking.user);
    r.reason = mem_strdup(from->reason);
    r.decided.by = mem_strdup(from->decided.by);
    r.decided.reason = mem_strdup(from->decided.reason);
    return r;
}

static struct ledger_request *find(const struct ledger *l, int64_t number)
{
    size_t low = 0, high = l->n_requests;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->requests[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->n_requests && l->requests[low].number == number ? &l->requests[low] : NULL;
}

/* The numbers grow, so a new one is the last. */
static void keep(struct ledger *l, const struct ledger_request *r)
{
    struct ledger_request copy = request_copy(r), *old = find(l, r->number);
    if (old) {
        request_done(old);
        *old = copy;
        return;
    }
    if (l->n_requests == l->requests_capacity) {
        l->requests_capacity = l->requests_capacity ? l->requests_capacity * 2 : 16;
        l->requests = mem_resize(l->requests, l->requests_capacity, sizeof(*l->requests));
    }
    l->requests[l->n_requests++] = copy;
}

void ledger_requests_free(struct ledger *l)
{
    for (size_t i = 0; i < l->n_requests; i++)
        request_done(&l->requests[i]);
    free(l->requests);
}

const struct ledger_request *ledger_requests(const struct ledger *l, size_t *ret_n)
{
    *ret_n = l->n_requests;
    return l->requests;
}

static usec end_of(const struct ledger_request *r)
{
    return r->booking.ended ? r->booking.ended : r->booking.until;
}

void ledger_requests_forget(struct ledger *l, usec before)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n_requests; i++) {
        struct ledger_request *r = &l->requests[i];
        if (!ledger_request_is_open(r) && end_of(r) < before)
            request_done(r);
        else
            l->requests[n++] = *r;
    }
    l->n_requests = n;
}

void ledger_request_tell(struct ledger *l, int64_t number, int64_t told)
{
    struct ledger_request *r = find(l, number);
    if (r)
        r->told = told;
}

void ledger_request_see(struct ledger *l, int64_t number, const struct ledger_request_seen *seen)
{
    struct ledger_request *r = find(l, number);
    if (!r)
        return;
    r->unsaved = r->unsaved || r->seen.used != seen->used || r->seen.delivered != seen->delivered;
    r->seen = *seen;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* "hv1 3 hv2 10 " */
static void render_seats(const struct world_request *b, struct text *out)
{
    for (size_t i = 0; i < b->n_seats; i++)
        text_printf(out, "%s %" PRId64 " ", b->seats[i].host, b->seats[i].vms);
}

/* Likewise, into memory that is the caller's: the array, and *ret_words, to which the hosts point. */
static struct world_seat *parse_seats(const char *text, size_t *ret_n, char **ret_words)
{
    struct world_seat *seats = mem_new(strlen(text) / 3 + 1, sizeof(*seats));
    char *save = NULL;
    size_t n = 0;
    *ret_words = mem_strdup(text);
    for (char *host = strtok_r(*ret_words, " ", &save); host; host = strtok_r(NULL, " ", &save)) {
        const char *vms = strtok_r(NULL, " ", &save);
        if (vms)
            seats[n++] = (struct world_seat){host, strtoll(vms, NULL, 10)};
    }
    *ret_n = n;
    return seats;
}

/* The columns in the order of COLUMNS, from the @at-th on. */
static void bind(sqlite3_stmt *s, int at, const struct ledger_request *r, const char *seats)
{
    const struct world_request *b = &r->booking;
    (void)sqlite3_bind_int(s, at++, (int)r->state);
    ledger_bind_text(s, at++, b->template);
    (void)sqlite3_bind_int64(s, at++, b->vms);
    (void)sqlite3_bind_int64(s, at++, r->cpus);
    (void)sqlite3_bind_int(s, at++, b->exclusive);
    (void)sqlite3_bind_int(s, at++, b->whole_host);
    ledger_bind_text(s, at++, seats);
    (void)sqlite3_bind_int64(s, at++, b->from);
    (void)sqlite3_bind_int64(s, at++, b->until);
    (void)sqlite3_bind_int64(s, at++, b->ended);
    (void)sqlite3_bind_int64(s, at++, r->decided.at);
    ledger_bind_text(s, at++, r->decided.by);
    ledger_bind_text(s, at++, r->decided.reason);
    (void)sqlite3_bind_int64(s, at++, r->seen.used);
    (void)sqlite3_bind_int64(s, at++, r->seen.delivered);
    (void)sqlite3_bind_int64(s, at++, r->told);
}

/* Give each row of @s to @callback; what it is given lasts until it returns. */
static int each_row(struct ledger *l, sqlite3_stmt *s,
                    void (*callback)(void *userdata, const struct ledger_request *r),
                    void *userdata, struct err *e)
{
    int r;
    while ((r = sqlite3_step(s)) == SQLITE_ROW) {
        struct ledger_request row = {
            .state = (enum ledger_request_state)sqlite3_column_int(s, 0),
            .cpus = sqlite3_column_int64(s, 3),
            .decided = {.at = sqlite3_column_int64(s, 10),
                        .by = ledger_column_text(s, 11),
                        .reason = ledger_column_text(s, 12)},
            .seen = {.used = sqlite3_column_int64(s, 13), .delivered = sqlite3_column_int64(s, 14)},
            .told = sqlite3_column_int64(s, 15),
            .number = sqlite3_column_int64(s, N_COLUMNS),
            .uid = (uid_t)sqlite3_column_int64(s, N_COLUMNS + 3),
            .reason = ledger_column_text(s, N_COLUMNS + 4),
            .asked = sqlite3_column_int64(s, N_COLUMNS + 5),
            .booking = {.group = ledger_column_text(s, N_COLUMNS + 1),
                        .template = ledger_column_text(s, 1),
                        .vms = sqlite3_column_int64(s, 2),
                        .exclusive = sqlite3_column_int(s, 4) != 0,
                        .whole_host = sqlite3_column_int(s, 5) != 0,
                        .user = ledger_column_text(s, N_COLUMNS + 2),
                        .from = sqlite3_column_int64(s, 7),
                        .until = sqlite3_column_int64(s, 8),
                        .ended = sqlite3_column_int64(s, 9)}};
        if (row.state >= LEDGER_REQUEST_STATES)
            return err_set(e, EPROTO, "ledger: request r-%" PRId64 " has the state %d, which is none",
                           row.number, (int)row.state);
        AUTOFREE char *id = mem_printf("r-%" PRId64, row.number);
        AUTOFREE char *words = NULL;
        AUTOFREE struct world_seat *seats =
            parse_seats(ledger_column_text(s, 6), &row.booking.n_seats, &words);
        row.booking.id = id;
        row.booking.seats = seats;
        callback(userdata, &row);
    }
    return r == SQLITE_DONE ? 0 : ledger_failed(l, e);
}

#define SELECT                                                                                     \
    "SELECT " COLUMNS ", number, accounting_group, user, uid, reason, asked FROM request "

static void keep_row(void *userdata, const struct ledger_request *r)
{
    keep(userdata, r);
}

int ledger_requests_load(struct ledger *l, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                           SELECT "WHERE state < 2 OR number > (SELECT max(number) FROM request) - ?"
                                  " ORDER BY number",
                           &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int(s, 1, LOADED_MAX);
    return each_row(l, s, keep_row, l, e);
}

/* Rows of the file; of those that are in memory, too, what is there: it is newer. */
struct reading {
    struct ledger *ledger;
    void (*callback)(void *userdata, const struct ledger_request *r);
    void *userdata;
};

static void read_row(void *userdata, const struct ledger_request *r)
{
    const struct reading *reading = userdata;
    const struct ledger_request *copy = find(reading->ledger, r->number);
    reading->callback(reading->userdata, copy ? copy : r);
}

int ledger_requests_read(struct ledger *l, int64_t number, size_t max,
                         void (*callback)(void *userdata, const struct ledger_request *r),
                         void *userdata, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                           "SELECT * FROM (" SELECT "WHERE ?1 = 0 OR number = ?1"
                           " ORDER BY number DESC LIMIT ?2) ORDER BY number",
                           &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(s, 1, number);
    (void)sqlite3_bind_int64(s, 2, (int64_t)max);
    return each_row(l, s, read_row, &(struct reading){l, callback, userdata}, e);
}

/* A new one has no number yet. */
static int write_row(struct ledger *l, const struct ledger_request *r, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    CLEANUP(text_done) struct text seats = {0};
    int status =
        ledger_prepare(l,
                       "INSERT OR REPLACE INTO request (" COLUMNS ", accounting_group, user, uid,"
                       " reason, asked, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                       " ?, ?, ?, ?, ?, ?, ?)",
                       &s, e);
    if (status < 0)
        return status;
    render_seats(&r->booking, &seats);
    bind(s, 1, r, text_get(&seats));
    ledger_bind_text(s, N_COLUMNS + 1, r->booking.group);
    ledger_bind_text(s, N_COLUMNS + 2, r->booking.user);
    (void)sqlite3_bind_int64(s, N_COLUMNS + 3, r->uid);
    ledger_bind_text(s, N_COLUMNS + 4, r->reason);
    (void)sqlite3_bind_int64(s, N_COLUMNS + 5, r->asked);
    if (r->number)
        (void)sqlite3_bind_int64(s, N_COLUMNS + 6, r->number);
    return ledger_finish(l, s, e);
}

int ledger_requests_save(struct ledger *l, struct err *e)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < l->n_requests; i++)
        r = write_row(l, &l->requests[i], e);
    return r;
}

int ledger_request_add(struct ledger *l, const struct ledger_request *request, int64_t *ret_number,
                       struct err *e)
{
    struct ledger_request kept = *request;
    kept.number = 0;
    int r = write_row(l, &kept, e);
    if (r < 0)
        return r;
    kept.number = sqlite3_last_insert_rowid(l->db);
    keep(l, &kept);
    if (ret_number)
        *ret_number = kept.number;
    return 0;
}

int ledger_request_set(struct ledger *l, const struct ledger_request *request, struct err *e)
{
    struct ledger_request kept = *request;
    int r = write_row(l, request, e);
    if (r < 0)
        return r;
    kept.unsaved = false;
    keep(l, &kept);
    return 0;
}

int ledger_requests_keep_seen(struct ledger *l, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, "UPDATE request SET used = ?, delivered = ? WHERE number = ?", &s, e);
    if (r == 0)
        r = ledger_execute(l, "BEGIN", e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < l->n_requests && r == 0; i++) {
        const struct ledger_request *request = &l->requests[i];
        if (!request->unsaved)
            continue;
        (void)sqlite3_bind_int64(s, 1, request->seen.used);
        (void)sqlite3_bind_int64(s, 2, request->seen.delivered);
        (void)sqlite3_bind_int64(s, 3, request->number);
        r = ledger_finish(l, s, e);
        (void)sqlite3_reset(s);
    }
    if (r == 0)
        r = ledger_execute(l, "COMMIT", e);
    if (r < 0)
        (void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    for (size_t i = 0; i < l->n_requests && r == 0; i++)
        l->requests[i].unsaved = false;
    return r;
}
