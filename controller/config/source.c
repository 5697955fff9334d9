#include "config/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

int source_read(struct arena *a, const char *path, size_t limit, struct source **ret, struct err *e)
{
    /* Only to open a device may do something. O_NONBLOCK: it may have become a FIFO meanwhile. */
    struct stat st;
    AUTOCLOSE int fd = -1;
    if (stat(path, &st) < 0)
        return err_set(e, errno, "%s", strerror(errno));
    if (S_ISREG(st.st_mode)) {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
            return err_set(e, errno, "%s", strerror(errno));
    }
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? err_set(e, EISDIR, "a folder, not a file")
                                   : err_set(e, EINVAL, "not a regular file");

    /* One byte more than it should have, so that growth and /proc's sizes of 0 are seen. */
    size_t room = limit + 1, used = 0;
    if (st.st_size > 0 && (size_t)st.st_size < limit)
        room = (size_t)st.st_size + 1;
    char *bytes = arena_take(a, room + 1, 1);
    while (used < room) {
        ssize_t n = read(fd, bytes + used, room - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, errno, "%s", strerror(errno));
        if (n == 0)
            break;
        used += (size_t)n;
    }
    if (used > limit)
        return err_set(e, EFBIG, "larger than %zu bytes", limit);
    if (used == room)
        return err_set(e, EAGAIN, "it changed while it was read");
    bytes[used] = '\0';
    struct source *s = arena_take(a, 1, sizeof(*s));
    *s = (struct source){.name = arena_strdup(a, path), .bytes = bytes, .length = used};
    *ret = s;
    return 0;
}

struct place source_place(const struct source *s, size_t offset)
{
    struct place at = {.source = s, .line = 1, .column = 1};
    for (size_t i = 0; i < offset && i < s->length; i++) {
        if (s->bytes[i] == '\n') {
            at.line++;
            at.column = 1;
        } else if (((unsigned char)s->bytes[i] & 0xc0) != 0x80) {
            at.column++;
        }
    }
    return at;
}

const char *source_line(struct place at, size_t *ret_length)
{
    if (!at.source || at.source->binary || at.line == 0)
        return NULL;
    const char *p = at.source->bytes, *end = p + at.source->length;
    for (unsigned line = 1; line < at.line; line++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            return NULL;
        p++;
    }
    size_t length = strcspn(p, "\r\n");
    if (length == 0)
        return NULL;
    *ret_length = length;
    return p;
}
