/*
 * Who eyried is: the user and the environment that its unit gives it. What root may do says little
 * about what eyried may, so doctor, when root runs it, becomes that user for good.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct identity {
    const char *user;         /* "": root, or the unit does not say */
    const char **environment; /* "NAME=VALUE" */
    size_t n;
};

/**
 * Read the unit's User, Environment and EnvironmentFiles from what `systemctl show` says, and the
 * files that the latter names. Everything lives in @a.
 */
struct identity identity_read(struct arena *a, const char *shown);
/** Become that user, with its groups and that environment. Returns 0 or -errno. */
int identity_adopt(const struct identity *i, struct err *e);
/** The value of the property @key in what `systemctl show` says, or ""; in @a. */
const char *identity_property(struct arena *a, const char *shown, const char *key);
