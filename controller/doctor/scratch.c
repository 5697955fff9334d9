#include "doctor/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

int scratch_write(const char *name, const char *content, struct scratch *ret, struct err *e)
{
    const char *temporary = getenv("TMPDIR");
    struct scratch s = {
        .folder =
            mem_printf("%s/eyrie-doctor-XXXXXX", temporary && *temporary ? temporary : "/tmp"),
    };
    if (!mkdtemp(s.folder)) {
        int r = err_set(e, errno, "%s: %s", s.folder, strerror(errno));
        free(s.folder);
        return r;
    }
    s.file = mem_printf("%s/%s", s.folder, name);
    size_t length = strlen(content);
    AUTOCLOSE int fd = open(s.file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = fd < 0 ? -1 : write(fd, content, length);
    if (n < 0 || (size_t)n != length) {
        int r = err_set(e, n < 0 ? errno : EIO, "%s: %s", s.file, strerror(n < 0 ? errno : EIO));
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
