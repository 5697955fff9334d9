/*
 * A hand-made snapshot for the tests of serve/ and cli/: a pool with two groups, a host that
 * answers and one that does not, and a VM in each state that needs a word.
 */
#pragma once

#include "serve/access.h"
#include "serve/view.h"

/** "Now" in the sample: 2026-01-02 03:04:05 UTC. */
#define SAMPLE_NOW ((usec)1767323045 * USEC_PER_SEC)

/** A new snapshot over static data; @free and @userdata: as snapshot_new. */
struct snapshot *sample_snapshot(void (*free)(void *userdata), void *userdata);
/** The same pool with nothing wrong and nothing to do. */
struct snapshot *sample_quiet(void);
/** Root and who runs the test may change something. */
bool sample_allows(const struct asker *asker);
/** Three events; an events_function. */
int sample_events(void *userdata, const struct ledger_events_wanted *wanted,
                  void (*callback)(void *userdata, const struct ledger_event *event),
                  void *callback_userdata, struct err *e);
