/*
 * What is known of eyried itself: what it did, how long that took, and who asked.
 */
#include "serve/metrics.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define FAMILY const struct openmetrics_family *f

static void build(const struct metrics *m, FAMILY)
{
    openmetrics_add(m->out, f, 1, "version", EYRIE_VERSION, NULL);
}

static void started(const struct metrics *m, FAMILY)
{
    if (m->s)
        openmetrics_add_seconds(m->out, f, m->s->server.started, NULL);
}

static void last_step(const struct metrics *m, FAMILY)
{
    if (m->s)
        openmetrics_add_seconds(m->out, f, m->s->server.last_step, NULL);
}

static void steps(const struct metrics *m, FAMILY)
{
    if (m->s)
        openmetrics_add_histogram(m->out, f, &m->s->server.counts.steps);
}

static void looks(const struct metrics *m, FAMILY)
{
    if (m->s)
        openmetrics_add_histogram(m->out, f, &m->s->server.counts.looks);
}

static void look_failures(const struct metrics *m, FAMILY)
{
    if (m->s)
        openmetrics_add(m->out, f, m->s->server.counts.look_failures, NULL);
}

static void look_bytes(const struct metrics *m, FAMILY)
{
    if (!m->s)
        return;
    openmetrics_add(m->out, f, m->s->server.counts.queue_bytes, "source", "queue", NULL);
    openmetrics_add(m->out, f, m->s->server.counts.pool_bytes, "source", "pool", NULL);
}

static void actions(const struct metrics *m, FAMILY)
{
    static const struct {
        const char *result;
        const char *suffix; /* of the event */
    } results[] = {{"started", ""}, {"done", "-done"}, {"failed", "-failed"}};
    for (int kind = 0; m->s && kind < ACTION_KIND_COUNT; kind++) {
        const char *action = action_kind_name((enum action_kind)kind);
        for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
            char event[COUNTS_KIND_BYTES];
            (void)snprintf(event, sizeof(event), "%s%s", action, results[i].suffix);
            openmetrics_add(m->out, f, counts_of(&m->s->server.counts, event), "action", action,
                            "result", results[i].result, NULL);
        }
    }
}

static void under_way(const struct metrics *m, FAMILY)
{
    if (m->s)
        openmetrics_add(m->out, f, m->s->server.under_way, NULL);
}

static void events(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; m->s && i < m->s->server.counts.n_events; i++)
        openmetrics_add(m->out, f, m->s->server.counts.events[i].n, "kind",
                        m->s->server.counts.events[i].kind, NULL);
}

static void policy_loaded(const struct metrics *m, FAMILY)
{
    if (m->s)
        openmetrics_add_seconds(m->out, f, m->s->server.policy_loaded, NULL);
}

static void policy_refused(const struct metrics *m, FAMILY)
{
    if (m->s)
        openmetrics_add(m->out, f, *m->s->server.refused != '\0', NULL);
}

static void reloads(const struct metrics *m, FAMILY)
{
    if (!m->s)
        return;
    openmetrics_add(m->out, f, counts_of(&m->s->server.counts, "reloaded"), "result", "done", NULL);
    openmetrics_add(m->out, f, counts_of(&m->s->server.counts, "reload-failed"), "result", "failed",
                    NULL);
}

static void ledger(const struct metrics *m, FAMILY)
{
    if (m->s)
        openmetrics_add(m->out, f, !*m->s->server.ledger_error, NULL);
}

static void requests(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->traffic->n_rows; i++) {
        const struct traffic_row *row = &m->traffic->rows[i];
        char code[16], method[16] = "";
        const char *path = strchr(row->route, ' ');
        if (path)
            (void)snprintf(method, sizeof(method), "%.*s", (int)(path - row->route), row->route);
        (void)snprintf(code, sizeof(code), "%u", row->status);
        openmetrics_add(m->out, f, row->requests, "method", method, "route", path ? path + 1 : "",
                        "code", code, NULL);
    }
}

static void connections(const struct metrics *m, FAMILY)
{
    openmetrics_add(m->out, f, m->traffic->connections, NULL);
}

static void cuts(const struct metrics *m, FAMILY)
{
    for (int cut = 0; cut < TRAFFIC_CUTS; cut++)
        openmetrics_add(m->out, f, m->traffic->cuts[cut], "reason",
                        traffic_cut_name((enum traffic_cut)cut), NULL);
}

const struct metric metrics_server[] = {
    {{"eyrie_build", OPENMETRICS_INFO, NULL, "The version that runs."}, build},
    {{"eyrie_start_time_seconds", OPENMETRICS_GAUGE, "seconds", "When eyried started."}, started},
    {{"eyrie_last_step_time_seconds", OPENMETRICS_GAUGE, "seconds", "When the last step began."},
     last_step},
    {{"eyrie_step_duration_seconds", OPENMETRICS_HISTOGRAM, "seconds", "How long steps take."},
     steps},
    {{"eyrie_look_duration_seconds", OPENMETRICS_HISTOGRAM, "seconds",
      "How long it takes until the pool and all queues have answered."},
     looks},
    {{"eyrie_look_failures", OPENMETRICS_COUNTER, NULL,
      "Answers of queues and of the pool that failed or were not complete."},
     look_failures},
    {{"eyrie_look_size_bytes", OPENMETRICS_GAUGE, "bytes", "What was read in the last look."},
     look_bytes},
    {{"eyrie_actions", OPENMETRICS_COUNTER, NULL, "What was started, and what came of it."},
     actions},
    {{"eyrie_actions_under_way", OPENMETRICS_GAUGE, NULL,
      "Actions that were started and have not ended."},
     under_way},
    {{"eyrie_events", OPENMETRICS_COUNTER, NULL, "Lines of the log, by their first word."}, events},
    {{"eyrie_policy_loaded_time_seconds", OPENMETRICS_GAUGE, "seconds",
      "Since when the policy is in force."},
     policy_loaded},
    {{"eyrie_policy_refused", OPENMETRICS_GAUGE, NULL,
      "1 when the files of the policy, as they are now, are refused: the old one stays in force."},
     policy_refused},
    {{"eyrie_policy_reloads", OPENMETRICS_COUNTER, NULL, "New policies that came into force or not."},
     reloads},
    {{"eyrie_ledger_writable", OPENMETRICS_GAUGE, NULL,
      "1 when the last write to the ledger went through."},
     ledger},
    {{"eyrie_api_requests", OPENMETRICS_COUNTER, NULL,
      "Answers by route and status; route \"\" is for what is no route."},
     requests},
    {{"eyrie_api_connections", OPENMETRICS_GAUGE, NULL, "Connections that are open."}, connections},
    {{"eyrie_api_cut_connections", OPENMETRICS_COUNTER, NULL,
      "Connections that eyried ended: slow ones, and old ones that made room."},
     cuts},
};
const size_t metrics_server_count = ARRAY_SIZE(metrics_server);
