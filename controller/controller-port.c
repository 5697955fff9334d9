#include "controller-parts.h"

#include <errno.h>

static struct snapshot *port_snapshot(void *userdata)
{
    return snapshot_ref(((struct controller *)userdata)->snapshot);
}

static int port_allow(void *userdata, const struct asker *asker, struct err *e)
{
    struct controller *c = userdata;
    if (access_allows(c->access, asker))
        return 0;
    AUTOFREE char *user = access_user(asker->uid);
    return err_set(e, EPERM,
                   "%s may look but not change anything; access.admins in %s names who may", user,
                   c->policy->file);
}

static int port_events(void *userdata, const struct ledger_events_wanted *wanted,
                       void (*callback)(void *userdata, const struct ledger_event *event),
                       void *callback_userdata, struct err *e)
{
    struct controller *c = userdata;
    return ledger_events(c->ledger, wanted, callback, callback_userdata, e);
}

static int port_look(void *userdata, uid_t who, struct err *e)
{
    (void)who;
    (void)e;
    controller_look(userdata);
    return 0;
}

const struct api_port controller_port = {
    .snapshot = port_snapshot,
    .allow = port_allow,
    .look = port_look,
    .events = port_events,
    .order = controller_order,
};
