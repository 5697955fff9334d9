#include "controller-parts.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"

static struct snapshot *port_snapshot(void *userdata)
{
    return snapshot_ref(((struct controller *)userdata)->snapshot);
}

static int port_allow(void *userdata, const struct asker *asker, struct err *e)
{
    struct controller *c = userdata;
    if (access_allows(c->access, asker))
        return 0;
    return err_set(e, EPERM,
                   "%s may look but not change anything; access.admins in %s names who may", asker->user,
                   c->policy->file);
}

static int port_events(void *userdata, const struct ledger_events_wanted *wanted,
                       void (*callback)(void *userdata, const struct ledger_event *event),
                       void *callback_userdata, struct err *e)
{
    struct controller *c = userdata;
    return ledger_events(c->ledger, wanted, callback, callback_userdata, e);
}

static struct job_query *port_ask_job(void *userdata, const char *schedd, int64_t cluster,
                                      int64_t proc, job_told told, void *told_userdata,
                                      struct err *e)
{
    struct controller *c = userdata;
    if (c->jobs_asked >= LIMIT_JOB_QUERIES) {
        (void)err_set(e, EBUSY, "%d jobs are being asked for already: try again in a moment",
                      LIMIT_JOB_QUERIES);
        return NULL;
    }
    for (size_t i = 0; i < c->policy->n_schedds; i++) {
        if (strcmp(c->policy->schedds[i].name, schedd) != 0)
            continue;
        c->jobs_asked++;
        return job_query_new(c->loop, c->policy, i, cluster, proc, told, told_userdata);
    }
    (void)err_set(e, ENOENT, "the schedd %s has just left the policy", schedd);
    return NULL;
}

static void port_forget_job(void *userdata, struct job_query *q)
{
    struct controller *c = userdata;
    c->jobs_asked -= q != NULL;
    (void)job_query_free(q);
}

static int port_look(void *userdata, uid_t who, struct err *e)
{
    (void)who;
    (void)e;
    controller_look(userdata);
    return 0;
}

static struct json_object *port_reload(void *userdata, const char *user, bool *ret_refused)
{
    AUTOFREE char *text = mem_printf("%s asked for it", user);
    return controller_reload(userdata, text, ret_refused);
}

const struct api_port controller_port = {
    .snapshot = port_snapshot,
    .allow = port_allow,
    .look = port_look,
    .events = port_events,
    .ask_job = port_ask_job,
    .forget_job = port_forget_job,
    .order = controller_order,
    .reload = port_reload,
    .agents = controller_agents,
    .agent_add = controller_agent_add,
    .agent_remove = controller_agent_remove,
    .requests = controller_requests,
    .book = controller_book,
};
