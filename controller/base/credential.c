#include "base/credential.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define PREFIX "credential:"

/* systemd takes up to a megabyte; HTCondor's keys have 64 bytes, or 256. */
enum { NAME_LENGTH_MAX = 255, KEY_BYTES_MAX = 64 * 1024 };

const char *credential_name(const char *value)
{
    return strncmp(value, PREFIX, strlen(PREFIX)) == 0 ? value + strlen(PREFIX) : NULL;
}

bool credential_name_valid(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!isgraph((unsigned char)*p) || *p == '/' || *p == ':')
            return false;
    return *name && strlen(name) <= NAME_LENGTH_MAX && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

const char *credential_folder(void)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    return folder && *folder == '/' ? folder : NULL;
}

char *credential_find(const char *name)
{
    char *path = credential_folder() ? mem_printf("%s/%s", credential_folder(), name) : NULL;
    if (path && access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

int credential_path(const char *value, char **ret, struct err *e)
{
    const char *name = credential_name(value);
    char *path = name ? credential_find(name) : mem_strdup(value);
    if (!path)
        return err_set(
            e, ENOENT, "%s: %s: the unit needs LoadCredential=%s:PATH, and a restart", value,
            credential_folder()
                ? "the service manager handed over none of that name"
                : "no service manager handed over any ($CREDENTIALS_DIRECTORY is not set)",
            name);
    *ret = path;
    return 0;
}

/* ---- copies of our own ----------------------------------------------------------------------- */

static int read_all(const char *path, char *bytes, ssize_t *ret_length, struct err *e)
{
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, KEY_BYTES_MAX);
    if (n < 0)
        return err_set(e, errno, "%s: %s", path, strerror(errno));
    if (n == KEY_BYTES_MAX)
        return err_set(e, EFBIG, "%s is too long for a key", path);
    *ret_length = n;
    return 0;
}

/* By a rename: what an eyried before us left there may be in use. */
static int write_all(const char *path, const char *bytes, ssize_t length, struct err *e)
{
    AUTOFREE char *new = mem_printf("%s.new~", path);
    (void)unlink(new);
    AUTOCLOSE int fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, errno, "%s: %s", new, strerror(errno));
    errno = EIO; /* of a write that is cut short */
    if (write(fd, bytes, (size_t)length) == length && rename(new, path) == 0)
        return 0;
    int r = err_set(e, errno, "%s: %s", path, strerror(errno));
    (void)unlink(new);
    return r;
}

static int copy(const char *from, const char *folder, const char *name, struct err *e)
{
    AUTOFREE char *to = mem_printf("%s/%s", folder, name);
    char bytes[KEY_BYTES_MAX];
    ssize_t length = 0;
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return err_set(e, errno, "%s: %s", folder, strerror(errno));
    int r = read_all(from, bytes, &length, e);
    if (r == 0)
        r = write_all(to, bytes, length, e);
    explicit_bzero(bytes, sizeof(bytes));
    return r;
}

/* Whether one of the files would not do for HTCondor. */
static bool others_may_read(DIR *files)
{
    const struct dirent *file;
    bool found = false;
    while ((file = readdir(files))) {
        struct stat s;
        if (fstatat(dirfd(files), file->d_name, &s, 0) == 0 && S_ISREG(s.st_mode))
            found = found || s.st_uid != geteuid() || (s.st_mode & 077);
    }
    rewinddir(files);
    return found;
}

static int copy_all(const char *from, DIR *files, const char *to, struct err *e)
{
    const struct dirent *file;
    int r = 0;
    while (r == 0 && (file = readdir(files))) {
        AUTOFREE char *path = mem_printf("%s/%s", from, file->d_name);
        struct stat s;
        if (stat(path, &s) == 0 && S_ISREG(s.st_mode))
            r = copy(path, to, file->d_name, e);
    }
    return r;
}

/* Let each variable that is @old be @new. */
static void rename_all(const char *old, const char *new)
{
    for (char **at = environ; *at;) {
        const char *equals = strchr(*at, '=');
        if (!equals || strcmp(equals + 1, old) != 0) {
            at++;
            continue;
        }
        AUTOFREE char *name = mem_printf("%.*s", (int)(equals - *at), *at);
        (void)setenv(name, new, 1);
        at = environ; /* which may be another one now */
    }
}

static void close_p(DIR **folder)
{
    if (*folder)
        (void)closedir(*folder);
}

int credential_settle(struct err *e)
{
    AUTOFREE char *from = credential_folder() ? mem_strdup(credential_folder()) : NULL;
    const char *runtime = getenv("RUNTIME_DIRECTORY");
    CLEANUP(close_p) DIR *files = from ? opendir(from) : NULL;
    if (!from)
        return 0;
    if (!files)
        return err_set(e, errno, "%s: %s", from, strerror(errno));
    if (!others_may_read(files))
        return 0;
    if (!runtime || *runtime != '/')
        return err_set(
            e, EACCES,
            "%s: the files are not ours alone, as HTCondor's tools want them, and without "
            "RuntimeDirectory= in the unit there is no place for copies",
            from);
    /* The first, if it is a list. */
    AUTOFREE char *to = mem_printf("%.*s/credentials", (int)strcspn(runtime, ":"), runtime);
    int r = copy_all(from, files, to, e);
    if (r == 0)
        rename_all(from, to);
    return r;
}
