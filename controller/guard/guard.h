/*
 * What a domain of Eyrie's may be, held against the host's owner's rules. Whoever may start domains
 * through libvirt is as good as root: a disk can be any file, an argument of QEMU's any program. On
 * a host with this guard, called by libvirt's hook before each start, a stolen controller cannot
 * get further than that: its domains have files in the folders that the owner named, and no device
 * or raw argument that he did not allow.
 *
 * What libvirt shows a hook is its own description of the domain, at "start" with every file
 * beneath a disk (https://libvirt.org/hooks.html). What is not known here is refused. Devices that
 * are attached to a domain that runs are not shown to any hook.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct guard_rules {
    const char *pool;           /* domains named POOL-… are held against the rules, no others */
    const char *const *folders; /* absolute; files may be below them */
    size_t n_folders;
    const char *const
        *allowed; /* what is refused otherwise, by the words of guard_check's sentences */
    size_t n_allowed;
};

/** Whether the rules are about the domain @name. */
bool guard_is_about(const struct guard_rules *rules, const char *name);
/**
 * Whether the domain that @xml describes may start: 0, or -EPERM with a sentence that names the
 * element and what would allow it; -EIO when @xml is no such document.
 */
int guard_check(const struct guard_rules *rules, const char *xml, struct err *e);
