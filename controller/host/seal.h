/*
 * A seal says what is in an image, so that nobody has to read gigabytes to know it: an empty volume
 * beside it whose name holds the image's digest, its size and when its file was last written, as they
 * were when eyrie image push had read it back. One that does not agree with the image any more is
 * broken: somebody wrote to the image since.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"
#include "host/connection.h"

struct seal {
    char *image;
    char digest[SECRET_DIGEST_MAX];
    int64_t size;
    int64_t written; /* seconds since the epoch; 0 where the driver does not say */
};

/** Whether a volume of that name is a seal; then *@ret, of which @ret->image is the caller's (free). */
bool seal_parse(const char *name, struct seal *ret);
/**
 * Set *@ret to whether the image in @pool is still what @seal says; one that is not there is not. -1 when
 * libvirt cannot say what the image is like now, which proves nothing.
 */
int seal_check(virStoragePoolPtr pool, const struct seal *seal, bool *ret);
/** Seal the image @name, in which there is @digest, anew: other seals of it are broken. */
int seal_put(virStoragePoolPtr pool, const char *name, const char *digest, struct fault *f);
