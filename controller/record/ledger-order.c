/*
 * What admins ordered: a row of its own until it is taken back, with a copy in memory. A drain of a
 * VM is in the VM's record too, where the planner reads it.
 */
#include <string.h>

#include "base/text.h"
#include "record/ledger-private.h"

static const char *const kinds[] = {
    [LEDGER_PAUSE] = "pause",           [LEDGER_LEAVE] = "leave",       [LEDGER_CORDON] = "cordon",
    [LEDGER_DRAIN_HOST] = "drain-host", [LEDGER_DRAIN_VM] = "drain-vm",
    [LEDGER_FENCE] = "fence",
};

const char *ledger_order_name(enum ledger_order_kind kind)
{
    return kinds[kind];
}

static void order_done(struct ledger_order *o)
{
    free((char *)o->subject);
    free((char *)o->who.by);
    free((char *)o->who.reason);
}

static struct ledger_order *find(const struct ledger *l, enum ledger_order_kind kind,
                                 const char *subject)
{
    for (size_t i = 0; i < l->n_orders; i++)
        if (l->orders[i].kind == kind && strcmp(l->orders[i].subject, subject) == 0)
            return &l->orders[i];
    return NULL;
}

void ledger_order_show(struct ledger *l, struct world_record *r)
{
    const struct ledger_order *o = find(l, LEDGER_DRAIN_VM, r->uuid);
    r->drain = o != NULL;
    r->drain_now = o && o->now;
    r->order = o ? o->who : (struct world_order)WORLD_NOBODY;
}

/* The record of the VM that an order is about points to what the order holds. */
static void show(struct ledger *l, enum ledger_order_kind kind, const char *subject)
{
    struct world_record *r = kind == LEDGER_DRAIN_VM ? ledger_find(l, subject) : NULL;
    if (r)
        ledger_order_show(l, r);
}

static void keep(struct ledger *l, const struct ledger_order *order)
{
    struct ledger_order *o = find(l, order->kind, order->subject);
    if (o) {
        order_done(o);
    } else {
        if (l->n_orders == l->orders_capacity) {
            l->orders_capacity = l->orders_capacity ? l->orders_capacity * 2 : 8;
            l->orders = mem_resize(l->orders, l->orders_capacity, sizeof(*l->orders));
        }
        o = &l->orders[l->n_orders++];
    }
    *o = *order;
    o->subject = mem_strdup(order->subject);
    o->who.by = mem_strdup(order->who.by);
    o->who.reason = mem_strdup(order->who.reason);
}

static void forget(struct ledger *l, struct ledger_order *o)
{
    size_t index = (size_t)(o - l->orders);
    order_done(o);
    memmove(o, o + 1, (l->n_orders - index - 1) * sizeof(*o));
    l->n_orders--;
}

static bool find_kind(const char *name, enum ledger_order_kind *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i], name) != 0)
            continue;
        *ret = (enum ledger_order_kind)i;
        return true;
    }
    return false;
}

int ledger_orders_load(struct ledger *l, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                           "SELECT kind, subject, now, uid, user, at, reason FROM admin_order"
                           " ORDER BY at, kind, subject",
                           &s, e);
    if (r < 0)
        return r;
    while ((r = sqlite3_step(s)) == SQLITE_ROW) {
        struct ledger_order o = {
            .subject = ledger_column_text(s, 1),
            .now = sqlite3_column_int(s, 2) != 0,
            .uid = (uid_t)sqlite3_column_int64(s, 3),
            .who = {.at = sqlite3_column_int64(s, 5),
                    .by = ledger_column_text(s, 4),
                    .reason = ledger_column_text(s, 6)},
        };
        if (find_kind(ledger_column_text(s, 0), &o.kind))
            keep(l, &o);
    }
    for (size_t i = 0; i < l->n; i++)
        ledger_order_show(l, &l->records[i]);
    return r == SQLITE_DONE ? 0 : ledger_failed(l, e);
}

void ledger_orders_free(struct ledger *l)
{
    for (size_t i = 0; i < l->n_orders; i++)
        order_done(&l->orders[i]);
    free(l->orders);
}

static int write_order(struct ledger *l, const struct ledger_order *order, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r =
        ledger_prepare(l,
                       "INSERT OR REPLACE INTO admin_order"
                       " (kind, subject, now, uid, user, at, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
                       &s, e);
    if (r < 0)
        return r;
    ledger_bind_text(s, 1, kinds[order->kind]);
    ledger_bind_text(s, 2, order->subject);
    (void)sqlite3_bind_int(s, 3, order->now);
    (void)sqlite3_bind_int64(s, 4, order->uid);
    ledger_bind_text(s, 5, order->who.by);
    (void)sqlite3_bind_int64(s, 6, order->who.at);
    ledger_bind_text(s, 7, order->who.reason);
    return ledger_finish(l, s, e);
}

int ledger_orders_save(struct ledger *l, struct err *e)
{
    int r = ledger_execute(l, "DELETE FROM admin_order", e);
    for (size_t i = 0; r == 0 && i < l->n_orders; i++)
        r = write_order(l, &l->orders[i], e);
    return r;
}

int ledger_order_set(struct ledger *l, const struct ledger_order *order, struct err *e)
{
    int r = write_order(l, order, e);
    if (r < 0)
        return r;
    keep(l, order);
    show(l, order->kind, order->subject);
    return 0;
}

int ledger_order_clear(struct ledger *l, enum ledger_order_kind kind, const char *subject,
                       struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    struct ledger_order *o = find(l, kind, subject);
    if (!o)
        return 0;
    int r = ledger_prepare(l, "DELETE FROM admin_order WHERE kind = ? AND subject = ?", &s, e);
    if (r < 0)
        return r;
    ledger_bind_text(s, 1, kinds[kind]);
    ledger_bind_text(s, 2, o->subject);
    r = ledger_finish(l, s, e);
    if (r < 0)
        return r;
    forget(l, o);
    show(l, kind, subject);
    return 0;
}

int ledger_orders_drop(struct ledger *l, const char *uuid, struct err *e)
{
    return ledger_order_clear(l, LEDGER_DRAIN_VM, uuid, e);
}

const struct ledger_order *ledger_order_find(const struct ledger *l, enum ledger_order_kind kind,
                                             const char *subject)
{
    return find(l, kind, subject);
}
