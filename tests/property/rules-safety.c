/*
 * S1, S3, S6, S8: nothing that is used, unknown, not ours or seen through bad facts is touched.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "property/site.h"
#include "property/trial.h"

/* Actions that take a VM from its jobs. */
static bool takes_away(const struct plan_action *a)
{
    return a->kind == ACTION_DRAIN || a->kind == ACTION_POWEROFF || a->kind == ACTION_DESTROY;
}

/* What an admin wants drained, and whether its jobs may be lost. */
static bool is_ordered(const struct trial *t, const struct plan_action *a, bool now)
{
    const struct world_record *r = trial_record(t->world, a->uuid);
    const struct world_host *h = trial_host(t->world, a->host);
    return (r && r->drain && (!now || r->drain_now)) ||
           (r && h && h->drain && (!now || h->drain_now)) || (!now && h && (h->drain || h->fenced));
}

static bool kill_is_allowed(const struct trial *t, const struct plan_action *a)
{
    const struct world_record *r = trial_record(t->world, a->uuid);
    if (is_ordered(t, a, true))
        return true;
    return t->policy->timing.on_drain_timeout == POLICY_DRAIN_KILL &&
           t->policy->timing.drain_within.value > 0 && r && r->drain_accepted &&
           t->world->now - r->drain_accepted >= t->policy->timing.drain_within.value;
}

static int claimed_is_never_ended_S1(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        if ((a->kind == ACTION_POWEROFF || a->kind == ACTION_DESTROY) &&
            trial_claimed(t->world, a->uuid) && !kill_is_allowed(t, a))
            return BROKEN(e, "%s of %s, which has a claimed slot", action_kind_name(a->kind),
                          a->name);
    }
    return 0;
}

static int poweroff_only_when_drained_S1(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        const struct world_startd *s = trial_startd(t->world, a->uuid, NULL);
        const struct world_record *r = trial_record(t->world, a->uuid);
        bool again = !s && r && r->poweroff_decided && r->poweroff_lost;
        if (a->kind == ACTION_POWEROFF && !(s && s->drained) && !again && !kill_is_allowed(t, a))
            return BROKEN(e, "power-off of %s, which no ad says is drained", a->name);
    }
    return 0;
}

/* A destroy needs proof: it never joined in time, or was asked to leave and did not. */
static int destroy_only_when_proven_S1(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        const struct world_record *r = trial_record(t->world, a->uuid);
        if (a->kind != ACTION_DESTROY)
            continue;
        if (!r)
            return BROKEN(e, "destroy of %s, which has no record", a->name);
        bool asked = (r->poweroff_decided && t->world->now - r->poweroff_decided >=
                                                 t->policy->timing.poweroff_within.value) ||
                     r->destroy_decided || kill_is_allowed(t, a);
        bool never =
            !r->joined && !trial_startd(t->world, a->uuid, NULL) &&
            t->world->pool.fact.asked > r->create_decided + t->policy->timing.join_within.value;
        if (!asked && !never)
            return BROKEN(e, "destroy of %s, which neither overstayed nor failed to join", a->name);
    }
    return 0;
}

static int unknown_is_never_touched_S1(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        const struct plan_vm *vm = takes_away(a) ? trial_vm(t->plan, a->uuid) : NULL;
        bool lost = vm && vm->state == VM_LOST &&
                    !(vm->domain && vm->reason.code == REASON_SLOT_AD_MISSING &&
                      a->kind == ACTION_POWEROFF && is_ordered(t, a, true));
        if (takes_away(a) && (!vm || lost || vm->state == VM_GONE))
            return BROKEN(e, "%s of %s, which is %s", action_kind_name(a->kind), a->name,
                          vm ? vm_state_name(vm->state) : "no VM");
    }
    return 0;
}

/* Gone is a fact of a trusted list, made after the create's outcome was known; or an admin says so, and
 * no ad is younger than that. */
static int gone_is_proven_S1(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_vms; i++) {
        const struct plan_vm *vm = &t->plan->vms[i];
        if (vm->state != VM_GONE)
            continue;
        const struct world_host *host = vm->record ? trial_host(t->world, vm->record->host) : NULL;
        if (host && trial_is_off(host)) {
            if (vm->startd && vm->startd->heard > host->fenced)
                return BROKEN(e, "%s is gone, and was heard of since", vm->name);
            continue;
        }
        if (!host || !trial_trusts(t, &host->fact))
            return BROKEN(e, "%s is gone from a host that is not trusted", vm->name);
        if (trial_domain(t->world, vm->uuid, NULL))
            return BROKEN(e, "%s is gone, and its domain is listed", vm->name);
        if (host->fact.asked < vm->record->create_answered ||
            host->fact.asked < vm->record->create_decided)
            return BROKEN(e, "%s is gone by a list older than its create", vm->name);
    }
    return 0;
}

