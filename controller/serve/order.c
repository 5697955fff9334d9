#include "serve/order.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/order-private.h"
#include "serve/view-part.h"

static const struct {
    const char *name;
    const char *event;
} verbs[] = {
    [ORDER_CORDON] = {"cordon", "cordoned"},
    [ORDER_UNCORDON] = {"uncordon", "uncordoned"},
    [ORDER_DRAIN] = {"drain", "drain-asked"},
    [ORDER_DRAIN_HOST] = {"drain", "drain-asked"},
    [ORDER_DRAIN_VM] = {"drain", "drain-asked"},
    [ORDER_UNDRAIN_VM] = {"undrain", "drain-taken-back"},
    [ORDER_FENCE] = {"fence", "fenced"},
    [ORDER_UNFENCE] = {"unfence", "unfenced"},
    [ORDER_PAUSE] = {"pause", "paused"},
    [ORDER_RESUME] = {"resume", "resumed"},
    [ORDER_FLOCK_APPLY] = {"flock apply", "flock-wanted"},
    [ORDER_FLOCK_REMOVE] = {"flock remove", "flock-unwanted"},
};

const char *order_event(enum order_verb verb)
{
    return verbs[verb].event;
}

static bool is_about_fence(enum order_verb verb)
{
    return verb == ORDER_FENCE || verb == ORDER_UNFENCE;
}

static bool is_about_host(enum order_verb verb)
{
    return verb == ORDER_CORDON || verb == ORDER_UNCORDON || verb == ORDER_DRAIN_HOST ||
           is_about_fence(verb);
}

static bool is_about_vm(enum order_verb verb)
{
    return verb == ORDER_DRAIN_VM || verb == ORDER_UNDRAIN_VM;
}

/* A host by its whole name comes before a VM by the beginning of its name. */
static int find_either(const struct snapshot *s, const char *asked, const struct policy_host **host,
                       const struct plan_vm **vm, struct err *e)
{
    struct err of_host, of_vm;
    if (part_find_host(s->policy, asked, host, &of_host) == 0)
        return 0;
    int r = part_find_vm(s->plan, asked, vm, &of_vm);
    if (r == -ENOENT) {
        const char *near = strstr(of_host.text, "; did you mean ");
        near = near ? near : strstr(of_vm.text, "; did you mean ");
        return err_set(e, ENOENT, "there is neither a host nor a VM \"%.64s\"%s", asked,
                       near ? near : " (eyrie hosts and eyrie vms list them)");
    }
    if (r < 0)
        *e = of_vm;
    return r;
}

int order_resolve(const struct snapshot *s, struct order *o, const char *asked, struct err *e)
{
    const struct policy_host *host = NULL;
    const struct world_host *any;
    const struct plan_vm *vm = NULL;
    o->subject = o->name = "";
    if (!is_about_host(o->verb) && !is_about_vm(o->verb) && o->verb != ORDER_DRAIN)
        return 0;
    if (!s)
        return err_set(e, EAGAIN, "eyried has only just started: it knows no hosts and VMs yet");
    if (is_about_fence(o->verb) && (any = part_world_host(s->world, asked))) {
        o->subject = o->name = any->name; /* also when the policy does not name it any more */
        return 0;
    }
    int r = is_about_host(o->verb) ? part_find_host(s->policy, asked, &host, e)
            : is_about_vm(o->verb) ? part_find_vm(s->plan, asked, &vm, e)
                                   : find_either(s, asked, &host, &vm, e);
    if (r < 0)
        return r;
    if (vm && vm->state == VM_FOREIGN)
        return err_set(e, EINVAL, "%s is not Eyrie's (%s): it is never touched", vm->name,
                       vm->domain->why_foreign[0] ? vm->domain->why_foreign : "another's domain");
    if (o->verb == ORDER_DRAIN)
        o->verb = host ? ORDER_DRAIN_HOST : ORDER_DRAIN_VM;
    o->subject = host ? host->name : vm->uuid;
    o->name = host ? host->name : vm->name;
    return 0;
}

void telling_effect(struct telling *t)
{
    (void)json_object_array_add(t->effects, json_object_new_string(text_get(&t->sentence)));
    text_clear(&t->sentence);
}

void telling_already(struct telling *t, const char *what, const struct world_order *who)
{
    t->changes = false;
    text_printf(&t->sentence, "%s %s", *t->o->name ? t->o->name : "the pool", what);
    if (who) {
        text_add(&t->sentence, ", ");
        part_render_order(&t->sentence, who, t->now);
    }
    telling_effect(t);
}

