#include "controller-parts.h"

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"

/* What admins order stays in the ledger until it is taken back; each step reads it from there. */

bool controller_is_ordered(const struct controller *c, enum ledger_order_kind kind)
{
    return ledger_order_find(c->ledger, kind, "") != NULL;
}

void controller_fill_orders(const struct controller *c, struct world *w)
{
    const struct ledger_order *pause = ledger_order_find(c->ledger, LEDGER_PAUSE, "");
    w->paused = pause != NULL;
    w->order = pause ? pause->who : (struct world_order)WORLD_NOBODY;
}

void controller_fill_host_orders(const struct controller *c, struct world_host *h)
{
    const struct ledger_order *cordon = ledger_order_find(c->ledger, LEDGER_CORDON, h->name);
    const struct ledger_order *drain = ledger_order_find(c->ledger, LEDGER_DRAIN_HOST, h->name);
    const struct ledger_order *fence = ledger_order_find(c->ledger, LEDGER_FENCE, h->name);
    h->cordoned = cordon || drain;
    h->drain = drain != NULL;
    h->drain_now = drain && drain->now;
    h->fenced = fence ? fence->who.at : 0;
    h->order = fence    ? fence->who
               : drain  ? drain->who
               : cordon ? cordon->who
                        : (struct world_order)WORLD_NOBODY;
}

static int set(struct controller *c, enum ledger_order_kind kind, const struct order *o,
               struct err *e)
{
    return ledger_order_set(c->ledger,
                            &(struct ledger_order){.kind = kind,
                                                   .subject = o->subject,
                                                   .now = o->now,
                                                   .uid = o->who,
                                                   .who = {loop_now(c->loop), o->user, o->reason}},
                            e);
}

static int clear(struct controller *c, enum ledger_order_kind kind, const struct order *o,
                 struct err *e)
{
    return ledger_order_clear(c->ledger, kind, o->subject, e);
}

static int carry_out(struct controller *c, const struct order *o, struct err *e)
{
    int r = 0;
    switch (o->verb) {
    case ORDER_CORDON:
        return set(c, LEDGER_CORDON, o, e);
    case ORDER_UNCORDON:
        r = clear(c, LEDGER_DRAIN_HOST, o, e);
        return r < 0 ? r : clear(c, LEDGER_CORDON, o, e);
    case ORDER_DRAIN_HOST:
        return set(c, LEDGER_DRAIN_HOST, o, e);
    case ORDER_DRAIN: /* resolved, it is one of these two */
    case ORDER_DRAIN_VM:
        return set(c, LEDGER_DRAIN_VM, o, e);
    case ORDER_UNDRAIN_VM:
        return clear(c, LEDGER_DRAIN_VM, o, e);
    case ORDER_FENCE:
        return set(c, LEDGER_FENCE, o, e);
    case ORDER_UNFENCE:
        return clear(c, LEDGER_FENCE, o, e);
    case ORDER_PAUSE:
        return set(c, LEDGER_PAUSE, o, e);
    case ORDER_RESUME:
        return clear(c, LEDGER_PAUSE, o, e);
    case ORDER_FLOCK_APPLY:
        r = clear(c, LEDGER_LEAVE, o, e);
        break;
    case ORDER_FLOCK_REMOVE:
        r = set(c, LEDGER_LEAVE, o, e);
        break;
    }
    if (r == 0)
        controller_want_flocks(c, o->verb == ORDER_FLOCK_APPLY);
    return r;
}

int controller_order(void *userdata, const struct order *o, struct err *e)
{
    struct controller *c = userdata;
    CLEANUP(text_done) struct text text = {0};
    int r = carry_out(c, o, e);
    if (r < 0)
        return r;
    text_printf(&text, "%sby %s (uid %" PRIuMAX ")%s%s", o->now ? "at once, " : "", o->user,
                (uintmax_t)o->who, *o->reason ? ": " : "", o->reason);
    controller_note(c, order_event(o->verb), *o->name ? o->name : c->policy->pool.name,
                    text_get(&text));
    controller_poke(c);
    return 0;
}
