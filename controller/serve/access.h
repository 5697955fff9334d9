/*
 * Who may change what the pool does: root, the user that eyried runs as, and those of access.admins.
 * Names of admins are looked up once, for one policy: a directory service that hangs then holds up a
 * reload, and no question; who asks is told by a child (who.h). A peer's groups are those the kernel knows of its socket.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/text.h"

/** Who asks, as the kernel says. */
struct asker {
    uid_t uid;
    const gid_t *groups; /* primary and supplementary; what the kernel does not tell is not there */
    size_t n_groups;
    const char *user; /* "carol", or "uid 1000"; of whoever only looks "" */
};

struct access;

/**
 * @admins: users, or "@group". Names that nobody bears are left out and added to @unknown, with
 * blanks between them. Owned by the caller (access_free).
 */
struct access *access_new(const char *const *admins, size_t n, struct text *unknown)
    __attribute__((returns_nonnull));
struct access *access_free(struct access *a);
/** Whether @asker may change something. */
bool access_allows(const struct access *a, const struct asker *asker);
