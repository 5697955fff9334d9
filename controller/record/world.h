/*
 * Worlds outside of one step: a deep copy for those who look at it later, and JSON, for `eyrie
 * world`, the flight recorder, and the scenarios, which are written by hand in it.
 *
 * In JSON a time is µs since the epoch, or a string such as "-5m": before the world's now. A size is
 * bytes, or a string such as "4GiB". What is left out has its ordinary value: facts were asked for
 * now, a domain is ours and runs, a create succeeded, a startd is usable.
 */
#pragma once

#include <json-c/json.h>

#include "base/arena.h"
#include "base/err.h"
#include "plan/world.h"

/** A copy of @w in @a that shares nothing with it. */
const struct world *world_copy(struct arena *a, const struct world *w);

/** The world as JSON, "version": 1; owned by the caller (json_object_put). */
struct json_object *world_to_json(const struct world *w);

/**
 * Read a world. Returns 0 and a world in @a, or -EBADMSG with the place ("hosts[0].domains[2].born")
 * and the offending text in @e.
 */
int world_from_json(struct arena *a, struct json_object *json, const struct world **ret,
                    struct err *e);
