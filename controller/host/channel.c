#include "host/channel.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

struct channel {
    int in;
    int out;
    struct text input;
    size_t taken;    /* bytes of input that channel_next has handed out */
    size_t searched; /* bytes after those in which there is no newline */
    bool skipping;   /* inside a line that is too long */
    pthread_mutex_t writing;
};

struct channel *channel_new(int in, int out)
{
    struct channel *c = mem_new(1, sizeof(*c));
    c->in = in;
    c->out = out;
    (void)pthread_mutex_init(&c->writing, NULL);
    return c;
}

struct channel *channel_free(struct channel *c)
{
    if (!c)
        return NULL;
    text_done(&c->input);
    (void)pthread_mutex_destroy(&c->writing);
    free(c);
    return NULL;
}

int channel_read(struct channel *c)
{
    char buffer[64 * 1024];
    ssize_t n = read(c->in, buffer, sizeof(buffer));
    if (n < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    text_drop(&c->input, c->taken);
    c->taken = 0;
    text_add_bytes(&c->input, buffer, (size_t)n);
    explicit_bzero(buffer, sizeof(buffer)); /* seeds come this way */
    return n > 0;
}

int channel_next(struct channel *c, const char **ret_line, size_t *ret_length)
{
    for (;;) {
        const char *line = text_get(&c->input) + c->taken;
        size_t rest = c->input.length - c->taken;
        const char *end =
            rest > c->searched ? memchr(line + c->searched, '\n', rest - c->searched) : NULL;
        if (!end) {
            c->searched = rest;
            if (!c->skipping && rest <= LIMIT_LINE_BYTES)
                return 0;
            c->taken += rest;
            c->searched = 0;
            if (c->skipping)
                return 0;
            c->skipping = true;
            return -EMSGSIZE;
        }
        c->taken += (size_t)(end - line) + 1;
        c->searched = 0;
        if (c->skipping) {
            c->skipping = false;
            continue;
        }
        *ret_line = line;
        *ret_length = (size_t)(end - line);
        return 1;
    }
}

void channel_write(struct channel *c, struct json_object *message)
{
    struct json_object *owned AUTOJSON = message;
    struct text line CLEANUP(text_done) = {0};
    text_add(&line, json_object_to_json_string_ext(owned, JSON_C_TO_STRING_PLAIN |
                                                              JSON_C_TO_STRING_NOSLASHESCAPE));
    text_add(&line, "\n");
    (void)pthread_mutex_lock(&c->writing);
    for (size_t at = 0; at < line.length;) {
        ssize_t n = write(c->out, line.data + at, line.length - at);
        if (n >= 0) {
            at += (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd p = {.fd = c->out, .events = POLLOUT};
            (void)poll(&p, 1, -1);
        } else if (errno != EINTR) {
            break;
        }
    }
    (void)pthread_mutex_unlock(&c->writing);
}
