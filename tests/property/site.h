/*
 * Random sites: a policy, and a world that its daemon could find. Most VMs lead an ordinary life at
 * some stage of it; the rest of the site is what goes wrong: facts that are stale or never came, a
 * ledger that was lost, domains of others, copies of a VM on two hosts, templates and groups that
 * the policy no longer knows, limits of 0 and none, a clock behind its facts.
 */
#pragma once

#include "base/arena.h"
#include "plan/plan.h"
#include "property/draw.h"

/** A policy as config/ would accept it, but for its texts; lives in @a. */
const struct policy *site_policy(struct arena *a, struct draw *d);
/** A world for @p; lives in @a. */
struct world *site_world(struct arena *a, struct draw *d, const struct policy *p);

/** What the generator gives and the rules look for: the names of VMs that are the pool's own. */
#define SITE_POOL "vpool"
