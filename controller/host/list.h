/*
 * Everything on a host, in as few calls as it takes: all domains with their states in one, all
 * volumes in one. What a call per domain would tell (memory, cpus, metadata) is read once for each
 * domain that is new and kept while it lives: 1,000 domains would cost 0.2 s each time.
 *
 * Only calls that answer when a single QEMU hangs are used: the balloon and block statistics would
 * not (seen with libvirt 9.0).
 */
#pragma once

#include "base/json.h"
#include "host/connection.h"

struct list;

/** A list of the domains and volumes of @pool; empty; owned by the caller (list_free). */
struct list *list_new(const char *pool, const char *storage_pool);
/** Free @l; accepts NULL; returns NULL. */
struct list *list_free(struct list *l);

/**
 * Look at the host and add `node`, `storage`, `domains`, `volumes` and `complete` to @answer. Any
 * thread; one at a time looks, the others wait. A storage pool that cannot be used is no fault of
 * the list: `storage` then says why, and `volumes` is null (unknown, not none).
 */
int list_take(struct list *l, const struct lease *lease, struct json_object *answer,
              struct fault *f);

/** Add `node` to @answer: the host's cpus and memory. */
int list_add_node(virConnectPtr conn, struct json_object *answer, struct fault *f);

static inline void list_free_p(struct list **l)
{
    (void)list_free(*l);
}
