/*
 * What a fence does. It is the word of an admin that a host is off, which nothing else can tell from
 * a network that is cut: so it is not taken of a host that answers.
 */
#include <inttypes.h>

#include "serve/order-private.h"
#include "serve/view-part.h"

static void tell_vms(struct telling *t)
{
    const struct plan *plan = t->s->plan;
    for (size_t i = 0; i < plan->n_vms; i++)
        if (plan->vms[i].state != VM_FOREIGN && plan->vms[i].state != VM_GONE &&
            text_equal(plan->vms[i].host, t->o->subject))
            telling_add_vm(t, &plan->vms[i]);
    if (t->n_vms == 0) {
        text_add(&t->sentence, "no VM of ours is known to be on it");
        telling_effect(t);
        return;
    }
    text_printf(&t->sentence,
                "%" PRId64 " VM%s on it count%s as gone: other hosts may take %s place, and %s slot "
                "ads are taken away",
                t->n_vms, plural(t->n_vms), t->n_vms == 1 ? "s" : "", t->n_vms == 1 ? "its" : "their",
                t->n_vms == 1 ? "its" : "their");
    telling_effect(t);
    if (t->claimed == 0)
        return;
    text_printf(&t->sentence, "%" PRId64 " slot%s %s claimed when last seen", t->claimed,
                plural(t->claimed), t->claimed == 1 ? "was" : "were");
    if (t->jobs.length > 0)
        text_printf(&t->sentence, " (%s)", text_get(&t->jobs));
    telling_effect(t);
}

static void tell_unfence(struct telling *t, const struct world_host *h)
{
    if (!h || !h->fenced) {
        telling_already(t, "is not fenced", NULL);
        return;
    }
    text_printf(&t->sentence, "%s takes new VMs again, as soon as it answers", t->o->name);
    telling_effect(t);
}

void order_tell_fence(struct telling *t)
{
    const struct world_host *h = part_world_host(t->s->world, t->o->subject);
    const struct plan_trust *trust = part_trust(t->s->plan, t->o->subject);
    if (t->o->verb == ORDER_UNFENCE) {
        tell_unfence(t, h);
    } else if (h && world_host_is_off(h)) {
        telling_already(t, "is fenced already", &h->order);
    } else if (h && trust && trust->trusted && !h->fact.failed) {
        telling_already(t, "answers, so it is not off (eyrie drain takes its VMs out of service)",
                        NULL);
    } else {
        text_printf(&t->sentence, "%s is held to be off, with everything on it: see that it is",
                    t->o->name);
        telling_effect(t);
        tell_vms(t);
        text_printf(&t->sentence,
                    "it takes no new VM until eyrie unfence %s; what runs there when it is back is "
                    "drained",
                    t->o->name);
        telling_effect(t);
    }
}
