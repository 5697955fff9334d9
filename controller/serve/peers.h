/*
 * The open connections: whose they are, and since when they owe us a request. The API asks here
 * which one to end when one is too slow or room is needed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/units.h"

enum { PEERS_MAX = 256 };

struct peer {
    uid_t uid;
    int fd;     /* not ours to close */
    usec since; /* accepted, the head of a request came, or one was completed; by loop_ticks */
    bool cut;   /* told to end, and not ended yet */
    bool used;
};

/** All zero at the start. */
struct peers {
    struct peer list[PEERS_MAX];
    size_t n;
};

/** A new connection; there must be room. The result is valid until peers_remove. */
struct peer *peers_add(struct peers *p, uid_t uid, int fd, usec now);
/** It has ended; accepts NULL. */
void peers_remove(struct peers *p, struct peer *peer);
/** How many are of @uid. */
size_t peers_of(const struct peers *p, uid_t uid);
/** The one that waits longest and is not cut yet, of @uid only unless that is NULL; or NULL. */
struct peer *peers_oldest(struct peers *p, const uid_t *uid);
