#include "act/renewals.h"

#include <stdlib.h>
#include <string.h>

#include "act/gates.h"
#include "act/token.h"
#include "base/limits.h"
#include "base/mem.h"

/* Under way at once; on each host one, for it may wait for a guest that does not answer. */
enum { RENEWALS_MAX = 8 };
/* Of a token's life: when the next one is due, and when one is tried again that was not taken. */
enum { RENEW_PART = 4, RETRY_PART = 12 };
/* It was not taken: tried again when the token is. */
enum { REVISION_FAILED = -1 };

/* The token of one VM. */
struct renewal {
    struct renewals *all;
    char *uuid, *name, *host;
    usec due; /* in ticks: a clock that is set makes no token older */
    usec life;
    int64_t revision;    /* of the rules that the VM knows, or is being told; 0: unknown */
    struct token *token; /* being made */
    bool under_way;      /* that, or its host is handing it over */
    bool forgotten;      /* its VM went meanwhile; it goes when the host has answered */
};

struct renewals {
    struct loop *loop;
    struct renewals_callbacks callbacks;
    struct renewal **items; /* by UUID, as the VMs of a plan */
    size_t n;
    struct renewal *working[RENEWALS_MAX]; /* those under way */
    size_t n_working;
    char *rules; /* who may submit, as gates_rules; NULL: there was no step yet */
    int64_t revision;
};

static void renewal_free(struct renewal *r)
{
    (void)token_free(r->token);
    free(r->uuid);
    free(r->name);
    free(r->host);
    free(r);
}

static void stop_working(struct renewal *r)
{
    struct renewals *all = r->all;
    size_t i = 0;
    while (all->working[i] != r)
        i++;
    all->working[i] = all->working[--all->n_working];
    r->under_way = false;
}

static void end(struct renewal *r, const char *error)
{
    struct renewals *all = r->all;
    r->token = token_free(r->token);
    r->due = loop_ticks(all->loop) + r->life / (error ? RETRY_PART : RENEW_PART);
    if (error)
        r->revision = REVISION_FAILED;
    if (!error)
        all->callbacks.renewed(all->callbacks.userdata);
    else if (!r->forgotten)
        all->callbacks.event(all->callbacks.userdata, "renew-failed", r->name, error);
    stop_working(r);
    if (r->forgotten)
        renewal_free(r);
    all->callbacks.changed(all->callbacks.userdata);
}

static void handed_over(void *userdata, const struct host_answer *answer)
{
    end(userdata, answer->answer == WORLD_ANSWER_OK ? NULL : answer->error);
}

static void got_token(void *userdata, const char *token, const char *error)
{
    struct renewal *r = userdata;
    struct host *host = r->all->callbacks.host(r->all->callbacks.userdata, r->host);
    if (!token || !host) {
        end(r, token ? "its host is no longer in the policy" : error);
        return;
    }
    r->revision = r->all->revision;
    host_renew(host, r->uuid, r->all->rules, token, handed_over, r);
    r->token = token_free(r->token);
}

/* Whether a token would reach the VM, and is of use to it. */
static bool is_served(const struct plan_vm *vm)
{
    return vm->domain && vm->reason.code != REASON_DOUBLED &&
           (vm->state == VM_BOOTING || vm->state == VM_IDLE || vm->state == VM_BUSY ||
            vm->state == VM_DRAINING || vm->state == VM_LOST);
}

static struct renewal *renewal_new(struct renewals *all, const struct plan *plan,
                                   const struct plan_vm *vm)
{
    struct renewal *r = mem_new(1, sizeof(*r));
    usec life = plan->policy->timing.token_life.value, age = plan->now - vm->born;
    *r = (struct renewal){.all = all,
                          .uuid = mem_strdup(vm->uuid),
                          .name = mem_strdup(vm->name),
                          .host = mem_strdup(vm->host),
                          .revision = all->revision};
    r->due = loop_ticks(all->loop);
    if (age >= 0 && age < life / RENEW_PART)
        r->due += life / RENEW_PART - age;
    return r;
}

