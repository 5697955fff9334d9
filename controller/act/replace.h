/*
 * Replacing a file such that at every instant it is the old or the new one, whole: written beside
 * as a scratch file (HTCondor reads no file whose name ends with ~; and it sorts right behind the
 * one it is for), synced, renamed, and the folder synced. A crash leaves at most a scratch file,
 * which the next write replaces.
 */
#pragma once

#include "base/err.h"

/** "NAME.SUFFIX~" in the folder of @path; owned by the caller (free). */
char *replace_scratch_path(const char *path, const char *suffix);
/** Write @content to the scratch file and sync it. Returns 0 or -errno; on failure it is removed. */
int replace_scratch_write(const char *path, const char *suffix, const char *content, struct err *e);
/** Remove the scratch file, if there is one. */
void replace_scratch_remove(const char *path, const char *suffix);
/** Let the scratch file take the place of @path. Returns 0 or -errno. */
int replace_commit(const char *path, const char *suffix, struct err *e);
/** Write and commit in one. */
int replace_file(const char *path, const char *content, struct err *e);
/** The same, and nobody but its owner may read it. */
int replace_private(const char *path, const char *content, struct err *e);
/** Remove @path and sync its folder; that it is not there is no error. */
int replace_remove(const char *path, struct err *e);
