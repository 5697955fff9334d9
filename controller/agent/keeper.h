/*
 * What an agent is there for: to keep one fragment on this machine as the controller wants it, by
 * the last parcel that was found good. It goes on doing so when nobody is heard of any more.
 */
#pragma once

#include "act/flock.h"
#include "act/parcel.h"
#include "agent/state.h"

struct keeper;

struct keeper_callbacks {
    /** Something is to be reported: an apply ended, or the file is not what it was. */
    void (*changed)(void *userdata);
    /** As log_event's. */
    void (*event)(const char *kind, const char *subject, const char *text);
    void *userdata;
};

/**
 * Begin with what @folder remembers. @joined must outlive it. Owned by the caller (keeper_free).
 */
struct keeper *keeper_new(struct loop *loop, const char *folder, const struct state_joined *joined,
                          const struct keeper_callbacks *callbacks)
    __attribute__((returns_nonnull));
struct keeper *keeper_free(struct keeper *k);

/**
 * Whether @parcel is to be kept by an agent that joined @joined and keeps @held (NULL: nothing
 * yet). Returns 0, or -EKEYREJECTED and a sentence.
 */
int keeper_judge(const struct state_joined *joined, const struct parcel *held,
                 const struct parcel *parcel, struct err *e);
/**
 * Take what came from the controller: check it, write it down, and begin to apply it. Returns 0;
 * -EKEYREJECTED: it is refused, for good; or -errno: not now. *@ret_revision: which one it says it
 * is.
 */
int keeper_take(struct keeper *k, struct json_object *parcel, int64_t *ret_revision, struct err *e);
/** Look at the file and, unless all is well or was tried a moment ago, apply. */
void keeper_look(struct keeper *k);
/** The revision that is kept; 0: none. */
int64_t keeper_revision(const struct keeper *k);
/** Whether all is as that wants it; and whether something is under way for that. */
bool keeper_is_settled(const struct keeper *k);
bool keeper_is_busy(const struct keeper *k);
/** What is in the file, what the daemon believes, and what failed; valid until the next event. */
void keeper_fill(const struct keeper *k, struct world_flock *w);
