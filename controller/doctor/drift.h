/*
 * How far the fragments have drifted: what is in a fragment's file against what the policy makes of
 * it, and what the running daemon goes by against what the fragment says.
 */
#pragma once

#include "base/json.h"
#include "config/policy.h"

/**
 * Look at all fragments of @p, or at that of @name alone. The view is {"version": 1, "flock":
 * [{"name", "path", "file": the text of diff -u or null, "knobs": [{"name", "wanted", "believed",
 * "at", "text"}], "errors": […]}]}, owned by the caller (json_object_put). Returns 0, or -errno;
 * -ENOENT with nothing in @e: @p has no fragment of that name.
 */
int drift_look(const struct policy *p, const char *name, struct json_object **ret, struct err *e);
