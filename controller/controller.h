/*
 * The controller: what the design calls the step. Anything that happens pokes it; a step builds the
 * world from the latest facts, lets the planner decide, starts what is not under way, and publishes
 * an immutable snapshot for those who look.
 */
#pragma once

#include "base/err.h"
#include "config/config.h"
#include "loop/loop.h"

struct controller;

/**
 * Open the ledger, start the host workers and the API. The controller keeps a reference to @config;
 * the caller owns the controller (controller_free). Returns 0 or -errno.
 */
int controller_new(struct loop *loop, struct config *config, struct controller **ret,
                   struct err *e);
/** Begin to look and to step. */
void controller_start(struct controller *c);
struct controller *controller_free(struct controller *c);
