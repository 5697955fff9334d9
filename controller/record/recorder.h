/*
 * The flight recorder: keeps the world of each step that decided something, and of one step a
 * minute when nothing happens, in a folder, the newest so many. `eyrie replay` reads them.
 *
 * A forked child does the work: it has the world of that moment for free, and a disk that is slow,
 * hangs or is full harms nobody else. A few may be at work at once; a step that comes when all are
 * is left out. The first failure is told and switches the recorder off; the pool runs on.
 */
#pragma once

#include <stdint.h>

#include "loop/loop.h"
#include "plan/plan.h"
#include "plan/world.h"

struct recorder;

/** @kind: "record-failed"; @subject: the folder; @text: a sentence. */
typedef void (*recorder_event)(void *userdata, const char *kind, const char *subject,
                               const char *text);

/**
 * A recorder into @folder (made when it is missing), which keeps @keep recordings; "" = none:
 * returns NULL. Owned by the caller (recorder_free).
 */
struct recorder *recorder_new(struct loop *loop, const char *folder, int64_t keep,
                              recorder_event event, void *userdata);
/** Children that are at work are killed. Accepts NULL; returns NULL. */
struct recorder *recorder_free(struct recorder *r);
/** Record one step, when it is worth it. @r may be NULL; nothing is kept of the arguments. */
void recorder_take(struct recorder *r, const struct world *w, const struct plan *plan);
