#include "act/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

char *replace_scratch_path(const char *path, const char *suffix)
{
    return mem_printf("%s.%s~", path, suffix);
}

static int write_all(int fd, const char *content)
{
    for (size_t left = strlen(content); left > 0;) {
        ssize_t n = write(fd, content, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        content += n;
        left -= (size_t)n;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

static int write_scratch(const char *path, const char *suffix, const char *content, mode_t mode,
                         struct err *e)
{
    AUTOFREE char *scratch = replace_scratch_path(path, suffix);
    AUTOCLOSE int fd = open(scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r = fd < 0 || fchmod(fd, mode) < 0 ? -errno : write_all(fd, content);
    if (r < 0) {
        (void)unlink(scratch);
        return err_set(e, -r, "%s: %s", scratch, strerror(-r));
    }
    return 0;
}

/* HTCondor's daemons and every user's tools read it, whatever our umask. */
int replace_scratch_write(const char *path, const char *suffix, const char *content, struct err *e)
{
    return write_scratch(path, suffix, content, 0644, e);
}

void replace_scratch_remove(const char *path, const char *suffix)
{
    AUTOFREE char *scratch = replace_scratch_path(path, suffix);
    (void)unlink(scratch);
}

static int sync_folder(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    AUTOFREE char *folder = mem_printf("%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
    AUTOCLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_set(e, errno, "%s: %s", folder, strerror(errno));
    return 0;
}

int replace_commit(const char *path, const char *suffix, struct err *e)
{
    AUTOFREE char *scratch = replace_scratch_path(path, suffix);
    if (rename(scratch, path) < 0) {
        int r = err_set(e, errno, "%s: %s", path, strerror(errno));
        (void)unlink(scratch);
        return r;
    }
    return sync_folder(path, e);
}

int replace_file(const char *path, const char *content, struct err *e)
{
    int r = replace_scratch_write(path, "new", content, e);
    return r < 0 ? r : replace_commit(path, "new", e);
}

int replace_private(const char *path, const char *content, struct err *e)
{
    int r = write_scratch(path, "new", content, 0600, e);
    return r < 0 ? r : replace_commit(path, "new", e);
}

int replace_remove(const char *path, struct err *e)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return err_set(e, errno, "%s: %s", path, strerror(errno));
    return sync_folder(path, e);
}
