/*
 * The ledger from inside, for the files that are its parts: the file itself (ledger-file.c, -schema.c), VMs
 * (ledger.c), what admins ordered (ledger-order.c), what is booked (ledger-request.c) and told of it (ledger-notice.c), where things are (ledger-site.c), the agents
 * (ledger-agent.c), who is the controller (ledger-lease.c), and the history (ledger-event.c).
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

#include "base/mem.h"
#include "record/ledger.h"

struct ledger {
    sqlite3 *db;
    char *path;
    char *aside;   /* where the last damaged one is; "" = there was none */
    bool detached; /* @db can be read only, or is an empty one; @last says why */
    bool behind;   /* a write failed: the copies hold what the file does not */
    struct world_record *records; /* strings owned, one by one */
    size_t n;
    size_t capacity;
    struct ledger_order *orders; /* likewise */
    size_t n_orders;
    size_t orders_capacity;
    struct ledger_request *requests; /* likewise */
    size_t n_requests;
    size_t requests_capacity;
    struct err last;    /* what failed last; "" once a write went through */
    int64_t last_event; /* its id; 0: not known yet */
};

static inline void ledger_statement_p(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
}
#define AUTOSTATEMENT CLEANUP(ledger_statement_p)

enum { LEDGER_VERSION = 5 }; /* of the tables; ledger-schema.c */

/* What SQLite said last about the file @path (@db may be NULL), as -errno; damage is -EBADMSG. */
int ledger_db_failed(sqlite3 *db, const char *path, struct err *e);
/* The version of the tables, 0 for an empty file; -EPROTO for one that we do not know. */
int ledger_check_version(sqlite3 *db, const char *path, int *ret, struct err *e);
/* Have the tables of LEDGER_VERSION. */
int ledger_prepare_tables(sqlite3 *db, const char *path, int version, struct err *e);

/* What a result code of SQLite (without its extension) is, as a positive errno; damage is EBADMSG. */
int ledger_errno(int code);
/* Put what SQLite says into @e; returns -errno. */
int ledger_failed(struct ledger *l, struct err *e);
int ledger_prepare(struct ledger *l, const char *sql, sqlite3_stmt **ret, struct err *e);
/* Run statements that return no rows. */
int ledger_execute(struct ledger *l, const char *sql, struct err *e);
/* Run a statement that returns no rows. */
int ledger_finish(struct ledger *l, sqlite3_stmt *statement, struct err *e);
void ledger_bind_text(sqlite3_stmt *s, int at, const char *text);
/* The text of a column, never NULL; valid until the next step. */
const char *ledger_column_text(sqlite3_stmt *s, int at);

/* Read the open records from the file. */
int ledger_load(struct ledger *l, struct err *e);
/* Write an open record, all of it, in the place of what the file has. */
int ledger_vm_write(struct ledger *l, const struct world_record *record, struct err *e);
void ledger_records_free(struct ledger *l);
/* The open record of a VM, or NULL. */
struct world_record *ledger_find(struct ledger *l, const char *uuid);
/* Read the orders from the file, and put them into the records. */
int ledger_orders_load(struct ledger *l, struct err *e);
/* Write all orders in the place of those in the file. */
int ledger_orders_save(struct ledger *l, struct err *e);
/* Write all requests that are in memory. */
int ledger_requests_save(struct ledger *l, struct err *e);
/* Put into the record of a VM what was ordered about it. */
void ledger_order_show(struct ledger *l, struct world_record *r);
/* Forget the orders about a VM that is gone. */
int ledger_orders_drop(struct ledger *l, const char *uuid, struct err *e);
void ledger_orders_free(struct ledger *l);
/* Read the requests from the file. */
int ledger_requests_load(struct ledger *l, struct err *e);
void ledger_requests_free(struct ledger *l);
/* Of a request in memory, what was told is @told. */
void ledger_request_tell(struct ledger *l, int64_t number, int64_t told);
