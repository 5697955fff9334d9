/*
 * Worlds made of a trial's world: the same facts in another order, with more jobs, and as the world
 * would be right after the plan was carried out.
 */
#pragma once

#include "property/trial.h"

/** The same facts, every array in a random order. */
const struct world *vary_order(const struct trial *t);
/** With @more idle jobs in one shape, which there must be; @ret_shape says in which. */
const struct world *vary_demand(const struct trial *t, int64_t more,
                                const struct world_shape **ret_shape);
/**
 * A moment later: what the plan asked for was done and everything was looked at again. VMs that
 * were asked to leave are still there.
 */
const struct world *vary_carried_out(const struct trial *t);
