/*
 * Take the ads of a VM that is gone out of the virtual pool's collector, so that no job is matched
 * to a dead slot until they expire: the startd's and the master's.
 */
#pragma once

#include "config/policy.h"
#include "loop/loop.h"

struct invalidate;

/** @error is NULL when the collector took it (also if there was no such ad); else one sentence. */
typedef void (*invalidate_done)(void *userdata, const char *error);

/** Invalidate the ads that carry the EyrieUUID @uuid. @done comes once. */
struct invalidate *invalidate_start(struct loop *loop, const struct policy *p, const char *uuid,
                                    const char *machine, invalidate_done done, void *userdata)
    __attribute__((returns_nonnull));
/** Free; one under way is given up and its done not called. May be called from its done. */
struct invalidate *invalidate_free(struct invalidate *i);
