/* The agents, and which controller they belong to. */
#include "record/ledger-private.h"

int ledger_agent_set(struct ledger *l, const struct ledger_agent *agent, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                           "INSERT OR REPLACE INTO agent (name, invite, invited_until, token,"
                           " joined, revision, mark) VALUES (?, ?, ?, ?, ?, ?, ?)",
                           &s, e);
    if (r < 0)
        return r;
    ledger_bind_text(s, 1, agent->name);
    ledger_bind_text(s, 2, agent->invite);
    (void)sqlite3_bind_int64(s, 3, agent->invited_until);
    ledger_bind_text(s, 4, agent->token);
    (void)sqlite3_bind_int64(s, 5, agent->joined);
    (void)sqlite3_bind_int64(s, 6, agent->revision);
    ledger_bind_text(s, 7, agent->mark);
    return ledger_finish(l, s, e);
}

int ledger_agent_drop(struct ledger *l, const char *name, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l, "DELETE FROM agent WHERE name = ?", &s, e);
    if (r < 0)
        return r;
    ledger_bind_text(s, 1, name);
    return ledger_finish(l, s, e);
}

int ledger_agents(struct ledger *l,
                  void (*callback)(void *userdata, const struct ledger_agent *agent),
                  void *userdata, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    int r = ledger_prepare(l,
                           "SELECT name, invite, invited_until, token, joined, revision, mark"
                           " FROM agent ORDER BY name",
                           &s, e);
    if (r < 0)
        return r;
    while ((r = sqlite3_step(s)) == SQLITE_ROW)
        callback(userdata, &(struct ledger_agent){
                               .name = ledger_column_text(s, 0),
                               .invite = ledger_column_text(s, 1),
                               .invited_until = sqlite3_column_int64(s, 2),
                               .token = ledger_column_text(s, 3),
                               .joined = sqlite3_column_int64(s, 4),
                               .revision = sqlite3_column_int64(s, 5),
                               .mark = ledger_column_text(s, 6),
                           });
    return r == SQLITE_DONE ? 0 : ledger_failed(l, e);
}

int ledger_controller(struct ledger *l, char **ret, struct err *e)
{
    AUTOSTATEMENT sqlite3_stmt *s = NULL;
    struct err unwritten;
    (void)ledger_execute(l,
                         "INSERT OR IGNORE INTO identity (id, controller)"
                         " VALUES (1, lower(hex(randomblob(16))))",
                         &unwritten);
    /* where none can be written down, there are no agents that would know it again */
    int r = ledger_prepare(l,
                           "SELECT controller FROM identity"
                           " UNION ALL SELECT lower(hex(randomblob(16))) LIMIT 1",
                           &s, e);
    if (r < 0)
        return r;
    if (sqlite3_step(s) != SQLITE_ROW)
        return ledger_failed(l, e);
    *ret = mem_strdup(ledger_column_text(s, 0));
    return 0;
}
