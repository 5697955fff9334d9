#include "doctor/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

int scratch_folder(char **ret, struct err *e)
{
    const char *temporary = getenv("TMPDIR");
    AUTOFREE char *folder =
        mem_printf("%s/eyrie-doctor-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(folder))
        return err_set(e, errno, "%s: %s", folder, strerror(errno));
    *ret = folder;
    folder = NULL;
    return 0;
}

int scratch_write(const char *name, const char *content, struct scratch *ret, struct err *e)
{
    struct scratch s = {0};
    int r = scratch_folder(&s.folder, e);
    if (r < 0)
        return r;
    s.file = mem_printf("%s/%s", s.folder, name);
    size_t length = strlen(content);
    AUTOCLOSE int fd = open(s.file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = fd < 0 ? -1 : write(fd, content, length);
    if (n < 0 || (size_t)n != length) {
        r = err_set(e, n < 0 ? errno : EIO, "%s: %s", s.file, strerror(n < 0 ? errno : EIO));
        scratch_done(&s);
        return r;
    }
    *ret = s;
    return 0;
}

void scratch_done(struct scratch *s)
{
    if (s->file)
        (void)unlink(s->file);
    if (s->folder)
        (void)rmdir(s->folder);
    free(s->file);
    free(s->folder);
    *s = (struct scratch){0};
}
