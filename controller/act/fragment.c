#include "act/fragment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/mem.h"

static int is_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

int fragment_render(const char *file, const char *template_text,
                    const struct fragment_value *values, size_t n_values, struct text *out,
                    struct err *e)
{
    unsigned line = 1;
    for (const char *p = template_text; *p; p++) {
        line += *p == '\n';
        size_t length = 0;
        while (*p == '@' && is_name(p[1 + length]))
            length++;
        if (length == 0 || p[1 + length] != '@') {
            text_add_bytes(out, p, 1);
            continue;
        }
        const struct fragment_value *found = NULL;
        for (size_t i = 0; i < n_values && !found; i++)
            if (strlen(values[i].name) == length && strncmp(values[i].name, p + 1, length) == 0)
                found = &values[i];
        if (!found)
            return err_set(e, EINVAL, "%s:%u: @%.*s@ is no placeholder of this fragment", file, line,
                           (int)length, p + 1);
        if (strpbrk(found->value, "\n\r"))
            return err_set(e, EINVAL, "%s:%u: the value of @%s@ has a line break", file, line,
                           found->name);
        text_add(out, found->value);
        p += length + 1;
    }
    return 0;
}

const char *fragment_digest(const char *content, size_t length,
                            char buffer[static FRAGMENT_DIGEST_MAX])
{
    static const uuid_t space = {0};
    uuid_t digest;
    uuid_generate_sha1(digest, space, content, length);
    for (size_t i = 0; i < sizeof(digest); i++) {
        buffer[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        buffer[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    buffer[2 * sizeof(digest)] = '\0';
    return buffer;
}

int fragment_read(const char *path, size_t limit, struct text *out, struct err *e)
{
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    char buffer[8192];
    if (fd < 0)
        return errno == ENOENT ? -ENOENT : err_set(e, errno, "%s: %s", path, strerror(errno));
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, errno, "%s: %s", path, strerror(errno));
        if (n == 0)
            return 0;
        if (out->length + (size_t)n > limit)
            return err_set(e, EFBIG, "%s: more than %zu bytes", path, limit);
        text_add_bytes(out, buffer, (size_t)n);
    }
}
