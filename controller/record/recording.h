/*
 * A recording: the world of one step and what was decided in it, in one file. The flight recorder
 * writes them, `eyrie replay` decides again under another policy and compares.
 *
 *     {"version": 1, "made": µs, "policy": FILE, "world": {…}, "actions": [ROW, …]}
 *     ROW: {"action": "create", "what": "create small on hv01 for juno", "why": "9 idle jobs …"}
 *
 * Two actions are the same when their "what" is; "why" has numbers and lines of the policy in it.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "plan/plan.h"
#include "plan/world.h"

/** The actions of a plan, as rows; owned by the caller (json_object_put). */
struct json_object *recording_actions(const struct plan *plan);

/** Write a recording to the descriptor @fd, compressed (gzip), and sync it. 0 or -errno. */
int recording_write(int fd, const struct world *w, const struct plan *plan, struct err *e);

/**
 * Read @path ("-": standard input): a recording or a bare world, compressed or not. Returns 0 and
 * the world in @a, with the recorded rows in @ret_actions (owned by the caller; NULL when it is a
 * bare world); or -errno with the place in @e. @ret_actions may be NULL.
 */
int recording_read(struct arena *a, const char *path, const struct world **ret,
                   struct json_object **ret_actions, struct err *e);