void telling_add_vm(struct telling *t, const struct plan_vm *vm)
{
    struct json_object *row = json_object_new_object(), *jobs = json_object_new_array();
    const struct world_startd *d = vm->startd;
    json_add_string(row, "name", vm->name);
    json_add_string(row, "state", vm_state_name(vm->state));
    part_add_name(row, "group", vm->group);
    json_add_int(row, "claimed", vm->claimed);
    if (d && d->n_jobs > 0 && t->jobs.length > 0)
        text_add(&t->jobs, "; ");
    for (size_t i = 0; d && i < d->n_jobs; i++) {
        (void)json_object_array_add(jobs, json_object_new_string(d->jobs[i]));
        text_printf(&t->jobs, "%s%s", i ? ", " : "", d->jobs[i]);
    }
    if (d && d->n_jobs > 0)
        text_printf(&t->jobs, " in %s", vm->name);
    json_add(row, "jobs", jobs);
    (void)json_object_array_add(t->vms, row);
    t->n_vms++;
    t->n_busy += vm->claimed > 0;
    t->claimed += vm->claimed;
}

/* The VMs that a drain is about: what is gone or about to be is not. */
static void gather_vms(struct telling *t)
{
    const struct order *o = t->o;
    for (size_t i = 0; t->s && i < t->s->plan->n_vms; i++) {
        const struct plan_vm *vm = &t->s->plan->vms[i];
        if (vm->state == VM_FOREIGN || vm->state == VM_GONE || vm->state == VM_LEAVING)
            continue;
        if (is_about_vm(o->verb) ? text_equal(vm->uuid, o->subject)
                                 : text_equal(vm->host, o->subject))
            telling_add_vm(t, vm);
    }
}

/* Begin a sentence about the VMs. */
static void begin_vms(struct telling *t)
{
    if (is_about_vm(t->o->verb))
        text_add(&t->sentence, t->o->name);
    else
        text_printf(&t->sentence, "%" PRId64 " VM%s on it", t->n_vms, plural(t->n_vms));
}

/* The slots whose jobs a drain waits for, or loses. */
static void tell_jobs(struct telling *t)
{
    const struct plan_trust *pool = t->s->plan->n_trust > 0 ? &t->s->plan->trust[0] : NULL;
    char age[UNITS_TEXT_MAX];
    if (t->claimed > 0) {
        bool one = t->claimed == 1;
        text_printf(&t->sentence, "%" PRId64 " slot%s %s claimed: %s %s", t->claimed,
                    plural(t->claimed), one ? "is" : "are", one ? "its job" : "their jobs",
                    !t->o->now ? one ? "ends first" : "end first"
                    : one      ? "is lost"
                               : "are lost");
        if (t->jobs.length > 0)
            text_printf(&t->sentence, " (%s)", text_get(&t->jobs));
        telling_effect(t);
    } else if (t->n_vms > 0) {
        text_add(&t->sentence, "no slot is claimed");
        telling_effect(t);
    }
    if (pool && !pool->trusted && pool->age != USEC_NEVER) {
        text_printf(&t->sentence,
                    "what runs in them was last seen %s ago, which is too old to rely on",
                    units_format_duration(pool->age - pool->age % USEC_PER_SEC, age));
        telling_effect(t);
    }
}

static void tell_drain(struct telling *t)
{
    gather_vms(t);
    if (t->n_vms == 0) {
        if (!is_about_vm(t->o->verb))
            text_add(&t->sentence, "there is no VM on it");
        else
            text_printf(&t->sentence, "%s goes already", t->o->name);
        telling_effect(t);
        return;
    }
    bool one = t->n_vms == 1;
    begin_vms(t);
    if (t->o->now)
        text_printf(&t->sentence, " %s powered off at once", one ? "is" : "are");
    else
        text_printf(&t->sentence,
                    " take%s no more jobs, and %s powered off when the last job has ended",
                    one ? "s" : "", one ? "is" : "each is");
    telling_effect(t);
    tell_jobs(t);
}

static void tell_cordon(struct telling *t)
{
    text_printf(&t->sentence, "%s takes no new VM until eyrie uncordon %s", t->o->name, t->o->name);
    telling_effect(t);
}

static void tell_host(struct telling *t)
{
    const struct world_host *h = part_world_host(t->s->world, t->o->subject);
    bool cordoned = h && (h->cordoned || h->drain);
    switch (t->o->verb) {
    case ORDER_CORDON:
        if (cordoned) {
            telling_already(t, h->drain ? "is drained already" : "is cordoned already", &h->order);
            return;
        }
        tell_cordon(t);
        gather_vms(t);
        if (t->n_vms > 0) {
            begin_vms(t);
            text_printf(&t->sentence, " stay%s and take%s jobs", t->n_vms == 1 ? "s" : "",
                        t->n_vms == 1 ? "s" : "");
            telling_effect(t);
        }
        return;
    case ORDER_UNCORDON:
        if (!cordoned) {
            telling_already(t, "is not cordoned", NULL);
            return;
        }
        text_printf(&t->sentence, "%s takes new VMs again", t->o->name);
        telling_effect(t);
        if (h->drain) {
            text_add(&t->sentence, "its VMs are not drained any more; one that drains by now takes "
                                   "jobs again when jobs want it");
            telling_effect(t);
        }
        return;
    default:
        if (h && h->drain && (!t->o->now || h->drain_now)) {
            telling_already(t, "is drained already", &h->order);
            return;
        }
        if (!cordoned)
            tell_cordon(t);
        tell_drain(t);
    }
}

