/*
 * What the explanations of VMs, hosts and groups have in common: a first line that answers the
 * question, then lines of facts, each with its name in front.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"

/** Begin a line of facts. */
void explain_label(FILE *out, const char *name);
/** A line of facts; none when @content is "". */
void explain_line(FILE *out, const char *name, const char *content);
/** A line for each string in the array @list, which may be NULL. */
void explain_list(FILE *out, const char *name, struct json_object *list);
/** A line for each planned action. */
void explain_planned(FILE *out, struct json_object *planned);
/** "3 busy, 1 idle" from an object of counts by state; "none". */
void explain_counts(FILE *out, const char *name, struct json_object *counts);

void explain_group(const struct cli *cli, struct json_object *view, FILE *out);
void explain_host(const struct cli *cli, struct json_object *view, FILE *out);
void explain_job(const struct cli *cli, struct json_object *view, FILE *out);
void explain_vm(const struct cli *cli, struct json_object *view, FILE *out);
