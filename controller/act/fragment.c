#include "act/fragment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/mem.h"

static int is_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct rendering {
    const char *file;
    const struct fragment_value *values;
    size_t n_values;
    const struct fragment_rows *rows;
    struct text *out;
    struct err *error;
};

/* The value of the placeholder @name in row @row (SIZE_MAX: outside of all), or NULL. */
static const char *find_value(const struct rendering *r, const char *name, size_t length, size_t row)
{
    for (size_t i = 0; i < r->n_values; i++)
        if (strlen(r->values[i].name) == length && strncmp(r->values[i].name, name, length) == 0)
            return r->values[i].value;
    for (size_t i = 0; row != SIZE_MAX && i < r->rows->n_columns; i++)
        if (strlen(r->rows->columns[i]) == length && strncmp(r->rows->columns[i], name, length) == 0)
            return r->rows->cells[row * r->rows->n_columns + i];
    return NULL;
}

/* Lines from @from, the @line-th, up to @until, without any "#@each" among them. */
static int render_lines(const struct rendering *r, const char *from, const char *until,
                        unsigned line, size_t row)
{
    for (const char *p = from; p < until; p++) {
        line += *p == '\n';
        size_t length = 0;
        while (*p == '@' && is_name(p[1 + length]))
            length++;
        if (length == 0 || p[1 + length] != '@') {
            text_add_bytes(r->out, p, 1);
            continue;
        }
        const char *value = find_value(r, p + 1, length, row);
        if (!value)
            return err_set(r->error, EINVAL, "%s:%u: @%.*s@ is no placeholder of this fragment%s",
                           r->file, line, (int)length, p + 1,
                           row == SIZE_MAX ? " outside of #@each … #@end" : "");
        if (strpbrk(value, "\n\r"))
            return err_set(r->error, EINVAL, "%s:%u: the value of @%.*s@ has a line break", r->file,
                           line, (int)length, p + 1);
        text_add(r->out, value);
        p += length + 1;
    }
    return 0;
}

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

static bool line_is(const char *line, const char *what)
{
    size_t length = strlen(what);
    return strncmp(line, what, length) == 0 && (line[length] == '\n' || line[length] == '\0');
}

int fragment_render(const char *file, const char *template_text,
                    const struct fragment_value *values, size_t n_values,
                    const struct fragment_rows *rows, struct text *out, struct err *e)
{
    const struct rendering r = {file, values, n_values, rows, out, e};
    unsigned line = 1;
    for (const char *p = template_text; *p;) {
        if (!line_is(p, "#@each")) {
            const char *next = next_line(p);
            int k = render_lines(&r, p, next, line++, SIZE_MAX);
            if (k < 0)
                return k;
            p = next;
            continue;
        }
        const char *body = next_line(p), *end = body;
        unsigned lines = 1;
        for (; *end && !line_is(end, "#@end"); end = next_line(end))
            lines++;
        if (!*end)
            return err_set(e, EINVAL, "%s:%u: #@each without #@end", file, line);
        for (size_t row = 0; rows && row < rows->n; row++) {
            int k = render_lines(&r, body, end, line + 1, row);
            if (k < 0)
                return k;
        }
        line += lines + 1;
        p = next_line(end);
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
