/*
 * An image to many hosts: an eyrie-host for each, some side by side, which reads the file, uploads it
 * and reads it back (controller/host/image.h). eyried has no part in it.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "config/policy.h"

struct image_push_args {
    const struct policy *policy;
    const char *file; /* absolute; its last part is the volume's name */
    const char *host; /* NULL: all */
    /** How far it is: @done of @all bytes over all hosts, and how many hosts have ended. May be NULL. */
    void (*progress)(void *userdata, int64_t done, int64_t all, size_t ended, size_t hosts);
    void *userdata;
};

/**
 * Push, and wait. Returns 0 and {"image", "digest", "failed", "hosts": [{"name", "already", "error"}]},
 * owned by the caller (json_object_put); or -errno when nothing could be begun.
 */
int image_push(const struct image_push_args *args, struct json_object **ret, struct err *e);
