/*
 * What a value means when the file leaves it open: names from URIs, times from other times, the
 * text of the domain XML and the digest of all that a template's VMs are made from.
 */
#pragma once

#include "config/policy.h"
#include "config/tree.h"

/** "qemu+tls://user@hv01.lab:16514/system" → "hv01.lab"; no host → "local"; belongs to @a. */
const char *resolve_uri_host(struct arena *a, const char *uri);
/** Complete @p, which read_policy filled from @root. Files that cannot be read go to @report. */
void resolve_policy(struct arena *a, struct report *report, const struct tree_node *root,
                    struct policy *p);
