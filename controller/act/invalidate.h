/*
 * Take the ads of VMs that are gone out of the virtual pool's collector, so that no job is matched
 * to a dead slot until they expire: the startds' and the masters'. One call of HTCondor's tool
 * takes those of all VMs that were asked for until it started; the others wait for the next one, so
 * that many VMs that go at once neither start a tool each nor wait for each other's.
 */
#pragma once

#include <stdbool.h>

#include "config/policy.h"
#include "loop/loop.h"

struct invalidator;

/** @error is NULL when the collector took it (also if there was no such ad); else one sentence. */
typedef void (*invalidate_done)(void *userdata, const char *error);

struct invalidator *invalidator_new(struct loop *loop) __attribute__((returns_nonnull));
/** Free; what is under way is given up and its done not called. May be called from a done. */
struct invalidator *invalidator_free(struct invalidator *i);

/** Invalidate the ads that carry the EyrieUUID @uuid, by the tools and at the collector of @p.
 * @done comes once, later. */
void invalidator_add(struct invalidator *i, const struct policy *p, const char *uuid,
                     invalidate_done done, void *userdata);
/** Whether a tool is at work, or about to be. */
bool invalidator_busy(const struct invalidator *i);
