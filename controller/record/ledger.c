#include "record/ledger-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { SCHEMA_VERSION = 4 };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS vm ("
    " uuid TEXT PRIMARY KEY, name TEXT NOT NULL, host TEXT NOT NULL, template TEXT NOT NULL,"
    " generation TEXT NOT NULL, accounting_group TEXT NOT NULL, exclusive INTEGER NOT NULL,"
    " create_decided INTEGER NOT NULL, create_answer INTEGER NOT NULL DEFAULT 0,"
    " create_answered INTEGER NOT NULL DEFAULT 0, joined INTEGER NOT NULL DEFAULT 0,"
    " drain_decided INTEGER NOT NULL DEFAULT 0, drain_accepted INTEGER NOT NULL DEFAULT 0,"
    " poweroff_decided INTEGER NOT NULL DEFAULT 0, destroy_decided INTEGER NOT NULL DEFAULT 0,"
    " why TEXT NOT NULL DEFAULT '', closed INTEGER NOT NULL DEFAULT 0,"
    " request TEXT NOT NULL DEFAULT '');"
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
    "CREATE TABLE IF NOT EXISTS tried (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);";

/* Version 1 had two switches, with who set them as text. */
static const char from_version_1[] =
    "INSERT OR IGNORE INTO admin_order SELECT CASE key WHEN 'paused' THEN 'pause' ELSE 'leave' END,"
    " '', 0, CAST(substr(value, 5) AS INTEGER), value, 0, '' FROM switch"
    " WHERE key IN ('paused', 'left');"
    "DROP TABLE switch;";

/* Before version 3 no VM was started for a request; before 4 none could be asked for. */
static const char from_version_2[] = "ALTER TABLE vm ADD COLUMN request TEXT NOT NULL DEFAULT ''";

int ledger_failed(struct ledger *l, struct err *e)
{
    int code = sqlite3_extended_errcode(l->db) & 0xff;
    int r = err_set(&l->last, code == SQLITE_FULL ? ENOSPC : code == SQLITE_BUSY ? EBUSY : EIO,
                    "ledger: %s", sqlite3_errmsg(l->db));
    if (e)
        *e = l->last;
    return r;
}

int ledger_prepare(struct ledger *l, const char *sql, sqlite3_stmt **ret, struct err *e)
{
    return sqlite3_prepare_v2(l->db, sql, -1, ret, NULL) == SQLITE_OK ? 0 : ledger_failed(l, e);
}

int ledger_finish(struct ledger *l, sqlite3_stmt *statement, struct err *e)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        return ledger_failed(l, e);
    l->last.text[0] = '\0';
    return 0;
}

void ledger_bind_text(sqlite3_stmt *s, int at, const char *text)
{
    (void)sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

const char *ledger_column_text(sqlite3_stmt *s, int at)
{
    const char *text = (const char *)sqlite3_column_text(s, at);
    return text ? text : "";
}

static void record_done(struct world_record *r)
{
    free((char *)r->uuid);
    free((char *)r->name);
    free((char *)r->host);
    free((char *)r->template);
    free((char *)r->generation);
    free((char *)r->group);
    free((char *)r->why);
    free((char *)r->request);
}

static void record_keep(struct ledger *l, const struct world_record *record)
{
    if (l->n == l->capacity) {
        l->capacity = l->capacity ? l->capacity * 2 : 16;
        l->records = mem_resize(l->records, l->capacity, sizeof(*l->records));
    }
    struct world_record *r = &l->records[l->n++];
    *r = *record;
    r->uuid = mem_strdup(record->uuid);
    r->name = mem_strdup(record->name);
    r->host = mem_strdup(record->host);
    r->template = mem_strdup(record->template);
    r->generation = mem_strdup(record->generation);
    r->group = mem_strdup(record->group);
    r->why = mem_strdup(record->why);
    r->request = mem_strdup(record->request ? record->request : "");
    ledger_order_show(l, r);
}

struct world_record *ledger_find(struct ledger *l, const char *uuid)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->records[i].uuid, uuid) == 0)
            return &l->records[i];
    return NULL;
}

