/*
 * What an order does, while it is told: order.c tells most, order-fence.c what a fence does.
 */
#pragma once

#include "base/text.h"
#include "serve/order.h"

struct telling {
    const struct snapshot *s; /* may be NULL */
    const struct order *o;
    usec now;
    bool changes;
    struct json_object *effects; /* sentences */
    struct text sentence;
    struct json_object *vms;
    int64_t n_vms, n_busy, claimed;
    struct text jobs; /* "12.3, 12.4 in vpool-small-1a2b" */
};

/* The sentence is whole. */
void telling_effect(struct telling *t);
/* There is nothing to do: say so. @who may be NULL. */
void telling_already(struct telling *t, const char *what, const struct world_order *who);
/* A VM that the order is about. */
void telling_add_vm(struct telling *t, const struct plan_vm *vm);

void order_tell_fence(struct telling *t);

static inline const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}