/* What counts no more is known to nobody who was asked: not to its host, not to the collector. */
static int expired_is_proven_S1(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_vms; i++) {
        const struct plan_vm *vm = &t->plan->vms[i];
        if (vm->reason.code != REASON_AD_EXPIRED)
            continue;
        const struct world_host *host = vm->record ? trial_host(t->world, vm->host) : NULL;
        if (!host || trial_trusts_host(t, host))
            return BROKEN(e, "%s counts no more, and its host answers", vm->name);
        if (!trial_trusts(t, &t->world->pool.fact) || trial_startd(t->world, vm->uuid, NULL))
            return BROKEN(e, "%s counts no more, and no look at the slots says so", vm->name);
        if (!vm->record->joined &&
            t->world->now - vm->record->create_decided < t->policy->timing.join_within.value)
            return BROKEN(e, "%s counts no more, and may yet join", vm->name);
    }
    return 0;
}

static bool has_domain(const struct world_host *host, const char *uuid)
{
    for (size_t i = 0; host && !trial_is_off(host) && i < host->n_domains; i++)
        if (host->domains[i].ours && strcmp(host->domains[i].uuid, uuid) == 0)
            return true;
    return false;
}

static int foreign_domains_are_never_named_S3(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        if (!takes_away(a))
            continue;
        if (!has_domain(trial_host(t->world, a->host), a->uuid))
            return BROKEN(e, "%s of %s on %s, where no domain of ours has that UUID",
                          action_kind_name(a->kind), a->name, a->host);
    }
    return 0;
}

/* A VM that has joined needs its seed, which holds a secret, no more. */
static bool is_read_seed(const struct trial *t, const struct plan_action *a)
{
    const struct world_record *r = trial_record(t->world, a->uuid);
    const char *kind = strrchr(a->volume, '.');
    return a->kind == ACTION_DELETE_VOLUME && kind && strcmp(kind, ".seed") == 0 &&
           ((r && r->joined) || trial_startd(t->world, a->uuid, NULL));
}

static bool volume_is_ours(const struct world_host *host, const struct plan_action *a)
{
    char disk[128], seed[128];
    (void)snprintf(disk, sizeof(disk), SITE_POOL ".%s.disk", a->uuid);
    (void)snprintf(seed, sizeof(seed), SITE_POOL ".%s.seed", a->uuid);
    if (strcmp(a->volume, disk) != 0 && strcmp(a->volume, seed) != 0)
        return false;
    for (size_t i = 0; host && i < host->n_volumes; i++)
        if (strcmp(host->volumes[i].name, a->volume) == 0)
            return true;
    return false;
}

static int only_our_volumes_are_deleted_S3(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        if (a->kind != ACTION_DELETE_VOLUME)
            continue;
        const struct world_host *host = trial_host(t->world, a->host);
        if (!volume_is_ours(host, a))
            return BROKEN(e, "volume %s on %s is not of our form, or not there", a->volume,
                          a->host);
        for (size_t h = 0; !is_read_seed(t, a) && h < t->world->n_hosts; h++)
            for (size_t k = 0; k < t->world->hosts[h].n_domains; k++)
                if (strcmp(t->world->hosts[h].domains[k].uuid, a->uuid) == 0)
                    return BROKEN(e, "volume %s is deleted, and a domain with its UUID is on %s",
                                  a->volume, t->world->hosts[h].name);
    }
    return 0;
}

static bool ends(const struct plan_action *a)
{
    return takes_away(a) || trial_is_undrain(a);
}

static bool buries(const struct trial *t, const struct plan_action *a)
{
    return a->kind == ACTION_FORGET || a->kind == ACTION_INVALIDATE ||
           (a->kind == ACTION_DELETE_VOLUME && !is_read_seed(t, a));
}

static int actions_do_not_contradict_S6(const struct trial *t, struct err *e)
{
    const struct plan_action *actions = t->plan->actions;
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &actions[i];
        if (a->kind == ACTION_CREATE && a->uuid[0])
            return BROKEN(e, "a create for the UUID %s", a->uuid);
        for (size_t k = i + 1; a->uuid[0] && k < t->plan->n_actions; k++) {
            const struct plan_action *b = &actions[k];
            if (strcmp(a->uuid, b->uuid) != 0)
                continue;
            bool twice = a->kind == b->kind && strcmp(a->volume, b->volume) == 0 &&
                         strcmp(a->host, b->host) == 0;
            bool last = (a->kind == ACTION_FORGET || b->kind == ACTION_FORGET);
            if (twice || last || (ends(a) && ends(b)) || (ends(a) && buries(t, b)) ||
                (buries(t, a) && ends(b)))
                return BROKEN(e, "%s and %s of %s", action_kind_name(a->kind),
                              action_kind_name(b->kind), a->uuid);
        }
    }
    return 0;
}

