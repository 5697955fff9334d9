/*
 * A file for one of HTCondor's tools to read, in a folder of its own that nobody else can look
 * into.
 */
#pragma once

#include "base/err.h"

struct scratch {
    char *folder;
    char *file;
};

/** Make a folder below $TMPDIR or /tmp. Returns 0 and its path (owned by the caller, free), or
 * -errno. */
int scratch_folder(char **ret, struct err *e);
/** Write @content to a new file @name below $TMPDIR or /tmp. Returns 0 or -errno. */
int scratch_write(const char *name, const char *content, struct scratch *ret, struct err *e);
/** Remove file and folder, and free; @s may be all NULL. */
void scratch_done(struct scratch *s);
