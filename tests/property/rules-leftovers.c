/*
 * S4: what a VM leaves behind is removed, or the plan says why not yet.
 */
#include <errno.h>
#include <string.h>

#include "property/site.h"
#include "property/trial.h"

static bool is_planned(const struct trial *t, enum action_kind kind, const char *uuid,
                       const char *host, const char *volume)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        if (a->kind == kind && strcmp(a->uuid, uuid) == 0 &&
            (!host || strcmp(a->host, host) == 0) && (!volume || strcmp(a->volume, volume) == 0))
            return true;
    }
    return false;
}

static bool is_listed(const struct world *w, const char *uuid)
{
    for (size_t h = 0; h < w->n_hosts; h++)
        for (size_t i = 0; !trial_is_off(&w->hosts[h]) && i < w->hosts[h].n_domains; i++)
            if (strcmp(w->hosts[h].domains[i].uuid, uuid) == 0)
                return true;
    return false;
}

/* A volume on a trusted host stays only while something bears its UUID. */
static int orphan_volumes_are_deleted_S4(const struct trial *t, struct err *e)
{
    for (size_t h = 0; !t->plan->frozen.code && h < t->world->n_hosts; h++) {
        const struct world_host *host = &t->world->hosts[h];
        for (size_t i = 0; trial_trusts_host(t, host) && i < host->n_volumes; i++) {
            const struct world_volume *v = &host->volumes[i];
            const struct plan_vm *vm = trial_vm(t->plan, v->uuid);
            bool leftover = !vm || (vm->state == VM_GONE && strcmp(vm->host, host->name) == 0);
            bool ours = strncmp(v->name, SITE_POOL ".", strlen(SITE_POOL ".")) == 0;
            if (leftover && ours && !is_listed(t->world, v->uuid) &&
                !is_planned(t, ACTION_DELETE_VOLUME, v->uuid, host->name, v->name))
                return BROKEN(e, "volume %s on %s is left", v->name, host->name);
        }
    }
    return 0;
}

static int gone_vms_are_forgotten_S4(const struct trial *t, struct err *e)
{
    bool pool = trial_trusts(t, &t->world->pool.fact);
    for (size_t i = 0; !t->plan->frozen.code && i < t->plan->n_vms; i++) {
        const struct plan_vm *vm = &t->plan->vms[i];
        if (vm->state != VM_GONE)
            continue;
        if (vm->reason.code == REASON_NONE)
            return BROKEN(e, "%s is gone without a reason", vm->name);
        bool volumes = is_planned(t, ACTION_DELETE_VOLUME, vm->uuid, NULL, NULL);
        bool ad = trial_startd(t->world, vm->uuid, NULL) != NULL;
        if (pool && ad && !is_planned(t, ACTION_INVALIDATE, vm->uuid, NULL, NULL))
            return BROKEN(e, "the ad of %s, which is gone, is left", vm->name);
        if (pool && !ad && !volumes && !is_listed(t->world, vm->uuid) &&
            !is_planned(t, ACTION_FORGET, vm->uuid, NULL, NULL))
            return BROKEN(e, "the record of %s, which is gone, is left", vm->name);
    }
    return 0;
}

static int vms_that_stay_say_why_S4(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_vms; i++)
        if (t->plan->vms[i].reason.code == REASON_NONE)
            return BROKEN(e, "%s is %s without a reason", t->plan->vms[i].name,
                          vm_state_name(t->plan->vms[i].state));
    return 0;
}

/* Every UUID that the facts name is in the plan, once; a copy on another host is lost. */
static int every_vm_is_accounted_for_S4(const struct trial *t, struct err *e)
{
    const struct world *w = t->world;
    for (size_t i = 0; i < w->n_records; i++)
        if (!trial_vm(t->plan, w->records[i].uuid))
            return BROKEN(e, "the plan does not know the record %s", w->records[i].name);
    for (size_t i = 0; i < w->pool.n_startds; i++)
        if (!trial_vm(t->plan, w->pool.startds[i].uuid))
            return BROKEN(e, "the plan does not know the startd %s", w->pool.startds[i].name);
    for (size_t h = 0; h < w->n_hosts; h++)
        for (size_t i = 0; !trial_is_off(&w->hosts[h]) && i < w->hosts[h].n_domains; i++)
            if (w->hosts[h].domains[i].ours && !trial_vm(t->plan, w->hosts[h].domains[i].uuid))
                return BROKEN(e, "the plan does not know the domain %s",
                              w->hosts[h].domains[i].name);
    for (size_t i = 0; i < t->plan->n_vms; i++)
        if (t->plan->vms[i].state != VM_FOREIGN && t->plan->vms[i].state != VM_LOST &&
            trial_vm(t->plan, t->plan->vms[i].uuid) != &t->plan->vms[i])
            return BROKEN(e, "%s is in the plan twice", t->plan->vms[i].name);
    return 0;
}

const struct rule rules_leftovers[] = {
    {"S4: orphan volumes are deleted", orphan_volumes_are_deleted_S4},
    {"S4: ads and records of gone VMs are removed", gone_vms_are_forgotten_S4},
    {"S4: every VM has a reason for its state", vms_that_stay_say_why_S4},
    {"S4: every VM is accounted for, once", every_vm_is_accounted_for_S4},
    {0},
};
