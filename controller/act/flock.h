/*
 * The flocking fragment of one schedd, as a file on this host. Rendered whole → written beside →
 * read by HTCondor's own parser → fsync, rename → reconfigure → confirmed by asking the running
 * daemon; when it does not confirm, the file that was there before is put back. Content that is
 * there already is not written again. Every moment the file is the old or the new one, whole (S5).
 *
 * How it is confirmed: the fragment sets a knob of its own, EYRIE_REVISION_<pool>, to the digest of
 * its text; a daemon that answers with it has read it.
 */
#pragma once

#include "base/err.h"
#include "config/policy.h"
#include "loop/loop.h"
#include "plan/world.h"

struct flocking;

/** @error is NULL on success, else one sentence. */
typedef void (*flock_done)(void *userdata, const char *error);

/**
 * Render the fragment of @schedd from @template_text (flock-config/main-schedd.conf) and look at the
 * file. Returns 0 or -errno. What is needed of @p is copied. Owned by the caller (flock_free).
 */
int flock_new(struct loop *loop, const struct policy *p, const struct policy_schedd *schedd,
              const char *template_text, struct flocking **ret, struct err *e);
/** Give up what is under way and free. */
struct flocking *flock_free(struct flocking *f);
const char *flock_schedd(const struct flocking *f);
/** Whether the fragment should be there; otherwise flock_apply takes it away. */
void flock_want(struct flocking *f, bool wanted);
/** Read the file again: somebody else may have changed it. */
void flock_look(struct flocking *f);
/** Make the file and the running daemon as wanted. @done comes once, never from inside this. */
void flock_apply(struct flocking *f, flock_done done, void *userdata);
/** Set all of @w; strings are valid until the next flock_look or the end of an apply. */
void flock_fill(const struct flocking *f, struct world_flock *w);
