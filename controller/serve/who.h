/*
 * Who a uid is, by name: a directory service may be behind that, and hang. So the system is asked by a
 * child (getent), which is killed when it takes too long.
 */
#pragma once

#include <sys/types.h>

#include "loop/loop.h"
#include "serve/job.h"

/** How long it may take. */
#define WHO_DEADLINE (5 * USEC_PER_SEC)

/**
 * @name: "carol", or "uid 1000" when the system has no name for it; NULL: it cannot be told, and @error says
 * why. Called once, never from inside who_ask; both are valid during the call.
 */
typedef void (*who_told)(void *userdata, const char *name, const char *error);

/** Ask for the name of @uid. What is returned is the caller's (waiting_free), also within @told. */
struct waiting *who_ask(struct loop *loop, uid_t uid, who_told told, void *userdata)
    __attribute__((returns_nonnull));
