/*
 * An image is brought to a host: a qcow2 file becomes a volume of the storage pool, where it is read
 * back and compared.
 *
 * The name of a volume stands for what is in it: one with other content is never replaced, for VMs
 * may run on it. Until an upload is whole its first bytes say that it is not, so that neither libvirt
 * nor QEMU takes it for an image; they are written last. One that broke off is begun anew. At last it
 * is sealed (seal.h).
 */
#pragma once

#include "base/json.h"
#include "host/connection.h"

struct image_push {
    const char *storage_pool;
    const char *name; /* of the volume; it ends in .qcow2 */
    const char *file; /* on this machine */
    /** How far it is: @done of @all bytes were sent or read back. May be NULL. */
    void (*progress)(void *userdata, int64_t done, int64_t all);
    void *userdata;
};

/**
 * Bring it there, and add to @answer its `digest` (SHA-256), its `size` and whether the host had it
 * `already`. Blocks as long as that takes.
 */
int image_push(const struct image_push *push, const struct lease *lease, struct json_object *answer,
               struct fault *f);
