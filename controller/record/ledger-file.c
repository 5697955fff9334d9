/*
 * The ledger's file, and what becomes of the pool when it fails. A full or read-only disk: what is in
 * the file is read, changes are kept in memory only, and nothing is created until all is written. A
 * damaged file is moved aside, never deleted; what the running eyried knows goes into a new one.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "record/ledger-private.h"

static bool is_damage(int code)
{
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

int ledger_db_failed(sqlite3 *db, const char *path, struct err *e)
{
    int code = db ? sqlite3_extended_errcode(db) & 0xff : SQLITE_NOMEM;
    return err_set(e, is_damage(code) ? EBADMSG : ledger_errno(code), "ledger %s: %s", path,
                   db ? sqlite3_errmsg(db) : "no memory");
}

static int execute(sqlite3 *db, const char *path, const char *sql, struct err *e)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ledger_db_failed(db, path, e);
}

static int check_whole(sqlite3 *db, const char *path, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &s, NULL) != SQLITE_OK ||
        sqlite3_step(s) != SQLITE_ROW)
        return ledger_db_failed(db, path, e);
    const char *said = ledger_column_text(s, 0);
    return strcmp(said, "ok") == 0 ? 0 : err_set(e, EBADMSG, "ledger %s: %s", path, said);
}

/* To be written. */
static int open_file(const char *path, sqlite3 **ret, struct err *e)
{
    sqlite3 *db = NULL;
    int version = 0, r = 0;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
        r = ledger_db_failed(db, path, e);
    if (r == 0)
        (void)sqlite3_busy_timeout(db, 1000);
    if (r == 0)
        r = ledger_check_version(db, path, &version, e);
    if (r == 0)
        r = check_whole(db, path, e);
    if (r == 0)
        r = execute(db, path, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                    "PRAGMA cache_size = -256" /* KiB: of 2 MB most would hold history */, e);
    if (r == 0)
        r = ledger_prepare_tables(db, path, version, e);
    if (r < 0) {
        (void)sqlite3_close(db);
        return r;
    }
    *ret = db;
    return 0;
}

/*
 * To be read, where nothing can be written: SQLite wants a file for its index of the write-ahead log,
 * but keeps it in memory when it has the database to itself. Nobody else writes: the state folder is
 * ours (controller-setup.c).
 */
static int open_unwritable(const char *path, sqlite3 **ret, struct err *e)
{
    sqlite3 *db = NULL;
    int version = 0, r = 0;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, "unix-none") != SQLITE_OK)
        r = ledger_db_failed(db, path, e);
    if (r == 0)
        r = execute(db, path, "PRAGMA locking_mode = EXCLUSIVE", e);
    if (r == 0)
        r = ledger_check_version(db, path, &version, e);
    if (r == 0)
        r = check_whole(db, path, e);
    if (r == 0 && version != LEDGER_VERSION)
        r = err_set(e, EROFS, "ledger %s is of an earlier version, and cannot be written", path);
    if (r < 0) {
        (void)sqlite3_close(db);
        return r;
    }
    *ret = db;
    return 0;
}

/* An empty one that lasts as long as we do. */
static sqlite3 *open_nothing(void)
{
    sqlite3 *db = NULL;
    struct err e;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK || ledger_prepare_tables(db, "in memory", 0, &e) < 0)
        mem_exhausted();
    return db;
}

/* Out of the way under a name that says when and why, with its log, without which it is not whole. */
static int move_aside(struct ledger *l, struct err *e)
{
    static const char *const parts[] = {"-wal", "-shm", ""};
    char stamp[32] = "";
    time_t now = time(NULL);
    struct tm tm;
    if (gmtime_r(&now, &tm))
        (void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
    AUTOFREE char *aside = mem_printf("%s.damaged-%s", l->path, stamp);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        AUTOFREE char *from = mem_printf("%s%s", l->path, parts[i]);
        AUTOFREE char *to = mem_printf("%s%s", aside, parts[i]);
        if (rename(from, to) < 0 && errno != ENOENT)
            return err_set(e, errno, "%s is damaged, and cannot be moved aside: %s", from,
                           strerror(errno));
    }
    mem_replace(&l->aside, aside);
    return 0;
}

static void swap(struct ledger *l, sqlite3 *db, bool detached)
{
    (void)sqlite3_close(l->db);
    l->db = db;
    l->detached = detached;
    l->last_event = 0;
}

