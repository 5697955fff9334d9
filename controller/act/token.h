/*
 * One IDTOKEN for one VM, signed with the virtual pool's key: identity vm-UUID, enough to advertise
 * its startd and master, for a limited time. It goes from the tool's stdout to the callback and is
 * wiped from memory after it.
 */
#pragma once

#include "config/policy.h"
#include "loop/loop.h"

struct token;

/** @token is NULL on failure, and @error then one sentence. Both are valid during the call only. */
typedef void (*token_done)(void *userdata, const char *token, const char *error);

/** Ask for a token for the VM @uuid. @done comes once, never from inside this. */
struct token *token_create(struct loop *loop, const struct policy *p, const char *uuid,
                           token_done done, void *userdata) __attribute__((returns_nonnull));
/** Free; one under way is given up and its done not called. May be called from its done. */
struct token *token_free(struct token *t);
