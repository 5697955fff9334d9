/* The tables of the ledger, and those of earlier versions made into them. */
#include <errno.h>

#include "record/ledger-private.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS vm ("
    " uuid TEXT PRIMARY KEY, name TEXT NOT NULL, host TEXT NOT NULL, template TEXT NOT NULL,"
    " generation TEXT NOT NULL, accounting_group TEXT NOT NULL, exclusive INTEGER NOT NULL,"
    " create_decided INTEGER NOT NULL, create_answer INTEGER NOT NULL DEFAULT 0,"
    " create_answered INTEGER NOT NULL DEFAULT 0, joined INTEGER NOT NULL DEFAULT 0,"
    " drain_decided INTEGER NOT NULL DEFAULT 0, drain_accepted INTEGER NOT NULL DEFAULT 0,"
    " poweroff_decided INTEGER NOT NULL DEFAULT 0, destroy_decided INTEGER NOT NULL DEFAULT 0,"
    " why TEXT NOT NULL DEFAULT '', closed INTEGER NOT NULL DEFAULT 0,"
    " request TEXT NOT NULL DEFAULT '', first_job INTEGER NOT NULL DEFAULT 0,"
    " given_up INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX IF NOT EXISTS vm_open ON vm (closed) WHERE closed = 0;"
    "CREATE INDEX IF NOT EXISTS vm_decided ON vm (create_decided);"
    "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
    " kind TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS event_subject ON event (subject);"
    "CREATE INDEX IF NOT EXISTS event_at ON event (at);"
    "CREATE TABLE IF NOT EXISTS admin_order ("
    " kind TEXT NOT NULL, subject TEXT NOT NULL, now INTEGER NOT NULL, uid INTEGER NOT NULL,"
    " user TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (kind, subject));"
    "CREATE TABLE IF NOT EXISTS site (kind INTEGER NOT NULL, name TEXT NOT NULL,"
    " place TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (kind, name, place));"
    "CREATE TABLE IF NOT EXISTS identity (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " controller TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS agent (name TEXT PRIMARY KEY, invite TEXT NOT NULL DEFAULT '',"
    " invited_until INTEGER NOT NULL DEFAULT 0, token TEXT NOT NULL DEFAULT '',"
    " joined INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0,"
    " mark TEXT NOT NULL DEFAULT '');"
    "CREATE TABLE IF NOT EXISTS request (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " state INTEGER NOT NULL, accounting_group TEXT NOT NULL, template TEXT NOT NULL,"
    " vms INTEGER NOT NULL, cpus INTEGER NOT NULL, exclusive INTEGER NOT NULL,"
    " whole_host INTEGER NOT NULL, seats TEXT NOT NULL, from_time INTEGER NOT NULL,"
    " until_time INTEGER NOT NULL, ended INTEGER NOT NULL, user TEXT NOT NULL, uid INTEGER NOT NULL,"
    " reason TEXT NOT NULL, asked INTEGER NOT NULL, decided INTEGER NOT NULL,"
    " decided_by TEXT NOT NULL, decided_why TEXT NOT NULL, used INTEGER NOT NULL,"
    " delivered INTEGER NOT NULL, told INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS request_open ON request (state) WHERE state < 2;"
    "CREATE TABLE IF NOT EXISTS notice (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " accounting_group TEXT NOT NULL, about TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL,"
    " owed INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS lease (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " holder TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, boot TEXT NOT NULL,"
    " until INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS tried (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);";

/* Version 1 had two switches, with who set them as text. */
static const char from_version_1[] =
    "INSERT OR IGNORE INTO admin_order SELECT CASE key WHEN 'paused' THEN 'pause' ELSE 'leave' END,"
    " '', 0, CAST(substr(value, 5) AS INTEGER), value, 0, '' FROM switch"
    " WHERE key IN ('paused', 'left');"
    "DROP TABLE switch;";

/* Before version 3 no VM was started for a request; before 4 none could be asked for. */
static const char from_version_2[] = "ALTER TABLE vm ADD COLUMN request TEXT NOT NULL DEFAULT ''";

/* Before version 5 nobody knew whether a VM had had a job: those that joined are held to have had one. */
static const char from_version_4[] = "ALTER TABLE vm ADD COLUMN first_job INTEGER NOT NULL DEFAULT 0;"
                                     "ALTER TABLE vm ADD COLUMN given_up INTEGER NOT NULL DEFAULT 0;"
                                     "UPDATE vm SET first_job = joined";

/* A table that was made just now has the column already. */
static bool has_column(sqlite3 *db, const char *select)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    return sqlite3_prepare_v2(db, select, -1, &s, NULL) == SQLITE_OK;
}

static int execute(sqlite3 *db, const char *path, const char *sql, struct err *e)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ledger_db_failed(db, path, e);
}

int ledger_check_version(sqlite3 *db, const char *path, int *ret, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL) != SQLITE_OK ||
        sqlite3_step(s) != SQLITE_ROW)
        return ledger_db_failed(db, path, e);
    int version = sqlite3_column_int(s, 0);
    if (version < 0 || version > LEDGER_VERSION)
        return err_set(e, EPROTO, "ledger %s has version %d and this eyried knows %d; move it away "
                                  "to start with an empty one", path, version, LEDGER_VERSION);
    *ret = version;
    return 0;
}

int ledger_prepare_tables(sqlite3 *db, const char *path, int version, struct err *e)
{
    int r = execute(db, path, "BEGIN IMMEDIATE", e);
    if (r == 0)
        r = execute(db, path, schema, e);
    if (r == 0 && version == 1)
        r = execute(db, path, from_version_1, e);
    if (r == 0 && (version == 1 || version == 2) && !has_column(db, "SELECT request FROM vm"))
        r = execute(db, path, from_version_2, e);
    if (r == 0 && version > 0 && version < 5 && !has_column(db, "SELECT first_job FROM vm"))
        r = execute(db, path, from_version_4, e);
    return r < 0 ? r : execute(db, path, "PRAGMA user_version = 5; COMMIT", e);
}
