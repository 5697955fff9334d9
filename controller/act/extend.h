/*
 * Tell the startd of a VM that its request ends at another time than it was started with. A startd
 * takes no new attribute from outside (condor_config_val -rset wants a right that the controller has
 * in no VM), so the end is left with the collector as an ad, and the startd is reconfigured, which
 * makes it look for it (flock-config/vm-startd.conf).
 */
#pragma once

#include "config/policy.h"
#include "loop/loop.h"

struct extend;

/** @error is NULL when both tools took it; the VM's ad shows it some seconds later. Else one sentence. */
typedef void (*extend_done)(void *userdata, const char *error);

/** Tell the startd on @machine that @request ends at @until. @done comes once. */
struct extend *extend_start(struct loop *loop, const struct policy *p, const char *machine,
                            const char *request, usec until, extend_done done, void *userdata)
    __attribute__((returns_nonnull));
/** Free; one under way is given up and its done not called. May be called from its done. */
struct extend *extend_free(struct extend *r);
