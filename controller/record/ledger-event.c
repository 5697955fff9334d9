/*
 * The history. It is bounded: now and then the oldest events go, and with them what the ledger
 * still held of VMs that were gone before.
 */
#include "base/limits.h"
#include "base/text.h"
#include "record/ledger-private.h"

enum { PRUNE_EVERY = 1000 }; /* events */

static int prune(struct ledger *l, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, "DELETE FROM event WHERE id <= ?", &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(s, 1, l->last_event - LIMIT_EVENTS);
    r = ledger_finish(l, s, e);
    if (r < 0)
        return r;
    AUTOSTATEMENT sqlite3_stmt *vms = NULL;
    r = ledger_prepare(l,
                       "DELETE FROM vm WHERE closed > 0 AND closed < (SELECT at FROM event ORDER BY"
                       " id LIMIT 1)",
                       &vms, e);
    return r < 0 ? r : ledger_finish(l, vms, e);
}

/* Whether the next writes wait for the disk. */
static void wait_for_disk(struct ledger *l, bool wait)
{
    (void)sqlite3_exec(l->db, wait ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
                       NULL, NULL, NULL);
}

/* Each action has two events or three: they reach the disk with the next intent, whose wait is for all
 * that was written before it. */
int ledger_event_add(struct ledger *l, const struct ledger_event *event, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r =
        ledger_prepare(l, "INSERT INTO event (at, kind, subject, text) VALUES (?, ?, ?, ?)", &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(s, 1, event->at);
    ledger_bind_text(s, 2, event->kind);
    ledger_bind_text(s, 3, event->subject);
    ledger_bind_text(s, 4, event->text);
    wait_for_disk(l, false);
    r = ledger_finish(l, s, e);
    wait_for_disk(l, true);
    if (r < 0)
        return r;
    l->last_event = sqlite3_last_insert_rowid(l->db);
    return l->last_event > LIMIT_EVENTS && l->last_event % PRUNE_EVERY == 0 ? prune(l, e) : 0;
}

bool ledger_event_known(struct ledger *l, const char *kind, const char *subject)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    struct err e;
    if (ledger_prepare(l, "SELECT 1 FROM event WHERE subject = ? AND kind = ? LIMIT 1", &s, &e) < 0)
        return false;
    ledger_bind_text(s, 1, subject);
    ledger_bind_text(s, 2, kind);
    return sqlite3_step(s) == SQLITE_ROW;
}

/* The names that the rows may be about, so that the index finds them. */
#define OF_VM                                                                                      \
    " AND subject IN (SELECT ?3 UNION SELECT name FROM vm WHERE uuid >= ?3 AND uuid < ?3 || 'g')"
#define OF_HOST " AND subject IN (SELECT ?4 UNION SELECT name FROM vm WHERE host = ?4)"

int ledger_events(struct ledger *l, const struct ledger_events_wanted *wanted,
                  void (*callback)(void *userdata, const struct ledger_event *event),
                  void *userdata, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    CLEANUP(text_done) struct text sql = {0};
    text_printf(&sql, "SELECT * FROM (SELECT id, at, kind, subject, text FROM event WHERE id > ?1");
    text_printf(&sql, "%s%s%s ORDER BY id%s LIMIT ?5) ORDER BY id",
                wanted->since ? " AND at >= ?2" : "", wanted->vm ? OF_VM : "",
                wanted->host ? OF_HOST : "", wanted->last ? " DESC" : "");
    int r = ledger_prepare(l, text_get(&sql), &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(s, 1, wanted->after);
    (void)sqlite3_bind_int64(s, 2, wanted->since);
    ledger_bind_text(s, 3, wanted->vm ? wanted->vm : "");
    ledger_bind_text(s, 4, wanted->host ? wanted->host : "");
    (void)sqlite3_bind_int64(s, 5, (sqlite3_int64)wanted->max);
    while ((r = sqlite3_step(s)) == SQLITE_ROW)
        callback(userdata, &(struct ledger_event){
                               .id = sqlite3_column_int64(s, 0),
                               .at = sqlite3_column_int64(s, 1),
                               .kind = ledger_column_text(s, 2),
                               .subject = ledger_column_text(s, 3),
                               .text = ledger_column_text(s, 4),
                           });
    return r == SQLITE_DONE ? 0 : ledger_failed(l, e);
}