static const struct plan_vm *find_uuid(const struct plan *plan, const char *uuid)
{
    for (size_t i = 0; i < plan->n_vms; i++)
        if (plan->vms[i].state != VM_FOREIGN && text_equal(plan->vms[i].uuid, uuid))
            return &plan->vms[i];
    return NULL;
}

static void tell_vm(struct telling *t)
{
    const struct plan_vm *vm = find_uuid(t->s->plan, t->o->subject);
    const struct world_record *r = vm ? vm->record : NULL;
    if (t->o->verb == ORDER_UNDRAIN_VM) {
        if (!r || !r->drain) {
            telling_already(t, "is not drained by an admin", NULL);
            return;
        }
        text_printf(&t->sentence, "%s is not drained any more", t->o->name);
        text_add(&t->sentence, vm->state == VM_LEAVING ? "; it was powered off by now"
                                                       : "; it takes jobs again when jobs want it");
        telling_effect(t);
        return;
    }
    if (r && r->drain && (!t->o->now || r->drain_now))
        telling_already(t, "is drained already", &r->order);
    else
        tell_drain(t);
}

static void tell_pause(struct telling *t)
{
    size_t n = t->s ? t->s->plan->n_actions : 0;
    if (t->s && t->s->world->paused) {
        telling_already(t, "is paused already", &t->s->world->order);
        return;
    }
    text_add(&t->sentence, "no VM is started, drained, powered off or removed until eyrie resume; "
                           "what runs goes on");
    telling_effect(t);
    if (n > 0) {
        text_printf(&t->sentence, "%zu action%s of the last plan may be left undone (eyrie plan)",
                    n, plural((int64_t)n));
        telling_effect(t);
    }
}

static void tell_flock(struct telling *t, bool wanted)
{
    size_t n = t->s ? t->s->world->n_flocks : 0;
    if (n > 0 && (*t->s->world->flocks[0].wanted != '\0') == wanted) {
        t->changes = false;
        text_printf(&t->sentence, "the flocking configuration is %s already",
                    wanted ? "wanted" : "unwanted");
    } else {
        text_printf(&t->sentence, "the flocking configuration of %zu schedd%s is %s", n,
                    plural((int64_t)n),
                    wanted ? "put in place: flagged jobs flock to the virtual pool"
                           : "taken away: no more jobs come; those that run go on");
    }
    telling_effect(t);
}

static void tell(struct telling *t)
{
    bool paused = t->s && t->s->world->paused;
    switch (t->o->verb) {
    case ORDER_FENCE:
    case ORDER_UNFENCE:
        order_tell_fence(t);
        break;
    case ORDER_PAUSE:
        tell_pause(t);
        return;
    case ORDER_RESUME:
        if (t->s && !paused) {
            telling_already(t, "is not paused", NULL);
            return;
        }
        text_add(&t->sentence, "the pool acts on what it sees again, from the next step on");
        telling_effect(t);
        return;
    case ORDER_FLOCK_APPLY:
    case ORDER_FLOCK_REMOVE:
        tell_flock(t, t->o->verb == ORDER_FLOCK_APPLY);
        break;
    default:
        if (is_about_vm(t->o->verb))
            tell_vm(t);
        else
            tell_host(t);
    }
    if (paused && t->changes) {
        text_add(&t->sentence, "the pool is paused: nothing of it happens before eyrie resume");
        telling_effect(t);
    }
}

struct json_object *view_order(const struct snapshot *s, usec now, const struct order *o,
                               bool preview)
{
    struct json_object *view = part_begin(now);
    CLEANUP(text_done) struct text all = {0};
    struct telling t = {.s = s,
                        .o = o,
                        .now = now,
                        .changes = true,
                        .effects = json_object_new_array(),
                        .vms = json_object_new_array()};
    tell(&t);
    for (size_t i = 0; i < json_object_array_length(t.effects); i++)
        text_printf(&all, "%s%s", i ? "; " : "",
                    json_object_get_string(json_object_array_get_idx(t.effects, i)));
    json_add_string(view, "order", verbs[o->verb].name);
    part_add_name(view, "subject", o->name);
    part_add_name(view, "by", o->user);
    part_add_name(view, "reason", o->reason);
    json_add_bool(view, "preview", preview);
    json_add_bool(view, "changes", t.changes);
    json_add_string(view, "text", text_get(&all));
    json_add(view, "effects", t.effects);
    json_add(view, "vms", t.vms);
    json_add_int(view, "slots_lost", t.changes && o->now ? t.claimed : 0);
    text_done(&t.sentence);
    text_done(&t.jobs);
    return view;
}
