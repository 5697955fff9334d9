/* Where things of ours are, and what hosts are called. */
#include <string.h>

#include "record/ledger-private.h"

/* A host has one place: what the row said before is not where it is any more. */
static int site_keep(struct ledger *l, enum ledger_site_kind kind, const struct ledger_site *site,
                     struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL, *old = NULL;
    int r = ledger_prepare(l, "DELETE FROM site WHERE kind = ? AND name = ? AND place <> ?", &old, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int(old, 1, (int)kind);
    ledger_bind_text(old, 2, site->name);
    ledger_bind_text(old, 3, site->place);
    r = kind == LEDGER_HOST ? ledger_finish(l, old, e) : 0;
    if (r == 0)
        r = ledger_prepare(l,
                           "INSERT INTO site (kind, name, place, detail) VALUES (?1, ?2, ?3, ?4)"
                           " ON CONFLICT (kind, name, place) DO UPDATE SET detail = ?4"
                           " WHERE detail <> ?4",
                           &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int(s, 1, (int)kind);
    ledger_bind_text(s, 2, site->name);
    ledger_bind_text(s, 3, site->place);
    ledger_bind_text(s, 4, site->detail);
    return ledger_finish(l, s, e);
}

int ledger_sites_keep(struct ledger *l, enum ledger_site_kind kind, const struct ledger_site *sites,
                      size_t n, struct err *e)
{
    int r = ledger_execute(l, "BEGIN", e); /* one write to the disk, and none when all is there */
    for (size_t i = 0; r == 0 && i < n; i++)
        r = site_keep(l, kind, &sites[i], e);
    if (r == 0)
        r = ledger_execute(l, "COMMIT", e);
    if (r < 0)
        (void)ledger_execute(l, "ROLLBACK", NULL);
    return r;
}

int ledger_site_drop(struct ledger *l, enum ledger_site_kind kind, const char *name,
                     const char *place, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, "DELETE FROM site WHERE kind = ? AND name = ? AND place = ?", &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int(s, 1, (int)kind);
    ledger_bind_text(s, 2, name);
    ledger_bind_text(s, 3, place);
    return ledger_finish(l, s, e);
}

int ledger_sites(struct ledger *l, enum ledger_site_kind kind,
                 void (*callback)(void *userdata, const struct ledger_site *site), void *userdata,
                 struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, "SELECT name, place, detail FROM site WHERE kind = ?"
                              " ORDER BY name, place", &s, e);
    if (r < 0)
        return r;
    (void)sqlite3_bind_int(s, 1, (int)kind);
    while ((r = sqlite3_step(s)) == SQLITE_ROW)
        callback(userdata, &(struct ledger_site){
                               .name = ledger_column_text(s, 0),
                               .place = ledger_column_text(s, 1),
                               .detail = ledger_column_text(s, 2),
                           });
    return r == SQLITE_DONE ? 0 : ledger_failed(l, e);
}

int ledger_host_rename(struct ledger *l, const char *from, const char *to, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->records[i].host, from) == 0)
            mem_replace((char **)&l->records[i].host, to);
    int r = ledger_prepare(l, "UPDATE vm SET host = ? WHERE host = ? AND closed = 0", &s, e);
    if (r < 0)
        return r;
    ledger_bind_text(s, 1, to);
    ledger_bind_text(s, 2, from);
    return ledger_finish(l, s, e);
}
