/*
 * Rung 10. The fragment that a schedd, or the virtual pool's negotiator, should have, has, and believes in. What differs is applied;
 * what failed is tried again after a rest, so that a broken schedd is not reconfigured in a loop.
 * An agent is told once what is to be there; it goes on by itself, also when it is heard of later.
 */
#include "plan/rungs.h"

#include <string.h>

static const usec rest_after_failure = 30 * USEC_PER_SEC;

void flock_choose(const struct policy *p, const struct world *w, struct actions *actions,
                  struct later *later)
{
    for (size_t i = 0; i < w->n_flocks; i++) {
        const struct world_flock *f = &w->flocks[i];
        bool removed = !policy_find_schedd(p, f->schedd) &&
                       (!p->pool.shares[0] || strcmp(f->schedd, p->pool.central_manager) != 0);
        bool leaving = removed || f->wanted[0] == '\0';
        enum reason_code code = REASON_NONE;
        if (f->remote && strcmp(f->wanted, f->offered) != 0)
            code = removed   ? REASON_SCHEDD_REMOVED
                   : leaving ? REASON_FRAGMENT_LEAVING
                             : REASON_FRAGMENT_DIFFERS;
        else if (f->remote)
            continue;
        else if (leaving && (f->present[0] != '\0' || f->believed[0] != '\0'))
            code = removed ? REASON_SCHEDD_REMOVED : REASON_FRAGMENT_LEAVING;
        else if (leaving)
            continue;
        else if (f->present[0] == '\0')
            code = REASON_FRAGMENT_MISSING;
        else if (strcmp(f->wanted, f->present) != 0)
            code = REASON_FRAGMENT_DIFFERS;
        else if (strcmp(f->wanted, f->believed) != 0)
            code = REASON_FRAGMENT_UNVERIFIED;
        if (!code)
            continue;
        if (!f->remote && f->failed && w->now - f->failed < rest_after_failure) {
            later_at(later, f->failed + rest_after_failure);
            continue;
        }
        struct plan_action *action =
            actions_add(actions, leaving ? ACTION_FLOCK_REMOVE : ACTION_FLOCK_APPLY,
                        (struct reason){code, .subject = f->schedd});
        action->name = f->schedd;
    }
}
