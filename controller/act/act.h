/*
 * Carrying a plan out. Each action is started once and runs by itself; while it is under way the same
 * action is not started again, and the next plan may well decide it anew (level-triggered). What was
 * decided is in the ledger before anything is asked of the outside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "act/flock.h"
#include "config/config.h"
#include "loop/loop.h"
#include "plan/plan.h"
#include "record/ledger.h"
#include "sense/host.h"

struct act;

struct act_callbacks {
    /** Something came out: facts changed, take a step. */
    void (*changed)(void *userdata);
    /** For the log and the history; @kind as in struct ledger_event. */
    void (*event)(void *userdata, const char *kind, const char *subject, const char *text);
    /** The host worker of that name, or NULL. */
    struct host *(*host)(void *userdata, const char *name);
    /** The fragment of that schedd, or NULL. */
    struct flocking *(*flock)(void *userdata, const char *schedd);
    /** A create of @template on @host failed, or its VM ended or was given up before it joined. */
    void (*start_failed)(void *userdata, const char *host, const char *template);
    void *userdata;
};

/** Everything given must outlive the result, which the caller owns (act_free). */
struct act *act_new(struct loop *loop, struct ledger *ledger, const struct act_callbacks *callbacks)
    __attribute__((returns_nonnull));
/** Give up everything under way. */
struct act *act_free(struct act *a);

/**
 * Start the actions of @plan, made of @w, that are not under way. One that ended counts as under way
 * until facts are there that were asked for after its end. @config has the policy of @plan; a create
 * holds a reference until it has ended. @vm_fragment: the text of the template of the VMs'
 * configuration (flock-config/vm-startd.conf). Returns how many were started.
 */
size_t act_start(struct act *a, struct config *config, const struct plan *plan,
                 const struct world *w, const char *vm_fragment);
/** How many actions are under way. */
size_t act_under_way(const struct act *a);
