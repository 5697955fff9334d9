/*
 * What makes a VM: the values that a create request carries, that the domain's XML keeps in its
 * metadata, and that a list reads back; and the names of what belongs to it.
 *
 *   domain   <pool>-<template>-<first 8 hex digits of the UUID>
 *   volumes  <pool>.<uuid>.disk  and  <pool>.<uuid>.seed
 *
 * By these names eyrie-host knows what may be ours (rule S3: a domain is ours only when its
 * metadata says so too).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { VM_UUID_SIZE = 37 }; /* as libvirt writes it, lower case, with the final NUL */

#define VM_NAMESPACE "urn:eyrie:vm:1"

struct vm {
    char *name;
    char uuid[VM_UUID_SIZE];
    char *pool;
    char *template;
    char *generation;
    char *group;
    char *request;
    bool exclusive; /* it runs jobs of its group only */
    int64_t born;   /* µs since the epoch */
    int64_t memory; /* bytes, the maximum */
    int64_t cpus;
};

enum vm_volume {
    VM_VOLUME_DISK,
    VM_VOLUME_SEED,
    VM_VOLUME_MAX,
};

/** Free what @vm holds; it can be used again. */
void vm_done(struct vm *vm);
/** Whether @text is a UUID in its one canonical spelling. */
bool vm_is_uuid(const char *text);
/** Whether @text may be a name or value of ours: no control characters, not over 255 bytes. */
bool vm_is_plain(const char *text);
/** Whether the domain name @name is the one that a VM of @pool with @uuid would have. */
bool vm_is_name(const char *pool, const char *name, const char *uuid);
/** "disk" or "seed". */
const char *vm_volume_name(enum vm_volume kind);
/** The name of a volume of the VM @uuid; owned by the caller (free). */
char *vm_volume_make(const char *pool, const char *uuid, enum vm_volume kind);
/** Whether @name is a volume of a VM of @pool; if so, which VM's and which. */
bool vm_volume_parse(const char *pool, const char *name, char ret_uuid[static VM_UUID_SIZE],
                     enum vm_volume *ret_kind);
