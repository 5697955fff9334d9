/*
 * Why a request failed: one sentence for people and libvirt's error number for the controller
 * (virErrorNumber; our own refusals use the number that libvirt would use). A call that failed on
 * the way may still have had its effect; `unknown` says so, and then only a new look at the host,
 * by UUID, can tell.
 *
 * Also the cleanup functions for libvirt's types.
 */
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdbool.h>

#include "base/err.h"

struct fault {
    int code;     /* virErrorNumber */
    bool unknown; /* the call may have had its effect */
    struct err err;
};

/** Store @code and a sentence (printf style) in @f; returns -EIO. */
int fault_set(struct fault *f, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * Store what libvirt says of the last failed call of this thread, after a beginning (printf style).
 * To be called before any other libvirt call, which would overwrite it: also none as an argument,
 * not even for a name. Returns -EIO.
 */
int fault_libvirt(struct fault *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each frees what it points to, which may be NULL, and with it the thread's last libvirt error:
 * what libvirt said of a failure is to be stored in the scope of the object. */
void fault_free_domain(virDomainPtr *domain);
void fault_free_pool(virStoragePoolPtr *pool);
void fault_free_volume(virStorageVolPtr *volume);
void fault_free_stream(virStreamPtr *stream);
#define AUTODOMAIN __attribute__((cleanup(fault_free_domain)))
#define AUTOPOOL __attribute__((cleanup(fault_free_pool)))
#define AUTOVOLUME __attribute__((cleanup(fault_free_volume)))
#define AUTOSTREAM __attribute__((cleanup(fault_free_stream)))
