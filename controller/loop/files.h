/*
 * Files that people edit: tells when one of them changed, was replaced, came or went. Editors write
 * in many ways (over the file, or a new one that is renamed over it, with attributes set after), so a
 * burst is waited out, and what is told is only: look again.
 *
 * The folders are watched, not the files: a name may belong to another file tomorrow. A link is
 * followed once: the folder that it leads to is watched, too.
 */
#pragma once

#include <stddef.h>

#include "loop/loop.h"

struct files;

/**
 * @changed is called when a burst of changes has ended, or lasts too long. Returns 0 or -errno (no
 * more inotify instances); owned by the caller (files_free).
 */
int files_new(struct loop *loop, loop_callback changed, void *userdata, struct files **ret,
              struct err *e);
/** Accepts NULL; returns NULL. */
struct files *files_free(struct files *f);
/**
 * Watch these files, and everything in these folders, instead of what was watched. All are absolute
 * paths, are copied, and need not exist. Nothing that happens between two calls is lost.
 */
void files_watch(struct files *f, const char *const *files, size_t n_files,
                 const char *const *folders, size_t n_folders);
/** Watch again what could not be watched or went away; now and then. Accepts NULL. */
void files_mend(struct files *f);
