/*
 * The hosts: a worker for each that the policy names. One that it does not name any more stays until
 * nothing of ours is there, which the ledger remembers, so that a restart forgets no host with VMs.
 */
#include "controller-parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static void slot_done(struct host_slot *slot)
{
    (void)host_free(slot->worker);
    free(slot->name);
    free(slot->uri);
    free(slot->storage_pool);
    free(slot->changed_images);
    *slot = (struct host_slot){0};
}

static struct host_slot slot_new(const char *name, const char *uri, const char *storage_pool)
{
    return (struct host_slot){
        .name = mem_strdup(name),
        .uri = mem_strdup(uri),
        .storage_pool = mem_strdup(storage_pool),
    };
}

void controller_see_images(struct controller *c, const struct world *w)
{
    for (size_t i = 0; i < c->n_hosts && i < w->n_hosts; i++) {
        const struct world_host *host = &w->hosts[i];
        CLEANUP(text_done) struct text changed = {0};
        for (size_t k = 0; k < host->n_seals; k++)
            if (!host->seals[k].intact)
                text_printf(&changed, "%s%s", changed.length ? ", " : "", host->seals[k].image);
        if (changed.length && !text_equal(c->hosts[i].changed_images, text_get(&changed)))
            controller_note(c, "image-changed", host->name, text_get(&changed));
        mem_replace(&c->hosts[i].changed_images, text_get(&changed));
    }
}

/* What it was asked it still answers; its facts are not asked for any more. */
static void retire_worker(struct controller *c, struct host_slot *slot)
{
    if (!slot->worker)
        return;
    c->old_workers =
        mem_resize(c->old_workers, c->n_old_workers + 1, sizeof(struct host *));
    c->old_workers[c->n_old_workers++] = slot->worker;
    slot->worker = NULL;
}

static void start_worker(struct controller *c, struct host_slot *slot, const struct policy_host *h)
{
    if (slot->worker && host_is_for(slot->worker, c->policy, h))
        return;
    retire_worker(c, slot);
    slot->worker = host_new(c->loop, c->policy, h,
                            &(struct host_callbacks){.looked = controller_poke,
                                                     .log = controller_log_host,
                                                     .console = controller_console,
                                                     .userdata = c});
}

struct host_slot *controller_find_slot(struct controller *c, const char *name)
{
    for (size_t i = 0; i < c->n_hosts; i++)
        if (c->hosts[i].name && strcmp(c->hosts[i].name, name) == 0)
            return &c->hosts[i];
    return NULL;
}

static bool policy_names(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_hosts; i++)
        if (strcmp(p->hosts[i].name, name) == 0)
            return true;
    return false;
}

/* The slot that a host had under another name. */
static struct host_slot *find_renamed(struct controller *c, const struct policy_host *h)
{
    for (size_t i = 0; i < c->n_hosts; i++) {
        struct host_slot *slot = &c->hosts[i];
        if (slot->name && strcmp(slot->uri, h->uri) == 0 && !policy_names(c->policy, slot->name))
            return slot;
    }
    return NULL;
}

/* What admins ordered about a host goes with it, or to its new name (NULL: it has none). */
static void move_orders(struct controller *c, const char *from, const char *to)
{
    static const enum ledger_order_kind kinds[] = {LEDGER_CORDON, LEDGER_DRAIN_HOST,
                                                  LEDGER_FENCE};
    struct err e;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct ledger_order *order = ledger_order_find(c->ledger, kinds[i], from);
        int r = 0;
        if (order && to) {
            struct ledger_order moved = *order;
            moved.subject = to;
            r = ledger_order_set(c->ledger, &moved, &e);
        }
        if (order && r == 0)
            r = ledger_order_clear(c->ledger, kinds[i], from, &e);
        if (r < 0)
            controller_note(c, "ledger-failed", from, e.text);
    }
}

static void drop_site(struct controller *c, const struct host_slot *slot)
{
    struct err e;
    if (ledger_site_drop(c->ledger, LEDGER_HOST, slot->name, slot->uri, &e) < 0)
        controller_note(c, "ledger-failed", slot->name, e.text);
}

static void rename_slot(struct controller *c, struct host_slot *slot, const char *name)
{
    struct err e;
    if (ledger_host_rename(c->ledger, slot->name, name, &e) < 0)
        controller_note(c, "ledger-failed", slot->name, e.text);
    move_orders(c, slot->name, name);
    controller_note(c, "host-renamed", slot->name, name);
    drop_site(c, slot);
    mem_replace(&slot->name, name);
}

