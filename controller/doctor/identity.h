/*
 * Who eyried is: the user and the environment that its unit gives it. What root may do says little
 * about what eyried may, so doctor, when root runs it, becomes that user for good.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/** A secret that the unit has systemd hand over, or a folder of them (LoadCredential=). */
struct identity_secret {
    const char *name, *path;
};

struct identity {
    const char *user;         /* "": root, or the unit does not say */
    const char **environment; /* "NAME=VALUE" */
    size_t n;
    struct identity_secret *secrets;
    size_t n_secrets;
};

/**
 * Read the unit's User, Environment and EnvironmentFiles from what `systemctl show` says, and the
 * files that the latter names. Everything lives in @a.
 */
struct identity identity_read(struct arena *a, const char *shown);
/** Read its LoadCredential= from what `systemctl cat` says: the unit, then its drop-ins. */
void identity_read_secrets(struct identity *i, struct arena *a, const char *unit);
/** Become that user, with its groups and that environment. Returns 0 or -errno. */
int identity_adopt(const struct identity *i, struct err *e);
/** The value of the property @key in what `systemctl show` says, or ""; in @a. */
const char *identity_property(struct arena *a, const char *shown, const char *key);
