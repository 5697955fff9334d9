/*
 * The two volumes of a VM. The disk is a qcow2 overlay on the template's image. The seed is a raw
 * volume that only QEMU's user may read, made just before the domain and deleted right after: QEMU
 * reads the file once, when it starts. What it says is written to it and to nothing else (rule S7).
 *
 * An upload makes libvirt refresh the storage pool afterwards, in a thread of its own: the price of
 * a seed grows with the number of volumes. Seeds must be on the host, so there is no other way that
 * works for every URI.
 */
#pragma once

#include "base/json.h"
#include "host/connection.h"
#include "host/vm.h"

/**
 * Open the storage pool @name, which must be running. Returns 0 and a reference owned by the
 * caller, or a fault that says how to define or start it.
 */
int volume_pool(virConnectPtr conn, const char *name, virStoragePoolPtr *ret, struct fault *f);

/**
 * Make the disk @name in @pool.
 * @image: name of the volume beneath it, in the same pool
 * @bytes: its size, at least the image's; 0 for the image's own
 * @ret_block: whether it is a block device
 */
int volume_make_disk(virStoragePoolPtr pool, const char *name, const char *image, int64_t bytes,
                     virStorageVolPtr *ret, bool *ret_block, struct fault *f);
/** Where the image @name in @pool is, which is a folder: a container's root. Owned by the caller
 * (free). */
int volume_find_folder(virStoragePoolPtr pool, const char *name, char **ret, struct fault *f);
/** Make the empty volume @name of @bytes, which libvirt takes for no image. */
int volume_make_raw(virStoragePoolPtr pool, const char *name, int64_t bytes, virStorageVolPtr *ret,
                    struct fault *f);
/**
 * Make the seed @name in @pool with the content @seed.
 * @may_skip: the driver may be unable to upload (the test driver is)
 * @ret_skipped: whether it was, and the volume is empty
 */
int volume_make_seed(const struct lease *lease, virStoragePoolPtr pool, const char *name,
                     const char *seed, bool may_skip, virStorageVolPtr *ret, bool *ret_skipped,
                     struct fault *f);
/**
 * What the image @name in @pool is, read anew from the disk: its `format` and `capacity` go to
 * @answer, and where it is to *@ret_path (owned by the caller, free).
 */
int volume_look(virStoragePoolPtr pool, const char *name, struct json_object *answer,
                char **ret_path, struct fault *f);
/** Where @volume is on the host; owned by the caller (free). */
int volume_path(virStorageVolPtr volume, char **ret, struct fault *f);
/** Delete the volume @name. Gone already is no fault: *@ret_gone says which. */
int volume_delete(virStoragePoolPtr pool, const char *name, bool *ret_gone, struct fault *f);

/**
 * Add to @array an object for each volume in @pool that has a name of a VM of @ours, and to @images
 * the names of the others: what a VM's disk may be backed by. What is sealed of those goes to @seals.
 */
int volume_list(virStoragePoolPtr pool, const char *ours, struct json_object *array,
                struct json_object *images, struct json_object *seals, struct fault *f);
