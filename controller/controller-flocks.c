/*
 * The fragments: one for each schedd that the policy names, and the groups' shares. When it names one
 * no more, or at another path, the old fragment is taken away first; the ledger remembers where it is.
 */
#include "controller-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static bool is_present(const struct controller *c, size_t index)
{
    const char *schedd = flock_schedd(c->flocks[index].flock);
    for (size_t i = 0; i < index; i++)
        if (strcmp(flock_schedd(c->flocks[i].flock), schedd) == 0)
            return false;
    return true;
}

struct flocking *controller_find_flock(void *userdata, const char *schedd)
{
    struct controller *c = userdata;
    for (size_t i = 0; i < c->n_flocks; i++)
        if (strcmp(flock_schedd(c->flocks[i].flock), schedd) == 0)
            return c->flocks[i].flock;
    return NULL;
}

const struct world_flock *controller_fill_flocks(struct controller *c, struct arena *a,
                                                 size_t *ret_n)
{
    struct world_flock *flocks = arena_take(a, c->n_flocks, sizeof(*flocks));
    size_t n = 0;
    for (size_t i = 0; i < c->n_flocks; i++)
        if (is_present(c, i))
            flock_fill(c->flocks[i].flock, &flocks[n++]);
    *ret_n = n;
    return flocks;
}

void controller_look_flocks(struct controller *c)
{
    for (size_t i = 0; i < c->n_flocks; i++)
        flock_look(c->flocks[i].flock);
}

void controller_want_flocks(struct controller *c, bool wanted)
{
    for (size_t i = 0; i < c->n_flocks; i++)
        if (!c->flocks[i].leaving)
            flock_want(c->flocks[i].flock, wanted);
}

static void made_free(struct flocking **made, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)flock_free(made[i]);
    free(made);
}

/* What is not on this host is its agent's. */
static struct flock_target with_remote(const struct controller *c, struct flock_target target)
{
    if (strcmp(target.path, POLICY_AGENT) == 0)
        target.remote = agents_remote(c->agents);
    return target;
}

int controller_make_flocks(struct controller *c, const struct policy *p, struct flocking ***ret,
                           struct err *e)
{
    struct flocking **made = mem_new(flock_count(p), sizeof(struct flocking *));
    for (size_t i = 0; i < flock_count(p); i++) {
        struct flock_target target = with_remote(c, flock_target(p, i));
        AUTOFREE char *fragment = controller_read_fragment(p, target.file, e);
        int r = fragment ? flock_new(c->loop, p, &target, fragment, &made[i], e) : -ENOENT;
        if (r < 0) {
            made_free(made, flock_count(p));
            return r;
        }
    }
    *ret = made;
    return 0;
}

/* The one of @made that is about the same file, or SIZE_MAX. */
static size_t find_made(struct flocking **made, size_t n, const struct flocking *old)
{
    for (size_t i = 0; i < n; i++)
        if (flock_same_file(made[i], old))
            return i;
    return SIZE_MAX;
}

/* What becomes of a slot under a new policy; whether it stays. It may take the place of its like. */
static bool keep_slot(struct controller *c, struct flock_slot *slot, struct flocking **made)
{
    size_t same = find_made(made, flock_count(c->policy), slot->flock);
    if (slot->superseded) /* it ends by itself */
        return true;
    if (same == SIZE_MAX) {
        if (!slot->leaving)
            controller_note(c, "schedd-removed", flock_schedd(slot->flock),
                            flock_path(slot->flock));
        flock_want(slot->flock, false);
        slot->leaving = true;
        return true;
    }
    if (flock_equal(made[same], slot->flock)) { /* with what it is known to believe */
        (void)flock_free(made[same]);
        made[same] = slot->flock;
        return false;
    }
    slot->leaving = false;
    slot->superseded = flock_under_way(slot->flock);
    if (!slot->superseded)
        (void)flock_free(slot->flock);
    return slot->superseded;
}

void controller_set_flocks(struct controller *c, struct flocking **made)
{
    size_t n_made = flock_count(c->policy), n = 0;
    struct flock_slot *slots = mem_new(c->n_flocks + n_made, sizeof(*slots));
    for (size_t i = 0; i < c->n_flocks; i++)
        if (keep_slot(c, &c->flocks[i], made))
            slots[n++] = c->flocks[i];
    for (size_t i = 0; i < n_made; i++)
        slots[n++] = (struct flock_slot){made[i]};
    free(made);
    free(c->flocks);
    c->flocks = slots;
    c->n_flocks = n;
    controller_want_flocks(c, !controller_is_ordered(c, LEDGER_LEAVE));
}

static bool has_ended(const struct flock_slot *slot)
{
    return slot->leaving ? flock_is_gone(slot->flock)
                         : slot->superseded && !flock_under_way(slot->flock);
}

void controller_settle_flocks(struct controller *c)
{
    size_t kept = 0;
    struct err e;
    for (size_t i = 0; i < c->n_flocks; i++) {
        struct flock_slot *slot = &c->flocks[i];
        if (!has_ended(slot)) {
            c->flocks[kept++] = *slot;
            continue;
        }
        const char *schedd = flock_schedd(slot->flock), *path = flock_path(slot->flock);
        if (slot->leaving) {
            controller_note(c, "schedd-left", schedd, path);
            if (ledger_site_drop(c->ledger, LEDGER_SCHEDD, schedd, path, &e) < 0 ||
                ledger_site_drop(c->ledger, LEDGER_SHARES, schedd, path, &e) < 0)
                controller_note(c, "ledger-failed", schedd, e.text);
        }
        (void)flock_free(slot->flock);
    }
    if (kept < c->n_flocks)
        controller_look_flocks(c);
    c->n_flocks = kept;
}

/* What is left of a fragment cannot be known before it is asked for. */
static void remember(struct controller *c, const struct flock_target *target)
{
    struct flocking *flock = NULL;
    struct err e;
    for (size_t i = 0; i < flock_count(c->policy); i++) {
        struct flock_target wanted = flock_target(c->policy, i);
        if (strcmp(wanted.name, target->name) == 0 && strcmp(wanted.path, target->path) == 0)
            return;
    }
    AUTOFREE char *fragment = controller_read_fragment(c->policy, target->file, &e);
    if (!fragment || flock_new(c->loop, c->policy, target, fragment, &flock, &e) < 0) {
        controller_note(c, "flock-remove-failed", target->name, e.text);
        return;
    }
    flock_doubt(flock);
    c->flocks = mem_resize(c->flocks, c->n_flocks + 1, sizeof(*c->flocks));
    c->flocks[c->n_flocks++] = (struct flock_slot){flock};
}

static void remember_schedd(void *userdata, const struct ledger_site *site)
{
    const struct flock_target target =
        with_remote(userdata, flock_of_schedd(site->name, site->place, site->detail));
    remember(userdata, &target);
}

static void remember_shares(void *userdata, const struct ledger_site *site)
{
    const struct flock_target target =
        with_remote(userdata, flock_of_shares(site->name, site->place, site->detail));
    remember(userdata, &target);
}

void controller_remember_flocks(struct controller *c)
{
    struct err e;
    if (ledger_sites(c->ledger, LEDGER_SCHEDD, remember_schedd, c, &e) < 0 ||
        ledger_sites(c->ledger, LEDGER_SHARES, remember_shares, c, &e) < 0)
        controller_note(c, "ledger-failed", "schedds", e.text);
}

void controller_free_flocks(struct controller *c)
{
    for (size_t i = 0; i < c->n_flocks; i++)
        (void)flock_free(c->flocks[i].flock);
    free(c->flocks);
}