static void forget(struct renewal *r)
{
    r->forgotten = true;
    if (r->under_way && !r->token) /* its host knows of it */
        return;
    if (r->under_way)
        stop_working(r);
    renewal_free(r);
}

/* Both are sorted by UUID. */
static void merge(struct renewals *all, const struct plan *plan)
{
    struct renewal **items = mem_new(plan->n_vms + 1, sizeof(struct renewal *));
    size_t n = 0, old = 0;
    for (size_t i = 0; i < plan->n_vms; i++) {
        const struct plan_vm *vm = &plan->vms[i];
        if (!is_served(vm))
            continue;
        while (old < all->n && strcmp(all->items[old]->uuid, vm->uuid) < 0)
            forget(all->items[old++]);
        bool known = old < all->n && strcmp(all->items[old]->uuid, vm->uuid) == 0;
        items[n++] = known ? all->items[old++] : renewal_new(all, plan, vm);
        mem_replace(&items[n - 1]->host, vm->host);
    }
    while (old < all->n)
        forget(all->items[old++]);
    free(all->items);
    all->items = items;
    all->n = n;
}

/* Who may submit by this policy. What is too long for the port is known to new VMs only. */
static void learn_rules(struct renewals *all, const struct policy *p)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const char *rules = gates_rules(a, p);
    if (!*rules || (all->rules && strcmp(all->rules, rules) == 0))
        return;
    mem_replace(&all->rules, strlen(rules) < LIMIT_RULES_BYTES ? rules : "");
    all->revision++;
}

/* It reads its port only once it has booted. */
static bool is_up(const struct plan_vm *vm)
{
    return vm->state == VM_IDLE || vm->state == VM_BUSY || vm->state == VM_DRAINING;
}

/* The VMs that know other rules than these are due at once; but a failure is not repeated at once. */
static void tell_rules(struct renewals *all, const struct plan *plan)
{
    size_t at = 0;
    for (size_t i = 0; i < plan->n_vms && at < all->n; i++) {
        struct renewal *r = all->items[at];
        if (strcmp(r->uuid, plan->vms[i].uuid) != 0)
            continue;
        at++;
        if (is_up(&plan->vms[i]) && r->revision != all->revision && r->revision != REVISION_FAILED)
            r->due = loop_ticks(all->loop);
    }
}

static bool is_host_busy(const struct renewals *all, const char *host)
{
    for (size_t i = 0; i < all->n_working; i++)
        if (strcmp(all->working[i]->host, host) == 0)
            return true;
    return false;
}

void renewals_step(struct renewals *all, const struct plan *plan)
{
    usec life = plan->policy->timing.token_life.value;
    merge(all, plan); /* what is there at the first step knows we know not what */
    learn_rules(all, plan->policy);
    tell_rules(all, plan);
    usec now = loop_ticks(all->loop); /* of a VM that is new here it may be due since then */
    for (size_t i = 0; i < all->n && all->n_working < RENEWALS_MAX; i++) {
        struct renewal *r = all->items[i];
        if (r->due > now + life / RENEW_PART) /* a new policy has shorter ones */
            r->due = now + life / RENEW_PART;
        if (r->under_way || r->due > now || is_host_busy(all, r->host))
            continue;
        r->under_way = true;
        r->life = life;
        all->working[all->n_working++] = r;
        r->token = token_create(all->loop, plan->policy, r->uuid, got_token, r);
    }
}

struct renewals *renewals_new(struct loop *loop, const struct renewals_callbacks *callbacks)
{
    struct renewals *all = mem_new(1, sizeof(*all));
    *all = (struct renewals){.loop = loop, .callbacks = *callbacks};
    return all;
}

struct renewals *renewals_free(struct renewals *all)
{
    if (!all)
        return NULL;
    for (size_t i = 0; i < all->n_working; i++)
        if (all->working[i]->forgotten)
            renewal_free(all->working[i]);
    for (size_t i = 0; i < all->n; i++)
        renewal_free(all->items[i]);
    free(all->items);
    free(all->rules);
    free(all);
    return NULL;
}
