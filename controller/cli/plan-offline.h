/*
 * Planning without eyried: the planner is in this program too.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "config/config.h"
#include "plan/world.h"

/**
 * Load --config, or the usual file. Returns CLI_OK and the config (config_free), or the exit code
 * after its errors were printed.
 */
int offline_policy(const struct cli *cli, struct config **ret);
/** What eyried's API would answer to GET /v1/plan; owned by the caller (json_object_put). */
struct json_object *offline_view(const struct policy *p, const struct world *w);
