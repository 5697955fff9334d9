/*
 * The lease: which eyried is the controller, where the state folder is shared by several machines. The
 * lock of that folder is decisive on one machine; another one's kernel may know nothing of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "record/ledger-private.h"

/* 1 and the row, 0 when there is none. */
static int read_row(struct ledger *l, sqlite3_stmt **ret, struct err *e)
{
    int r = ledger_prepare(l, "SELECT holder, host, pid, boot, until FROM lease", ret, e);
    if (r < 0)
        return r;
    r = sqlite3_step(*ret);
    return r == SQLITE_ROW ? 1 : r == SQLITE_DONE ? 0 : ledger_failed(l, e);
}

static int held(const struct ledger *l, sqlite3_stmt *row, usec now, struct err *e)
{
    char rest[UNITS_TEXT_MAX];
    usec until = sqlite3_column_int64(row, 4);
    const char *host = ledger_column_text(row, 1);
    int64_t pid = sqlite3_column_int64(row, 2);
    if (until > now)
        return err_set(e, EEXIST, "another eyried (process %" PRId64 " on %s) holds %s for %s more",
                       pid, host, l->path,
                       units_format_duration((until - now) / USEC_PER_SEC * USEC_PER_SEC, rest));
    return err_set(e, EEXIST, "%s was held by process %" PRId64 " on %s, and cannot be taken over: %s",
                   l->path, pid, host, l->last.text);
}

/* Whether it may be ours: it is, or it is nobody's any more, which must be written down. */
static int judge(struct ledger *l, const struct ledger_lease *own, usec now, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *row = NULL;
    int r = read_row(l, &row, e);
    if (r <= 0)
        return r;
    bool ours = strcmp(ledger_column_text(row, 0), own->holder) == 0;
    bool same_kernel = strcmp(ledger_column_text(row, 3), own->boot) == 0;
    bool over = sqlite3_column_int64(row, 4) <= now;
    return ours || same_kernel || (over && !l->detached) ? 0 : held(l, row, now, e);
}

static int write_row(struct ledger *l, const struct ledger_lease *own, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                           "INSERT OR REPLACE INTO lease (id, holder, host, pid, boot, until)"
                           " VALUES (1, ?, ?, ?, ?, ?)",
                           &s, e);
    if (r < 0)
        return r;
    ledger_bind_text(s, 1, own->holder);
    ledger_bind_text(s, 2, own->host);
    (void)sqlite3_bind_int64(s, 3, own->pid);
    ledger_bind_text(s, 4, own->boot);
    (void)sqlite3_bind_int64(s, 5, own->until);
    return ledger_finish(l, s, e);
}

int ledger_lease_take(struct ledger *l, const struct ledger_lease *own, usec now, struct err *e)
{
    if (l->detached)
        return judge(l, own, now, e);
    int r = ledger_execute(l, "BEGIN IMMEDIATE", e);
    if (r < 0)
        return r;
    r = judge(l, own, now, e);
    if (r == 0)
        r = write_row(l, own, e);
    if (r == 0)
        r = ledger_execute(l, "COMMIT", e);
    if (!sqlite3_get_autocommit(l->db))
        (void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}
