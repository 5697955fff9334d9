/*
 * A policy, or what is wrong with its files, as JSON.
 */
#pragma once

#include "base/json.h"
#include "config/files.h"

/** Add "values": [{"key", "value", "text", "file", "line", "over": [{"file", "line"}…]}…] to @o. */
void view_add_values(struct json_object *o, const struct policy *p, const struct tree_node *root);
/**
 * Add "errors": [{"file", "line", "column", "text"}…] to @o, in the order of the files, and "more":
 * how many there are besides. */
void view_add_errors(struct json_object *o, struct report *r);