static int bad_facts_shrink_nothing_S8(const struct trial *t, struct err *e)
{
    bool pool = trial_trusts(t, &t->world->pool.fact), queues = true;
    for (size_t i = 0; i < t->world->n_queues; i++)
        queues = queues && trial_trusts(t, &t->world->queues[i].fact);
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        const struct world_host *host = trial_host(t->world, a->host);
        bool now = (a->kind == ACTION_POWEROFF || a->kind == ACTION_DESTROY) && is_ordered(t, a, true);
        if (!pool && !now && (takes_away(a) || a->kind == ACTION_INVALIDATE || a->kind == ACTION_FORGET))
            return BROKEN(e, "%s of %s while the pool is not trusted", action_kind_name(a->kind),
                          a->name);
        if (!queues && a->kind == ACTION_DRAIN && !is_ordered(t, a, false))
            return BROKEN(e, "drain of %s while a queue is not trusted", a->name);
        if ((takes_away(a) || a->kind == ACTION_DELETE_VOLUME || a->kind == ACTION_CREATE) &&
            (!host || !trial_trusts_host(t, host)))
            return BROKEN(e, "%s on %s, which is not trusted", action_kind_name(a->kind), a->host);
    }
    return 0;
}

static int frozen_does_nothing_S8(const struct trial *t, struct err *e)
{
    if (t->world->paused && !t->plan->frozen.code)
        return BROKEN(e, "paused, and not frozen");
    if (t->plan->frozen.code && t->plan->n_actions)
        return BROKEN(e, "frozen, and %zu actions", t->plan->n_actions);
    return 0;
}

/* S1: who is drained for having got no job is idle, joined, and is not known to have had one. */
static int jobless_is_proven_S1(const struct trial *t, struct err *e)
{
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        const struct plan_action *a = &t->plan->actions[i];
        const struct world_record *r = trial_record(t->world, a->uuid);
        const struct world_startd *s = trial_startd(t->world, a->uuid, NULL);
        if (a->kind == ACTION_UNDRAIN && r && r->given_up && !r->first_job && s && s->claimed == 0 &&
            !(r->request && *r->request))
            return BROKEN(e, "the drain of %s is taken back, and it was given up", a->name);
        if (a->reason.code != REASON_NO_FIRST_JOB && a->reason.code != REASON_TAKES_NO_JOBS)
            continue;
        if (a->kind != ACTION_DRAIN)
            return BROKEN(e, "%s of %s, which got no job", action_kind_name(a->kind), a->name);
        if (!r || !r->joined || r->first_job || !s || s->claimed > 0)
            return BROKEN(e, "%s is drained for having got no job, and it may have had one", a->name);
        usec allowed = t->policy->timing.first_job_within.value;
        bool waited = allowed > 0 && r->jobless_since && t->world->now - r->jobless_since >= allowed;
        if (!waited && !r->given_up && s->usable)
            return BROKEN(e, "%s is drained for having got no job before its time", a->name);
    }
    return 0;
}

static bool should_be_there(const struct plan_vm *vm)
{
    return vm->record && vm->reason.code != REASON_HOST_FENCED &&
           (vm->record->create_answer == WORLD_ANSWER_OK || vm->record->joined) &&
           !vm->record->poweroff_decided && !vm->record->destroy_decided;
}

static int many_vanished_freeze_S8(const struct trial *t, struct err *e)
{
    int64_t missing = 0, all = 0;
    for (size_t i = 0; i < t->plan->n_vms; i++) {
        const struct plan_vm *vm = &t->plan->vms[i];
        bool gone = vm->state == VM_GONE;
        missing += gone && should_be_there(vm);
        all += vm->state != VM_FOREIGN && (!gone || should_be_there(vm));
    }
    bool many = missing >= 2 && missing * 100 > all * 45;
    if (many && !t->world->vanished_at && !t->plan->frozen.code)
        return BROKEN(e, "%lld of %lld VMs vanished, and nothing is frozen", (long long)missing,
                      (long long)all);
    if (many != (t->plan->vanished_at != 0))
        return BROKEN(e, "%lld of %lld VMs vanished, and vanished_at is %lld", (long long)missing,
                      (long long)all, (long long)t->plan->vanished_at);
    return 0;
}

const struct rule rules_safety[] = {
    {"S1: a claimed VM is never powered off or destroyed", claimed_is_never_ended_S1},
    {"S1: a power-off needs an ad that says drained", poweroff_only_when_drained_S1},
    {"S1: a destroy needs proof", destroy_only_when_proven_S1},
    {"S1: what is unknown is never touched", unknown_is_never_touched_S1},
    {"S1: gone is proven", gone_is_proven_S1},
    {"S1: what counts no more is proven to be unknown", expired_is_proven_S1},
    {"S1: who is drained for having got no job had none", jobless_is_proven_S1},
    {"S3: no foreign domain is named", foreign_domains_are_never_named_S3},
    {"S3: only volumes of ours without any domain are deleted", only_our_volumes_are_deleted_S3},
    {"S6: no two actions contradict each other", actions_do_not_contradict_S6},
    {"S8: bad facts shrink nothing", bad_facts_shrink_nothing_S8},
    {"S8: frozen does nothing", frozen_does_nothing_S8},
    {"S8: many VMs that vanish freeze the pool", many_vanished_freeze_S8},
    {0},
};