static int load(struct ledger *l, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                    "SELECT uuid, name, host, template, generation, accounting_group, why, exclusive,"
                    " create_decided, create_answer, create_answered, joined, drain_decided,"
                    " drain_accepted, poweroff_decided, destroy_decided, request FROM vm"
                    " WHERE closed = 0"
                    " ORDER BY create_decided, uuid",
                    &s, e);
    if (r < 0)
        return r;
    while ((r = sqlite3_step(s)) == SQLITE_ROW) {
        const char *text[7];
        for (int i = 0; i < 7; i++)
            text[i] = ledger_column_text(s, i);
        int64_t answer = sqlite3_column_int64(s, 9);
        record_keep(l, &(struct world_record){
                           .uuid = text[0],
                           .name = text[1],
                           .host = text[2],
                           .template = text[3],
                           .generation = text[4],
                           .group = text[5],
                           .why = text[6],
                           .exclusive = sqlite3_column_int(s, 7) != 0,
                           .create_decided = sqlite3_column_int64(s, 8),
                           .create_answer = answer == WORLD_ANSWER_OK       ? WORLD_ANSWER_OK
                                            : answer == WORLD_ANSWER_FAILED ? WORLD_ANSWER_FAILED
                                                                            : WORLD_ANSWER_NONE,
                           .create_answered = sqlite3_column_int64(s, 10),
                           .joined = sqlite3_column_int64(s, 11),
                           .drain_decided = sqlite3_column_int64(s, 12),
                           .drain_accepted = sqlite3_column_int64(s, 13),
                           .poweroff_decided = sqlite3_column_int64(s, 14),
                           .destroy_decided = sqlite3_column_int64(s, 15),
                           .request = ledger_column_text(s, 16),
                       });
    }
    return r == SQLITE_DONE ? 0 : ledger_failed(l, e);
}

static int check_version(struct ledger *l, const char *path, int *ret, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, "PRAGMA user_version", &s, e);
    if (r < 0)
        return r;
    if (sqlite3_step(s) != SQLITE_ROW)
        return ledger_failed(l, e);
    int version = sqlite3_column_int(s, 0);
    if (version < 0 || version > SCHEMA_VERSION)
        return err_set(e, EPROTO, "ledger %s has version %d and this eyried knows %d; move it away "
                                  "to start with an empty one", path, version, SCHEMA_VERSION);
    *ret = version;
    return 0;
}

int ledger_execute(struct ledger *l, const char *sql, struct err *e)
{
    return sqlite3_exec(l->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ledger_failed(l, e);
}

/* A table that was made just now has the column already. */
static bool has_request(struct ledger *l)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    return sqlite3_prepare_v2(l->db, "SELECT request FROM vm", -1, &s, NULL) == SQLITE_OK;
}

