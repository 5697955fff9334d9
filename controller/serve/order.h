/*
 * What an admin may ask for: what it is about, what it will do, and the same as a view, before and
 * after. The preview and the deed are one function, so that they cannot differ.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "serve/snapshot.h"

enum order_verb {
    ORDER_CORDON,     /* a host takes no new VM */
    ORDER_UNCORDON,   /* it does again, and those it has are not drained any more */
    ORDER_DRAIN,      /* of a host or a VM: order_resolve makes it one of the next two */
    ORDER_DRAIN_HOST, /* cordon, and its VMs are drained */
    ORDER_DRAIN_VM,
    ORDER_UNDRAIN_VM,
    ORDER_FENCE,      /* a host is off: its VMs are gone */
    ORDER_UNFENCE,    /* it takes VMs again */
    ORDER_PAUSE,
    ORDER_RESUME,
    ORDER_FLOCK_APPLY,
    ORDER_FLOCK_REMOVE,
};

struct order {
    enum order_verb verb;
    const char *subject; /* the host's name or the VM's UUID; "" for the pool */
    const char *name;    /* the same for people */
    bool now;            /* of a drain: jobs may be lost */
    const char *reason;  /* as the admin gave it; never NULL */
    uid_t who;
    const char *user; /* that uid's name */
};

/** What the event is called that records it: "cordoned", "drain-asked", … */
const char *order_event(enum order_verb verb);
/**
 * Find what @o is about: sets subject, name, which are @s's, and verb, from what was asked for. Returns 0,
 * -ENOENT or -ENOTUNIQ with a sentence; -EAGAIN when @s is NULL and is needed.
 */
int order_resolve(const struct snapshot *s, struct order *o, const char *asked, struct err *e);
/**
 * What a resolved order does: {"order", "subject", "by", "reason", "preview", "changes", "text",
 * "effects": sentences, "vms": those it is about, "slots_lost": whose jobs are lost}. @s: NULL before the first step.
 * Owned by the caller.
 */
struct json_object *view_order(const struct snapshot *s, usec now, const struct order *o,
                               bool preview);
