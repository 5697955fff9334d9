/*
 * A hand-made snapshot for the tests of serve/ and cli/: a pool with two groups, a host that
 * answers and one that does not, and a VM in each state that needs a word.
 */
#pragma once

#include "serve/snapshot.h"

/** "Now" in the sample: 2026-01-02 03:04:05 UTC. */
#define SAMPLE_NOW ((usec)1767323045 * USEC_PER_SEC)

/** A new snapshot over static data; @free and @userdata: as snapshot_new. */
struct snapshot *sample_snapshot(void (*free)(void *userdata), void *userdata);
/** The same pool with nothing wrong and nothing to do. */
struct snapshot *sample_quiet(void);
