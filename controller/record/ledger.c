#include "record/ledger-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

int ledger_errno(int code)
{
    switch (code) {
    case SQLITE_FULL:
        return ENOSPC;
    case SQLITE_BUSY:
        return EBUSY;
    case SQLITE_READONLY:
        return EROFS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return EBADMSG;
    default:
        return EIO;
    }
}

/* Detached, all that matters is why. */
static int refuse(const struct ledger *l, struct err *e)
{
    if (e)
        *e = l->last;
    return -EROFS;
}

int ledger_failed(struct ledger *l, struct err *e)
{
    if (l->detached)
        return refuse(l, e);
    int r = err_set(&l->last, ledger_errno(sqlite3_extended_errcode(l->db) & 0xff), "ledger: %s",
                    sqlite3_errmsg(l->db));
    l->behind = true;
    if (e)
        *e = l->last;
    return r;
}

int ledger_prepare(struct ledger *l, const char *sql, sqlite3_stmt **ret, struct err *e)
{
    return sqlite3_prepare_v2(l->db, sql, -1, ret, NULL) == SQLITE_OK ? 0 : ledger_failed(l, e);
}

int ledger_execute(struct ledger *l, const char *sql, struct err *e)
{
    if (l->detached)
        return refuse(l, e);
    return sqlite3_exec(l->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ledger_failed(l, e);
}

int ledger_finish(struct ledger *l, sqlite3_stmt *statement, struct err *e)
{
    if (l->detached)
        return refuse(l, e);
    return sqlite3_step(statement) == SQLITE_DONE ? 0 : ledger_failed(l, e);
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

void ledger_records_free(struct ledger *l)
{
    for (size_t i = 0; i < l->n; i++)
        record_done(&l->records[i]);
    free(l->records);
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

int ledger_load(struct ledger *l, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                    "SELECT uuid, name, host, template, generation, accounting_group, why, exclusive,"
                    " create_decided, create_answer, create_answered, joined, drain_decided,"
                    " drain_accepted, poweroff_decided, destroy_decided, request, first_job,"
                    " given_up FROM vm"
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
                           .poweroff_lost = sqlite3_column_int64(s, 14) != 0,
                           .destroy_decided = sqlite3_column_int64(s, 15),
                           .request = ledger_column_text(s, 16),
                           .first_job = sqlite3_column_int64(s, 17),
                           .given_up = sqlite3_column_int64(s, 18),
                       });
    }
    return r == SQLITE_DONE ? 0 : ledger_failed(l, e);
}

int ledger_vm_write(struct ledger *l, const struct world_record *record, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                    "INSERT OR REPLACE INTO vm (uuid, name, host, template, generation,"
                    " accounting_group, why, request, exclusive, create_decided, create_answer,"
                    " create_answered, joined, drain_decided, drain_accepted, poweroff_decided,"
                    " destroy_decided, first_job, given_up)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    &s, e);
    if (r < 0)
        return r;
    const char *text[] = {record->uuid,       record->name,  record->host, record->template,
                          record->generation, record->group, record->why,
                          record->request ? record->request : ""};
    const int64_t number[] = {record->exclusive,        record->create_decided,
                              record->create_answer,    record->create_answered,
                              record->joined,           record->drain_decided,
                              record->drain_accepted,   record->poweroff_decided,
                              record->destroy_decided,  record->first_job,
                              record->given_up};
    int at = 1;
    for (size_t i = 0; i < ARRAY_SIZE(text); i++)
        ledger_bind_text(s, at++, text[i]);
    for (size_t i = 0; i < ARRAY_SIZE(number); i++)
        (void)sqlite3_bind_int64(s, at++, number[i]);
    return ledger_finish(l, s, e);
}

int ledger_vm_add(struct ledger *l, const struct world_record *record, struct err *e)
{
    int r = ledger_vm_write(l, record, e);
    if (r == 0 || record->create_answer == WORLD_ANSWER_OK)
        record_keep(l, record);
    return r;
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
        [LEDGER_FIRST_JOB] = {"UPDATE vm SET first_job = ?, why = ? WHERE uuid = ?",
                              offsetof(struct world_record, first_job)},
        [LEDGER_GIVEN_UP] = {"UPDATE vm SET given_up = ?, why = ? WHERE uuid = ?",
                             offsetof(struct world_record, given_up)},
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

void ledger_vm_idle(struct ledger *l, const char *uuid, usec since, usec jobless_since)
{
    struct world_record *record = ledger_find(l, uuid);
    if (!record)
        return;
    record->idle_since = since;
    record->jobless_since = jobless_since;
}

void ledger_vm_poweroff_lost(struct ledger *l, const char *uuid, bool lost)
{
    struct world_record *record = ledger_find(l, uuid);
    if (record)
        record->poweroff_lost = lost;
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
