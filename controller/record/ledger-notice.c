/* What is to be told to groups, until it was told. */
#include "record/ledger-private.h"

#include "base/text.h"

static int insert(struct ledger *l, const struct ledger_notice *notice, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                           "INSERT INTO notice (accounting_group, about, body, at, owed)"
                           " VALUES (?, ?, ?, ?, ?)",
                           &s, e);
    if (r < 0)
        return r;
    ledger_bind_text(s, 1, notice->group);
    ledger_bind_text(s, 2, notice->about);
    ledger_bind_text(s, 3, notice->body);
    (void)sqlite3_bind_int64(s, 4, notice->at);
    (void)sqlite3_bind_int64(s, 5, notice->owed);
    return ledger_finish(l, s, e);
}

static int mark(struct ledger *l, int64_t request, int64_t told, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, "UPDATE request SET told = ? WHERE number = ?", &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(s, 1, told);
    (void)sqlite3_bind_int64(s, 2, request);
    return ledger_finish(l, s, e);
}

int ledger_notices_add(struct ledger *l, int64_t request, int64_t told,
                       const struct ledger_notice *notices, size_t n, struct err *e)
{
    int r = ledger_execute(l, "BEGIN IMMEDIATE", e);
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = insert(l, &notices[i], e);
    if (r == 0)
        r = mark(l, request, told, e);
    if (r == 0)
        r = ledger_execute(l, "COMMIT", e);
    if (r < 0)
        (void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    else
        ledger_request_tell(l, request, told);
    return r;
}

int ledger_notice_settle(struct ledger *l, int64_t number, int64_t ways, struct err *e)
{
    static const char *const sql[] = {
        "DELETE FROM notice WHERE number = ?1 AND owed & ~?2 = 0",
        "UPDATE notice SET owed = owed & ~?2 WHERE number = ?1",
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sql); i++) {
        AUTOSTATEMENT sqlite3_stmt *s = NULL;
        r = ledger_prepare(l, sql[i], &s, e);
        if (r < 0)
            return r;
        (void)sqlite3_bind_int64(s, 1, number);
        (void)sqlite3_bind_int64(s, 2, ways);
        r = ledger_finish(l, s, e);
    }
    return r;
}

int ledger_notices(struct ledger *l,
                   void (*callback)(void *userdata, const struct ledger_notice *notice),
                   void *userdata, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                           "SELECT number, accounting_group, about, body, at, owed FROM notice"
                           " ORDER BY number",
                           &s, e);
    if (r < 0)
        return r;
    while ((r = sqlite3_step(s)) == SQLITE_ROW)
        callback(userdata, &(struct ledger_notice){
                               .number = sqlite3_column_int64(s, 0),
                               .group = ledger_column_text(s, 1),
                               .about = ledger_column_text(s, 2),
                               .body = ledger_column_text(s, 3),
                               .at = sqlite3_column_int64(s, 4),
                               .owed = sqlite3_column_int64(s, 5),
                           });
    return r == SQLITE_DONE ? 0 : ledger_failed(l, e);
}
