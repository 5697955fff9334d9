#include "controller-parts.h"

#include <stdio.h>

static struct snapshot *port_snapshot(void *userdata)
{
    return snapshot_ref(((struct controller *)userdata)->snapshot);
}

/* A switch that an admin sets, and that survives. */
static int set_switch(struct controller *c, const char *key, bool on, const char *kind, uid_t who,
                      struct err *e)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "uid %u", who);
    int r = ledger_switch_set(c->ledger, key, on ? text : NULL, e);
    if (r < 0)
        return r;
    controller_note(c, kind, c->policy->pool.name, text);
    controller_poke(c);
    return 0;
}

static int port_pause(void *userdata, uid_t who, struct err *e)
{
    struct controller *c = userdata;
    int r = set_switch(c, "paused", true, "paused", who, e);
    if (r == 0)
        c->paused = true;
    return r;
}

static int port_resume(void *userdata, uid_t who, struct err *e)
{
    struct controller *c = userdata;
    int r = set_switch(c, "paused", false, "resumed", who, e);
    if (r == 0)
        c->paused = false;
    return r;
}

static int port_look(void *userdata, uid_t who, struct err *e)
{
    (void)who;
    (void)e;
    controller_look(userdata);
    return 0;
}

void controller_want_flocks(struct controller *c, bool wanted)
{
    for (size_t i = 0; i < c->policy->n_schedds; i++)
        flock_want(c->flocks[i], wanted);
}

static int port_flock_apply(void *userdata, uid_t who, struct err *e)
{
    int r = set_switch(userdata, "left", false, "flock-wanted", who, e);
    if (r == 0)
        controller_want_flocks(userdata, true);
    return r;
}

static int port_flock_remove(void *userdata, uid_t who, struct err *e)
{
    int r = set_switch(userdata, "left", true, "flock-unwanted", who, e);
    if (r == 0)
        controller_want_flocks(userdata, false);
    return r;
}

const struct api_port controller_port = {
    .snapshot = port_snapshot,
    .pause = port_pause,
    .resume = port_resume,
    .look = port_look,
    .flock_apply = port_flock_apply,
    .flock_remove = port_flock_remove,
};
