/*
 * A fragment of one daemon's configuration, as a file on this host: the flocking of a schedd, or the
 * groups' shares of the virtual pool's negotiator. Rendered whole → written beside →
 * read by HTCondor's own parser → fsync, rename → reconfigure → confirmed by asking the running
 * daemon; when it does not confirm, the file that was there before is put back. Content that is
 * there already is not written again. Every moment the file is the old or the new one, whole (S5).
 *
 * How it is confirmed: the fragment sets a knob of its own, such as EYRIE_REVISION_<pool>, to the
 * digest of its text; a daemon that answers with it has read it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"
#include "config/policy.h"
#include "loop/loop.h"
#include "plan/world.h"

struct flocking;
struct flock_target;

/**
 * A fragment on another machine: who gives it to the agent there (eyrie-agent), and knows what that
 * said. Every member is required.
 */
struct flock_remote {
    /** Have the agent of @target put @text there, or take away what is (@mark ""); 0 or -errno. */
    int (*offer)(void *userdata, const struct flock_target *target, const char *knob,
                 const char *mark, const char *text, struct err *e);
    /** Set all of @w but schedd and wanted; strings are valid until the next event. */
    void (*fill)(void *userdata, const struct flock_target *target, struct world_flock *w);
    void *userdata;
};

/** @error is NULL on success, else one sentence. */
typedef void (*flock_done)(void *userdata, const char *error);

/** Whose configuration the fragment is part of. All strings are copied. */
struct flock_target {
    const char *name;   /* as the world and the plan call it: the schedd, or the central manager */
    const char *daemon; /* as HTCondor's tools take it: "-schedd", "-negotiator" */
    const char *file;   /* of flock-config, for errors */
    const char *knob;   /* whose value is the revision that the daemon has read; the pool follows */
    const char *path;   /* of the fragment */
    const char *tools;  /* folder with the HTCondor tools of that daemon's machine; "" = PATH */
    const struct flock_remote *remote; /* not copied; NULL: the fragment is on this host */
};

/** The flocking of a schedd. */
struct flock_target flock_of_schedd(const char *name, const char *path, const char *tools);
/** The groups' shares at the virtual pool's central manager. */
struct flock_target flock_of_shares(const char *name, const char *path, const char *tools);
/** What the main pool's negotiator may have; an admin puts it there, as flock_text makes it. */
struct flock_target flock_of_main_cm(void);
/** How many fragments @p wants: each schedd's, and the groups' shares. */
size_t flock_count(const struct policy *p);
/** The @index-th of them. */
struct flock_target flock_target(const struct policy *p, size_t index);

/** The text of @target's fragment, from the template in paths.fragments. Returns 0 or -errno. */
int flock_text(const struct policy *p, const struct flock_target *target, struct text *out,
               struct err *e);

/**
 * Render the fragment from @template_text (the text of @target's file) and look at what is there.
 * Returns 0 or -errno. What is needed of @p is copied. Owned by the caller (flock_free).
 */
int flock_new(struct loop *loop, const struct policy *p, const struct flock_target *target,
              const char *template_text, struct flocking **ret, struct err *e);
/**
 * The same with a text that was rendered elsewhere. @mark: what the daemon answers when it is asked
 * for @knob and has read the text.
 */
struct flocking *flock_new_given(struct loop *loop, const struct flock_target *target,
                                 const char *knob, const char *mark, const char *text)
    __attribute__((returns_nonnull));
/** Give up what is under way and free. */
struct flocking *flock_free(struct flocking *f);
const char *flock_schedd(const struct flocking *f);
/** Whether the fragment should be there; otherwise flock_apply takes it away. */
void flock_want(struct flocking *f, bool wanted);
/**
 * Read the file again: somebody else may have changed it. Where all is well, have the daemon asked now and
 * then what it goes by, of which flock_fill tells: the error names what overrides the fragment.
 */
void flock_look(struct flocking *f);
/** Hold it for possible that the daemon still believes in a fragment; until it was asked. */
void flock_doubt(struct flocking *f);
/** Whether the file and the daemon are as wanted, by what is known. */
bool flock_is_settled(const struct flocking *f);
/** Whether an apply is under way. */
bool flock_under_way(const struct flocking *f);
/** Whether nothing is left of a fragment that is not wanted: no file, and no belief in one. */
bool flock_is_gone(const struct flocking *f);
/** Whether both are about the same file of the same schedd. */
bool flock_same_file(const struct flocking *a, const struct flocking *b);
/** Whether both would do the same, too. */
bool flock_equal(const struct flocking *a, const struct flocking *b);
const char *flock_path(const struct flocking *f);
/**
 * Make the file and the running daemon as wanted; of one on another machine, tell its agent to.
 * @done comes once, never from inside this.
 */
void flock_apply(struct flocking *f, flock_done done, void *userdata);
/** Set all of @w; strings are valid until the next flock_look or the end of an apply. */
void flock_fill(const struct flocking *f, struct world_flock *w);