/* Open the file, or a new one where it was when it is damaged. */
static int attach(struct ledger *l, struct err *e)
{
    sqlite3 *db = NULL;
    int r = open_file(l->path, &db, e);
    if (r == -EBADMSG) {
        swap(l, open_nothing(), true); /* an open handle would delete the new one's log as its own */
        r = move_aside(l, e);
        if (r == 0)
            r = open_file(l->path, &db, e);
    }
    if (r == 0)
        swap(l, db, false);
    return r;
}

/* Go on with what can be read; @why it cannot be written. */
static int detach(struct ledger *l, const struct err *why, struct err *e)
{
    sqlite3 *db = NULL;
    int r = 0;
    if (access(l->path, F_OK) < 0 && errno == ENOENT)
        db = open_nothing();
    else
        r = open_unwritable(l->path, &db, e);
    if (r < 0)
        return r;
    swap(l, db, true);
    l->last = *why;
    return 0;
}

int ledger_open(const char *path, struct ledger **ret, struct err *e)
{
    struct ledger *l = mem_new(1, sizeof(*l));
    struct err why;
    l->path = mem_strdup(path);
    l->aside = mem_strdup("");
    AUTOFREE char *copy = mem_strdup(path);
    const char *folder = dirname(copy);
    int r = attach(l, &why);
    if (r < 0 && e)
        *e = why;
    if (r < 0 && r != -EPROTO && r != -EBUSY && access(folder, X_OK) == 0)
        r = detach(l, &why, e);
    if (r == 0)
        r = ledger_load(l, e);
    if (r == 0)
        r = ledger_orders_load(l, e);
    if (r == 0)
        r = ledger_requests_load(l, e);
    if (r < 0) {
        (void)ledger_close(l);
        return r;
    }
    *ret = l;
    return 0;
}

int ledger_open_read(const char *path, struct ledger **ret, struct err *e)
{
    struct ledger *l = mem_new(1, sizeof(*l));
    int r = 0, version = 0;
    if (sqlite3_open_v2(path, &l->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        r = ledger_db_failed(l->db, path, e);
    if (r == 0)
        (void)sqlite3_busy_timeout(l->db, 1000);
    if (r == 0)
        r = ledger_check_version(l->db, path, &version, e);
    if (r == 0)
        r = check_whole(l->db, path, e);
    if (r == 0 && version == LEDGER_VERSION) /* an older one is brought up to date by eyried */
        r = ledger_orders_load(l, e);
    if (r < 0) {
        (void)ledger_close(l);
        return r;
    }
    *ret = l;
    return 0;
}

struct ledger *ledger_close(struct ledger *l)
{
    if (!l)
        return NULL;
    (void)sqlite3_close(l->db);
    ledger_records_free(l);
    ledger_orders_free(l);
    ledger_requests_free(l);
    free(l->path);
    free(l->aside);
    free(l);
    return NULL;
}

const char *ledger_error(const struct ledger *l)
{
    return l->last.text;
}

const char *ledger_aside(const struct ledger *l)
{
    return l->aside;
}

/* Write all that the copies hold. */
static int save(struct ledger *l, struct err *e)
{
    int r = ledger_execute(l, "BEGIN IMMEDIATE", e);
    for (size_t i = 0; r == 0 && i < l->n; i++)
        r = ledger_vm_write(l, &l->records[i], e);
    if (r == 0)
        r = ledger_orders_save(l, e);
    if (r == 0)
        r = ledger_requests_save(l, e);
    if (r == 0)
        r = ledger_execute(l, "COMMIT", e);
    if (r < 0 && !sqlite3_get_autocommit(l->db))
        (void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

static int try(struct ledger *l, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    /* Another value each time: SQLite does not write what is there already. */
    int r = ledger_prepare(l,
                           "INSERT INTO tried (id, n) VALUES (1, 1)"
                           " ON CONFLICT (id) DO UPDATE SET n = n + 1",
                           &s, e);
    return r < 0 ? r : ledger_finish(l, s, e);
}

int ledger_mend(struct ledger *l, struct err *e)
{
    if (!l->behind && !l->detached)
        return 0;
    int r = l->detached ? -EBADMSG : try(l, e);
    if (r == -EBADMSG)
        r = attach(l, &l->last);
    if (r == 0)
        r = save(l, e);
    if (r < 0) {
        if (e)
            *e = l->last;
        return r;
    }
    l->behind = false;
    l->last.text[0] = '\0';
    return 0;
}