/* The slot of a host of the policy, taken out of those that there are; or a new one. */
static struct host_slot take_slot(struct controller *c, const struct policy_host *h)
{
    struct host_slot *old = controller_find_slot(c, h->name);
    if (!old && (old = find_renamed(c, h)))
        rename_slot(c, old, h->name);
    struct host_slot slot = old ? *old : slot_new(h->name, h->uri, h->storage_pool);
    if (old)
        *old = (struct host_slot){0};
    mem_replace(&slot.uri, h->uri);
    mem_replace(&slot.storage_pool, h->storage_pool);
    slot.removed = false;
    return slot;
}

void controller_set_hosts(struct controller *c)
{
    const struct policy *p = c->policy;
    struct host_slot *slots = mem_new(p->n_hosts + c->n_hosts, sizeof(*slots));
    size_t n = 0;
    for (size_t i = 0; i < p->n_hosts; i++) {
        slots[n] = take_slot(c, &p->hosts[i]);
        start_worker(c, &slots[n++], &p->hosts[i]);
    }
    for (size_t i = 0; i < c->n_hosts; i++) {
        if (!c->hosts[i].name)
            continue;
        if (!c->hosts[i].removed)
            controller_note(c, "host-removed", c->hosts[i].name, "");
        c->hosts[i].removed = true;
        slots[n++] = c->hosts[i];
    }
    free(c->hosts);
    c->hosts = slots;
    c->n_hosts = n;
    controller_settle_hosts(c);
    for (size_t i = 0; i < c->n_hosts; i++) { /* of those only that something of ours is on */
        struct host_slot *slot = &c->hosts[i];
        if (slot->removed && !slot->worker)
            start_worker(c, slot, &(struct policy_host){.name = slot->name, .uri = slot->uri,
                                                        .storage_pool = slot->storage_pool});
    }
}

/* The ledger knows every VM of which anything is left; the last list, what the ledger does not. */
static bool is_empty(const struct controller *c, const struct host_slot *slot)
{
    size_t n = 0;
    const struct world_record *records = ledger_records(c->ledger, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(records[i].host, slot->name) == 0)
            return false;
    struct world_host facts = {0};
    if (slot->worker)
        host_fill(slot->worker, &facts);
    controller_fill_host_orders(c, &facts);
    if (world_host_is_off(&facts))
        return true;
    for (size_t i = 0; i < facts.n_domains; i++)
        if (facts.domains[i].ours)
            return false;
    return facts.n_volumes == 0;
}

void controller_settle_hosts(struct controller *c)
{
    size_t kept = 0, working = 0;
    for (size_t i = 0; i < c->n_hosts; i++) {
        struct host_slot *slot = &c->hosts[i];
        if (slot->removed && is_empty(c, slot)) {
            controller_note(c, "host-left", slot->name, "nothing of ours is there");
            move_orders(c, slot->name, NULL);
            drop_site(c, slot);
            retire_worker(c, slot);
            slot_done(slot);
        } else {
            c->hosts[kept++] = *slot;
        }
    }
    c->n_hosts = kept;
    for (size_t i = 0; i < c->n_old_workers; i++) {
        if (host_is_idle(c->old_workers[i]))
            (void)host_free(c->old_workers[i]);
        else
            c->old_workers[working++] = c->old_workers[i];
    }
    c->n_old_workers = working;
}

static void remember(void *userdata, const struct ledger_site *site)
{
    struct controller *c = userdata;
    c->hosts = mem_resize(c->hosts, c->n_hosts + 1, sizeof(*c->hosts));
    c->hosts[c->n_hosts++] = slot_new(site->name, site->place, site->detail);
}

void controller_remember_hosts(struct controller *c)
{
    struct err e;
    if (ledger_sites(c->ledger, LEDGER_HOST, remember, c, &e) < 0)
        controller_note(c, "ledger-failed", "hosts", e.text);
}

void controller_free_hosts(struct controller *c)
{
    for (size_t i = 0; i < c->n_hosts; i++)
        slot_done(&c->hosts[i]);
    for (size_t i = 0; i < c->n_old_workers; i++)
        (void)host_free(c->old_workers[i]);
    free(c->hosts);
    free(c->old_workers);
}