int ledger_open(const char *path, struct ledger **ret, struct err *e)
{
    struct ledger *l = mem_new(1, sizeof(*l));
    int r = 0, version = 0;
    if (sqlite3_open_v2(path, &l->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK)
        r = err_set(e, EIO, "ledger %s: %s", path, l->db ? sqlite3_errmsg(l->db) : "no memory");
    if (r == 0)
        (void)sqlite3_busy_timeout(l->db, 1000);
    if (r == 0)
        r = check_version(l, path, &version, e);
    if (r == 0)
        r = ledger_execute(l, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", e);
    if (r == 0)
        r = ledger_execute(l, "BEGIN IMMEDIATE", e);
    if (r == 0)
        r = ledger_execute(l, schema, e);
    if (r == 0 && version == 1)
        r = ledger_execute(l, from_version_1, e);
    if (r == 0 && (version == 1 || version == 2) && !has_request(l))
        r = ledger_execute(l, from_version_2, e);
    if (r == 0)
        r = ledger_execute(l, "PRAGMA user_version = 4; COMMIT", e);
    if (r == 0)
        r = load(l, e);
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

static int check_whole(struct ledger *l, const char *path, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, "PRAGMA quick_check(1)", &s, e);
    if (r < 0)
        return r;
    if (sqlite3_step(s) != SQLITE_ROW)
        return ledger_failed(l, e);
    const char *said = (const char *)sqlite3_column_text(s, 0);
    if (!said || strcmp(said, "ok") != 0)
        return err_set(e, EBADMSG, "ledger %s is damaged: %s", path, said ? said : "no memory");
    return 0;
}

int ledger_open_read(const char *path, struct ledger **ret, struct err *e)
{
    struct ledger *l = mem_new(1, sizeof(*l));
    int r = 0, version = 0;
    if (sqlite3_open_v2(path, &l->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        r = err_set(e, EIO, "ledger %s: %s", path, l->db ? sqlite3_errmsg(l->db) : "no memory");
    if (r == 0)
        (void)sqlite3_busy_timeout(l->db, 1000);
    if (r == 0)
        r = check_version(l, path, &version, e);
    if (r == 0)
        r = check_whole(l, path, e);
    if (r == 0 && version == SCHEMA_VERSION) /* an older one is brought up to date by eyried */
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
    for (size_t i = 0; i < l->n; i++)
        record_done(&l->records[i]);
    free(l->records);
    ledger_orders_free(l);
    ledger_requests_free(l);
    free(l);
    return NULL;
}

int ledger_vm_add(struct ledger *l, const struct world_record *record, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                    "INSERT INTO vm (uuid, name, host, template, generation, accounting_group, why,"
                    " exclusive, create_decided, create_answer, create_answered, joined, request)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (uuid) DO UPDATE SET closed = 0",
                    &s, e);
    if (r < 0)
        return r;
    const char *text[] = {record->uuid,       record->name,  record->host, record->template,
                          record->generation, record->group, record->why};
    for (int i = 0; i < 7; i++)
        ledger_bind_text(s, i + 1, text[i]);
    (void)sqlite3_bind_int(s, 8, record->exclusive);
    (void)sqlite3_bind_int64(s, 9, record->create_decided);
    (void)sqlite3_bind_int(s, 10, (int)record->create_answer);
    (void)sqlite3_bind_int64(s, 11, record->create_answered);
    (void)sqlite3_bind_int64(s, 12, record->joined);
    ledger_bind_text(s, 13, record->request ? record->request : "");
    r = ledger_finish(l, s, e);
    if (r < 0)
        return r;
    record_keep(l, record);
    return 0;
}

int ledger_vm_mark(struct ledger *l, const char *uuid, enum ledger_mark mark, usec at,
                   const char *why, struct err *e)
{
    static const struct {
        const char *sql;
        size_t offset;
    } marks[] = {
        [LEDGER_JOINED] = {"UPDATE vm SET joined = ?, why = ? WHERE uuid = ?",
                           offsetof(struct world_record, joined)},
        [LEDGER_DRAIN_DECIDED] = {"UPDATE vm SET drain_decided = ?, why = ? WHERE uuid = ?",
                                  offsetof(struct world_record, drain_decided)},
        [LEDGER_DRAIN_ACCEPTED] = {"UPDATE vm SET drain_accepted = ?, why = ? WHERE uuid = ?",
                                   offsetof(struct world_record, drain_accepted)},
        [LEDGER_POWEROFF_DECIDED] = {"UPDATE vm SET poweroff_decided = ?, why = ? WHERE uuid = ?",
                                     offsetof(struct world_record, poweroff_decided)},
        [LEDGER_DESTROY_DECIDED] = {"UPDATE vm SET destroy_decided = ?, why = ? WHERE uuid = ?",
                                    offsetof(struct world_record, destroy_decided)},
    };
    struct world_record *record = ledger_find(l, uuid);
    if (!record)
        return 0;
    memcpy((char *)record + marks[mark].offset, &at, sizeof(at));
    mem_replace((char **)&record->why, why);

    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, marks[mark].sql, &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(s, 1, at);
    ledger_bind_text(s, 2, why);
    ledger_bind_text(s, 3, uuid);
    return ledger_finish(l, s, e);
}

int ledger_vm_answer(struct ledger *l, const char *uuid, enum world_answer answer, usec at,
                     struct err *e)
{
    struct world_record *record = ledger_find(l, uuid);
    if (!record)
        return 0;
    record->create_answer = answer;
    record->create_asked = false;
    record->create_answered = at;

    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, "UPDATE vm SET create_answer = ?, create_answered = ? WHERE uuid = ?", &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int(s, 1, (int)answer);
    (void)sqlite3_bind_int64(s, 2, at);
    ledger_bind_text(s, 3, uuid);
    return ledger_finish(l, s, e);
}

void ledger_vm_idle(struct ledger *l, const char *uuid, usec since)
{
    struct world_record *record = ledger_find(l, uuid);
    if (record)
        record->idle_since = since;
}

int ledger_vm_close(struct ledger *l, const char *uuid, usec at, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, "UPDATE vm SET closed = ? WHERE uuid = ?", &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(s, 1, at);
    ledger_bind_text(s, 2, uuid);
    r = ledger_finish(l, s, e);
    if (r < 0)
        return r;
    struct world_record *record = ledger_find(l, uuid);
    if (record) {
        size_t index = (size_t)(record - l->records);
        record_done(record);
        memmove(record, record + 1, (l->n - index - 1) * sizeof(*record));
        l->n--;
    }
    return ledger_orders_drop(l, uuid, e);
}

const struct world_record *ledger_records(const struct ledger *l, size_t *ret_n)
{
    *ret_n = l->n;
    return l->records;
}

struct world_start *ledger_starts(struct ledger *l, struct arena *a, usec after, size_t *ret_n)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    struct world_start *starts = NULL;
    size_t capacity = 0;
    *ret_n = 0;
    if (ledger_prepare(l,
                "SELECT create_decided, host FROM vm WHERE create_decided > ?"
                " ORDER BY create_decided, uuid",
                &s, NULL) < 0)
        return NULL;
    (void)sqlite3_bind_int64(s, 1, after);
    for (; sqlite3_step(s) == SQLITE_ROW; (*ret_n)++) {
        starts = arena_grow(a, starts, *ret_n, &capacity, sizeof(*starts));
        starts[*ret_n] = (struct world_start){
            sqlite3_column_int64(s, 0), arena_strdup(a, (const char *)sqlite3_column_text(s, 1))};
    }
    return starts;
}

int ledger_boots(struct ledger *l, size_t max,
                 void (*callback)(void *userdata, const char *template, const char *host, usec took),
                 void *userdata, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                           "SELECT template, host, took FROM (SELECT template, host, create_decided,"
                           " joined - create_decided AS took FROM vm WHERE joined > create_decided"
                           " AND create_decided > 0 ORDER BY create_decided DESC LIMIT ?)"
                           " ORDER BY create_decided",
                           &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(s, 1, (int64_t)max);
    while ((r = sqlite3_step(s)) == SQLITE_ROW)
        callback(userdata, ledger_column_text(s, 0), ledger_column_text(s, 1),
                 sqlite3_column_int64(s, 2));
    return r == SQLITE_DONE ? 0 : ledger_failed(l, e);
}

const char *ledger_error(const struct ledger *l)
{
    return l->last.text;
}

int ledger_try(struct ledger *l, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    /* Another value each time: SQLite does not write what is there already. */
    int r = ledger_prepare(l,
                           "INSERT INTO tried (id, n) VALUES (1, 1)"
                           " ON CONFLICT (id) DO UPDATE SET n = n + 1",
                           &s, e);
    return r < 0 ? r : ledger_finish(l, s, e);
}
