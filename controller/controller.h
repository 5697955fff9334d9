/*
 * The controller: what the design calls the step. Anything that happens pokes it; a step builds the
 * world from the latest facts, lets the planner decide, starts what is not under way, and publishes
 * an immutable snapshot for those who look.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
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
/**
 * Read the files of the policy again and take them over if they are good. @who: for the log. Returns
 * what came of it, as view_reload has it (owned by the caller, json_object_put).
 */
struct json_object *controller_reload(struct controller *c, const char *who, bool *ret_refused);
/** Whether steps are taken as they should be: for the watchdog. */
bool controller_is_alive(const struct controller *c);
struct controller *controller_free(struct controller *c);
