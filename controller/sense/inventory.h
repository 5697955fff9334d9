/*
 * What eyrie-host's list says is on a host: domains, our volumes, sizes. Complete or not at all.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "plan/world.h"

struct inventory;

/**
 * Parse the answer @o to a list. Where it says that the volumes are unknown (a storage pool in
 * trouble), those of @last (may be NULL) are taken over: the domains are still facts. Returns 0 and
 * a new inventory (inventory_free), or -EBADMSG when @o is not whole, or itself says so.
 */
int inventory_parse(struct json_object *o, const struct inventory *last, struct inventory **ret,
                    struct err *e);
struct inventory *inventory_free(struct inventory *v);
/** libvirt said that this domain has ended: a list that lacks it is no surprise. */
void inventory_ended(struct inventory *v, const char *uuid);
/** Whether a domain of ours is in @last (NULL: none is) that @v lacks, and nobody said that it ended. */
bool inventory_lacks(const struct inventory *v, const struct inventory *last);
/** Set cpus, memory, storage_available, domains, volumes (they stay @v's); NULL: none of each. */
void inventory_fill(const struct inventory *v, struct world_host *w);
